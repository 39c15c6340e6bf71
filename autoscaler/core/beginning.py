"""How what is decided begins.

It becomes actions, and these are reserved; standbys that are promoted are given
work at once, which takes no action.
"""

from collections.abc import Iterator

from attrs import evolve

from autoscaler.core.actions import Action, CreateClones, DestroyClone, ReplaceClone
from autoscaler.core.budget import REPLACEMENTS_AN_HOUR, spend
from autoscaler.core.case import Ruling
from autoscaler.core.decision import Outcome, Reason
from autoscaler.core.events import Note, NoteKind
from autoscaler.core.group import Group
from autoscaler.core.policy import Mode
from autoscaler.core.standbys import promote
from autoscaler.core.view import View


def begin(
    group: Group, ruling: Ruling, view: View, now: float
) -> tuple[Group, tuple[Action | Note, ...]]:
    """Begin what *ruling* decides, unless the group is only observed."""
    if not ruling.decision.acts or group.mode is not Mode.ACTIVE:
        return group, ()
    group, actions = _reserve(group, ruling, now)
    if all(action.as_standby for action in actions) and not ruling.promoted:
        # Whoever serves has as much to do as before.
        return group, actions
    ticks = group.ticks.counted(0, 0)
    if ruling.decision.outcome is Outcome.UP:
        ledger = group.ledger
        group = evolve(group, ledger=evolve(ledger, needed_at=_needed_at(group, now)))
        if group.policy.requests is not None:
            ticks = evolve(ticks, demand=evolve(ticks.demand, grew_at=now))
    group = promote(evolve(group, ticks=ticks), ruling.promoted, view, now)
    notes = tuple(Note(NoteKind.PROMOTED, name) for name in ruling.promoted)
    return group, (*notes, *actions)


def _needed_at(group: Group, now: float) -> float | None:
    serving = group.policy.serving
    return now if serving is not None and serving.standby.size else None


def _reserve(
    group: Group, ruling: Ruling, now: float
) -> tuple[Group, tuple[Action, ...]]:
    ledger, reason = group.ledger, ruling.decision.reason
    actions = tuple(_actions(ruling, group))
    replaced = ledger.replaced
    if reason in {Reason.GIVEN_UP, Reason.STANDBY_FAILED} and ruling.slots:
        replaced = (*replaced, now)[-REPLACEMENTS_AN_HOUR:]
    ledger = evolve(
        ledger,
        actions=(*ledger.actions, *actions),
        next_action=ledger.next_action + len(actions),
        next_number=ledger.next_number + len(ruling.slots),
        replaced=replaced,
        budget=spend(ledger.budget, group.policy, reason, now),
    )
    return evolve(group, ledger=ledger), actions


def _actions(ruling: Ruling, group: Group) -> Iterator[Action]:
    number, decision = group.ledger.next_action, ruling.decision
    reason, slots = decision.reason, ruling.slots
    if decision.victim is None:
        is_refill = reason is Reason.REFILL
        # Those that requests call for don't wait for each other: each is an
        # action of its own, with its turn, its journal and its end.
        several = is_refill or group.policy.requests is not None
        for part in [(slot,) for slot in slots] if several or not slots else [slots]:
            yield CreateClones(
                id=number,
                reason=reason,
                slots=part,
                by=decision.by,
                as_standby=is_refill,
            )
            number += 1
        return
    standbys = {standby.name for standby in group.standbys}
    if not slots:
        for victim in (decision.victim, *decision.more_victims):
            yield DestroyClone(
                id=number,
                reason=reason,
                victim=victim,
                by=decision.by,
                as_standby=victim in standbys,
            )
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
        as_standby=decision.victim in standbys,
    )
