"""The daemon: its task tree is one screen, and everything else hangs below it.

One nursery holds a stream and a reconciler for each domain of each host, a
ticker for all groups, a writer, a minute task, and every action that runs.  An
action is written down before it begins and after it ends, so that a daemon
that is killed in between finds at its next start what to ask the host.
"""

import signal
from collections.abc import Awaitable, Callable, Collection, Mapping

import trio
from attrs import frozen

from autoscaler.core.actions import Action
from autoscaler.core.group import GroupId
from autoscaler.core.moments import Clocks
from autoscaler.shell.actuate import Images
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.host import Host
from autoscaler.shell.log import Log
from autoscaler.shell.minutes import Housekeeping, keep_minutes
from autoscaler.shell.perform import Journal, Site, perform, settle
from autoscaler.shell.reconcile import Reconciler
from autoscaler.shell.scribe import Scribe
from autoscaler.shell.store import Store
from autoscaler.shell.stream import follow_stats
from autoscaler.shell.ticker import tick_for_ever
from autoscaler.shell.writer import write_changes, write_for_ever

Verb = Callable[[Action, Site, Journal], Awaitable[None]]

GOODBYE_S = 5.0


@frozen
class Parts:
    """What a daemon is put together from.

    Attributes:
        hosts: By the name that the configuration gives them.
        store: Where state is kept.
        images: Where images are kept.
        log: Where events are written.
        clocks: Reads all clocks.
        shutdown_timeout: Seconds that actions in flight get at the end.
        history_keep: Seconds that history is kept.
    """

    hosts: Mapping[str, Host]
    store: Store
    images: Images
    log: Log
    clocks: Callable[[], Clocks]
    shutdown_timeout: float
    history_keep: float


class Daemon:
    """Runs a fleet until it is told to stop."""

    def __init__(self, fleet: Fleet, parts: Parts) -> None:
        """Run *fleet* with *parts*; each of its hosts must be among them."""
        self.fleet = fleet
        self._parts = parts
        self._stopping = trio.Event()
        self._idle = trio.Event()
        self._running = 0
        self._actions: trio.Nursery | None = None
        store, log, clocks = parts.store, parts.log, parts.clocks
        self._scribe = Scribe(log)
        self._journal = Journal(store, self._scribe, log, lambda: clocks().wall)
        self._housekeeping = Housekeeping(
            store, self._scribe, log, clocks, parts.history_keep
        )
        self._reconcilers = {
            place: Reconciler(parts.hosts[watch.host], watch, fleet, parts.clocks)
            for place, watch in fleet.watches.items()
        }

    def stop(self) -> None:
        """Decide nothing any more, and end once no action runs."""
        self.fleet.is_stopping = True
        self._stopping.set()

    async def run(self, signals: Collection[signal.Signals] = ()) -> None:
        """Run until `stop` is called; unikernels are left running.

        The first of *signals* to come stops it as `stop` does; a second one
        doesn't wait for the actions in flight: the next start settles them.
        """
        fleet, parts = self.fleet, self._parts
        async with trio.open_nursery() as nursery:
            self._actions = nursery
            fleet.begin = self._begin
            for place, watch in fleet.watches.items():
                host, reconciler = parts.hosts[watch.host], self._reconcilers[place]
                nursery.start_soon(follow_stats, host, watch, fleet, parts.log)
                nursery.start_soon(reconciler.look_for_ever, parts.log, self._settle)
            nursery.start_soon(tick_for_ever, fleet)
            nursery.start_soon(write_for_ever, fleet, parts.store, self._scribe)
            nursery.start_soon(keep_minutes, fleet, self._housekeeping)
            if signals:
                nursery.start_soon(self._obey, signals, nursery.cancel_scope)
            await self._stopping.wait()
            with trio.move_on_after(parts.shutdown_timeout):
                await self._until_idle()
            nursery.cancel_scope.cancel()
        self._tell_what_is_left()
        with trio.move_on_after(GOODBYE_S, shield=True):
            await self._scribe.write(write_changes(fleet, parts.store))

    async def _obey(
        self, signals: Collection[signal.Signals], everything: trio.CancelScope
    ) -> None:
        with trio.open_signal_receiver(*signals) as received:
            async for number in received:
                name = signal.Signals(number).name
                self._parts.log.info(
                    "daemon_stopping", signal=name, actions_in_flight=self._running
                )
                if self._stopping.is_set():
                    everything.cancel()
                self.stop()

    def _tell_what_is_left(self) -> None:
        groups = self.fleet.groups.values()
        left = [str(g.id) for g in groups if g.ledger.in_flight is not None]
        if left:
            self._parts.log.event("actions_left", groups=",".join(left))

    async def _until_idle(self) -> None:
        while self._running:
            self._idle = trio.Event()
            await self._idle.wait()

    def _begin(self, group_id: GroupId, action: Action) -> None:
        """Perform *action* beside everything else."""
        self._spawn(perform, action, group_id)

    def _settle(self, group_id: GroupId) -> None:
        """End what an earlier run has left in flight."""
        action = self.fleet.groups[group_id].ledger.in_flight
        if action is not None:
            self._spawn(settle, action, group_id)

    def _spawn(self, verb: Verb, action: Action, group_id: GroupId) -> None:
        assert self._actions is not None  # noqa: S101 - `run` sets it first
        place = group_id.host, group_id.primary.domain
        parts, reconciler = self._parts, self._reconcilers[place]
        host = parts.hosts[group_id.host]
        site = Site(group_id, self.fleet, host, parts.images, reconciler)
        self._running += 1
        self._actions.start_soon(self._to_the_end, verb, action, site)

    async def _to_the_end(self, verb: Verb, action: Action, site: Site) -> None:
        try:
            await verb(action, site, self._journal)
        finally:
            self._running -= 1
            self._idle.set()
