"""What `autoscaler status` tells, put together from configuration and state.

Laws: no I/O; instants are seconds since 1970, and ages are seconds.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from attrs import field, frozen

from albatross_client.names import Name
from autoscaler.core.actions import Action
from autoscaler.core.decision import MemberClass, Requests, Service
from autoscaler.core.group import GroupId
from autoscaler.core.moments import Clocks, Stamp, revive
from autoscaler.core.policy import Mode, Policy
from autoscaler.core.record import Record
from autoscaler.core.snapshot import KeptBackoff, Snapshot
from autoscaler.shell.configuration.settings import Settings
from autoscaler.shell.state.reader import Standing, State
from autoscaler.shell.state.rows import RequestRow
from autoscaler.shell.stranded import Stray, strays


@frozen
class MemberLine:
    """One member or reservation.

    Attributes:
        name: The member.
        counts_as: Its class; None: none was given yet.
        usage: Percent of its CPUs; None: not known.
        service: What its server does; None: it has none, or nobody tells.
    """

    name: Name
    counts_as: MemberClass | None
    usage: float | None
    service: Service | None = None


@frozen
class ActionLine:
    """One action in flight.

    Attributes:
        action: What is still to be done of it.
        age_s: For how long; None: not known.
    """

    action: Action
    age_s: float | None


@frozen
class Said:
    """What an operator has said about a group, and holds it.

    Attributes:
        mode: The most that it may do.
        user: Who said so; None: the history doesn't go back so far.
        since: Since when, seconds since 1970; None: likewise.
    """

    mode: Mode
    user: str | None = None
    since: float | None = None


@frozen(kw_only=True)
class GroupLine:
    """One group.

    Attributes:
        id: Which one.
        policy: What its operator wants.
        members: The primary first, if there is one.
        standing: Its decision; None: nothing was decided yet.
        actions: What is in flight.
        cooldown_up_left_s: How long high ticks don't count yet.
        cooldown_down_left_s: How long low ticks don't count yet.
        backoffs_left_s: What is paused after failures, and for how long.
        foreign: What has a clone's name and isn't ours.
        record: How the decision came about; None: not known.
        said: The operator's word that holds it; None: there is none.
    """

    id: GroupId
    policy: Policy
    members: tuple[MemberLine, ...] = ()
    standing: Standing | None = None
    actions: tuple[ActionLine, ...] = ()
    cooldown_up_left_s: float = 0.0
    cooldown_down_left_s: float = 0.0
    backoffs_left_s: Mapping[str, float] = field(factory=dict)
    foreign: tuple[Name, ...] = ()
    record: Record | None = None
    said: Said | None = None

    @property
    def requests(self) -> Requests | None:
        """What its balancer told when it was decided; None: nothing."""
        return None if self.standing is None else self.standing.decision.load.requests


@frozen
class Stranded:
    """A clone of a group that is no longer configured.

    Attributes:
        host: Where it runs.
        name: The clone.
        command: What removes it; None: its host isn't configured either.
        since: When its group was last looked at, seconds since 1970; None:
            never.
    """

    host: str
    name: Name
    command: str | None
    since: float | None = None


@frozen
class Report:
    """All of it."""

    groups: tuple[GroupLine, ...]
    stranded: tuple[Stranded, ...]


def report(settings: Settings, state: State, clocks: Clocks) -> Report:
    """Return how the groups of *settings* are, by what *state* says."""
    lines = (_group_line(g.id, g.policy, state, clocks) for g in settings.groups)
    return Report(tuple(lines), tuple(_stranded(settings, state)))


def _group_line(
    group_id: GroupId, policy: Policy, state: State, clocks: Clocks
) -> GroupLine:
    standing = state.decisions.get(group_id)
    snapshot = state.snapshots.get(group_id)
    if snapshot is None:
        return GroupLine(id=group_id, policy=policy, standing=standing)
    up, down = policy.cooldown_up, policy.cooldown_down
    if policy.requests is not None:
        # After a change nothing keeps such a group from growing.
        up, down = 0.0, policy.requests.cooldown_down
    return GroupLine(
        id=group_id,
        policy=policy,
        members=tuple(_members(snapshot, standing)),
        standing=standing,
        actions=tuple(_actions(snapshot, state, clocks.wall)),
        cooldown_up_left_s=_left(snapshot.changed_at, up, clocks),
        cooldown_down_left_s=_left(snapshot.changed_at, down, clocks),
        backoffs_left_s=_backoffs(snapshot, clocks),
        foreign=snapshot.foreign,
        record=state.records.get(group_id),
        said=find_said(snapshot.id, snapshot.mode, state.words),
    )


_VERBS = {Mode.PAUSED: "pause", Mode.OBSERVE: "observe"}


def find_said(
    group_id: GroupId, mode: Mode | None, words: Iterable[RequestRow]
) -> Said | None:
    """Return who holds the group in *mode*, and since when; None: nobody.

    Arguments:
        group_id: Which group.
        mode: The most that an operator lets it do.
        words: What operators have said of modes, newest first.
    """
    if mode is None or mode is Mode.ACTIVE:
        return None
    names = {None, str(group_id), str(group_id.name)}
    last = next((w for w in words if w.words.get("group") in names), None)
    if last is None or last.verb != _VERBS[mode]:
        return Said(mode)
    return Said(mode, last.user, last.wall)


def _actions(snapshot: Snapshot, state: State, wall: float) -> Iterator[ActionLine]:
    for action in snapshot.actions:
        began = state.began.get((snapshot.id, action.id))
        yield ActionLine(action, None if began is None else max(0.0, wall - began))


def _members(snapshot: Snapshot, standing: Standing | None) -> Iterator[MemberLine]:
    """Members by the newest snapshot, with what the decision says of them."""
    standings = () if standing is None else standing.decision.load.standings
    known = {s.name: s for s in standings}
    primary = snapshot.id.primary
    names: Iterable[Name] = (
        *(() if primary is None else (primary,)),
        *(clone.name for clone in snapshot.clones),
        *(slot.name for action in snapshot.actions for slot in action.slots),
    )
    for name in names:
        found = known.get(name)
        if found is None:
            yield MemberLine(name, None, None)
        else:
            yield MemberLine(name, found.counts_as, found.usage, found.service)


def _left(since: Stamp | None, length: float, clocks: Clocks) -> float:
    if since is None:
        return 0.0
    return max(0.0, revive(since, clocks, length) + length - clocks.now)


def _backoffs(snapshot: Snapshot, clocks: Clocks) -> Mapping[str, float]:
    kept: Mapping[str, KeptBackoff | None] = {
        "creating": snapshot.creating,
        "destroying": snapshot.destroying,
        "replacing": snapshot.replacing,
        "rolling": snapshot.rolling,
    }
    left = {
        what: _left(backoff.since, backoff.length, clocks)
        for what, backoff in kept.items()
        if backoff is not None
    }
    return {what: seconds for what, seconds in left.items() if seconds > 0}


def _stranded(settings: Settings, state: State) -> Iterator[Stranded]:
    configured = {group.id for group in settings.groups}
    hosts = {host.name for host in settings.hosts}
    for stray in strays(state.snapshots.values(), configured):
        command = None
        if stray.group.host in hosts:
            command = _removal(settings.path, stray)
        standing = state.decisions.get(stray.group)
        since = None if standing is None else standing.at
        yield Stranded(stray.group.host, stray.name, command, since)


def _removal(path: Path, stray: Stray) -> str:
    config = shlex.quote(str(path))
    return f"autoscaler destroy --stranded --config {config} {shlex.quote(str(stray))}"
