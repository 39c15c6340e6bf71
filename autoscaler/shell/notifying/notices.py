"""Everybody who is told of events, beside a daemon that never waits for them.

Laws: an event is put down where it waits, and nothing else is done when it
happens; receivers come and go with the configuration, and who stays keeps what
waits; nobody is told of what befalls the telling.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping

import trio
from attrs import define, field, frozen

from autoscaler.shell.configuration.notify_table import NotifySettings
from autoscaler.shell.events import Level
from autoscaler.shell.log import Field, Log, Sink
from autoscaler.shell.notifying.message import Notification
from autoscaler.shell.notifying.outbox import Outbox, Sender

# At the end of the daemon, all together.
GOODBYE_S = 5.0
CLOSE_S = 1.0


def new_id() -> str:
    """Return what no other notification is called."""
    return uuid.uuid4().hex


@frozen(eq=False)
class Receiver:
    """Somebody who is told.

    Attributes:
        settings: Of the table.
        key: What its files held; another one makes it another receiver.
        open: Makes what tells it.
    """

    settings: NotifySettings
    key: bytes | None = field(repr=False)
    open: Callable[[], Sender] = field(repr=False)

    def is_as(self, other: "Receiver") -> bool:
        """Tell whether *other* is told in the same way."""
        return (self.settings, self.key) == (other.settings, other.key)


@define(eq=False)
class _Told:
    """A receiver that is told, and what its workers end by."""

    receiver: Receiver
    outbox: Outbox
    scope: trio.CancelScope = field(factory=trio.CancelScope)
    ended: trio.Event = field(factory=trio.Event)


@define(eq=False)
class Notices:
    """Puts events down for those who want them.

    Attributes:
        deployment: What the configuration calls the daemon.
        log: Where failures go.
        wall: Reads the wall clock, seconds since 1970.
        new_id: Names notifications.
    """

    deployment: str
    log: Log
    wall: Callable[[], float]
    new_id: Callable[[], str] = new_id
    _told: dict[str, _Told] = field(factory=dict, init=False)
    _nursery: trio.Nursery | None = field(default=None, init=False)

    def tap(self, sink: Sink) -> Sink:
        """Return *sink*, with all that it takes put down here, too.

        What is left out as a repetition is nobody told of.
        """

        def take(level: Level, event: str, fields: Mapping[str, Field]) -> None:
            sink(level, event, fields)
            self.hear(level, event, fields)

        return take

    def hear(self, level: Level, event: str, fields: Mapping[str, Field]) -> None:
        """Put *event* down for all who want it."""
        who = [
            t for t in self._told.values() if t.receiver.settings.wants(level, event)
        ]
        if not who:
            return
        notification = Notification(
            id=self.new_id(),
            deployment=self.deployment,
            wall=self.wall(),
            level=level,
            event=event,
            fields=dict(fields),
        )
        for told in who:
            told.outbox.put(notification)

    def follow(self, receivers: Iterable[Receiver]) -> None:
        """Tell *receivers* from now on, and nobody else."""
        wanted = {each.settings.name: each for each in receivers}
        for name in [name for name in self._told if name not in wanted]:
            gone = self._told.pop(name)
            gone.scope.cancel()
            gone.outbox.drop()
        for name, receiver in wanted.items():
            before = self._told.get(name)
            if before is None or not before.receiver.is_as(receiver):
                self._begin(receiver, before)

    async def run(self) -> None:
        """Tell them, for ever."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                for told in self._told.values():
                    nursery.start_soon(self._work, told)
                await trio.sleep_forever()
            finally:
                self._nursery = None

    async def finish(self) -> None:
        """Tell what still waits, within `GOODBYE_S`, and give up the rest."""
        with trio.move_on_after(GOODBYE_S, shield=True):
            async with trio.open_nursery() as nursery:
                for told in self._told.values():
                    nursery.start_soon(self._empty, told)
        for told in self._told.values():
            told.outbox.drop()

    def _begin(self, receiver: Receiver, before: _Told | None) -> None:
        outbox = Outbox(receiver.settings, receiver.open(), self.log)
        if before is not None:
            before.scope.cancel()
            # Also what is about to be put back there.
            outbox.waiting = before.outbox.waiting
        told = _Told(receiver, outbox)
        self._told[receiver.settings.name] = told
        if self._nursery is not None:
            self._nursery.start_soon(self._work, told, before)

    async def _work(self, told: _Told, before: _Told | None = None) -> None:
        if before is not None:
            await before.ended.wait()
        with told.scope:
            async with trio.open_nursery() as nursery:
                for _ in range(told.receiver.settings.max_at_once):
                    nursery.start_soon(told.outbox.work)
        if told.scope.cancelled_caught:
            # At the end of all, what waits is told yet.
            await _close(told)
        told.ended.set()

    async def _empty(self, told: _Told) -> None:
        try:
            await told.outbox.empty()
        finally:
            await _close(told)


async def _close(told: _Told) -> None:
    with trio.move_on_after(CLOSE_S, shield=True):
        await told.outbox.sender.aclose()
