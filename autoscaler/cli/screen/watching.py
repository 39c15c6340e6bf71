"""The terminal while somebody watches: keys, news and signals, one at a time.

Laws: no decision is made here; everything that happens comes through one
channel, so that nothing is drawn in between; whoever waits for the daemon waits
in a thread, which nobody waits for at the end.
"""

import math
import os
import signal
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Protocol, TypeVar, assert_never

import trio
from attrs import define, evolve, field

from autoscaler.cli.screen.keyboard import KeyReader, Press
from autoscaler.cli.screen.looking import Explain, Obey
from autoscaler.cli.screen.pages import paint
from autoscaler.cli.screen.showing import (
    Do,
    Explained,
    Hung,
    Leave,
    News,
    Obeyed,
    Passed,
    Showing,
    Signalled,
    Typed,
    react,
)
from autoscaler.cli.screen.sights import Seen
from autoscaler.cli.screen.table import Scene
from autoscaler.cli.screen.teletype import Teletype

T = TypeVar("T")
# What a terminal sends for one key comes at once; an Escape alone is a key.
ESCAPE_S = 0.05
TICK_S = 1.0
# How often it is looked where nobody has said it; and that looking takes no
# more than a tenth of the time: a thousand groups cost the daemon 0.2 s.
USUAL_S, RESTS = 1.0, 9
_SIGNALS = (
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP),
    *(signal.SIGWINCH, signal.SIGTSTP),
)


class Source(Protocol):
    """Who tells; each of these blocks."""

    def see(self) -> Seen:
        """Return what there is to see."""

    def explain(self, group: str, width: int) -> tuple[str, ...]:
        """Return why *group* does what it does, on lines of *width* cells."""

    def obey(self, verb: str, group: str) -> str:
        """Have the daemon do *verb* with *group*; return what came of it."""


async def watch(
    teletype: Teletype, source: Source, title: str, interval: float | None
) -> int:
    """Show what *source* tells until somebody leaves; return the exit code.

    Arguments:
        teletype: Where.
        source: Who tells.
        title: What is written above everything.
        interval: Seconds from one look to the next; None: as `rest` has it.
    """
    send, receive = trio.open_memory_channel[News](8)
    with trio.open_signal_receiver(*_SIGNALS) as signals, teletype.taken():
        async with trio.open_nursery() as nursery:
            watcher = _Watcher(teletype, source, send, nursery)
            nursery.start_soon(watcher.read_keys)
            nursery.start_soon(watcher.follow, interval)
            nursery.start_soon(watcher.heed, signals)
            nursery.start_soon(watcher.tick)
            code = await watcher.serve(receive, Showing(Scene(sight=None, title=title)))
            nursery.cancel_scope.cancel()
    return code


def rest(took: float, interval: float | None) -> float:
    """Return how long not to look after a look.

    Arguments:
        took: How long that took, seconds.
        interval: What the operator wants; None: nothing was said.
    """
    return max(USUAL_S, RESTS * took) if interval is None else interval


@define
class _Watcher:
    """Brings news and does what they call for.

    Attributes:
        asked_at: Since when somebody is asked what there is to see; None:
            nobody is.
        hurry: Set to look at once.
    """

    teletype: Teletype
    source: Source
    send: trio.MemorySendChannel[News]
    nursery: trio.Nursery
    asked_at: float | None = None
    hurry: trio.Event = field(factory=trio.Event)

    async def serve(
        self, receive: trio.MemoryReceiveChannel[News], showing: Showing
    ) -> int:
        """Take what comes until somebody leaves; return the exit code."""
        while True:
            try:
                painted = paint(showing.visible, showing.looking, self.teletype.size)
                self.teletype.show(painted.lines)
            except OSError:
                # It is gone.
                return 128 + signal.SIGHUP
            showing = evolve(showing, looking=painted.looking)
            showing, effect = react(showing, await receive.receive())
            if isinstance(effect, Leave):
                return effect.code
            if effect is not None:
                self._do(effect)

    def _do(self, effect: Explain | Obey | Do) -> None:
        match effect:
            case Explain():
                self.nursery.start_soon(self._explain, effect.group)
            case Obey():
                self.nursery.start_soon(self._obey, effect)
            case Do():
                self._do_ourselves(effect)
            case _:
                assert_never(effect)

    def _do_ourselves(self, what: Do) -> None:
        match what:
            case Do.REDRAW:
                self.teletype.forget()
            case Do.SUSPEND:
                self.teletype.give_back()
                os.kill(os.getpid(), signal.SIGSTOP)
                self.teletype.take()
            case Do.LOOK:
                self.hurry.set()
            case _:
                assert_never(what)

    async def _explain(self, group: str) -> None:
        width = self.teletype.size.width
        lines = await _in_thread(partial(self.source.explain, group, width))
        await self.send.send(Explained(group, lines))

    async def _obey(self, wish: Obey) -> None:
        said = await _in_thread(partial(self.source.obey, wish.verb, wish.group))
        await self.send.send(Obeyed(said))

    async def follow(self, interval: float | None) -> None:
        """Look again and again."""
        while True:
            began = trio.current_time()
            self.hurry, self.asked_at = trio.Event(), began
            seen = await _in_thread(self.source.see)
            self.asked_at, took = None, trio.current_time() - began
            await self.send.send(seen)
            with trio.move_on_after(rest(took, interval)):
                await self.hurry.wait()

    async def tick(self) -> None:
        """Say that a second is over, again and again."""
        while True:
            await trio.sleep(TICK_S)
            asked_at, now = self.asked_at, trio.current_time()
            await self.send.send(Passed(0.0 if asked_at is None else now - asked_at))

    async def heed(self, signals: AsyncIterator[int]) -> None:
        """Say which signals come."""
        async for number in signals:
            await self.send.send(Signalled(number))

    async def read_keys(self) -> None:
        """Say which keys are typed."""
        reader, keyboard = KeyReader(), self.teletype.keyboard
        while True:
            keys: tuple[Press, ...] = ()
            with trio.move_on_after(ESCAPE_S if reader.pending else math.inf) as waited:
                await trio.lowlevel.wait_readable(keyboard)
            if waited.cancelled_caught:
                keys = reader.flush()
            elif typed := self.teletype.read():
                keys = reader.feed(typed)
            else:
                await self.send.send(Hung())
                return
            for key in keys:
                await self.send.send(Typed(key))


async def _in_thread(work: Callable[[], T]) -> T:
    return await trio.to_thread.run_sync(work, abandon_on_cancel=True)
