"""What comes after all else: as many standbys as are wanted, and good ones.

It is done beside whatever else a group does, and never in its place: nothing
here makes a group busy, counts ticks or starts a cooldown.  Standbys that are
missing are made, all at once; one that could not serve is replaced; those that
nobody has needed for long go; one of an older image is replaced before any
member that serves.
"""

from collections.abc import Sequence

from attrs import evolve

from autoscaler.core.capacity import find_slots
from autoscaler.core.case import Case, Ruling
from autoscaler.core.decision import Outcome, Reason, Shortage
from autoscaler.core.gates import gated
from autoscaler.core.group import Member
from autoscaler.core.policy import Mode
from autoscaler.core.replacing import renew_standby, roll_out_standby
from autoscaler.core.scaling import order_of_going
from autoscaler.core.standbys import (
    count_staying,
    find_failing,
    find_wanted,
    is_making,
    staying,
)

# Those that serve want room: a standby that could not serve is in their way.
CRAMPED = frozenset({Reason.STANDBY_UNREADY, Reason.NO_CAPACITY})


def keep_standbys(case: Case, ruling: Ruling) -> Ruling:
    """Return *ruling*, or, where it does nothing, what standbys need."""
    if ruling.decision.acts:
        return ruling
    tended = tend(case, ruling.decision.reason)
    if isinstance(tended, Ruling):
        return _beside(ruling, tended)
    if tended is None:
        return ruling
    decision = evolve(ruling.decision, standby_held=tended)
    return evolve(ruling, decision=decision)


def tend(case: Case, reason: Reason | None = None) -> Ruling | Reason | None:
    """Return what standbys need, whatever else is done.

    Arguments:
        case: What to look at.
        reason: Why nothing else is done; None: nothing else was looked at.

    Returns:
        What to do; or what holds it; or None where there is nothing to do.
    """
    tended = None if case.group.mode is Mode.PAUSED else _tend(case, reason)
    if not isinstance(tended, Ruling):
        return tended
    passed = gated(case, tended)
    return passed if passed.decision.acts else passed.decision.reason


def _tend(case: Case, reason: Reason | None) -> Ruling | Reason | None:
    group = case.group
    failing = find_failing(group, case.view, case.load, case.now)
    surplus = count_staying(group) - find_wanted(group, case.now)
    if not (surplus or failing):
        return roll_out_standby(case)
    if not case.view.is_current(case.now):
        return Reason.NO_DATA
    if surplus > 0 or (failing and reason in CRAMPED):
        return _remove(case, failing, max(1, surplus))
    if group.policy.serving is None or case.view.backend is None:
        return Reason.NO_SIGNAL
    held = _refill(case, -surplus) if surplus else None
    if isinstance(held, Ruling) or not failing:
        return held
    return renew_standby(case, failing[0])


def _beside(ruling: Ruling, tended: Ruling) -> Ruling:
    """Return *tended* with what *ruling* knows of those that serve."""
    known = ruling.decision
    decision = evolve(
        tended.decision,
        signals=known.signals,
        signal=known.signal,
        wanted=known.wanted,
    )
    return evolve(tended, decision=decision, ticks=ruling.ticks)


def _refill(case: Case, missing: int) -> Ruling | Reason:
    """Make the standbys that are missing, as far as there is room."""
    group, ledger = case.group, case.group.ledger
    room = group.policy.max_clones - group.clones_and_slots
    if room <= 0:
        return Reason.AT_MAX
    if case.backoff_left(ledger.refilling) or case.backoff_left(ledger.creating):
        return Reason.BACKOFF
    found = find_slots(group, case.view, min(missing, room))
    if isinstance(found, Shortage):
        return found.reason
    return case.act(Outcome.UP, Reason.REFILL, case.ticks, found)


def _remove(
    case: Case, failing: Sequence[Member], count: int
) -> Ruling | Reason | None:
    """Destroy *count* standbys, first those that could not serve."""
    group = case.group
    if group.ledger.destroying.left(case.now):
        return Reason.BACKOFF
    if is_making(group):
        # Which of them are only just coming nobody can tell.
        return None
    others = [standby for standby in staying(group) if standby not in failing]
    leaving = [*failing, *order_of_going(group, case.load, among=others)][:count]
    reason = Reason.STANDBY_FAILED if leaving[0] in failing else Reason.SURPLUS
    victims = tuple(standby.name for standby in leaving)
    ruling = case.act(Outcome.DOWN, reason, case.ticks, victims=victims)
    needed_at = group.ledger.needed_at
    age = None if needed_at is None else case.now - needed_at
    return evolve(ruling, decision=evolve(ruling.decision, age_s=age))
