"""Rules 7 and 8: what the load calls for."""

from collections.abc import Iterable

from attrs import evolve

from autoscaler.core.backend import Backend
from autoscaler.core.capacity import find_slots
from autoscaler.core.case import Case, Ruling
from autoscaler.core.decision import Load, MemberClass, Outcome, Reason, Shortage
from autoscaler.core.efficacy import Idle, count_idle
from autoscaler.core.group import Group, Member, Ticks
from autoscaler.core.places import server_of
from autoscaler.core.policy import Policy
from autoscaler.core.quarantine import rested_in

# At such a mean the demand may be any: a step is not made smaller.
SATURATED_PERCENT = 99.0
# For these any clone may go, also one that stands by.
ANY_CLONE = frozenset({Reason.ABOVE_MAX, Reason.PRIMARY_LOST})


def scale(case: Case) -> Ruling:
    """Return what the load calls for: rules 7 to 9."""
    idle = count_idle(case)
    if idle.counted != case.ticks.idle:
        case = evolve(case, ticks=evolve(case.ticks, idle=idle.counted))
    ruling = _high(case, idle) or _low(case)
    if ruling is not None:
        return ruling
    ticks = case.ticks.counted(0, 0)
    if idle.proven:
        return _no_effect(case, idle, ticks)
    return case.hold(Reason.STEADY, ticks)


def grow(case: Case, reason: Reason, count: int, ticks: Ticks) -> Ruling:
    """Add *count* members: standbys, then clones unless a gate is closed."""
    promotion = promote(case, reason, count, ticks)
    if promotion is None:
        return _create(case, reason, count, ticks)
    names = promotion.promoted
    if len(names) == count:
        return promotion
    more = _create(case, reason, count - len(names), ticks)
    if not more.decision.acts:
        shortage = more.decision.shortage
        return evolve(promotion, decision=evolve(promotion.decision, shortage=shortage))
    return case.grow(reason, ticks, names, more.slots)


def promote(case: Case, reason: Reason, count: int, ticks: Ticks) -> Ruling | None:
    """Give up to *count* standbys work; None: none could do it."""
    names = tuple(standby.name for standby in case.ready[:count])
    return case.grow(reason, ticks, names) if names else None


def _create(case: Case, reason: Reason, count: int, ticks: Ticks) -> Ruling:
    """Create *count* clones, unless a gate is closed."""
    room = case.group.policy.max_clones - case.group.clones_and_slots
    if room <= 0:
        return case.hold(Reason.STANDBY_UNREADY, ticks)
    left = case.backoff_left(case.group.ledger.creating)
    if left:
        return case.hold(Reason.BACKOFF, ticks, left_s=left)
    found = find_slots(case.group, case.view, min(count, room))
    if isinstance(found, Shortage):
        left_s = None
        if found.reason is Reason.NO_ADDRESS:
            left_s = rested_in(case.group, case.now)
        return case.hold(found.reason, ticks, left_s=left_s, shortage=found)
    return case.act(Outcome.UP, reason, ticks, found)


def destroy(case: Case, reason: Reason, ticks: Ticks, count: int = 1) -> Ruling:
    """Destroy *count* clones, unless others go, or the last try failed.

    Where it doesn't matter whether they serve, standbys go first.
    """
    group, is_any = case.group, reason in ANY_CLONE
    if group.ledger.actions if is_any else group.ledger.busy:
        return case.hold(Reason.BUSY, ticks)
    left = group.ledger.destroying.left(case.now)
    if left:
        return case.hold(Reason.BACKOFF, ticks, left_s=left)
    backend = case.view.backend
    among = group.standbys if is_any else ()
    among = among or group.serving
    order = order_of_going(group, case.load, backend, among=among)
    victims = tuple(clone.name for clone in order[:count])
    assert victims  # noqa: S101 - its rules apply where clones run
    return case.act(Outcome.DOWN, reason, ticks, victims=victims)


def order_of_going(
    group: Group,
    load: Load,
    backend: Backend | None = None,
    *,
    among: Iterable[Member] | None = None,
) -> list[Member]:
    """Return the clones *among* which some go, first those that should.

    Arguments:
        group: Whose clones.
        load: What they count as.
        backend: What its balancer tells of them.
        among: Which; None: all.

    These are given-up ones, then those with the fewest sessions, where a
    balancer tells of them, then the least busy.  Of equals the newest goes,
    and one of which nothing is known goes last.
    """
    given_up = set(load.names(MemberClass.GIVEN_UP))
    return sorted(
        group.clones if among is None else among,
        key=lambda m: (
            m.name not in given_up,
            _sessions(m, group, backend),
            m.usage if m.usage is not None else 101.0,
            -(m.number or 0),
        ),
    )


def _sessions(member: Member, group: Group, backend: Backend | None) -> int:
    serving = group.policy.serving
    if serving is None or backend is None:
        return 0
    server = server_of(member, backend, serving)
    return 0 if server is None else server.sessions


def would_flap(policy: Policy, mean: float, members: int) -> bool:
    """Tell whether one of *members* less would have too much to do."""
    if members < 2:  # noqa: PLR2004 - one must remain
        return False
    after = mean * members / (members - 1)
    return after + policy.flap_margin >= policy.scale_up_threshold_percent


def _high(case: Case, idle: Idle) -> Ruling | None:
    """Rule 7: those who report are too busy."""
    policy, mean = case.group.policy, case.load.mean_up
    if mean is None or mean <= policy.scale_up_threshold_percent:
        return None
    left = case.cooldown_left(policy.cooldown_up)
    if left:
        ticks = case.ticks.counted(case.ticks.high, 0)
        return case.hold(Reason.COOLDOWN, ticks, left_s=left)
    ticks = case.ticks.counted(case.ticks.high + 1, 0)
    if ticks.high < policy.scale_up_trigger_ticks:
        return case.hold(Reason.RISING, ticks)
    if idle.proven or rolled_back_left(case):
        return _no_effect(case, idle, ticks)
    room = policy.max_clones - case.group.serving_and_slots
    if room <= 0:
        return case.hold(Reason.AT_MAX, ticks)
    ruling = grow(case, Reason.HIGH, min(_step(case, mean), room), ticks)
    left = warming_left(case) if ruling.decision.acts else 0.0
    return case.hold(Reason.WARMING, ticks, left_s=left) if left else ruling


def _no_effect(case: Case, idle: Idle, ticks: Ticks) -> Ruling:
    """Add nothing: nothing would be routed to it."""
    group, policy = case.group, case.group.policy
    may_go = (
        policy.roll_back_useless
        and idle.proven
        and len(group.serving) > policy.min_clones
        and not case.cooldown_left(policy.cooldown_up)
        and not group.ledger.destroying.left(case.now)
    )
    if may_go:
        victims = idle.proven[-1:]
        ruling = case.act(Outcome.DOWN, Reason.USELESS, ticks, victims=victims)
    else:
        left = rolled_back_left(case) if not idle.proven else None
        ruling = case.hold(Reason.NO_EFFECT, ticks, left_s=left)
    decision = evolve(ruling.decision, evidence=idle.evidence)
    return evolve(ruling, decision=decision)


def rolled_back_left(case: Case) -> float:
    """Return for how long what was removed as useless is not tried again."""
    removed = case.group.ledger.useless_at
    if removed is None:
        return 0.0
    return max(0.0, removed + case.group.policy.stand_down - case.now)


def _step(case: Case, mean: float) -> int:
    """Return how many clones leave the mean above the down threshold."""
    policy, members = case.group.policy, case.load.capacity
    step = policy.scale_up_step
    if mean < SATURATED_PERCENT:
        down = policy.scale_down_threshold_percent
        while step > 1 and mean * members / (members + step) <= down:
            step -= 1
    return step


def warming_left(case: Case) -> float:
    """Return for how long the newest clone is too young to be judged."""
    created = [m.created for m in case.group.serving if m.created is not None]
    if not created:
        return 0.0
    return max(0.0, max(created) + case.group.policy.warmup - case.now)


def _low(case: Case) -> Ruling | None:
    """Rule 8: everybody together has too little to do."""
    group, policy, load = case.group, case.group.policy, case.load
    mean, members = load.mean_down, load.capacity
    threshold = policy.scale_down_threshold_percent
    if not group.serving or mean is None or mean >= threshold or members < 2:  # noqa: PLR2004 - one must remain
        return None
    if would_flap(policy, mean, members):
        return case.hold(Reason.WOULD_FLAP, case.ticks.counted(0, 0))
    left = case.cooldown_left(policy.cooldown_down)
    if left:
        ticks = case.ticks.counted(0, case.ticks.low)
        return case.hold(Reason.COOLDOWN, ticks, left_s=left)
    ticks = case.ticks.counted(0, case.ticks.low + 1)
    if ticks.low < policy.scale_down_trigger_ticks:
        return case.hold(Reason.FALLING, ticks)
    if len(group.serving) <= policy.min_clones:
        return case.hold(Reason.AT_MIN, ticks)
    if load.missing:
        return case.hold(Reason.MISSING, ticks)
    return destroy(case, Reason.LOW, ticks)
