"""Decisions: what a group should do, why, and the numbers it was made from.

One decision is the same object for the log line, the status, the history and
the tests: nobody has to guess, or to read prose, to learn why nothing happened.
"""

import enum

from attrs import frozen

from albatross_client.names import Name
from autoscaler.core.backend import Duty, Health
from autoscaler.core.demand import Signal
from autoscaler.core.policy import Mode


class MemberClass(enum.Enum):
    """What a member counts as at a tick."""

    DRAINING = "draining"
    STANDBY = "standby"
    RESERVED = "reserved"
    GIVEN_UP = "given_up"
    UNKNOWN = "unknown"
    WARMING = "warming"
    FRESH = "fresh"
    STALE = "stale"
    DEAD = "dead"


# Those that may serve; a removal is judged as if the silent ones were busy.
CAPACITY = frozenset(
    {
        MemberClass.RESERVED,
        MemberClass.UNKNOWN,
        MemberClass.WARMING,
        MemberClass.FRESH,
        MemberClass.STALE,
    }
)
MISSING = CAPACITY - {MemberClass.FRESH}


class Outcome(enum.Enum):
    """What should happen."""

    UP = "up"
    DOWN = "down"
    REPLACE = "replace"
    HOLD = "hold"


class Reason(enum.Enum):
    """Why; each belongs to one rule."""

    PAUSED = "paused"
    BUSY = "busy"
    ORPHANED = "orphaned"
    NO_PRIMARY = "no_primary"
    ABOVE_MAX = "above_max"
    BELOW_MIN = "below_min"
    NO_DATA = "no_data"
    WARMING = "warming"
    GIVEN_UP = "given_up"
    HIGH = "high"
    RISING = "rising"
    AT_MAX = "at_max"
    BACKOFF = "backoff"
    BLOCK_DEVICE = "block_device"
    UNSUPPORTED = "unsupported"
    NO_CAPACITY = "no_capacity"
    NO_ADDRESS = "no_address"
    LOW = "low"
    FALLING = "falling"
    WOULD_FLAP = "would_flap"
    AT_MIN = "at_min"
    MISSING = "missing"
    COOLDOWN = "cooldown"
    SWITCHED_OFF = "switched_off"
    STATE_UNWRITABLE = "state_unwritable"
    CONTESTED = "contested"
    SUSPECTED_OUTAGE = "suspected_outage"
    STOOD_DOWN = "stood_down"
    NO_EFFECT = "no_effect"
    USELESS = "useless"
    ROLLOUT = "rollout"
    IMAGE_UNHEALTHY = "image_unhealthy"
    PRIMARY_LOST = "primary_lost"
    ASLEEP = "asleep"
    IDLE = "idle"
    NO_ACTIVATOR = "no_activator"
    STANDBY_UNREADY = "standby_unready"
    STANDBY_FAILED = "standby_failed"
    REFILL = "refill"
    SURPLUS = "surplus"
    WAKE = "wake"
    OPERATOR = "operator"
    STABILISING = "stabilising"
    NO_SIGNAL = "no_signal"
    STEADY = "steady"


@frozen
class Service:
    """What the server of one member does.

    Attributes:
        duty: What its balancer was told that it should.
        health: What checks say.
        sessions: What it works on, and what waits for it alone.
    """

    duty: Duty
    health: Health
    sessions: int


@frozen
class Standing:
    """What one member counted as.

    Attributes:
        name: The member.
        counts_as: Its class.
        usage: Percent of its CPUs, None while there is no usage.
        service: What its server does; None: it has none, or nobody tells.
    """

    name: Name
    counts_as: MemberClass
    usage: float | None = None
    service: Service | None = None


@frozen
class Requests:
    """What is asked of a group, as its balancer tells.

    Attributes:
        in_flight: What is worked on.
        queued: What waits for a member.
        queue_ms: How long those wait that wait now; None: not told.
    """

    in_flight: int
    queued: int
    queue_ms: float | None = None


@frozen(kw_only=True)
class Load:
    """What the members together say.

    Attributes:
        standings: Every member and reservation.
        mean_up: Mean usage of those who report, percent; None: nobody does.
        mean_down: Mean usage with every missing member at 100 %; None: there
            is no member that could serve.
        capacity: How many may serve.
        fresh: How many report.
        quorum: How many of them a decision needs.
        requests: What is asked of them; None: nobody tells.
    """

    standings: tuple[Standing, ...] = ()
    mean_up: float | None = None
    mean_down: float | None = None
    capacity: int = 0
    fresh: int = 0
    quorum: int = 1
    requests: Requests | None = None

    @property
    def is_conclusive(self) -> bool:
        """Whether enough members report."""
        return self.fresh >= self.quorum

    def names(self, *classes: MemberClass) -> tuple[Name, ...]:
        """Return the members that count as one of *classes*."""
        return tuple(s.name for s in self.standings if s.counts_as in classes)

    @property
    def missing(self) -> tuple[Name, ...]:
        """Members that may serve and of which nothing certain is known."""
        return self.names(*MISSING)


@frozen
class Shortage:
    """Why one more clone does not fit.

    Attributes:
        reason: `NO_CAPACITY`, `NO_ADDRESS`, `BLOCK_DEVICE`, `UNSUPPORTED` or
            `NO_DATA`.
        resource: What is short: unikernels, memory, cpuids, bridges, addresses.
        needed: How much one clone needs.
        used: How much is taken.
        limit: How much there is.
        domain: Whose policy says so; None: no policy does.
        resting: How much of what is taken is nobody's, and not given out yet.
    """

    reason: Reason
    resource: str
    needed: int = 0
    used: int = 0
    limit: int = 0
    domain: Name | None = None
    resting: int = 0


@frozen(kw_only=True)
class Decision:
    """What should happen to a group, and why.

    Attributes:
        outcome: Up, down, replace or hold.
        reason: The rule that won.
        mode: Whether anything is done about it.
        load: What the members said.
        high: Consecutive high ticks, this one included, at most *high_needed*.
        high_needed: As many make clones.
        low: Consecutive low ticks, this one included, at most *low_needed*.
        low_needed: As many remove one.
        up_threshold: Percent.
        down_threshold: Percent.
        clones: How many there are for work, reservations included.
        min_clones: Fewest.
        max_clones: Most.
        count: How many clones to create.
        promoted: How many standbys are given work.
        victim: Which clone to destroy.
        more_victims: Those that go with it.
        left_s: Seconds until what holds lets go by itself: a cooldown, a
            back-off, a warm-up.
        shortage: What a clone would need and does not get.
        replacement_held: Why a given-up clone is not replaced now.
        barred: The reason of the action that would begin, were it not held.
        age_s: For how long what holds has held already, seconds.
        evidence: What speaks for it, in words.
        outdated: How many clones have not yet the image of new ones.
        is_managed: Whether the clones are all members that there are.
        wanted: How many members requests and usage call for; None: requests do
            not drive the group, or say nothing.
        signal: What calls for so many.
        signals: All that calls for members.
        by: The operator who asked for it; None: a rule decided.
        standbys: How many there are beside the clones, reservations included,
            and without those that go.
        standbys_ready: How many of them could serve at once.
        standbys_wanted: How many there are to be.
        standby_held: Why a standby that is missing, or useless, stays so.
        id: What the change of decision is called that it belongs to; None: it
            has no name.
    """

    outcome: Outcome
    reason: Reason
    mode: Mode
    load: Load
    high: int
    high_needed: int
    low: int
    low_needed: int
    up_threshold: float
    down_threshold: float
    clones: int
    min_clones: int
    max_clones: int
    count: int = 0
    promoted: int = 0
    victim: Name | None = None
    more_victims: tuple[Name, ...] = ()
    left_s: float | None = None
    shortage: Shortage | None = None
    replacement_held: Reason | None = None
    barred: Reason | None = None
    age_s: float | None = None
    evidence: str | None = None
    outdated: int = 0
    is_managed: bool = False
    wanted: int | None = None
    signal: Signal | None = None
    signals: tuple[Signal, ...] = ()
    by: str | None = None
    standbys: int = 0
    standbys_ready: int = 0
    standbys_wanted: int = 0
    standby_held: Reason | None = None
    id: str | None = None

    @property
    def total(self) -> int:
        """How many clones there are, those that stand by included."""
        return self.clones + self.standbys

    @property
    def is_within(self) -> bool:
        """Whether there are as many as the operator's numbers allow."""
        return self.min_clones <= self.clones and self.total <= self.max_clones

    @property
    def rollout(self) -> tuple[int, int] | None:
        """How many clones have the image of new ones, of how many.

        None: all have, or nothing is known.
        """
        if not self.outdated:
            return None
        return max(0, self.total - self.outdated), self.total

    @property
    def acts(self) -> bool:
        """Whether it changes the group, or would in another mode."""
        return self.outcome is not Outcome.HOLD
