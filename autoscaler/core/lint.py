"""What is allowed in a policy and yet probably not meant, and what would fit.

A `Policy` refuses what contradicts itself; this looks at what only shows
beside a host: its stats interval, and the room that it has.
"""

import enum
import math

from attrs import evolve, frozen

from autoscaler.core.actions import CreateClones
from autoscaler.core.capacity import find_slots
from autoscaler.core.decision import Reason, Shortage
from autoscaler.core.group import Group
from autoscaler.core.policy import Policy
from autoscaler.core.rhythm import USUAL_INTERVAL_S
from autoscaler.core.view import View

LONG_WARMUP_S = 300.0
# Requests that wait for so long are noticed by whoever waits.
SLOW_POLL_S = 5.0
BOOT_INTERVALS = 3


class Severity(enum.Enum):
    """Whether the daemon can work with it."""

    ERROR = "error"
    HINT = "hint"


@frozen
class Finding:
    """Something to tell the operator about a policy.

    Attributes:
        severity: How bad.
        key: Of the configuration.
        message: What is the matter, and what to do about it.
    """

    severity: Severity
    key: str
    message: str


@frozen
class Room:
    """How many clones a host has room for.

    Attributes:
        running: Clones that run already.
        more: How many more fit, at most as many as the policy wants.
        shortage: Why not one more than that; None: all that are wanted fit.
    """

    running: int
    more: int
    shortage: Shortage | None

    @property
    def clones(self) -> int:
        """How many there can be."""
        return self.running + self.more


def lint(policy: Policy, interval: float | None) -> tuple[Finding, ...]:
    """Return what is probably not meant in *policy*.

    Arguments:
        policy: Of a group.
        interval: The host's stats interval in seconds; None: not known.
    """
    findings = (
        _flapping(policy),
        _poll(policy, interval),
        _warmup(policy),
        _boot(policy, interval),
        _pool(policy),
    )
    return tuple(finding for finding in findings if finding is not None)


def flapping_size(policy: Policy) -> float | None:
    """Return up to which size a group may be held by `would_flap`.

    A group of so many members or fewer, whose mean is just below the down
    threshold, does not shrink: without one of them the mean of the others
    would come too close to the up threshold.  Infinite: groups of any size
    are held; None: no group is.
    """
    limit = policy.scale_up_threshold_percent - policy.flap_margin
    down = policy.scale_down_threshold_percent
    if not down:
        return None
    # Held from mean * n / (n - 1) >= limit on, for a mean just below `down`.
    if limit <= down:
        return math.inf
    size = math.ceil(limit / (limit - down)) - 1
    return size if size >= 2 else None  # noqa: PLR2004 - one cannot shrink


def shrinking_mean(policy: Policy, size: int) -> float:
    """Return below which mean, in percent, *size* members lose one."""
    limit = policy.scale_up_threshold_percent - policy.flap_margin
    kept = max(0.0, limit * (size - 1) / size)
    return min(policy.scale_down_threshold_percent, kept)


def find_room(group: Group, view: View) -> Room:
    """Return how many clones *group* can have on the host in *view*.

    Arguments:
        group: As it is now, its clones included.
        view: With answers to `info` and `policy info`.
    """
    running = len(group.clones)
    wanted = group.policy.max_clones - running
    if wanted <= 0:
        return Room(running, 0, None)
    found = find_slots(group, view, wanted)
    if isinstance(found, Shortage):
        return Room(running, 0, found)
    if len(found) == wanted:
        return Room(running, wanted, None)
    # With those reserved, one more doesn't fit: that tells why.
    reserved = CreateClones(id=0, reason=Reason.BELOW_MIN, slots=found)
    number = group.ledger.next_number + len(found)
    ledger = evolve(group.ledger, actions=(reserved,), next_number=number)
    last = find_slots(evolve(group, ledger=ledger), view, 1)
    return Room(running, len(found), last if isinstance(last, Shortage) else None)


def _flapping(policy: Policy) -> Finding | None:
    key = "scale_down_threshold_percent"
    down, size = policy.scale_down_threshold_percent, flapping_size(policy)
    if not policy.max_clones or size is None:
        return None
    if policy.scale_up_threshold_percent <= policy.flap_margin:
        message = (
            f"{down:g} is never reached: with a flap_margin of {policy.flap_margin:g} "
            "no group of 2 or more members can ever shrink; lower flap_margin"
        )
        return Finding(Severity.HINT, key, message)
    if math.isinf(size) or size > policy.max_clones + 1:
        size = policy.max_clones + 1
    least = f"{shrinking_mean(policy, 2):g} %"
    if size == 2:  # noqa: PLR2004 - the smallest
        who, when = "2 members", least
    else:
        most = f"{shrinking_mean(policy, int(size)):g} %"
        who, when = f"2 to {size:g} members", f"{least} to {most}, as they are many"
    message = (
        f"{down:g} is too near to the up threshold for groups of {who}: they shrink "
        f"only below {when}, and are held by would_flap above that"
    )
    return Finding(Severity.HINT, key, message)


def _poll(policy: Policy, interval: float | None) -> Finding | None:
    reckoned = interval or USUAL_INTERVAL_S
    if policy.requests is not None:
        return _slow_poll(policy)
    if policy.poll_interval >= reckoned:
        return None
    known = "" if interval else ", unless the host is quicker than usual"
    message = (
        f"{policy.poll_interval:g} s has no effect{known}: the host sends statistics "
        f"every {reckoned:g} s"
    )
    return Finding(Severity.HINT, "poll_interval", message)


def _slow_poll(policy: Policy) -> Finding | None:
    if policy.poll_interval <= SLOW_POLL_S:
        return None
    message = (
        f"{policy.poll_interval:g} s is long where requests drive a group: it follows "
        "them no quicker; 1 s is usual"
    )
    return Finding(Severity.HINT, "poll_interval", message)


def _warmup(policy: Policy) -> Finding | None:
    if policy.warmup <= LONG_WARMUP_S:
        return None
    message = (
        f"{policy.warmup:g} s is long: a new clone keeps the group from growing until "
        "then; it need only cover the start-up burn"
    )
    return Finding(Severity.HINT, "warmup", message)


def _boot(policy: Policy, interval: float | None) -> Finding | None:
    reckoned = interval or USUAL_INTERVAL_S
    least = BOOT_INTERVALS * reckoned
    if policy.boot_timeout >= least:
        return None
    severity = Severity.ERROR if interval else Severity.HINT
    message = (
        f"{policy.boot_timeout:g} s is too short where statistics come every "
        f"{reckoned:g} s: at least {least:g} s are needed to hear a new clone"
    )
    return Finding(severity, "boot_timeout", message)


def _pool(policy: Policy) -> Finding | None:
    pool, most = policy.address_pool, policy.max_clones
    if pool is None or pool.size > most:
        return None
    if pool.size < most:
        message = f"has {pool.size} addresses, and {most} may be needed at once"
    else:
        message = (
            f"has {pool.size} addresses and none to spare: while all are held no new "
            "image is rolled out, and an address that was held rests for "
            f"{policy.address_quarantine:g} s before it is given again"
        )
    return Finding(Severity.HINT, "address_pool", message)
