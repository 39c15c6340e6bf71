"""Stand-downs: who did or failed too much only observes for a while."""

from attrs import evolve

from autoscaler.core.budget import Budget, Excess
from autoscaler.core.events import Note, NoteKind
from autoscaler.core.group import Group


def stand_down(
    group: Group, excess: Excess, now: float
) -> tuple[Group, tuple[Note, ...]]:
    """Return *group* from now on only observing, and the evidence."""
    budget = evolve(group.ledger.budget, stood_down_at=now)
    evidence = (
        ("limit", excess.what),
        ("count", excess.count),
        ("most", excess.limit),
        ("within_s", excess.within_s),
        ("stand_down_s", group.policy.stand_down),
    )
    note = Note(NoteKind.STOOD_DOWN, group.id.name, evidence)
    return evolve(group, ledger=evolve(group.ledger, budget=budget)), (note,)


def stand_up(group: Group) -> tuple[Group, tuple[Note, ...]]:
    """Return *group* with a fresh budget, if it had stood down."""
    if group.ledger.budget.stood_down_at is None:
        return group, ()
    group = evolve(group, ledger=evolve(group.ledger, budget=Budget()))
    return group, (Note(NoteKind.STOOD_UP, group.id.name),)


def stand_down_left(group: Group, now: float) -> float | None:
    """Return for how many seconds the group only observes; None: it doesn't."""
    since = group.ledger.budget.stood_down_at
    return None if since is None else max(0.0, since + group.policy.stand_down - now)
