"""The record of a decision: what it was made from, what held it, how far it is.

One is made at every tick; the newest are kept in memory and some of them on
disk, so what doesn't change from one to the next is one object in both.
"""

from attrs import evolve, frozen

from autoscaler.core.case import Case
from autoscaler.core.decision import Decision
from autoscaler.core.flip import Flip, find_flip
from autoscaler.core.group import Group
from autoscaler.core.guards import Guard, look_at
from autoscaler.core.sizes import Sizes, measure
from autoscaler.core.view import View

# As many of each group stay in memory.
MOST_KEPT = 60


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


@frozen
class Instant:
    """One instant, by both clocks: monotonic, and seconds since 1970."""

    now: float
    wall: float


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
    # What the decision has begun is no reason for it.
    ledger = evolve(after.ledger, actions=before.ledger.actions)
    group = evolve(after, ledger=ledger)
    demand = evolve(after.ticks.demand, grew_at=before.ticks.demand.grew_at)
    ticks = evolve(after.ticks, demand=demand)
    case = Case(group, view, at.now, decision.load, ticks)
    guards = look_at(case, decision)
    sizes = measure(case, decision, at.wall, None if last is None else last.sizes)
    if last is not None:
        known = {guard.kind: guard for guard in last.guards}
        guards = tuple(_same(guard, known.get(guard.kind)) for guard in guards)
        sizes = last.sizes if sizes == last.sizes else sizes
    tracks = (view.tracks.get(s.name) for s in decision.load.standings)
    ages = tuple(
        None if t is None or t.usage_at is None else at.now - t.usage_at for t in tracks
    )
    return Record(at=at.wall, decision=decision, ages=ages, guards=guards, sizes=sizes)


def _same(guard: Guard, before: Guard | None) -> Guard:
    return before if before == guard and before is not None else guard
