"""What requests ask of a group: signals against their targets.

A signal is a number that the balancer tells and how many members it calls for.
Laws: a counter tells only beside the one before it; after an answer that is
missing, too old, or of counters that began anew nothing is known until the
next one; what is not known is no signal, and never zero.
"""

import enum
import math
from collections.abc import Iterator

from attrs import Attribute, evolve, field, frozen
from attrs.validators import ge, gt, optional

from autoscaler.core.backend import Backend

# An answer this many polls old tells of another time.
STALE_POLLS = 3
STALE_LEAST_S = 3.0


def _span(_policy: object, attribute: "Attribute[float]", value: float) -> None:
    if not value >= 0:
        msg = f"{attribute.name} must be 0 s or more, not {value:g} s"
        raise ValueError(msg)


@frozen(kw_only=True)
class RequestPolicy:
    """How requests drive the size of a group; durations in seconds.

    Attributes:
        target_in_flight: Requests that one member works on, those that wait
            for it included.
        target_rps: Requests that one member answers in a second.
        max_queue_ms: How long a request may wait for a member.
        max_step_up: Most members added at once; a group may always double.
        max_step_down: Most members removed at once.
        cooldown_up: Pause after members were decided before more are; a group
            without any waits for none.
        cooldown_down: Pause after a change before members are removed.
        stabilise: Members are removed only down to the most that were wanted
            within this time.

    Raises:
        ValueError: A number is out of its range, or there is no target.
    """

    target_in_flight: float | None = field(default=None, validator=optional(gt(0)))
    target_rps: float | None = field(default=None, validator=optional(gt(0)))
    max_queue_ms: float | None = field(default=None, validator=optional(gt(0)))
    max_step_up: int = field(default=4, validator=ge(1))
    max_step_down: int = field(default=1, validator=ge(1))
    cooldown_up: float = field(default=3.0, validator=_span)
    cooldown_down: float = field(default=15.0, validator=_span)
    stabilise: float = field(default=60.0, validator=_span)

    def __attrs_post_init__(self) -> None:
        if not self.targets:
            msg = (
                "one of target_in_flight, target_rps and max_queue_ms must be set: "
                "without a target requests call for nothing"
            )
            raise ValueError(msg)

    @property
    def targets(self) -> int:
        """How many signals there are where nothing is missing."""
        given = (self.target_in_flight, self.target_rps, self.max_queue_ms)
        return sum(target is not None for target in given)


class SignalKind(enum.Enum):
    """What a signal is about."""

    IN_FLIGHT = "in_flight"
    RPS = "rps"
    QUEUE_MS = "queue_ms"
    CPU = "cpu"


@frozen
class Signal:
    """A number that calls for members.

    Attributes:
        kind: Of what.
        value: How much there is; of the CPU the mean usage, percent.
        target: How much one member is to have; of queue and CPU a limit.
        wanted: How many members that calls for.
    """

    kind: SignalKind
    value: float
    target: float
    wanted: int


@frozen(kw_only=True)
class Demand:
    """What the balancer has told lately, and what was wanted because of it.

    Attributes:
        newest: Its newest answer; None: there is none that is young enough.
        rps: Requests that ended in a second, between the last two answers;
            None: not known.
        signals: What they say.
        told_since: Since when all signals have been there; None: not all are.
        peaks: When how many members were wanted, without those after which
            more were: the most of any time until now is the first in it.
        grew_at: When members were decided last.
    """

    newest: Backend | None = None
    rps: float | None = None
    signals: tuple[Signal, ...] = ()
    told_since: float | None = None
    peaks: tuple[tuple[float, int], ...] = ()
    grew_at: float | None = None

    def lately(self, now: float, span: float) -> tuple[tuple[float, int], ...]:
        """Return the peaks of the last *span* seconds."""
        return tuple(peak for peak in self.peaks if now - peak[0] < span)


NO_DEMAND = Demand()


def patience(poll_interval: float) -> float:
    """Return for how many seconds an answer is young enough."""
    return max(STALE_POLLS * poll_interval, STALE_LEAST_S)


def hear(
    demand: Demand,
    backend: Backend | None,
    policy: RequestPolicy,
    now: float,
    patience_s: float,
) -> Demand:
    """Return *demand* after one more look at the balancer.

    Arguments:
        demand: What was known before.
        backend: The newest answer; None: there is none.
        policy: Tells the targets.
        now: Monotonic seconds.
        patience_s: An older answer is none.
    """
    if backend is None or now - backend.at > patience_s:
        return Demand(grew_at=demand.grew_at)
    before = demand.newest
    if before is not None and _is_anew(before, backend):
        # What it counts now tells of what is left, not of what is asked for.
        return Demand(newest=backend, grew_at=demand.grew_at)
    if before is None or backend.at > before.at:
        demand = evolve(demand, newest=backend, rps=_rate(before, backend))
    elif not demand.signals:
        # The same answer again, the first one of counters that began anew.
        return demand
    signals = tuple(_signals(backend, demand.rps, policy))
    is_told = len(signals) == policy.targets
    since = demand.told_since if demand.told_since is not None else now
    return evolve(demand, signals=signals, told_since=since if is_told else None)


def remember(demand: Demand, wanted: int, now: float, span: float) -> Demand:
    """Return *demand* with what is *wanted* now, *span* seconds of it."""
    higher = (peak for peak in demand.lately(now, span) if peak[1] > wanted)
    return evolve(demand, peaks=(*higher, (now, wanted)))


def _is_anew(before: Backend, backend: Backend) -> bool:
    return backend.epoch != before.epoch or backend.ended < before.ended


def _rate(before: Backend | None, backend: Backend) -> float | None:
    if before is None:
        return None
    return (backend.ended - before.ended) / (backend.at - before.at)


def _signals(
    backend: Backend, rps: float | None, policy: RequestPolicy
) -> Iterator[Signal]:
    if policy.target_in_flight is not None:
        load = float(backend.in_flight + backend.queued)
        yield _signal(SignalKind.IN_FLIGHT, load, policy.target_in_flight)
    if policy.target_rps is not None and rps is not None:
        yield _signal(SignalKind.RPS, rps, policy.target_rps)
    if policy.max_queue_ms is not None:
        # Where nobody waits nobody waits for long, told or not.
        waits = backend.queue_ms if backend.queued else 0.0
        if waits is not None:
            servers = backend.servers.values()
            serving = sum(s.serves and not s.is_backup for s in servers)
            limit = policy.max_queue_ms
            yield _signal(SignalKind.QUEUE_MS, waits, limit, max(1, serving))


def _signal(kind: SignalKind, value: float, target: float, each: int = 1) -> Signal:
    """Return the signal; *each* members have what *target* says."""
    return Signal(kind, value, target, math.ceil(each * value / target))
