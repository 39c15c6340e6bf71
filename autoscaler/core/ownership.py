"""Whose clone is it? The operator's word goes above records and images."""

from attrs import evolve

from albatross_client.names import Name
from autoscaler.core.events import Note, NoteKind
from autoscaler.core.group import Group


def adopt(group: Group, name: Name) -> Group:
    """Return *group* to which *name* belongs as soon as it is listed.

    A name that is no clone's name of this group is ignored, and so is one that
    is ours already.
    """
    if group.id.number_of(name) is None:
        return group
    ledger = evolve(group.ledger, disowned=group.ledger.disowned - {name})
    if all(name != clone.name for clone in group.clones):
        ledger = evolve(ledger, adopted=ledger.adopted | {name})
    return evolve(group, ledger=ledger)


def disown(group: Group, name: Name) -> tuple[Group, tuple[Note, ...]]:
    """Return *group* without *name*, which is left alone until asked for.

    A name that is no clone's name of this group is ignored.  An action that is
    in flight goes on: what it is about can no longer be taken back.
    """
    if group.id.number_of(name) is None:
        return group, ()
    ledger = group.ledger
    ledger = evolve(
        ledger,
        adopted=ledger.adopted - {name},
        disowned=ledger.disowned | {name},
    )
    clones = tuple(clone for clone in group.clones if clone.name != name)
    was_ours = len(clones) < len(group.clones)
    foreign = group.foreign | {name} if was_ours else group.foreign
    group = evolve(group, clones=clones, foreign=foreign, ledger=ledger)
    return group, (Note(NoteKind.DISOWNED, name),) if was_ours else ()
