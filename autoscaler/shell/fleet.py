"""All groups and what is known of their hosts: the daemon's only state.

Groups change here and nowhere else, by `tell`.  The fleet does nothing by
itself: it holds values, remembers what has to be written, and hands actions to
whoever carries them out.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

import trio
from attrs import evolve, frozen

from albatross_client.names import Name
from autoscaler.core.actions import Action
from autoscaler.core.backend import Backend
from autoscaler.core.decision import Decision
from autoscaler.core.decision_ids import name_decision, next_number, write_id
from autoscaler.core.events import (
    Balanced,
    CloneDestroyed,
    Event,
    Informed,
    Note,
    NoteKind,
    ScaleAsked,
    Ticked,
    WakeAsked,
)
from autoscaler.core.group import Group, GroupId, expected
from autoscaler.core.moments import Clocks
from autoscaler.core.policy import Mode
from autoscaler.core.record import Instant, Record, most_kept, take
from autoscaler.core.snapshot import Snapshot
from autoscaler.core.snapshot import take as take_snapshot
from autoscaler.core.step import Effect, step
from autoscaler.core.usage import Minute
from autoscaler.core.view import Around, Claim, Occupant, View
from autoscaler.shell.hosts.host import Subscribe
from autoscaler.shell.hosts.watch import Watch

if TYPE_CHECKING:
    from autoscaler.shell.drafts import Draft

# Two clocks that are read one after the other are never this far apart.
SLEPT_S = 1.0


@frozen
class Change:
    """A decision that is not the one before.

    Attributes:
        group: Whose.
        wall: When, seconds since 1970.
        decision: The new one.
        record: How it came about; None: that isn't known.
    """

    group: GroupId
    wall: float
    decision: Decision
    record: Record | None = None


class Reporter(Protocol):
    """Who writes down what happens to groups."""

    def ticked(self, group: Group) -> None:
        """The group was looked at."""

    def decided(self, group: Group, before: Decision | None) -> None:
        """The group's decision has changed."""

    def noted(self, group: Group, note: Note) -> None:
        """There is something to say about a member."""


class Holder(Protocol):
    """Who holds connections while nobody serves."""

    @property
    def held(self) -> int:
        """How many wait for a member."""


class Fleet:
    """All groups, by id, and one watch for each domain of each host.

    Attributes:
        groups: The groups as they are now.
        watches: What is known, by host and domain.
        unsaved: Groups whose snapshot has changed since it was written.
        left: Snapshots, not yet written, of groups that are no longer here.
        newcomers: Groups that no answer of their host was told yet.
        changes: Decisions that are not written yet.
        stirred: Groups whose next tick may have moved.
        woken: Set when anything of these has something new.
        rounds: How often it was looked at which groups have to tick.
        round_at: When that was last, monotonic.
        tick_lag: How late the last tick was, seconds after it was due.
        occupants: All that runs on each host, as it was told last.
        backends: What balancers told last, by group.
        heeders: Told at once when what is kept of their group has changed.
        records: The newest of each group, oldest first.
        since: Since when the decision of a group has stood, monotonic.
        began: When actions in flight began, by group and the action's number,
            monotonic; those of an earlier run aren't in it.
        holders: Who holds connections while nobody serves, by group.
        minutes: What ticks said since the last full minute.
        streams_changed: Whether a stream went up or down since that was
            written.
        is_stopping: Whether nothing is decided any more.
        is_writable: Whether the state can be written: if not, nothing begins.
        word: The operator's word for all groups that have none of their own.
        drafts: What members of managed groups are made from.
        last_id: The number of the last decision that was given a name.
    """

    since: dict[GroupId, float]
    began: dict[tuple[GroupId, int], float]
    occupants: dict[str, tuple[Occupant, ...]]

    def __init__(
        self,
        groups: Iterable[Group],
        watches: Iterable[Watch],
        reporter: Reporter,
        clocks: Callable[[], Clocks],
        reconcile_interval: float,
    ) -> None:
        """Hold *groups*; each needs a watch of its host and domain."""
        self.groups: dict[GroupId, Group] = {g.id: g for g in groups}
        self.watches = {(watch.host, watch.domain): watch for watch in watches}
        self.unsaved: set[GroupId] = set(self.groups)
        self.left: dict[GroupId, Snapshot] = {}
        self.newcomers: set[GroupId] = set(self.groups)
        self.changes: list[Change] = []
        self.stirred: set[GroupId] = set(self.groups)
        self.backends: dict[GroupId, Backend] = {}
        self.records: dict[GroupId, deque[Record]] = {}
        self.since, self.began, self.occupants = {}, {}, {}
        self.minutes: dict[GroupId, Minute] = {}
        self.woken = trio.Event()
        self.rounds, self.round_at, self.tick_lag = 0, trio.current_time(), 0.0
        self.is_stopping, self.is_writable, self.streams_changed = False, True, True
        self.word: Mode | None = None
        self.drafts: dict[GroupId, Draft] = {}
        self.heeders: dict[GroupId, Callable[[], None]] = {}
        self.holders: dict[GroupId, Holder] = {}
        self.begin: Callable[[GroupId, Action], None] = _nobody_acts
        self.mourn: Callable[[GroupId, Name], None] = lambda *_: None
        self.clocks, self.reconcile_interval = clocks, reconcile_interval
        self._reporter, self._acting = reporter, set[GroupId]()
        for group in self.groups.values():
            self._index(group, None)
        self.last_id, self._sleeps, self._awake = 0, 0, _awake(clocks())

    def add(self, group: Group) -> None:
        """Look after *group* too; its host and domain have a watch."""
        listened = self.watch(group.id).feed.listened_by(trio.current_time())
        self.groups[group.id] = group = expected(group, listened)
        self.left.pop(group.id, None)
        self.unsaved.add(group.id)
        self.newcomers.add(group.id)
        self._index(group, None)
        self.stir(group.id)

    def remove(self, group_id: GroupId) -> Snapshot:
        """Look after the group no longer; return what is written of it."""
        snapshot = self.left[group_id] = self.snapshot(group_id)
        group = self.groups.pop(group_id)
        self._unlist(group)
        self._acting.discard(group_id)
        self.records.pop(group_id, None)
        self.since.pop(group_id, None)
        self.unsaved.discard(group_id)
        self.newcomers.discard(group_id)
        self.backends.pop(group_id, None)
        self.stir(group_id)
        return snapshot

    def watch(self, group_id: GroupId) -> Watch:
        """Return what is known of the group's domain."""
        return self.watches[group_id.host, group_id.domain]

    def at_root(self, host: str) -> tuple[Watch, ...]:
        """Return the watches that are fed by the one stream of *host*."""
        watches = self.watches.values()
        return tuple(
            w for w in watches if w.host == host and w.subscribe is Subscribe.ROOT
        )

    def groups_of(self, watch: Watch) -> tuple[GroupId, ...]:
        """Return the groups whose domain *watch* is."""
        return tuple(
            group_id
            for group_id in self.groups
            if (group_id.host, group_id.domain) == (watch.host, watch.domain)
        )

    def view(self, group_id: GroupId) -> View:
        """Return what the group may look at now."""
        host, claims = group_id.host, tuple(self._claims_of_others(group_id))
        tracks = tuple(w.tracks for w in self.watches.values() if w.host == host)
        around = Around(self.occupants.get(host, ()), tracks)
        view = self.watch(group_id).view(claims, self.reconcile_interval, around)
        backend = self.backends.get(group_id)
        if backend is None and self.is_writable:
            return view
        return evolve(view, backend=backend, is_writable=self.is_writable)

    def snapshot(self, group_id: GroupId) -> Snapshot:
        """Return what of the group has to survive a restart."""
        return take_snapshot(self.groups[group_id], self.clocks())

    def tell(self, group_id: GroupId, event: Event) -> None:
        """Let *event* happen to the group, and begin what follows from it."""
        before = self.groups[group_id]
        after, effects = self._step(before, event)
        self.groups[group_id] = after
        self._index(after, before)
        if isinstance(event, CloneDestroyed):
            # Its silence is our doing: it tells nothing of the host.
            self.watch(group_id).forget(event.name)
        if _kept(before) != _kept(after):
            self.unsaved.add(group_id)
            if group_id in self.heeders:
                self.heeders[group_id]()
        if isinstance(event, Ticked | Informed | WakeAsked | ScaleAsked):
            self._record(before, after, event.view)
        self._report(before, after, event)
        for effect in effects:
            if isinstance(effect, Note):
                self._reporter.noted(after, effect)
                if effect.kind is NoteKind.DIED:
                    self.mourn(group_id, effect.name)
            else:
                self.began[group_id, effect.id] = trio.current_time()
                self.begin(group_id, effect)
        self.stir(group_id)

    def newest(self, group_id: GroupId) -> Record | None:
        """Return the newest record of the group; None: there is none yet."""
        kept = self.records.get(group_id)
        return kept[-1] if kept else None

    def stir(self, group_id: GroupId) -> None:
        """Have the group looked at: its next tick may have moved."""
        self.stirred.add(group_id)
        self.woken.set()

    def stream_changed(self, watch: Watch) -> None:
        """Have all groups of *watch* looked at."""
        self.streams_changed = True
        for group_id in self.groups_of(watch):
            self.stir(group_id)

    def frame_heard(self, watch: Watch, name: Name) -> None:
        """Have the group looked at that *name* is a member of."""
        group_id = watch.members.get(name)
        if group_id is not None:
            self.stir(group_id)

    def notice_sleep(self) -> int:
        """Return how often this machine was suspended, as far as was seen.

        The clock of intervals stands still in a suspension, that since the
        boot goes on.  Whatever was known before is then older than it looks:
        it is forgotten, and asked for anew.
        """
        awake = _awake(self.clocks())
        if self._awake - awake < SLEPT_S:
            self._awake = max(self._awake, awake)
            return self._sleeps
        self._awake = awake
        self._sleeps += 1
        now = trio.current_time()
        for watch in self.watches.values():
            watch.sleep_through(now)
            self.stream_changed(watch)
        return self._sleeps

    def hear_balancer(self, group_id: GroupId, backend: Backend | None) -> None:
        """Take in what the group's balancer told; None: it doesn't answer."""
        if backend is not None:
            self.backends[group_id] = backend
        elif self.backends.pop(group_id, None) is None:
            return
        self.tell(group_id, Balanced(backend))

    def _step(self, before: Group, event: Event) -> tuple[Group, tuple[Effect, ...]]:
        """Let *event* happen, and give what is decided a name."""
        after, effects = step(before, event, trio.current_time())
        decision_id = None if before.decision is None else before.decision.id
        if _has_changed(before, after):
            self.last_id = next_number(self.last_id, self.clocks().wall)
            decision_id = write_id(self.last_id)
        return name_decision(before, after, effects, decision_id)

    def _claims_of_others(self, group_id: GroupId) -> Iterable[Claim]:
        for other in self._acting:
            if other != group_id and other.host == group_id.host:
                slots = self.groups[other].ledger.slots
                yield from (slot.claim for slot in slots)

    def _index(self, group: Group, before: Group | None) -> None:
        if before is None or _names(before) != _names(group):
            if before is not None:
                self._unlist(before)
            watch = self.watch(group.id)
            members, coming = _names(group)
            watch.members.update(dict.fromkeys(members, group.id))
            watch.coming |= coming
            watch.members_changed.set()
        if before is not None and before.ledger.actions != group.ledger.actions:
            for action in before.ledger.actions:
                if group.ledger.action(action.id) is None:
                    self.began.pop((group.id, action.id), None)
        if group.ledger.actions:
            self._acting.add(group.id)
        else:
            self._acting.discard(group.id)

    def _unlist(self, group: Group) -> None:
        watch = self.watch(group.id)
        members, coming = _names(group)
        for name in members:
            watch.members.pop(name, None)
        watch.coming -= coming
        watch.members_changed.set()

    def _record(self, before: Group, after: Group, view: View) -> None:
        """Remember how the decision came about, where there is a new one."""
        if after.decision is None or after.decision is before.decision:
            return
        kept = self.records.setdefault(after.id, deque())
        at = Instant(trio.current_time(), self.clocks().wall)
        kept.append(take(before, after, view, at, kept[-1] if kept else None))
        while len(kept) > most_kept(len(self.groups)):
            kept.popleft()

    def _report(self, before: Group, after: Group, event: Event) -> None:
        if isinstance(event, Ticked) and after.decision is not None:
            minute = self.minutes.get(after.id, Minute())
            self.minutes[after.id] = minute.with_tick(after.decision.load)
            self._reporter.ticked(after)
        if not _has_changed(before, after) or after.decision is None:
            return
        self._reporter.decided(after, before.decision)
        self.since[after.id] = trio.current_time()
        wall, record = self.clocks().wall, self.newest(after.id)
        self.changes.append(Change(after.id, wall, after.decision, record))
        self.woken.set()


def _names(group: Group) -> tuple[tuple[Name, ...], frozenset[Name]]:
    """Return the members, and those that actions in flight will make."""
    coming = frozenset(slot.name for slot in group.ledger.slots)
    return tuple(member.name for member in group.members), coming


def _awake(clocks: Clocks) -> float:
    """Return by how much the clock of intervals is ahead of the boot's."""
    return clocks.now - clocks.boot


def _nobody_acts(group_id: GroupId, action: Action) -> None:
    msg = f"{group_id} wants {action}, but nobody carries it out"
    raise RuntimeError(msg)


def _has_changed(before: Group, after: Group) -> bool:
    """Tell whether the decision is not the one before."""
    old, new = before.decision, after.decision
    has_begun = after.ledger.next_action > before.ledger.next_action
    is_same = old is not None and new is not None and _gist(old) == _gist(new)
    # Whoever follows requests may decide the same again, and act again.
    return new is not None and (not is_same or has_begun or _promotes(new, old))


def _promotes(decision: Decision, before: Decision | None) -> bool:
    """Tell whether *decision*, if it is a new one, gives standbys work."""
    is_new = decision is not before and decision.mode is Mode.ACTIVE
    return is_new and decision.promoted > 0


def _gist(decision: Decision) -> tuple[object, ...]:
    return decision.outcome, decision.reason, decision.mode


def _kept(group: Group) -> tuple[object, ...]:
    """Return what a snapshot holds, without the cost of making one."""
    clones = tuple(
        (c.name, c.created, c.address, c.found, c.is_standby) for c in group.clones
    )
    return clones, group.foreign, group.ledger
