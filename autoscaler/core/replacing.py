"""Rule 6, and what comes after the load: one clone in the place of another.

A given-up clone goes before the load is looked at.  A new image, the primary's
or a managed group's, comes last: only where the load rules hold, and neither
count ticks nor wait for a clone to warm up.  It neither consumes a cooldown nor
is held by one.  Standbys get it first: they prove it before anybody depends on
it.
"""

from attrs import evolve

from autoscaler.core.actions import Slot
from autoscaler.core.budget import HOUR_S, REPLACEMENTS_AN_HOUR
from autoscaler.core.capacity import find_slots
from autoscaler.core.case import Case, Ruling
from autoscaler.core.decision import MemberClass, Outcome, Reason, Shortage
from autoscaler.core.group import Member
from autoscaler.core.quarantine import rested_in
from autoscaler.core.standbys import staying

# A rollout resets the counters of ticks: while these tell of load, it waits.
# Members that a silent balancer sends requests to are left alone.
LOAD_FIRST = frozenset(
    {Reason.RISING, Reason.FALLING, Reason.WARMING, Reason.NO_SIGNAL}
)


def replace_given_up(case: Case) -> Ruling | Reason | None:
    """Rule 6: a clone that is listed and useless goes, one at a time.

    Returns:
        A ruling; or what holds the replacement while other rules go on; or
        None where no clone is given up.
    """
    group, policy, load = case.group, case.group.policy, case.load
    given_up = load.names(MemberClass.GIVEN_UP)
    victim = next((m for m in group.serving if m.name in given_up), None)
    if victim is None:
        return None
    if case.cooldown_left(policy.cooldown_up):
        return Reason.COOLDOWN
    if _is_spare(case):
        if group.ledger.destroying.left(case.now):
            return Reason.BACKOFF
        return case.act(
            Outcome.DOWN, Reason.GIVEN_UP, case.ticks, victims=(victim.name,)
        )
    if group.ledger.replacing.left(case.now) or _replaced_enough(case):
        return Reason.BACKOFF
    create_first = group.clones_and_slots < policy.max_clones
    found = find_slots(group, case.view, 1, None if create_first else victim.name)
    if isinstance(found, Shortage):
        return found.reason
    return _replace(case, Reason.GIVEN_UP, victim, found, create_first=create_first)


def roll_out(case: Case, ruling: Ruling) -> Ruling:
    """Replace a clone that has not the image of new ones, after all else.

    Arguments:
        case: What to look at.
        ruling: What the load rules say.

    Returns:
        *ruling*, where there is nothing to replace or it is not the time.
    """
    if ruling.decision.acts or ruling.decision.reason in LOAD_FIRST:
        return ruling
    group = case.group
    victim = next((c for c in group.serving if c.name in group.outdated), None)
    if victim is None or not _can_roll_out(case):
        return ruling
    if any(standby.name in group.outdated for standby in group.standbys):
        return ruling
    left = case.backoff_left(group.ledger.rolling)
    if left:
        return _unhealthy(case, ruling, left)
    if any(clone.name == group.ledger.surge for clone in group.serving):
        return _finish_surge(case, ruling, victim)
    found, create_first = _find_place(case, victim)
    if isinstance(found, Shortage):
        return _without_address(case, ruling, found)
    if not create_first and _has_failed(case):
        # The old one would be gone, and the new one does not live.
        return _unhealthy(case, ruling, None)
    return _replace(case, Reason.ROLLOUT, victim, found, create_first=create_first)


def roll_out_standby(case: Case) -> Ruling | Reason | None:
    """Replace a standby that has not the image of new ones.

    Returns:
        A ruling; or what holds it; or None where there is nothing to replace.
    """
    group, backend = case.group, case.view.backend
    victim = next((s for s in staying(group) if s.name in group.outdated), None)
    if victim is None or backend is None or not _can_roll_out(case):
        return None
    if case.backoff_left(group.ledger.rolling):
        return Reason.IMAGE_UNHEALTHY
    surge = next((s for s in group.standbys if s.name == group.ledger.surge), None)
    if surge is not None:
        return _end_surge(case, victim) if surge in case.ready else None
    found, create_first = _find_place(case, victim)
    if isinstance(found, Shortage):
        return found.reason
    if not create_first and _has_failed(case):
        return Reason.IMAGE_UNHEALTHY
    return _replace(case, Reason.ROLLOUT, victim, found, create_first=create_first)


def renew_standby(case: Case, victim: Member) -> Ruling | Reason | None:
    """Replace the standby *victim*, which could not serve.

    Returns:
        A ruling; or what holds it; or None while other standbys come or go.
    """
    ledger = case.group.ledger
    if any(action.as_standby for action in ledger.actions):
        return None
    if case.backoff_left(ledger.refilling) or _replaced_enough(case):
        return Reason.BACKOFF
    found, create_first = _find_place(case, victim)
    if isinstance(found, Shortage):
        return found.reason
    reason = Reason.STANDBY_FAILED
    return _replace(case, reason, victim, found, create_first=create_first)


def _replaced_enough(case: Case) -> bool:
    lately = [at for at in case.group.ledger.replaced if case.now - at < HOUR_S]
    return len(lately) >= REPLACEMENTS_AN_HOUR


def _is_spare(case: Case) -> bool:
    """Tell whether the group can do without the given-up clone."""
    policy, load = case.group.policy, case.load
    return (
        policy.scale_down
        and load.mean_down is not None
        and load.mean_down < policy.scale_down_threshold_percent
        and not load.missing
        and len(case.group.serving) > policy.min_clones
    )


def _can_roll_out(case: Case) -> bool:
    primary, fresh = case.group.id.primary, case.load.names(MemberClass.FRESH)
    # An image that the primary itself doesn't live with is not spread.
    is_healthy = primary is None or primary in fresh
    is_calm = not case.group.ledger.actions
    return is_healthy and is_calm and case.view.is_current(case.now)


def _has_failed(case: Case) -> bool:
    """Tell whether the image has failed, and no clone lives with it either."""
    group, fresh = case.group, set(case.load.names(MemberClass.FRESH))
    fresh |= {standby.name for standby in case.ready}
    fresh -= {*group.outdated, group.id.primary}
    made_from, rolling = group.blueprint(case.view), group.ledger.rolling
    has_failed = made_from is not None and rolling.digest == made_from.digest
    return has_failed and bool(rolling.failures) and not fresh


def _without_address(case: Case, ruling: Ruling, shortage: Shortage) -> Ruling:
    """A pool that is too small for one more holds a new image, and says so."""
    is_idle = ruling.decision.reason is Reason.STEADY
    if shortage.reason is not Reason.NO_ADDRESS or not is_idle:
        return ruling
    left = rested_in(case.group, case.now)
    return case.hold(Reason.NO_ADDRESS, ruling.ticks, left_s=left, shortage=shortage)


def _unhealthy(case: Case, ruling: Ruling, left: float | None) -> Ruling:
    if ruling.decision.reason is not Reason.STEADY:
        return ruling
    return case.hold(Reason.IMAGE_UNHEALTHY, ruling.ticks, left_s=left)


def _finish_surge(case: Case, ruling: Ruling, victim: Member) -> Ruling:
    """A new clone was made and its old one stayed: only that goes."""
    if case.group.ledger.surge not in case.load.names(MemberClass.FRESH):
        return ruling
    return _end_surge(case, victim) or ruling


def _end_surge(case: Case, victim: Member) -> Ruling | None:
    if case.group.ledger.destroying.left(case.now):
        return None
    return case.act(Outcome.DOWN, Reason.ROLLOUT, case.ticks, victims=(victim.name,))


def _find_place(case: Case, victim: Member) -> tuple[tuple[Slot, ...] | Shortage, bool]:
    """Return where the new clone fits, and whether beside the old one."""
    group = case.group
    if group.clones_and_slots < group.policy.max_clones:
        found = find_slots(group, case.view, 1)
        if not isinstance(found, Shortage):
            return found, True
    return find_slots(group, case.view, 1, victim.name), False


def _replace(
    case: Case,
    reason: Reason,
    victim: Member,
    slots: tuple[Slot, ...],
    *,
    create_first: bool,
) -> Ruling:
    ruling = case.act(Outcome.REPLACE, reason, case.ticks, slots, (victim.name,))
    return evolve(ruling, create_first=create_first)
