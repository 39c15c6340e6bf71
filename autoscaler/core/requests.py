"""The load rules of a group that requests drive, in the place of 7 to 9.

What is wanted is the most of what the signals call for.  The rule of the CPU is
one of them: where it would add a clone it calls for one member more than there
are, and where one member fewer would have too much to do, for as many as there
are.  Growing goes straight to what is wanted, and members count from the moment
they are decided.  Shrinking needs every signal, for a while, and leaves one
member to spare, unless the CPU would remove one too.

Requests need no quorum: a group whose statistics are missing follows them
alone, up and down.
"""

from attrs import evolve

from autoscaler.core.case import Case, Ruling
from autoscaler.core.decision import Reason
from autoscaler.core.demand import RequestPolicy, Signal, SignalKind, remember
from autoscaler.core.scaling import destroy, grow, promote, scale, would_flap


def follow_requests(case: Case, policy: RequestPolicy) -> Ruling:
    """Return what requests and usage together call for."""
    members = case.load.capacity
    cpu, case = _heed_cpu(case, members)
    demand = case.ticks.demand
    signals = demand.signals if cpu is None else (*demand.signals, cpu)
    calling = [s for s in signals if s is not cpu or s.wanted >= members]
    signal = max(calling, key=lambda s: s.wanted, default=None)
    if signal is None or (not demand.signals and signal.wanted <= members):
        return _told(case.hold(Reason.NO_SIGNAL), signals, None)
    demand = remember(demand, signal.wanted, case.now, policy.stabilise)
    case = evolve(case, ticks=evolve(case.ticks, demand=demand))
    if signal.wanted > members:
        ruling = _grow(case, policy, signal.wanted - members)
    elif signal is cpu:
        ruling = case.hold(Reason.WOULD_FLAP)
    else:
        spare = 0 if cpu is not None and cpu.wanted < members else 1
        ruling = _shrink(case, policy, signal.wanted, spare)
    return _told(ruling, signals, signal)


def _told(ruling: Ruling, signals: tuple[Signal, ...], signal: Signal | None) -> Ruling:
    wanted = None if signal is None else signal.wanted
    decision = evolve(ruling.decision, signals=signals, signal=signal, wanted=wanted)
    return evolve(ruling, decision=decision)


def _heed_cpu(case: Case, members: int) -> tuple[Signal | None, Case]:
    """Return what the CPU calls for, and the case with its counters.

    Ticks count only with a new usage, and while no member is coming or going.
    """
    load, policy = case.load, case.group.policy
    mean, limit = load.mean_up, policy.scale_up_threshold_percent
    if mean is None or not load.is_conclusive:
        return None, case
    if case.has_usage and not case.group.ledger.busy:
        ruling = scale(case)
        case = evolve(case, ticks=ruling.ticks)
        if ruling.decision.reason in {Reason.HIGH, Reason.AT_MAX}:
            return Signal(SignalKind.CPU, mean, limit, members + 1), case
        if ruling.decision.reason is Reason.LOW:
            low = policy.scale_down_threshold_percent
            mean = load.mean_down or 0.0
            return Signal(SignalKind.CPU, mean, low, members - 1), case
    if would_flap(policy, mean, members):
        return Signal(SignalKind.CPU, mean, limit, members), case
    return None, case


def _grow(case: Case, policy: RequestPolicy, missing: int) -> Ruling:
    group, members = case.group, case.load.capacity
    room = group.policy.max_clones - group.serving_and_slots
    if room <= 0:
        return case.hold(Reason.AT_MAX)
    grew_at = case.ticks.demand.grew_at
    if members and grew_at is not None and grew_at + policy.cooldown_up > case.now:
        left = grew_at + policy.cooldown_up - case.now
        return case.hold(Reason.COOLDOWN, left_s=left)
    count = min(missing, max(members, policy.max_step_up), room)
    if case.view.is_current(case.now):
        return grow(case, Reason.HIGH, count, case.ticks)
    # What the balancer says is enough to promote those that it has checked.
    promotion = promote(case, Reason.HIGH, count, case.ticks)
    return promotion or case.hold(Reason.NO_DATA)


def _shrink(case: Case, policy: RequestPolicy, wanted: int, spare: int) -> Ruling:
    group, members = case.group, case.load.capacity
    fewest = group.policy.min_clones
    if wanted + spare >= members:
        return case.hold(Reason.STEADY if members else Reason.ASLEEP)
    if case.ticks.demand.told_since is None:
        return case.hold(Reason.NO_SIGNAL)
    if len(group.serving) <= fewest:
        return case.hold(Reason.AT_MIN)
    left = unstable_left(case, policy, members - spare)
    if left is not None:
        return case.hold(Reason.STABILISING, left_s=left)
    left = case.cooldown_left(policy.cooldown_down)
    if left:
        return case.hold(Reason.COOLDOWN, left_s=left)
    if not case.view.is_current(case.now):
        return case.hold(Reason.NO_DATA)
    lately = case.ticks.demand.lately(case.now, policy.stabilise)
    peak = max((each for _, each in lately), default=wanted)
    count = min(members - spare - peak, policy.max_step_down)
    count = min(count, len(group.serving) - fewest)
    return destroy(case, Reason.LOW, case.ticks, count)


def unstable_left(case: Case, policy: RequestPolicy, limit: int) -> float | None:
    """Return for how long it is too early to say that fewer are wanted.

    Arguments:
        case: What to look at.
        policy: Tells how long that takes.
        limit: So many were not wanted in all that time.

    Returns:
        None where it is not too early.
    """
    demand, span = case.ticks.demand, policy.stabilise
    since = [at for at, wanted in demand.lately(case.now, span) if wanted >= limit]
    told = demand.told_since
    if told is not None and case.now - told < span:
        since.append(told)
    return max(since) + span - case.now if since else None
