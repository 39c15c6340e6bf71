"""The daemon: its task tree is one screen, and everything else hangs below it.

One nursery holds a stream and a reconciler for each domain of each host, a
ticker for all groups, a writer, a minute task, and every action that runs.  An
action is written down before it begins and after it ends, so that a daemon
that is killed in between finds at its next start what to ask the host.

Groups and hosts come and go while it runs: what a change doesn't concern goes
on as if nothing had happened.
"""

import signal
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import assert_never

import trio
from attrs import evolve, field, frozen

from albatross_client.names import ROOT, Name
from autoscaler.core.actions import Action, names_of
from autoscaler.core.events import Reconfigured, Redrawn
from autoscaler.core.group import Group, GroupId
from autoscaler.core.moments import Clocks
from autoscaler.core.policy import Mode, Policy
from autoscaler.shell.acting.inquest import Death, Witness
from autoscaler.shell.acting.perform import Journal, Site, bury, perform_in_turn, settle
from autoscaler.shell.acting.turns import Turns
from autoscaler.shell.acting.work import Images
from autoscaler.shell.balancing.exchange import Exchange
from autoscaler.shell.configuration.traffic_tables import TrafficSettings
from autoscaler.shell.drafts import Draft
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.hosts.host import Host, Subscribe
from autoscaler.shell.hosts.line import Line
from autoscaler.shell.hosts.reach import Reach
from autoscaler.shell.hosts.stream import EachMember, follow_in_turn, follow_stats
from autoscaler.shell.hosts.watch import Watch
from autoscaler.shell.log import Log
from autoscaler.shell.minutes import Housekeeping, keep_minutes
from autoscaler.shell.reconcile import Reconciler
from autoscaler.shell.state.mortems import DIED
from autoscaler.shell.state.scribe import Scribe
from autoscaler.shell.state.store import Store
from autoscaler.shell.stranded import tell_of_strays
from autoscaler.shell.ticker import tick_for_ever
from autoscaler.shell.writer import write_changes, write_for_ever

Verb = Callable[[Action, Site, Journal], Awaitable[None]]
Companion = Callable[[], Awaitable[None]]
Place = tuple[str, Name]

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
        turns: Says how many actions run at once.
        traffic: How groups get their requests, of those that have a balancer.
    """

    hosts: Mapping[str, Host]
    store: Store
    images: Images
    log: Log
    clocks: Callable[[], Clocks]
    shutdown_timeout: float
    history_keep: float
    turns: Turns = field(factory=Turns)
    traffic: Mapping[GroupId, TrafficSettings] = field(factory=dict)


@frozen(kw_only=True)
class Adjustment:
    """What a daemon follows from now on, all of it together.

    Attributes:
        hosts: Every host, by name, as it is reached from now on.
        moved: Hosts whose subscriptions have to begin anew.
        intervals: Stats intervals as configured, seconds, by host; None:
            measured.
        subscribes: At which paths a host is listened to.
        in_flight: How many actions may run at once, on all hosts.
        in_flight_of: Likewise on each host.
        policies: What the operator wants of every group.
        drafts: What members of managed groups are made from.
        traffic: How groups get their requests, of those that have a balancer.
        groups: Those that may be new, as an earlier time has left them.
        watches: Of domains that may be new.
        reconcile_interval: How often hosts are asked what runs, seconds.
        shutdown_timeout: Seconds that actions in flight get at the end.
        history_keep: Seconds that history is kept.
    """

    hosts: Mapping[str, Host]
    moved: frozenset[str]
    intervals: Mapping[str, float | None]
    subscribes: Mapping[str, Subscribe]
    in_flight: int
    in_flight_of: Mapping[str, int]
    policies: Mapping[GroupId, Policy]
    drafts: Mapping[GroupId, Draft]
    traffic: Mapping[GroupId, TrafficSettings]
    groups: tuple[Group, ...]
    watches: tuple[Watch, ...]
    reconcile_interval: float
    shutdown_timeout: float
    history_keep: float


class Daemon:
    """Runs a fleet until it is told to stop.

    Attributes:
        fleet: What it looks after.
        stopping: Set when nothing is decided any more.
        exchange: The balancers and activators of its groups.
    """

    def __init__(self, fleet: Fleet, parts: Parts) -> None:
        """Run *fleet* with *parts*; each of its hosts must be among them."""
        self.fleet = fleet
        self.stopping = trio.Event()
        self._parts = parts
        self._idle = trio.Event()
        self._acting: set[tuple[GroupId, int]] = set()
        self._leaving: set[GroupId] = set()
        self._nursery: trio.Nursery | None = None
        store, log, clocks = parts.store, parts.log, parts.clocks
        self._scribe = Scribe(log, self._note_writable)
        self._journal = Journal(store, self._scribe, log, lambda: clocks().wall)
        self._housekeeping = Housekeeping(
            store, self._scribe, log, clocks, parts.history_keep
        )
        self._reaches = {name: Reach(host) for name, host in parts.hosts.items()}
        self._reconcilers: dict[Place, Reconciler] = {}
        self._scopes: dict[Place, trio.CancelScope] = {}
        self.exchange = Exchange(fleet, log, self._start)
        self._root_turns: defaultdict[str, trio.Lock] = defaultdict(trio.Lock)

    @property
    def hosts(self) -> Mapping[str, Reach]:
        """Every host that is configured, by name."""
        return self._reaches

    @property
    def images(self) -> Images:
        """The images that are kept."""
        return self._parts.images

    def stop(self) -> None:
        """Decide nothing any more, and end once no action runs."""
        self.fleet.is_stopping = True
        self._parts.turns.end()
        self.stopping.set()

    async def run(
        self,
        signals: Collection[signal.Signals] = (),
        companions: Collection[Companion] = (),
    ) -> None:
        """Run until `stop` is called; unikernels are left running.

        The first of *signals* to come stops it as `stop` does; a second one
        doesn't wait for the actions in flight: the next start settles them.
        *companions* run beside it and end with it.
        """
        fleet, store = self.fleet, self._parts.store
        await self._scribe.write(store.close_forgotten())
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            fleet.begin, fleet.mourn = self._begin, self._mourn
            for watch in fleet.watches.values():
                self._follow(watch)
            self.exchange.follow(self._parts.traffic)
            nursery.start_soon(tick_for_ever, fleet)
            nursery.start_soon(write_for_ever, fleet, store, self._scribe)
            nursery.start_soon(keep_minutes, fleet, self._housekeeping)
            for companion in companions:
                nursery.start_soon(companion)
            if signals:
                nursery.start_soon(self._obey, signals, nursery.cancel_scope)
            await self.stopping.wait()
            with trio.move_on_after(self._parts.shutdown_timeout):
                await self._until_idle()
            nursery.cancel_scope.cancel()
        self._tell_what_is_left()
        with trio.move_on_after(GOODBYE_S, shield=True):
            await self._scribe.write(write_changes(fleet, store))

    def adjust(self, wanted: Adjustment) -> None:
        """Follow *wanted* from now on.

        A group that is no longer wanted finishes the action that runs.
        """
        self._retime(wanted)
        for name, host in wanted.hosts.items():
            self._reaches.setdefault(name, Reach(host)).newest = host
        for watch in wanted.watches:
            if (watch.host, watch.domain) not in self.fleet.watches:
                self.fleet.watches[watch.host, watch.domain] = watch
                self._follow(watch)
        self._regroup(wanted)
        self.exchange.follow(wanted.traffic)
        self._drop_what_is_unused(wanted.hosts)
        for (name, _), watch in self.fleet.watches.items():
            if name in wanted.intervals:
                watch.configure(wanted.intervals[name])
                watch.subscribe = wanted.subscribes[name]
        for place, scope in self._scopes.items():
            if place[0] in wanted.moved:
                scope.cancel()

    def _start(self, task: Companion) -> None:
        assert self._nursery is not None  # noqa: S101 - `run` sets it first
        self._nursery.start_soon(task)

    def _retime(self, wanted: Adjustment) -> None:
        self.fleet.reconcile_interval = wanted.reconcile_interval
        self._housekeeping.history_keep = wanted.history_keep
        self._parts.turns.allow(wanted.in_flight, wanted.in_flight_of)
        self._parts = evolve(
            self._parts,
            hosts=wanted.hosts,
            shutdown_timeout=wanted.shutdown_timeout,
            history_keep=wanted.history_keep,
        )

    def _regroup(self, wanted: Adjustment) -> None:
        fleet = self.fleet
        fleet.drafts = dict(wanted.drafts)
        for group in wanted.groups:
            if group.id not in fleet.groups:
                fleet.add(group)
        for group_id, group in tuple(fleet.groups.items()):
            policy = wanted.policies.get(group_id)
            if policy is None:
                self._let_go(group)
                continue
            self._leaving.discard(group_id)
            if policy != group.policy:
                fleet.tell(group_id, Reconfigured(policy))
            draft = wanted.drafts.get(group_id)
            if draft is not None and draft.template != group.template:
                fleet.tell(group_id, Redrawn(draft.template))

    def _let_go(self, group: Group) -> None:
        """Look after *group* no longer, as soon as no action of it runs."""
        if self._acts(group.id):
            self._leaving.add(group.id)
            paused = evolve(group.policy, mode=Mode.PAUSED)
            self.fleet.tell(group.id, Reconfigured(paused))
        else:
            tell_of_strays(self.fleet.remove(group.id), self._parts.log)

    def _drop_what_is_unused(self, hosts: Collection[str]) -> None:
        """Drop watches without a group, and hosts without both."""
        for place, watch in tuple(self.fleet.watches.items()):
            if not self.fleet.groups_of(watch):
                del self.fleet.watches[place]
                del self._reconcilers[place]
                self.fleet.streams_changed = True
                if place in self._scopes:
                    self._scopes.pop(place).cancel()
        used = {name for name, _ in self.fleet.watches} | set(hosts)
        for name in set(self._reaches) - used:
            del self._reaches[name]

    def _follow(self, watch: Watch) -> None:
        assert self._nursery is not None  # noqa: S101 - `run` sets it first
        host, place = self._reaches[watch.host], (watch.host, watch.domain)
        self._reconcilers[place] = Reconciler(
            host, watch, self.fleet, self._parts.clocks
        )
        self._nursery.start_soon(self._follow_while_wanted, watch, place)

    async def _follow_while_wanted(self, watch: Watch, place: Place) -> None:
        """Keep the tasks of *watch*; they begin anew whenever cancelled."""
        log = self._parts.log
        while self.fleet.watches.get(place) is watch:
            async with trio.open_nursery() as nursery:
                self._scopes[place] = nursery.cancel_scope
                reconciler = self._reconcilers[place]
                self._listen(nursery, watch)
                nursery.start_soon(reconciler.look_for_ever, log, self._settle)

    def _listen(self, nursery: trio.Nursery, watch: Watch) -> None:
        """Subscribe to what tells of *watch*, in the way its host wants."""
        fleet, log, name = self.fleet, self._parts.log, watch.host
        host, narrower = self._reaches[name], watch.subscribe.narrower
        match watch.subscribe:
            case Subscribe.DOMAIN:
                line = Line(name, watch.domain, lambda: (watch,), fleet, narrower)
                nursery.start_soon(follow_stats, host, line, log)
            case Subscribe.UNIKERNEL:
                each = EachMember(host, watch, fleet, log, nursery.start_soon)
                nursery.start_soon(each.follow)
            case Subscribe.ROOT:
                line = Line(name, ROOT, lambda: fleet.at_root(name), fleet, narrower)
                turn = self._root_turns[name]
                nursery.start_soon(follow_in_turn, host, line, turn, log)
            case _:
                assert_never(watch.subscribe)

    async def _obey(
        self, signals: Collection[signal.Signals], everything: trio.CancelScope
    ) -> None:
        with trio.open_signal_receiver(*signals) as received:
            async for number in received:
                name = signal.Signals(number).name
                self._parts.log.info(
                    "daemon_stopping", signal=name, actions_in_flight=len(self._acting)
                )
                if self.stopping.is_set():
                    everything.cancel()
                self.stop()

    def _note_writable(self) -> None:
        """Begin nothing while the state can't be written."""
        self.fleet.is_writable = not self._scribe.is_failing

    def _tell_what_is_left(self) -> None:
        groups = self.fleet.groups.values()
        left = [str(g.id) for g in groups if g.ledger.actions]
        if left:
            self._parts.log.event("actions_left", left=",".join(left))

    async def _until_idle(self) -> None:
        while self._acting:
            self._idle = trio.Event()
            await self._idle.wait()

    def _begin(self, group_id: GroupId, action: Action) -> None:
        """Perform *action* beside everything else."""
        self._spawn(self._perform, action, group_id)

    async def _perform(self, action: Action, site: Site, journal: Journal) -> None:
        await perform_in_turn(action, site, journal, self._parts.turns)

    def _settle(self, group_id: GroupId) -> None:
        """End what an earlier run has left in flight."""
        for action in self.fleet.groups[group_id].ledger.actions:
            self._spawn(settle, action, group_id)

    def _spawn(self, verb: Verb, action: Action, group_id: GroupId) -> None:
        assert self._nursery is not None  # noqa: S101 - `run` sets it first
        place = group_id.host, group_id.domain
        parts, reconciler = self._parts, self._reconcilers[place]
        host = self._reaches[group_id.host]
        turn = parts.turns.of(group_id.host)
        keeper = self.exchange.of(group_id)
        witness = Witness(names_of(action))
        witness.see(self.fleet.view(group_id))
        where = group_id, self.fleet, host, parts.images, reconciler
        site = Site(*where, turn, keeper, witness)
        self._acting.add((group_id, action.id))
        self._nursery.start_soon(self._to_the_end, verb, action, site)

    def _mourn(self, group_id: GroupId, name: Name) -> None:
        """Look at a clone that has died by itself."""
        witness = Witness((name,))
        witness.see(self.fleet.view(group_id))
        wall = self._parts.clocks().wall
        death = Death(group=group_id, name=name, at=wall, why=DIED)
        host, journal = self._reaches[group_id.host], self._journal
        self._start(partial(bury, death, witness, host, journal))

    def _acts(self, group_id: GroupId) -> bool:
        """Tell whether an action of the group runs."""
        return any(acting == group_id for acting, _ in self._acting)

    async def _to_the_end(self, verb: Verb, action: Action, site: Site) -> None:
        try:
            await verb(action, site, self._journal)
        finally:
            self._acting.discard((site.group_id, action.id))
            self._idle.set()
        if site.group_id in self._leaving and not self._acts(site.group_id):
            self._leaving.discard(site.group_id)
            tell_of_strays(self.fleet.remove(site.group_id), self._parts.log)
            self._drop_what_is_unused(self._parts.hosts)
