"""What a group wants, can have and has, in clones, and what is in between.

*Wants* is where the rules would come to rest if the load stayed as it is, and
never less than the operator's least.  *Can* is asked only while more is wanted:
looking for room costs a look at all that runs on the host.
"""

import math

from attrs import evolve, frozen

from autoscaler.core.capacity import find_slots
from autoscaler.core.case import Case
from autoscaler.core.decision import (
    CAPACITY,
    Decision,
    Load,
    MemberClass,
    Reason,
    Shortage,
)
from autoscaler.core.policy import Mode, Policy
from autoscaler.core.scaling import would_flap

# Room is looked for as far as so many more clones.
MOST_SOUGHT = 16
# As long as nothing else changes it is looked for no sooner again, seconds.
LOOK_S = 30.0


@frozen(kw_only=True)
class Sizes:
    """How many clones there are to be, may be, and are.

    Attributes:
        wants: What the load calls for, `min_clones` at least; None: not known.
        can: What `max_clones` and, while more is wanted, policies, CPUs and
            addresses allow; at least those that there are.
        has: What runs.
        coming: What is being made.
        blocked: What keeps the group from what it wants; None: nothing, or it
            is on the way.
        shortage: What one more clone lacks; None: nothing, or nobody looked.
        looked: When room was looked for, seconds since 1970; None: it wasn't.
    """

    wants: int | None
    can: int
    has: int
    coming: int = 0
    blocked: Reason | None = None
    shortage: Shortage | None = None
    looked: float | None = None

    def is_like(self, other: "Sizes") -> bool:
        """Tell whether as much room would be looked for."""
        these = self.wants, self.has, self.coming
        return these == (other.wants, other.has, other.coming)


def measure(
    case: Case, decision: Decision, wall: float, last: Sizes | None = None
) -> Sizes:
    """Return the sizes of the group in *case*.

    Arguments:
        case: The group with the actions that were in flight before *decision*.
        decision: What was decided.
        wall: When, seconds since 1970.
        last: Those before: room is not looked for again at once.
    """
    group = case.group
    has = len(group.serving)
    coming = group.serving_and_slots - has
    wants = _wanted(case, decision)
    most = max(case.group.policy.max_clones, has + coming)
    plain = Sizes(wants=wants, can=most, has=has, coming=coming)
    if decision.shortage is not None:
        can, short = has + coming, decision.shortage
        sizes = evolve(plain, can=can, shortage=short, looked=wall)
    elif last is not None and _is_young(last, wall) and last.is_like(plain):
        sizes = evolve(last, blocked=None)
    else:
        sizes = _with_room(case, plain, wall)
    acts = decision.acts and decision.mode is Mode.ACTIVE
    if acts or wants is None or wants == has + coming:
        return sizes
    return evolve(sizes, blocked=decision.reason)


def _is_young(last: Sizes, wall: float) -> bool:
    return last.looked is not None and 0 <= wall - last.looked < LOOK_S


def _with_room(case: Case, plain: Sizes, wall: float) -> Sizes:
    # Standbys that are ready need no more room than they have.
    there = plain.has + plain.coming + len(case.ready)
    more = min(min(plain.wants or 0, plain.can) - there, MOST_SOUGHT)
    if more <= 0:
        return plain
    found = find_slots(case.group, case.view, more)
    if isinstance(found, Shortage):
        return evolve(plain, can=there, shortage=found, looked=wall)
    if len(found) == more:
        return evolve(plain, looked=wall)
    return evolve(plain, can=there + len(found), looked=wall)


def _wanted(case: Case, decision: Decision) -> int | None:
    """Return how many clones are called for; None: that isn't known."""
    policy, load = case.group.policy, decision.load
    match decision.reason:
        case Reason.IDLE:
            return len(case.group.clones) - 1 - len(decision.more_victims)
        case Reason.NO_ACTIVATOR:
            return len(case.group.clones) - 1
        case Reason.WAKE:
            return 1
        case _:
            pass
    members = decision.wanted
    if policy.requests is None:
        members = rest(policy, load)
    if members is None:
        return None
    if members >= load.capacity:
        # Those that are given up are replaced, unless they can be spared.
        given_up = len(load.names(MemberClass.GIVEN_UP))
        members = max(members, load.capacity + given_up)
    primary = case.group.id.primary
    serves = any(s.name == primary and s.counts_as in CAPACITY for s in load.standings)
    return max(decision.min_clones, members - serves)


def rest(policy: Policy, load: Load) -> int | None:
    """Return at how many members the rules would rest under this *load*."""
    members = load.capacity
    if load.mean_up is None or load.mean_down is None or not load.is_conclusive:
        return None
    if load.mean_up > policy.scale_up_threshold_percent:
        # At least one more: beside silent members the sum says nothing.
        total = load.mean_up * members
        return max(members + 1, math.ceil(total / policy.scale_up_threshold_percent))
    return _shrunk(policy, load.mean_down, members)


def _shrunk(policy: Policy, mean: float, members: int) -> int:
    wanted = members
    while wanted > 1:
        each = mean * members / wanted
        is_low = each < policy.scale_down_threshold_percent
        if not is_low or would_flap(policy, each, wanted):
            break
        wanted -= 1
    return wanted
