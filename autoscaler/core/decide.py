"""The decision: nine rules, the first that applies wins.

Each rule is a function from a `Case` to a `Ruling`, or None where it does not
apply.  A ruling is a decision and the tick counters that it leaves behind.

The rules in their order: paused, busy, a primary that is gone (1 to 3), the
least and most clones (4), no data (5), given-up clones (6), the load (7 to 9);
then, where these hold, a new image.  What they decide to do passes the gates,
which may hold it.  Beside all that, standbys are looked after.

A managed group has no primary to lose.  It may have no members, and is asleep
then; and as nobody but its clones can report, those that are all given up are
replaced without data.
"""

from collections.abc import Callable
from functools import partial

from attrs import evolve

from autoscaler.core.case import Case, Ruling
from autoscaler.core.decision import Load, MemberClass, Reason
from autoscaler.core.gates import gated
from autoscaler.core.group import Group, Ticks
from autoscaler.core.policy import Mode, OnPrimaryLoss
from autoscaler.core.replacing import replace_given_up, roll_out
from autoscaler.core.requests import follow_requests
from autoscaler.core.resting import rest, wake
from autoscaler.core.scaling import destroy, grow, promote, scale
from autoscaler.core.standbys import count_staying
from autoscaler.core.tending import keep_standbys, tend
from autoscaler.core.view import View

# Without a conclusive tick for so long, ticks before it are not consecutive.
FORGET_TICKS_S = 60.0
FORGET_TICKS_INTERVALS = 6
# Whoever is looked at less often than that has consecutive ticks, too.
FORGET_TICKS_PERIODS = 2


def decide(
    group: Group, view: View, load: Load, now: float, *, has_usage: bool = True
) -> Ruling:
    """Return what *group* should do at a tick.

    Arguments:
        group: Its members with their newest usage.
        view: What is known of its host.
        load: What the members say.
        now: Monotonic seconds.
        has_usage: Whether any of them has a new usage.
    """
    ticks = _remembered(group, load, view, now) if has_usage else group.ticks
    case = Case(group, view, now, load, ticks, has_usage=has_usage)
    return keep_standbys(case, gated(case, _rule(case)))


def decide_bounds(group: Group, view: View, load: Load, now: float) -> Ruling | None:
    """Return what *group* should do after an answer to `info`, between ticks.

    Only the rules that need no usage are looked at, and whether there is any: a
    group that nobody hears has no ticks, and its last word must not stand.

    Returns:
        None where none of them applies.
    """
    case = Case(group, view, now, load, group.ticks)
    ruling = _without_usage(case)
    if ruling is not None:
        return keep_standbys(case, gated(case, ruling))
    tended = tend(case)
    return tended if isinstance(tended, Ruling) else None


def decide_wake(group: Group, view: View, load: Load, now: float) -> Ruling | None:
    """Return what *group* should do when somebody asks for it.

    Returns:
        None where it need not do anything.
    """
    case = Case(group, view, now, load, group.ticks)
    ruling = case.hold(Reason.PAUSED) if group.mode is Mode.PAUSED else wake(case)
    return None if ruling is None else gated(case, ruling)


def decide_prewarm(group: Group, view: View, load: Load, now: float) -> Ruling | None:
    """Return what *group* should do when more standbys are asked for.

    Returns:
        None where it need not do anything, or can't.
    """
    tended = tend(Case(group, view, now, load, group.ticks))
    return tended if isinstance(tended, Ruling) else None


def _rule(case: Case) -> Ruling:
    ruling = _without_usage(case)
    if ruling is not None:
        return ruling
    resting = rest(case)
    if resting is not None and resting.decision.acts:
        return resting
    ruling = _by_load(case)
    if resting is not None and ruling.decision.reason is Reason.STEADY:
        # Only what keeps the group awake is left to say.
        return evolve(resting, ticks=ruling.ticks)
    return ruling


def _by_load(case: Case) -> Ruling:
    """Rules 6 to 9, and a new image."""
    requests = case.group.policy.requests
    if requests is None:
        return _among_others(case, scale)
    if case.group.ledger.busy or not case.load.is_conclusive:
        return follow_requests(case, requests)
    return _among_others(case, partial(follow_requests, policy=requests))


def _among_others(case: Case, follow_load: Callable[[Case], Ruling]) -> Ruling:
    """Return what *follow_load* says, where no replacement goes before it."""
    replacement = replace_given_up(case)
    if isinstance(replacement, Ruling):
        return replacement
    if replacement is not None:
        case = evolve(case, held=replacement)
    return roll_out(case, follow_load(case))


def _remembered(group: Group, load: Load, view: View, now: float) -> Ticks:
    """Return the counters that this tick starts from."""
    ticks, poll_interval = group.ticks, group.policy.poll_interval
    interval = view.feed.rhythm.reckoned
    limit = max(
        FORGET_TICKS_S,
        FORGET_TICKS_INTERVALS * interval,
        FORGET_TICKS_PERIODS * poll_interval,
    )
    if ticks.conclusive is not None and now - ticks.conclusive > limit:
        ticks = ticks.counted(0, 0)
    if not load.is_conclusive:
        return ticks
    up_since, last = view.feed.up_since, ticks.conclusive
    is_gap = up_since is not None and last is not None and last < up_since
    gap = ticks.low if is_gap else ticks.gap
    return evolve(ticks, conclusive=now, gap=gap)


def _without_usage(case: Case) -> Ruling | None:
    """Rules 1 to 5, and 6 where it is all that can be done.

    Where requests drive the group they tell what the usage doesn't.
    """
    ruling = _bounds(case) or _forlorn(case)
    if ruling is None and case.group.policy.requests is None:
        ruling = _no_data(case)
    return ruling


def _bounds(case: Case) -> Ruling | None:
    """Rules 1 to 4: those that look at no usage."""
    group, policy = case.group, case.group.policy
    if group.mode is Mode.PAUSED:
        return case.hold(Reason.PAUSED)
    if group.ledger.busy and policy.requests is None:
        return case.hold(Reason.BUSY)
    if case.view.listing is None:
        return case.hold(Reason.NO_DATA)
    if group.primary is not None and group.primary.is_dead:
        return _without_primary(case)
    is_enough = policy.min_clones <= group.serving_and_slots
    return None if is_enough and not _is_over(group) else _out_of_bounds(case)


def _is_over(group: Group) -> bool:
    """Tell whether there are too many clones, without standbys that go."""
    there = group.serving_and_slots + count_staying(group)
    return there > group.policy.max_clones


def _out_of_bounds(case: Case) -> Ruling:
    """Rule 4: the operator's numbers are kept to, whatever the load."""
    group, policy = case.group, case.group.policy
    missing = policy.min_clones - group.serving_and_slots
    count = missing if policy.requests is not None else min(missing, 1)
    is_over = _is_over(group)
    if is_over or not case.view.is_current(case.now):
        promotion = None
        if missing > 0:
            promotion = promote(case, Reason.BELOW_MIN, count, case.ticks)
        return promotion or _within_max(case, is_over=is_over)
    return grow(case, Reason.BELOW_MIN, count, case.ticks)


def _within_max(case: Case, *, is_over: bool) -> Ruling:
    if not is_over or not case.view.is_current(case.now):
        return case.hold(Reason.NO_DATA)
    return destroy(case, Reason.ABOVE_MAX, case.ticks)


def _forlorn(case: Case) -> Ruling | None:
    """Rule 6 for a managed group of which nobody is left to report."""
    group = case.group
    serving = {clone.name for clone in group.serving}
    given_up = serving & set(case.load.names(MemberClass.GIVEN_UP))
    is_forlorn = group.id.is_managed and len(given_up) == group.serving_and_slots
    if not given_up or not is_forlorn or not case.view.is_current(case.now):
        return None
    replacement = replace_given_up(case)
    if isinstance(replacement, Ruling) or replacement is None:
        return replacement
    return _no_data(evolve(case, held=replacement))


def _no_data(case: Case) -> Ruling | None:
    """Rule 5: never a mean of nothing."""
    load = case.load
    if load.is_conclusive:
        return None
    if not (case.group.serving_members or case.group.serving_and_slots):
        return case.hold(Reason.ASLEEP)
    waiting = load.names(
        MemberClass.FRESH, MemberClass.STALE, MemberClass.UNKNOWN, MemberClass.RESERVED
    )
    if not waiting and load.names(MemberClass.WARMING):
        return case.hold(Reason.WARMING)
    if case.view.is_contested:
        return case.hold(Reason.CONTESTED)
    return case.hold(Reason.NO_DATA)


def _without_primary(case: Case) -> Ruling:
    """Rule 3: clones of a primary that is gone go on, or go one by one."""
    group = case.group
    if not group.clones:
        return case.hold(Reason.NO_PRIMARY)
    if group.policy.on_primary_loss is OnPrimaryLoss.KEEP:
        return case.hold(Reason.ORPHANED)
    if not case.view.is_current(case.now):
        return case.hold(Reason.NO_DATA)
    return destroy(case, Reason.PRIMARY_LOST, case.ticks)
