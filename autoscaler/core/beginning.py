"""How what is decided begins: it becomes actions, and these are reserved."""

from collections.abc import Iterator

from attrs import evolve

from autoscaler.core.actions import Action, CreateClones, DestroyClone, ReplaceClone
from autoscaler.core.budget import REPLACEMENTS_AN_HOUR, spend
from autoscaler.core.case import Ruling
from autoscaler.core.decision import Outcome, Reason
from autoscaler.core.group import Group
from autoscaler.core.policy import Mode


def begin(group: Group, ruling: Ruling, now: float) -> tuple[Group, tuple[Action, ...]]:
    """Begin what *ruling* decides, unless the group is only observed."""
    if not ruling.decision.acts or group.mode is not Mode.ACTIVE:
        return group, ()
    ledger, reason = group.ledger, ruling.decision.reason
    actions = tuple(_actions(ruling, group))
    replaced = ledger.replaced
    if reason is Reason.GIVEN_UP and ruling.slots:
        replaced = (*replaced, now)[-REPLACEMENTS_AN_HOUR:]
    ledger = evolve(
        ledger,
        actions=(*ledger.actions, *actions),
        next_action=ledger.next_action + len(actions),
        next_number=ledger.next_number + len(ruling.slots),
        replaced=replaced,
        budget=spend(ledger.budget, group.policy, reason, now),
    )
    ticks = group.ticks.counted(0, 0)
    if ruling.decision.outcome is Outcome.UP and group.policy.requests is not None:
        ticks = evolve(ticks, demand=evolve(ticks.demand, grew_at=now))
    return evolve(group, ledger=ledger, ticks=ticks), actions


def _actions(ruling: Ruling, group: Group) -> Iterator[Action]:
    number, decision = group.ledger.next_action, ruling.decision
    reason, slots = decision.reason, ruling.slots
    if decision.victim is None:
        # Those that requests call for don't wait for each other: each is an
        # action of its own, with its turn, its journal and its end.
        several = group.policy.requests is not None
        for part in [(slot,) for slot in slots] if several else [slots]:
            yield CreateClones(id=number, reason=reason, slots=part, by=decision.by)
            number += 1
        return
    if not slots:
        for victim in (decision.victim, *decision.more_victims):
            yield DestroyClone(id=number, reason=reason, victim=victim, by=decision.by)
            number += 1
        return
    is_rollout = reason is Reason.ROLLOUT
    yield ReplaceClone(
        id=number,
        reason=reason,
        slots=slots,
        victim=decision.victim,
        create_first=ruling.create_first,
        stable_for=group.policy.min_stable if is_rollout else 0.0,
    )
