"""What an operator asks for by hand: so many clones, now.

It is one decision like any other: within the operator's own least and most,
through the gates, out of the budget, and its end starts the cooldown.  It waits
for no cooldown and asks no load; after it the load decides again.  What can't
be done is refused, and nothing is remembered of it.
"""

from attrs import evolve

from autoscaler.core.case import Case, Ruling
from autoscaler.core.decision import Decision, Load, Outcome, Reason
from autoscaler.core.events import ScaleAsked
from autoscaler.core.gates import gated
from autoscaler.core.group import Group
from autoscaler.core.policy import Mode
from autoscaler.core.scaling import destroy, grow
from autoscaler.core.shortages import counted


def decide_scale(group: Group, asked: ScaleAsked, load: Load, now: float) -> Ruling:
    """Return what becomes of *asked*; a hold refuses it."""
    case = Case(group, asked.view, now, load, group.ticks)
    ruling = gated(case, _rule(case, asked.clones))
    return evolve(ruling, decision=_signed(ruling.decision, asked))


def _rule(case: Case, wanted: int) -> Ruling:
    group, policy = case.group, case.group.policy
    more = wanted - group.serving_and_slots
    if group.mode is Mode.PAUSED:
        return case.hold(Reason.PAUSED)
    if group.ledger.busy:
        return case.hold(Reason.BUSY)
    is_gone = group.primary is not None and group.primary.is_dead
    if is_gone or not case.view.is_current(case.now):
        return case.hold(Reason.ORPHANED if is_gone else Reason.NO_DATA)
    if not policy.min_clones <= wanted <= policy.max_clones:
        return case.hold(Reason.AT_MAX if more > 0 else Reason.AT_MIN)
    if not more:
        return case.hold(Reason.STEADY)
    if more > 0:
        return grow(case, Reason.OPERATOR, more, case.ticks)
    return destroy(case, Reason.OPERATOR, case.ticks, -more)


def _signed(decision: Decision, asked: ScaleAsked) -> Decision:
    """Return *decision* with who wanted it, where it is a decision to act."""
    if decision.outcome is Outcome.HOLD:
        return decision
    clone = "member" if decision.is_managed else "clone"
    evidence = f"{asked.user} asks for {counted(asked.clones, clone)}"
    return evolve(decision, by=asked.user, evidence=evidence)
