"""The record of a decision: what it was made from, what held it, how far it is.

One is made at every tick; the newest are kept in memory and some of them on
disk, so what doesn't change from one to the next is one object in both.
"""

from attrs import evolve, frozen

from autoscaler.core.case import Case
from autoscaler.core.decision import Decision, Reason
from autoscaler.core.flip import Flip, find_flip
from autoscaler.core.group import Group, Ticks
from autoscaler.core.guards import Guard, look_at
from autoscaler.core.policy import Mode
from autoscaler.core.sizes import Sizes, measure
from autoscaler.core.view import View

Guards = tuple[Guard, ...]

# As many of each group stay in memory, and no more than so many in all: each
# takes 3 kB.
MOST_KEPT, MOST_IN_ALL, FEWEST_KEPT = 60, 4000, 4


@frozen(kw_only=True)
class Record:
    """One look at a group.

    Attributes:
        at: When, seconds since 1970.
        decision: What was decided.
        ages: Of each member in the decision's load, how old its newest usage
            is, seconds; None: it has none.
        guards: All that may stand in the way of an action.
        sizes: How many clones there are to be, may be, and are.
    """

    at: float
    decision: Decision
    ages: tuple[float | None, ...]
    guards: tuple[Guard, ...]
    sizes: Sizes

    @property
    def flip(self) -> Flip:
        """What is missing to act."""
        return find_flip(self.decision, self.guards)

    @property
    def blocked(self) -> Reason | Mode | None:
        """What keeps the group from what it wants; None: nothing."""
        decision, blocked = self.decision, self.sizes.blocked
        # Not its reason, where it would act: that is why it would.
        return decision.mode if blocked is not None and decision.acts else blocked


@frozen
class Instant:
    """One instant, by both clocks: monotonic, and seconds since 1970."""

    now: float
    wall: float


def most_kept(groups: int) -> int:
    """Return how many records of each of so many *groups* stay in memory."""
    return max(FEWEST_KEPT, min(MOST_KEPT, MOST_IN_ALL // max(1, groups)))


def take(
    before: Group, after: Group, view: View, at: Instant, last: Record | None = None
) -> Record:
    """Return the record of the decision of *after*.

    Arguments:
        before: The group when it was looked at.
        after: The group since, which has a decision.
        view: What it looked at.
        at: When.
        last: The record before, of which the new one uses what is the same.

    Raises:
        ValueError: Nothing was decided.
    """
    decision = after.decision
    if decision is None:
        msg = f"nothing was decided for {after.id}"
        raise ValueError(msg)
    case = Case(
        _undone(before, after), view, at.now, decision.load, _ticks(before, after)
    )
    guards = look_at(case, decision)
    sizes = measure(case, decision, at.wall, None if last is None else last.sizes)
    if last is not None:
        guards = _reused(guards, last.guards)
        sizes = last.sizes if sizes == last.sizes else sizes
    tracks = (view.tracks.get(s.name) for s in decision.load.standings)
    ages = tuple(
        None if t is None or t.usage_at is None else at.now - t.usage_at for t in tracks
    )
    return Record(at=at.wall, decision=decision, ages=ages, guards=guards, sizes=sizes)


def _undone(before: Group, after: Group) -> Group:
    """Return *after* without what its decision has begun: that is no reason."""
    # One is made at every tick, and seldom anything begins.
    actions, changed_at = before.ledger.actions, before.ledger.changed_at
    ledger = after.ledger
    if ledger.actions == actions and ledger.changed_at == changed_at:
        return after
    ledger = evolve(ledger, actions=actions, changed_at=changed_at)
    return evolve(after, ledger=ledger)


def _ticks(before: Group, after: Group) -> Ticks:
    """Return the counters of *after*, without what its decision has begun."""
    grew_at, demand = before.ticks.demand.grew_at, after.ticks.demand
    if demand.grew_at == grew_at:
        return after.ticks
    return evolve(after.ticks, demand=evolve(demand, grew_at=grew_at))


def _reused(guards: Guards, before: Guards) -> Guards:
    """Return *guards* with those of *before* in the place of their equals."""
    if len(guards) == len(before):
        # The same ones in the same order, nearly always: none is looked up.
        pairs = zip(guards, before, strict=True)
        return tuple(old if old == guard else guard for guard, old in pairs)
    known = {guard.kind: guard for guard in before}
    return tuple(
        old if (old := known.get(guard.kind)) is not None and old == guard else guard
        for guard in guards
    )
