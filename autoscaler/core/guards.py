"""Every guard between a group and an action: its verdict and its numbers.

The rules stop at the first thing that holds; whoever asks why nothing happens
wants all that holds.  Laws: a guard has the numbers by which it was judged; one
that lets go by itself says when; in a group that holds, a guard holds too.
"""

import enum
from collections.abc import Iterator, Mapping

from attrs import frozen

from autoscaler.core.case import Case
from autoscaler.core.contest import contested_left
from autoscaler.core.decision import Decision, Outcome, Reason
from autoscaler.core.demand import RequestPolicy, SignalKind
from autoscaler.core.outage import suspect
from autoscaler.core.policy import Mode
from autoscaler.core.requests import unstable_left
from autoscaler.core.scaling import rolled_back_left, warming_left, would_flap
from autoscaler.core.shortages import describe_shortage
from autoscaler.core.standdown import stand_down_left


class Kind(enum.Enum):
    """What is guarded against; the values are the names of the guards."""

    MODE = "mode"
    STATE = "state"
    PRIMARY = "primary"
    ANSWERS = "answers"
    IN_FLIGHT = "in_flight"
    QUORUM = "quorum"
    STAND_DOWN = "stand_down"
    SCALE_UP = "scale_up"
    MEAN_UP = "mean_up"
    COOLDOWN_UP = "cooldown_up"
    HIGH_TICKS = "high_ticks"
    EFFECT = "effect"
    MAX_CLONES = "max_clones"
    CREATING = "creating"
    CAPACITY = "capacity"
    WARMUP = "warmup"
    CALL = "call"
    SCALE_DOWN = "scale_down"
    LAST_MEMBER = "last_member"
    MEAN_DOWN = "mean_down"
    FLAP = "flap"
    COOLDOWN_DOWN = "cooldown_down"
    LOW_TICKS = "low_ticks"
    MIN_CLONES = "min_clones"
    MISSING = "missing"
    SIGNALS = "signals"
    SPARE = "spare"
    STABILISE = "stabilise"
    DESTROYING = "destroying"
    CONTEST = "contest"
    OUTAGE = "outage"
    ACTIVATOR = "activator"
    REPLACING = "replacing"
    ROLLING = "rolling"


_UP = (
    *(Kind.SCALE_UP, Kind.MEAN_UP, Kind.CALL, Kind.COOLDOWN_UP, Kind.HIGH_TICKS),
    *(Kind.EFFECT, Kind.MAX_CLONES, Kind.CREATING, Kind.CAPACITY, Kind.WARMUP),
)
_DOWN = (
    *(Kind.SCALE_DOWN, Kind.LAST_MEMBER, Kind.MEAN_DOWN, Kind.FLAP, Kind.SPARE),
    *(Kind.SIGNALS, Kind.COOLDOWN_DOWN, Kind.LOW_TICKS, Kind.STABILISE),
    *(Kind.MIN_CLONES, Kind.MISSING, Kind.DESTROYING, Kind.CONTEST, Kind.OUTAGE),
    Kind.ACTIVATOR,
)
# Which way a guard stands in; those of neither stand in all ways.
SIDES: Mapping[Kind, Outcome] = {
    **dict.fromkeys(_UP, Outcome.UP),
    **dict.fromkeys(_DOWN, Outcome.DOWN),
    **dict.fromkeys((Kind.REPLACING, Kind.ROLLING), Outcome.REPLACE),
}
# The operator's least and most clones are kept to whatever these say.
OF_LOAD = frozenset(
    {
        *(Kind.QUORUM, Kind.MEAN_UP, Kind.CALL, Kind.COOLDOWN_UP, Kind.HIGH_TICKS),
        *(Kind.EFFECT, Kind.WARMUP, Kind.LAST_MEMBER, Kind.MEAN_DOWN, Kind.FLAP),
        *(Kind.SPARE, Kind.SIGNALS, Kind.COOLDOWN_DOWN, Kind.LOW_TICKS),
        *(Kind.STABILISE, Kind.MISSING, Kind.OUTAGE),
    }
)


@frozen
class Guard:
    """One guard at one instant.

    Attributes:
        kind: Which one.
        holds: Whether it stands in the way.
        value: What it looked at; None: not known, or it looks at no number.
        limit: What that was compared with.
        left_s: Seconds until it lets go by itself; None: it won't, or doesn't
            hold.
        note: What it was seen by, in words.
    """

    kind: Kind
    holds: bool
    value: float | None = None
    limit: float | None = None
    left_s: float | None = None
    note: str | None = None


def look_at(case: Case, decision: Decision) -> tuple[Guard, ...]:
    """Return every guard of the group in *case*.

    Arguments:
        case: The group with the actions that were in flight before *decision*.
        decision: What was decided.
    """
    requests = case.group.policy.requests
    if requests is None:
        load = (*_on_usage_up(case, decision), *_on_usage_down(case, decision))
    else:
        load = tuple(_on_requests(case, decision, requests))
    return (
        *_always(case, decision),
        *load,
        *_on_growing(case, decision),
        *_on_shrinking(case, decision),
        *_on_replacing(case, decision),
    )


def _always(case: Case, decision: Decision) -> Iterator[Guard]:
    group, view, load = case.group, case.view, decision.load
    mode = decision.mode
    left = stand_down_left(group, case.now)
    # A group that stands down is observed because of that.
    is_limited = mode is not Mode.ACTIVE and left is None
    yield Guard(Kind.MODE, is_limited, note=mode.value)
    yield _timed(Kind.STAND_DOWN, left, group.policy.stand_down)
    yield Guard(Kind.STATE, not view.is_writable)
    is_gone = group.primary is not None and group.primary.is_dead
    yield Guard(Kind.PRIMARY, is_gone)
    yield Guard(Kind.ANSWERS, _lacks_answers(case, decision))
    is_busy, requests = decision.reason is Reason.BUSY, group.policy.requests
    # What is done about standbys holds hardly anything.
    count = len(group.ledger.actions if is_busy else group.ledger.busy)
    # Those that requests call for wait for no others, but when they go.
    waits = bool(count) and (requests is None or is_busy)
    yield Guard(Kind.IN_FLIGHT, waits, count, 0)
    if requests is None:
        fresh = load.fresh
        yield Guard(Kind.QUORUM, not load.is_conclusive, fresh, load.quorum)


def _lacks_answers(case: Case, decision: Decision) -> bool:
    """Tell whether the host has not said enough for what might be done.

    Usage alone may add or remove a clone by answers of any age.
    """
    if case.view.listing is None:
        return True
    is_silent = decision.reason is Reason.NO_DATA
    is_by_usage = decision.is_within and case.group.policy.requests is None
    by_usage = is_by_usage and not is_silent
    return not by_usage and not case.view.is_current(case.now)


def _on_usage_up(case: Case, decision: Decision) -> Iterator[Guard]:
    policy, mean = case.group.policy, decision.load.mean_up
    limit = decision.up_threshold
    yield Guard(Kind.MEAN_UP, mean is None or mean <= limit, mean, limit)
    left = case.cooldown_left(policy.cooldown_up)
    yield _timed(Kind.COOLDOWN_UP, left or None, policy.cooldown_up)
    yield _ticks(Kind.HIGH_TICKS, decision.high, decision.high_needed)
    useless = rolled_back_left(case)
    has_no_effect = decision.reason in {Reason.NO_EFFECT, Reason.USELESS}
    yield Guard(
        Kind.EFFECT,
        has_no_effect or useless > 0,
        left_s=useless or None,
        note=decision.evidence if has_no_effect else None,
    )
    left = warming_left(case)
    yield _timed(Kind.WARMUP, left or None, policy.warmup)


def _on_usage_down(case: Case, decision: Decision) -> Iterator[Guard]:
    policy, load, members = case.group.policy, decision.load, decision.load.capacity
    mean, limit = load.mean_down, decision.down_threshold
    yield Guard(Kind.LAST_MEMBER, members < 2, members, 2)  # noqa: PLR2004 - one must remain
    yield Guard(Kind.MEAN_DOWN, mean is None or mean >= limit, mean, limit)
    if mean is not None and members > 1:
        after = mean * members / (members - 1)
        most = policy.scale_up_threshold_percent - policy.flap_margin
        yield Guard(Kind.FLAP, would_flap(policy, mean, members), after, most)
    left = case.cooldown_left(policy.cooldown_down)
    yield _timed(Kind.COOLDOWN_DOWN, left or None, policy.cooldown_down)
    yield _ticks(Kind.LOW_TICKS, decision.low, decision.low_needed)
    missing = len(load.missing)
    yield Guard(Kind.MISSING, bool(missing), missing, 0)


def _on_requests(
    case: Case, decision: Decision, policy: RequestPolicy
) -> Iterator[Guard]:
    members, demand = decision.load.capacity, case.ticks.demand
    wanted, told = decision.wanted, len(decision.signals)
    yield Guard(Kind.CALL, wanted is None or wanted <= members, wanted, members)
    since = demand.grew_at
    # Where nobody serves nobody waits for a cooldown.
    ends = 0.0 if since is None or not members else since + policy.cooldown_up
    left = max(0.0, ends - case.now)
    yield _timed(Kind.COOLDOWN_UP, left or None, policy.cooldown_up)
    is_told = demand.told_since is not None
    yield Guard(Kind.SIGNALS, not is_told, told, policy.targets)
    # Where the CPU would remove one too, none is left to spare.
    cpu = (s for s in decision.signals if s.kind is SignalKind.CPU)
    spare = 0 if any(signal.wanted < members for signal in cpu) else 1
    needed = None if wanted is None else wanted + spare
    yield Guard(Kind.SPARE, needed is None or needed >= members, needed, members)
    unstable = unstable_left(case, policy, members - spare)
    yield _timed(Kind.STABILISE, unstable, policy.stabilise)
    left = case.cooldown_left(policy.cooldown_down)
    yield _timed(Kind.COOLDOWN_DOWN, left or None, policy.cooldown_down)


def _on_growing(case: Case, decision: Decision) -> Iterator[Guard]:
    group, short = case.group, decision.shortage
    # A standby that is ready takes no room from what it will be.
    clones = group.clones_and_slots - decision.standbys_ready
    most = decision.max_clones
    yield Guard(Kind.SCALE_UP, not group.policy.scale_up)
    yield Guard(Kind.MAX_CLONES, clones >= most, clones, most)
    left = case.backoff_left(group.ledger.creating)
    yield _timed(Kind.CREATING, left or None, group.ledger.creating.length)
    note = (
        None
        if short is None
        else describe_shortage(short, "member" if decision.is_managed else "clone")
    )
    used, limit = (None, None) if short is None else (short.used, short.limit)
    left_s = None if short is None else decision.left_s
    yield Guard(Kind.CAPACITY, short is not None, used, limit, left_s, note)


def _on_shrinking(case: Case, decision: Decision) -> Iterator[Guard]:
    group, policy = case.group, case.group.policy
    yield Guard(Kind.SCALE_DOWN, not policy.scale_down)
    fewest, clones = decision.min_clones, len(group.serving)
    yield Guard(Kind.MIN_CLONES, clones <= fewest, clones, fewest)
    left = group.ledger.destroying.left(case.now)
    yield _timed(Kind.DESTROYING, left or None, group.ledger.destroying.length)
    yield _timed(Kind.CONTEST, contested_left(group, case.now) or None, None)
    yield Guard(Kind.ACTIVATOR, decision.reason is Reason.NO_ACTIVATOR)
    suspicion = suspect(case, case.ticks) if group.clones else None
    if suspicion is None:
        yield Guard(Kind.OUTAGE, holds=False, limit=policy.outage_hold)
    else:
        left = policy.outage_hold - (case.now - suspicion.since)
        note = suspicion.evidence
        yield _timed(Kind.OUTAGE, left, policy.outage_hold, note)


def _on_replacing(case: Case, decision: Decision) -> Iterator[Guard]:
    ledger, held = case.group.ledger, decision.replacement_held
    if held is not None:
        left = ledger.replacing.left(case.now) or None
        yield Guard(Kind.REPLACING, holds=True, left_s=left, note=held.value)
    if decision.outdated:
        left = case.backoff_left(ledger.rolling) or None
        is_sick = decision.reason is Reason.IMAGE_UNHEALTHY
        yield Guard(Kind.ROLLING, left is not None or is_sick, left_s=left)


def _ticks(kind: Kind, count: int, needed: int) -> Guard:
    return Guard(kind, count < needed, count, needed)


def _timed(
    kind: Kind, left: float | None, length: float | None, note: str | None = None
) -> Guard:
    """Return a guard that lets go after *left* seconds; None: it has."""
    return Guard(kind, left is not None, limit=length, left_s=left, note=note)
