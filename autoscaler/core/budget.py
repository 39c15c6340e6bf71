"""How much a group may do before it stands down: against thrashing.

A budget is not a cooldown: no healthy group comes near it.  A group that is
over it only observes, for a while or until the operator has had a look.
"""

from attrs import evolve, frozen

from autoscaler.core.actions import Action
from autoscaler.core.decision import Reason
from autoscaler.core.policy import Policy

HOUR_S = 3600.0
# Whatever its clones do, a group replaces no more given-up ones in an hour.
REPLACEMENTS_AN_HOUR = 15
TURNS_WITHIN_S = 6 * HOUR_S
# Mending what the operator's numbers say is no thrashing, once in an hour for
# every clone; nor is a new image, which stops by itself where it fails.
# Standbys follow what is done about the load, and have a pause of their own.
MENDING = frozenset({Reason.ABOVE_MAX, Reason.BELOW_MIN})
UNCOUNTED = frozenset(
    {
        Reason.ROLLOUT,
        Reason.PRIMARY_LOST,
        Reason.REFILL,
        Reason.SURPLUS,
        Reason.STANDBY_FAILED,
    }
)
LOAD = frozenset({Reason.HIGH, Reason.LOW})


@frozen(kw_only=True)
class Budget:
    """What a group has done lately; instants in monotonic seconds.

    Attributes:
        acted: When the actions of the last hour began, oldest first.
        mended: Likewise those that only keep to the least and most clones.
        turns: When, in the last 6 hours, growing followed shrinking or the
            other way round.
        last: Whether the last load decision was high or low.
        failures: Actions that failed, in a row.
        stood_down_at: Since when the group has only observed.
    """

    acted: tuple[float, ...] = ()
    mended: tuple[float, ...] = ()
    turns: tuple[float, ...] = ()
    last: Reason | None = None
    failures: int = 0
    stood_down_at: float | None = None


@frozen
class Excess:
    """What is over a budget.

    Attributes:
        what: Of the policy: the key of the limit that is reached.
        count: How many there were.
        limit: How many there may be.
        within_s: In how many seconds; 0: in a row.
    """

    what: str
    count: int
    limit: int
    within_s: float


def failing(budget: Budget, policy: Policy) -> Excess | None:
    """Return why too many actions have failed in a row, if they have."""
    limit = policy.max_failures_in_row
    if budget.failures < limit:
        return None
    return Excess("max_failures_in_row", budget.failures, limit, 0.0)


def find_excess(
    budget: Budget, policy: Policy, reason: Reason, now: float
) -> Excess | None:
    """Return why one more action because of *reason* is too much, if it is."""
    excess = failing(budget, policy)
    if excess is not None:
        return excess
    if reason not in UNCOUNTED:
        acted = len(_within(budget.acted, HOUR_S, now))
        mended = len(_within(budget.mended, HOUR_S, now)) - policy.max_clones
        limit = policy.max_actions_per_hour
        if acted + max(0, mended) >= limit:
            count = acted + max(0, mended)
            return Excess("max_actions_per_hour", count, limit, HOUR_S)
    turns = _within(budget.turns, TURNS_WITHIN_S, now)
    if _turns(budget, reason) and len(turns) >= policy.max_reversals_per_6h:
        limit = policy.max_reversals_per_6h
        return Excess("max_reversals_per_6h", len(turns), limit, TURNS_WITHIN_S)
    return None


def spend(budget: Budget, policy: Policy, reason: Reason, now: float) -> Budget:
    """Return *budget* after an action because of *reason* has begun."""
    acted = _within(budget.acted, HOUR_S, now)
    mended = _within(budget.mended, HOUR_S, now)
    turns = _within(budget.turns, TURNS_WITHIN_S, now)
    if reason in MENDING:
        # Older ones than these change no verdict any more.
        kept = policy.max_clones + policy.max_actions_per_hour
        mended = (*mended, now)[-kept:]
    elif reason not in UNCOUNTED:
        acted = (*acted, now)
    if _turns(budget, reason):
        turns = (*turns, now)
    last = reason if reason in LOAD else budget.last
    return evolve(budget, acted=acted, mended=mended, turns=turns, last=last)


def account(budget: Budget, action: Action, *, has_failed: bool) -> Budget:
    """Return *budget* after *action* has ended."""
    if action.reason in UNCOUNTED:
        return budget
    failures = budget.failures + 1 if has_failed else 0
    return evolve(budget, failures=failures)


def _turns(budget: Budget, reason: Reason) -> bool:
    return reason in LOAD and budget.last not in {None, reason}


def _within(times: tuple[float, ...], length: float, now: float) -> tuple[float, ...]:
    return tuple(at for at in times if now - at < length)
