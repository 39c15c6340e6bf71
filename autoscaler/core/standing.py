"""What each member counts as, and what they say together.

Missing is never zero load and never full load: it is missing.  Who reports
decides about growing, if enough do; shrinking needs everybody.
"""

import math
from typing import assert_never

from albatross_client.names import Name
from autoscaler.core.actions import Action, CreateClones, DestroyClone, ReplaceClone
from autoscaler.core.decision import CAPACITY, Load, MemberClass, Standing
from autoscaler.core.group import Group, Member
from autoscaler.core.track import Track, is_crash_loop
from autoscaler.core.view import View

# Lets 1/2 of one reporting and one silent member be a quorum, and the like,
# whatever a float makes of the operator's fraction.
QUORUM_SLACK = 0.05
VOTERS = frozenset({MemberClass.FRESH, MemberClass.STALE, MemberClass.UNKNOWN})
NEVER_HEARD = Track()


def assess(group: Group, view: View, now: float) -> Load:
    """Return what the members of *group* say at *now*."""
    standings = tuple(
        Standing(member.name, classify(group, member, view, now), member.usage)
        for member in group.members
    ) + tuple(
        Standing(slot.name, _slot_class(action))
        for action in group.ledger.actions
        for slot in action.slots
    )
    usages = [
        standing.usage
        for standing in standings
        if standing.counts_as is MemberClass.FRESH and standing.usage is not None
    ]
    capacity = sum(standing.counts_as in CAPACITY for standing in standings)
    voters = sum(standing.counts_as in VOTERS for standing in standings)
    missing = capacity - len(usages)
    return Load(
        standings=standings,
        mean_up=sum(usages) / len(usages) if usages else None,
        mean_down=(sum(usages) + 100.0 * missing) / capacity if capacity else None,
        capacity=capacity,
        fresh=len(usages),
        quorum=max(1, math.ceil(group.policy.quorum * voters - QUORUM_SLACK)),
    )


def classify(group: Group, member: Member, view: View, now: float) -> MemberClass:
    """Return what *member* counts as at *now*: the first class that fits."""
    track = view.tracks.get(member.name, NEVER_HEARD)
    apart = _class_apart(group, member, track, view, now)
    if apart is not None:
        return apart
    up_since = view.feed_of(member.name).up_since
    if up_since is None:
        return MemberClass.UNKNOWN
    stale_after = view.feed.stale_after
    began = _began(member, track)
    usage_at = track.usage_at
    has_usage = usage_at is not None and usage_at >= up_since
    if not (has_usage and member.usage is not None) and (
        now - max(up_since, began) <= stale_after
    ):
        return MemberClass.UNKNOWN
    if now - began < group.policy.warmup:
        return MemberClass.WARMING
    if has_usage and usage_at is not None and now - usage_at < stale_after:
        return MemberClass.FRESH if member.usage is not None else MemberClass.UNKNOWN
    return MemberClass.STALE


def _class_apart(
    group: Group, member: Member, track: Track, view: View, now: float
) -> MemberClass | None:
    """Return the class of a member whose usage doesn't matter."""
    if member.is_dead:
        return MemberClass.DEAD
    if is_draining(group, member.name):
        return MemberClass.DRAINING
    if _is_given_up(group, member, track, view, now):
        return MemberClass.GIVEN_UP
    return MemberClass.STANDBY if member.is_standby else None


def silence(member: Member, view: View, now: float) -> float:
    """Return for how many seconds of listening *member* was not heard."""
    track = view.tracks.get(member.name)
    heard = track.heard if track is not None else None
    since = member.listening_since if heard is None else heard.listened
    return view.feed_of(member.name).listened_by(now) - since


def _began(member: Member, track: Track) -> float:
    return max(
        -math.inf if member.created is None else member.created,
        -math.inf if track.began is None else track.began,
    )


def is_draining(group: Group, name: Name) -> bool:
    """Tell whether the member *name* goes, and gets no new work."""
    ledger = group.ledger
    return name in ledger.parting or any(_drains(a, name) for a in ledger.actions)


def _drains(action: Action, name: Name) -> bool:
    match action:
        case CreateClones():
            return False
        case DestroyClone():
            return action.victim == name
        case ReplaceClone():
            # Its victim serves until the new clone does.
            waiting = action.create_first and bool(action.slots)
            return action.victim == name and not waiting
        case _:
            assert_never(action)


def _slot_class(action: Action) -> MemberClass:
    return MemberClass.STANDBY if action.as_standby else MemberClass.RESERVED


def _is_given_up(
    group: Group, member: Member, track: Track, view: View, now: float
) -> bool:
    patience = group.policy.death_timeout
    if not view.lists(member.name):
        return False
    if is_crash_loop(track, patience, now):
        return True
    return (
        view.feed_of(member.name).up_since is not None
        and silence(member, view, now) > patience
        and _others_report(member, view, now)
    )


def _others_report(member: Member, view: View, now: float) -> bool:
    oldest = now - view.feed.stale_after
    return any(
        track.heard is not None and track.heard.at >= oldest
        for name, track in view.tracks.items()
        if name != member.name
    )
