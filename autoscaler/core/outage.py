"""Whether low usage is believed: only while the group still works.

During an outage in front of a group, or of its host, nobody has anything to do,
and removing clones then makes the return worse.  What speaks for an outage is
believed to be one for `outage_hold`, and no longer: then it is how things are.
"""

import math
from collections.abc import Iterable, Iterator

from attrs import frozen

from albatross_client.names import Name
from autoscaler.core.case import Case
from autoscaler.core.decision import MemberClass
from autoscaler.core.group import Ticks
from autoscaler.core.standing import NEVER_HEARD
from autoscaler.core.track import LATEST
from autoscaler.core.view import View


@frozen
class Suspicion:
    """What speaks for an outage.

    Attributes:
        since: When it began, monotonic.
        evidence: In words.
    """

    since: float
    evidence: str


def suspect(case: Case, ticks: Ticks) -> Suspicion | None:
    """Return the newest sign of an outage that may still be believed.

    Arguments:
        case: What to look at.
        ticks: The counters after this tick.
    """
    policy = case.group.policy
    signs: tuple[Suspicion | None, ...] = (
        _many_lost(case.view, policy.outage_fraction),
    )
    if policy.requests is None:
        # Where the balancer answers, nobody asks where nothing moves.
        signs = (*signs, _collapsed(case), _gap(case, ticks))
    young = (s for s in signs if s and case.now - s.since < policy.outage_hold)
    return max(young, key=lambda sign: sign.since, default=None)


def find_lost(
    view: View, members: Iterable[Name], now: float
) -> tuple[tuple[Name, float], ...]:
    """Return which of *members* restarted or fell silent, and when.

    Arguments:
        view: What is known of the host.
        members: Of all groups, those that are gone by now included.
        now: Monotonic.
    """
    lost: list[tuple[Name, float]] = []
    for name in members:
        track = view.tracks.get(name)
        if track is None:
            continue
        lost += ((name, at) for at in track.restarts)
        heard, feed = track.heard, view.feed_of(name)
        if (
            heard is not None
            and feed.listened_by(now) - heard.listened > feed.stale_after
        ):
            lost.append((name, heard.at))
    return tuple(sorted(lost, key=lambda loss: loss[1]))


def _collapsed(case: Case) -> Suspicion | None:
    """Tell whether the packets of all members collapsed; some must have any."""
    since = -math.inf
    voters = 0
    for name in case.load.names(MemberClass.FRESH):
        traffic = case.view.tracks.get(name, NEVER_HEARD).traffic
        if traffic.mean is None:
            continue
        if traffic.collapsed_since is None:
            return None
        since, voters = max(since, traffic.collapsed_since), voters + 1
    if not voters:
        return None
    whose = "1 member" if voters == 1 else f"{voters} members"
    return Suspicion(since, f"the packets of {whose} collapsed")


def _many_lost(view: View, fraction: float) -> Suspicion | None:
    """Find the last interval in which too many members were lost."""
    needed = fraction / 100 * view.peers
    # Frames of one sampling are received within less than an interval.
    length = LATEST * view.feed.rhythm.reckoned
    for last, together in _together(view.lost, length):
        if together > needed:
            evidence = f"{together} of {view.peers} members restarted or fell silent"
            return Suspicion(last, evidence)
    return None


def _together(
    lost: tuple[tuple[Name, float], ...], length: float
) -> Iterator[tuple[float, int]]:
    """Yield how many were lost in the time before each loss, newest first."""
    for end in range(len(lost), 0, -1):
        last = lost[end - 1][1]
        names = {name for name, at in lost[:end] if last - at <= length}
        yield last, len(names)


def _gap(case: Case, ticks: Ticks) -> Suspicion | None:
    """Tell whether the low ticks that count lie on both sides of a gap."""
    up_since = case.view.feed.up_since
    within = ticks.low - ticks.gap < case.group.policy.scale_down_trigger_ticks
    if not ticks.gap or not within or up_since is None:
        return None
    return Suspicion(up_since, "the statistics stream was interrupted")
