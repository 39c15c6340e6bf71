"""A group: its members, and what hosts cannot tell of them.

Most groups are an operator's primary and its clones.  A *managed* group has no
primary: all its members are ours, made from what the configuration says.
"""

import re
from typing import Self

from attrs import evolve, frozen

from albatross_client.names import Name
from autoscaler.core.blueprint import Blueprint, copied
from autoscaler.core.decision import Decision
from autoscaler.core.demand import NO_DEMAND, Demand
from autoscaler.core.idle import Quiet
from autoscaler.core.ledger import Ledger
from autoscaler.core.policy import Mode, Policy
from autoscaler.core.view import View

# No name has it: a managed group is never taken for one around a primary.
MANAGED_SUFFIX = "-*"


@frozen(order=True, cache_hash=True)
class GroupId:
    """Which group.

    Attributes:
        host: Of the configuration.
        name: The primary's; of a managed group what its members' names begin
            with.
        is_managed: Whether there is no primary.
    """

    host: str
    name: Name
    is_managed: bool = False

    def __str__(self) -> str:
        return f"{self.host}/{self.name}"

    @classmethod
    def of_key(cls, host: str, key: str) -> Self:
        """Return the group on *host* whose `key` is *key*.

        Raises:
            ValueError: It is no group's.
        """
        name = key.removesuffix(MANAGED_SUFFIX)
        return cls(host, Name.parse(name), is_managed=name != key)

    @property
    def key(self) -> str:
        """What tells the group from all others of its host, also over time."""
        return f"{self.name}{MANAGED_SUFFIX if self.is_managed else ''}"

    @property
    def primary(self) -> Name | None:
        """The operator's unikernel; None: the group is managed."""
        return None if self.is_managed else self.name

    @property
    def domain(self) -> Name:
        """Where all its members are."""
        return self.name.domain

    @property
    def prefix(self) -> str:
        """What the labels of its clones begin with, before their numbers."""
        return f"{self.name.label}-{'' if self.is_managed else 'clone-'}"

    def clone(self, number: int) -> Name:
        """Return the name of the clone with this *number*."""
        return Name(self.name.path, self.clone_label(number))

    def clone_label(self, number: int) -> str:
        """Return the label that the clone with this *number* would have."""
        return f"{self.prefix}{number}"

    def number_of(self, name: Name) -> int | None:
        """Return which clone of this group *name* is, None if it is none."""
        if name.path != self.name.path or name.label is None:
            return None
        found = re.fullmatch(rf"{re.escape(self.prefix)}(0|[1-9][0-9]*)", name.label)
        return int(found[1]) if found else None


@frozen(kw_only=True)
class Member:
    """A primary or a clone, as far as the group remembers it.

    Attributes:
        name: Absolute.
        number: Which clone; None: the primary.
        created: When our create was answered; None: it ran before.
        listening_since: The stream's listening clock when we began to expect
            frames of it; its silence counts from there if it was never heard.
        unlisted_at: When the first `info` was asked that missed it while it
            was silent.
        is_dead: Only a primary stays when it is dead.
        taken_cpu_us: Of its counted CPU time, what ticks have used.
        taken_span_s: Likewise of its counted time.
        usage: At the last tick that had a new one, percent of its CPUs.
        address: From the group's pool.
        found: Where it listens, if that has to be found out.
        ready_at: When its balancer was first seen to give it work, or when it
            was promoted; None: not yet, or there is no balancer.
        is_standby: Whether it waits for work, booted and checked.
        is_missed: Whether it was told that no frame of it came in time.
    """

    name: Name
    number: int | None = None
    created: float | None = None
    listening_since: float = 0.0
    unlisted_at: float | None = None
    is_dead: bool = False
    taken_cpu_us: int = 0
    taken_span_s: float = 0.0
    usage: float | None = None
    address: str | None = None
    found: str | None = None
    ready_at: float | None = None
    is_standby: bool = False
    is_missed: bool = False


@frozen
class Ticks:
    """What ticks leave behind.

    Attributes:
        high: Consecutive high ticks.
        low: Consecutive low ticks.
        last: When the last tick was.
        conclusive: When the last tick with a quorum was.
        gap: Of the low ticks, how many came before a gap of the stream.
        idle: Clones that get no work, each with for how many ticks in a row.
        demand: What requests ask for.
        polled: When a group with request signals was last looked at; its other
            ticks are those with a new usage.
    """

    high: int = 0
    low: int = 0
    last: float | None = None
    conclusive: float | None = None
    gap: int = 0
    idle: tuple[tuple[Name, int], ...] = ()
    demand: Demand = NO_DEMAND
    polled: float | None = None

    def at_tick(self, now: float) -> "Ticks":
        """Return these with *now* as the time of the last tick."""
        return evolve(self, last=now)

    def counted(self, high: int, low: int) -> "Ticks":
        """Return these with other counters."""
        return evolve(self, high=high, low=low, gap=min(self.gap, low))


@frozen(kw_only=True)
class Watched:
    """What tells of somebody else who changes a group; not kept.

    Attributes:
        has_looked: Whether there was an answer before, to compare with.
        policies: The resource policies that apply, each with its domain.
        signs: When the last two signs were, oldest first.
        seen: Names that came without our doing.
    """

    has_looked: bool = False
    policies: frozenset[object] = frozenset()
    signs: tuple[float, ...] = ()
    seen: frozenset[Name] = frozenset()


@frozen(kw_only=True)
class Group:
    """One group; changed by `step` alone.

    Attributes:
        id: Which one.
        policy: What its operator wants.
        primary: The operator's unikernel, never ours to destroy; None: the
            group is managed.
        clones: Ours, in the order of their numbers; of a managed group all.
        foreign: Unikernels with a clone's name that are not ours.
        ticks: What ticks have left behind.
        ledger: What only we know.
        decision: The newest; None: nothing was decided yet.
        watched: What tells of somebody else who changes it.
        outdated: Clones that were last listed with another image than new
            ones get.
        template: What members of a managed group are made from; None: they
            are copies of the primary.
        quiet: Since when nobody has asked for it, as its balancer tells.
    """

    id: GroupId
    policy: Policy
    primary: Member | None
    clones: tuple[Member, ...] = ()
    foreign: frozenset[Name] = frozenset()
    ticks: Ticks = Ticks()
    ledger: Ledger = Ledger()
    decision: Decision | None = None
    watched: Watched = Watched()
    outdated: tuple[Name, ...] = ()
    template: Blueprint | None = None
    quiet: Quiet = Quiet()

    @property
    def mode(self) -> Mode:
        """What may be done about decisions: the most careful word counts."""
        ledger, mode = self.ledger, self.policy.mode
        if ledger.mode is not None:
            mode = mode.limited_by(ledger.mode)
        if ledger.budget.stood_down_at is not None:
            mode = mode.limited_by(Mode.OBSERVE)
        return mode

    @property
    def members(self) -> tuple[Member, ...]:
        """The primary first, if there is one."""
        return self.clones if self.primary is None else (self.primary, *self.clones)

    @property
    def serving(self) -> tuple[Member, ...]:
        """The clones that are there for work, and don't stand by."""
        return tuple(clone for clone in self.clones if not clone.is_standby)

    @property
    def serving_members(self) -> tuple[Member, ...]:
        """The primary first, if there is one, and the clones for work."""
        return self.serving if self.primary is None else (self.primary, *self.serving)

    @property
    def standbys(self) -> tuple[Member, ...]:
        """The clones that wait for work."""
        return tuple(clone for clone in self.clones if clone.is_standby)

    @property
    def clones_and_slots(self) -> int:
        """How many clones there are wherever room is counted."""
        return len(self.clones) + len(self.ledger.slots)

    @property
    def serving_and_slots(self) -> int:
        """How many clones there are for work, those that are decided too."""
        coming = sum(len(action.slots) for action in self.ledger.busy)
        return len(self.serving) + coming

    def blueprint(self, view: View) -> Blueprint | None:
        """Return what a new clone is made from; None: that isn't known now."""
        if self.id.primary is None:
            return self.template
        primary = view.info(self.id.primary)
        return None if primary is None else copied(primary)


def expected(group: Group, listened: float) -> Group:
    """Return *group* whose members' silence counts from here.

    Arguments:
        group: One that joins a daemon that has listened for a while.
        listened: How long its stream has been up, all together, seconds.
    """

    def expect(member: Member) -> Member:
        return evolve(member, listening_since=listened)

    return evolve(
        group,
        primary=None if group.primary is None else expect(group.primary),
        clones=tuple(map(expect, group.clones)),
    )


def new_group(
    group_id: GroupId, policy: Policy, template: Blueprint | None = None
) -> Group:
    """Return a group of which nothing is known yet.

    Arguments:
        group_id: Which one.
        policy: What its operator wants.
        template: What members of a managed group are made from.

    Raises:
        ValueError: Only a managed group, and each of them, has a template.
    """
    if group_id.is_managed and template is None:
        msg = f"{group_id} needs a template: it has no primary to copy"
        raise ValueError(msg)
    if template is not None and not group_id.is_managed:
        msg = f"{group_id} copies its primary: it has no template"
        raise ValueError(msg)
    name = group_id.primary
    primary = None if name is None else Member(name=name)
    return Group(id=group_id, policy=policy, primary=primary, template=template)
