"""What may hold an action that the rules have decided, in this order.

A direction that is switched off; a state that can't be written; a stand-down;
somebody else who changes the group, for what makes it smaller; and a suspected
outage, for what makes it smaller because of its load.
"""

from autoscaler.core.case import Case, Ruling
from autoscaler.core.contest import contested_left
from autoscaler.core.decision import Decision, Outcome, Reason
from autoscaler.core.outage import suspect
from autoscaler.core.standdown import stand_down_left

# Whose counters of low usage have to be believed.
BY_LOW_USAGE = frozenset({Reason.LOW, Reason.GIVEN_UP})


def gated(case: Case, ruling: Ruling) -> Ruling:
    """Return *ruling*, or the hold that stands in its place."""
    decision = ruling.decision
    if not decision.acts:
        return ruling
    if _is_switched_off(case, decision):
        return case.bar(ruling, Reason.SWITCHED_OFF)
    if not case.view.is_writable:
        return case.bar(ruling, Reason.STATE_UNWRITABLE)
    left = stand_down_left(case.group, case.now)
    if left is not None:
        return case.bar(ruling, Reason.STOOD_DOWN, left_s=left)
    if not _shrinks(decision):
        return ruling
    return _gated_down(case, ruling)


def _gated_down(case: Case, ruling: Ruling) -> Ruling:
    left = contested_left(case.group, case.now)
    if left:
        return case.bar(ruling, Reason.CONTESTED, left_s=left)
    if ruling.decision.reason not in BY_LOW_USAGE:
        return ruling
    suspicion = suspect(case, ruling.ticks)
    if suspicion is None:
        return ruling
    age = case.now - suspicion.since
    return case.bar(
        ruling,
        Reason.SUSPECTED_OUTAGE,
        left_s=case.group.policy.outage_hold - age,
        age_s=age,
        evidence=suspicion.evidence,
    )


def _is_switched_off(case: Case, decision: Decision) -> bool:
    policy = case.group.policy
    if decision.outcome is Outcome.UP:
        return not policy.scale_up
    return _shrinks(decision) and not policy.scale_down


def _shrinks(decision: Decision) -> bool:
    # The end of a replacement leaves the group as large as it was.
    is_down = decision.outcome is Outcome.DOWN
    return is_down and decision.reason is not Reason.ROLLOUT
