"""When a group is looked at, and the usage that it is then looked at with."""

import math

from albatross_client.values import US_PER_S
from autoscaler.core.decision import MemberClass
from autoscaler.core.group import Group, Member
from autoscaler.core.standing import classify
from autoscaler.core.track import EARLIEST, Track
from autoscaler.core.view import View

# Frames that a stall held back come in one go: a bunch is read to its end.
QUIET_S = 0.5
# Who keeps the others waiting doesn't keep them waiting for ever.
LATEST_PERIODS = 1.5
LATE_PERIODS = 2
AWAITED = frozenset({MemberClass.FRESH, MemberClass.WARMING})


def next_tick(group: Group, view: View, now: float) -> float | None:
    """Return when *group* should be looked at, None while there is no news.

    A group that requests drive is looked at once in `poll_interval`, whatever
    its members report.
    """
    if group.policy.requests is None:
        return next_usage(group, view, now)
    if view.listing is None:
        return None
    polled = group.ticks.polled
    return now if polled is None else polled + group.policy.poll_interval


def next_usage(group: Group, view: View, now: float) -> float | None:
    """Return when new usages of *group* should be taken, None while none are.

    A tick needs a new usage; it comes half a second after all who are expected
    have reported, at most once in `poll_interval`, at the latest one and a half
    periods after the last one.
    """
    up_since = view.feed.up_since
    if up_since is None or view.listing is None:
        return None
    # Standbys keep nobody waiting, and tell something only where nobody serves.
    telling = group.serving_members or group.members
    tracks = [(m, view.tracks[m.name]) for m in telling if m.name in view.tracks]
    news = [t.usage_at for m, t in tracks if _has_news(m, t) and t.usage_at is not None]
    if not news:
        return None
    poll = group.policy.poll_interval
    last = group.ticks.last
    period = max(poll, view.feed.rhythm.reckoned)
    forced = (up_since if last is None else last) + LATEST_PERIODS * period
    if min(news) > forced:
        # The news themselves are late: their bunch is read to its end too, but
        # a host that speaks more often than that is not waited for.
        forced = min(news) + min(QUIET_S, EARLIEST * view.feed.rhythm.reckoned)
    if not _all_reported(group, view, now):
        return forced
    newest = max(t.heard.at for _, t in tracks if t.heard is not None)
    allowed = -math.inf if last is None else last + poll
    return min(forced, max(newest + QUIET_S, allowed))


def is_usage_due(group: Group, view: View, now: float) -> bool:
    """Tell whether a look at *group* at *now* should take new usages.

    Polls that are in step with the frames find the newest one too young every
    time: after a while it is taken nevertheless.
    """
    due, since = next_usage(group, view, now), group.ticks.last
    if due is None:
        return False
    since = view.feed.up_since if since is None else since
    period = max(group.policy.poll_interval, view.feed.rhythm.reckoned)
    is_late = since is not None and now - since >= LATE_PERIODS * period
    return due <= now or is_late


def take_usage(member: Member, view: View) -> Member:
    """Return *member* with its usage since the tick before, if there is one.

    No frame is used twice: what is taken is remembered.
    """
    track = view.tracks.get(member.name)
    if track is None:
        return member
    span = track.span_s - member.taken_span_s
    used = track.cpu_us - member.taken_cpu_us
    usage = member.usage
    if span > 0:
        info = view.info(member.name)
        numcpus = max(1, info.numcpus) if info is not None else 1
        # Counters that were taken back after a tick may leave less than zero.
        usage = min(100.0, max(0.0, used / (span * numcpus * US_PER_S) * 100))
    elif span == 0:
        return member
    # Not evolve: it takes four times as long, and this is done for every frame.
    return Member(
        name=member.name,
        number=member.number,
        created=member.created,
        listening_since=member.listening_since,
        unlisted_at=member.unlisted_at,
        is_dead=member.is_dead,
        taken_cpu_us=track.cpu_us,
        taken_span_s=track.span_s,
        usage=usage,
        address=member.address,
        found=member.found,
        ready_at=member.ready_at,
        is_standby=member.is_standby,
    )


def _has_news(member: Member, track: Track) -> bool:
    return track.span_s > member.taken_span_s and not member.is_dead


def _all_reported(group: Group, view: View, now: float) -> bool:
    last = group.ticks.last
    since = -math.inf if last is None else last
    for member in group.members:
        track = view.tracks.get(member.name)
        if track is not None and track.heard is not None and track.heard.at > since:
            continue
        if classify(group, member, view, now) in AWAITED:
            return False
    return True
