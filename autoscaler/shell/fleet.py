"""All groups and what is known of their hosts: the daemon's only state.

Groups change here and nowhere else, by `tell`.  The fleet does nothing by
itself: it holds values, remembers what has to be written, and hands actions to
whoever carries them out.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

import trio
from attrs import evolve, frozen

from albatross_client.names import Name
from autoscaler.core.actions import Action
from autoscaler.core.decision import Decision
from autoscaler.core.events import Event, Note, Ticked
from autoscaler.core.group import Group, GroupId, Member
from autoscaler.core.moments import Clocks
from autoscaler.core.snapshot import Snapshot, take
from autoscaler.core.step import step
from autoscaler.core.usage import Minute
from autoscaler.core.view import Claim, View
from autoscaler.shell.watch import Watch


@frozen
class Change:
    """A decision that is not the one before.

    Attributes:
        group: Whose.
        wall: When, seconds since 1970.
        decision: The new one.
    """

    group: GroupId
    wall: float
    decision: Decision


class Reporter(Protocol):
    """Who writes down what happens to groups."""

    def ticked(self, group: Group) -> None:
        """The group was looked at."""

    def decided(self, group: Group, before: Decision | None) -> None:
        """The group's decision has changed."""

    def noted(self, group: Group, note: Note) -> None:
        """There is something to say about a member."""


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
        minutes: What ticks said since the last full minute.
        streams_changed: Whether a stream went up or down since that was
            written.
        is_stopping: Whether nothing is decided any more.
        is_writable: Whether the state can be written: if not, nothing begins.
    """

    def __init__(
        self,
        groups: Iterable[Group],
        watches: Iterable[Watch],
        reporter: Reporter,
        clocks: Callable[[], Clocks],
        reconcile_interval: float,
    ) -> None:
        """Hold *groups*; each needs a watch of its host and domain."""
        self.groups: dict[GroupId, Group] = {group.id: group for group in groups}
        self.watches = {(watch.host, watch.domain): watch for watch in watches}
        self.unsaved: set[GroupId] = set(self.groups)
        self.left: dict[GroupId, Snapshot] = {}
        self.newcomers: set[GroupId] = set(self.groups)
        self.changes: list[Change] = []
        self.stirred: set[GroupId] = set(self.groups)
        self.minutes: dict[GroupId, Minute] = {}
        self.streams_changed = True
        self.woken = trio.Event()
        self.rounds = 0
        self.is_stopping = False
        self.is_writable = True
        self.begin: Callable[[GroupId, Action], None] = _nobody_acts
        self.reconcile_interval = reconcile_interval
        self._reporter = reporter
        self.clocks = clocks
        self._acting: set[GroupId] = set()
        for group in self.groups.values():
            self._index(group, ())

    def add(self, group: Group) -> None:
        """Look after *group* too; its host and domain have a watch."""
        self.groups[group.id] = group
        self.left.pop(group.id, None)
        self.unsaved.add(group.id)
        self.newcomers.add(group.id)
        self._index(group, ())
        self.stir(group.id)

    def remove(self, group_id: GroupId) -> None:
        """Look after the group no longer; what it knows is still written."""
        self.left[group_id] = self.snapshot(group_id)
        group = self.groups.pop(group_id)
        members = self.watch(group_id).members
        for member in group.members:
            members.pop(member.name, None)
        self._acting.discard(group_id)
        self.unsaved.discard(group_id)
        self.newcomers.discard(group_id)
        self.stir(group_id)

    def watch(self, group_id: GroupId) -> Watch:
        """Return what is known of the group's domain."""
        return self.watches[group_id.host, group_id.primary.domain]

    def groups_of(self, watch: Watch) -> tuple[GroupId, ...]:
        """Return the groups whose domain *watch* is."""
        return tuple(
            group_id
            for group_id in self.groups
            if (group_id.host, group_id.primary.domain) == (watch.host, watch.domain)
        )

    def view(self, group_id: GroupId) -> View:
        """Return what the group may look at now."""
        claims = tuple(self._claims_of_others(group_id))
        view = self.watch(group_id).view(claims, self.reconcile_interval)
        return view if self.is_writable else evolve(view, is_writable=False)

    def snapshot(self, group_id: GroupId) -> Snapshot:
        """Return what of the group has to survive a restart."""
        return take(self.groups[group_id], self.clocks())

    def tell(self, group_id: GroupId, event: Event) -> None:
        """Let *event* happen to the group, and begin what follows from it."""
        before = self.groups[group_id]
        after, effects = step(before, event, trio.current_time())
        self.groups[group_id] = after
        self._index(after, before.members)
        if _kept(before) != _kept(after):
            self.unsaved.add(group_id)
        self._report(before, after, event)
        for effect in effects:
            if isinstance(effect, Note):
                self._reporter.noted(after, effect)
            else:
                self.begin(group_id, effect)
        self.stir(group_id)

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

    def _claims_of_others(self, group_id: GroupId) -> Iterable[Claim]:
        for other in self._acting:
            if other != group_id and other.host == group_id.host:
                slots = self.groups[other].ledger.slots
                yield from (slot.claim for slot in slots)

    def _index(self, group: Group, before: tuple[Member, ...]) -> None:
        members = self.watch(group.id).members
        for gone in before:
            members.pop(gone.name, None)
        members.update(dict.fromkeys((m.name for m in group.members), group.id))
        if group.ledger.in_flight is None:
            self._acting.discard(group.id)
        else:
            self._acting.add(group.id)

    def _report(self, before: Group, after: Group, event: Event) -> None:
        if isinstance(event, Ticked) and after.decision is not None:
            minute = self.minutes.get(after.id, Minute())
            self.minutes[after.id] = minute.with_tick(after.decision.load)
            self._reporter.ticked(after)
        old, new = before.decision, after.decision
        if new is None or (old is not None and _gist(old) == _gist(new)):
            return
        self._reporter.decided(after, old)
        self.changes.append(Change(after.id, self.clocks().wall, new))
        self.woken.set()


def _nobody_acts(group_id: GroupId, action: Action) -> None:
    msg = f"{group_id} wants {action}, but nobody carries it out"
    raise RuntimeError(msg)


def _gist(decision: Decision) -> tuple[object, ...]:
    return decision.outcome, decision.reason, decision.mode


def _kept(group: Group) -> tuple[object, ...]:
    """Return what a snapshot holds, without the cost of making one."""
    clones = tuple((c.name, c.created, c.address) for c in group.clones)
    return clones, group.foreign, group.ledger
