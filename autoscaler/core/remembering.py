"""What a look at a group leaves behind, whatever is decided then."""

from attrs import evolve

from autoscaler.core.decision import Load, MemberClass
from autoscaler.core.events import Note, NoteKind
from autoscaler.core.group import Group
from autoscaler.core.ledger import Backoff, Ledger
from autoscaler.core.standbys import refresh

# A clone that has lived so long, and through its warm-up, proves its image.
PROVEN_S = 60.0


def remember(group: Group, load: Load, now: float) -> tuple[Group, tuple[Note, ...]]:
    """Return *group* after a look at *load*, and who is newly given up."""
    notes = _given_up_notes(group, load)
    ledger = _refreshed(group, load, now)
    if ledger is not group.ledger:
        group = evolve(group, ledger=ledger)
    return group, notes


def _refreshed(group: Group, load: Load, now: float) -> Ledger:
    """Return the ledger without the pauses that time has made pointless."""
    policy = group.policy
    proven = max(policy.warmup, PROVEN_S)
    ledger = refresh(group, now, proven)
    given_up = load.names(MemberClass.GIVEN_UP)
    if given_up:
        ledger = evolve(ledger, gave_up_at=now)
    elif (
        ledger.replacing.failures
        and ledger.gave_up_at is not None
        and now - ledger.gave_up_at > policy.death_timeout
    ):
        ledger = evolve(ledger, replacing=Backoff())
    if ledger.creating.failures and any(
        clone.created is not None
        and clone.created >= ledger.creating.since
        and now - clone.created >= proven
        and clone.name not in given_up
        for clone in group.clones
    ):
        ledger = evolve(ledger, creating=Backoff())
    return ledger


def _given_up_notes(group: Group, load: Load) -> tuple[Note, ...]:
    given_up = load.names(MemberClass.GIVEN_UP)
    if not given_up:
        return ()
    before = group.decision
    known = before.load.names(MemberClass.GIVEN_UP) if before is not None else ()
    return tuple(Note(NoteKind.GAVE_UP, name) for name in given_up if name not in known)
