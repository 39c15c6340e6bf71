"""Rebuild a group from what its host lists.

Level-triggered: whatever happened between two answers to `info`, the group
afterwards has the members that run and are ours.
"""

from collections.abc import Mapping
from typing import assert_never

from attrs import evolve, frozen

from albatross_client.names import Name
from albatross_client.values import Info
from autoscaler.core.contest import Changes, watch
from autoscaler.core.events import Note, NoteKind
from autoscaler.core.group import Group, Member
from autoscaler.core.leases import lease_of
from autoscaler.core.policy import Adopt
from autoscaler.core.quarantine import held_by
from autoscaler.core.standing import NEVER_HEARD, silence
from autoscaler.core.view import Listing, View

# Two answers at least so far apart must miss a silent member before it is dead:
# one alone may have been asked while the host was restarting it.
SECOND_LOOK_S = 5.0
# Asked exactly on time, a float's last bit would decide whether it counts.
MARGIN_S = 0.1
# A first frame comes up to an interval after the start; one may be lost.
BOOT_INTERVALS = 3
UNASKED = frozenset({NoteKind.ADOPTED, NoteKind.FOREIGN})


def observe(group: Group, view: View, now: float) -> tuple[Group, tuple[Note, ...]]:
    """Return *group* with the members that the newest listing shows."""
    if view.listing is None:
        return group, ()
    asked = group.ledger.adopted
    group, died = _bury(group, view, view.listing, now)
    group, came = _welcome(group, view, view.listing.infos, now)
    changes = Changes(
        came={note.name for note in came if note.kind in UNASKED} - asked,
        went={note.name for note in died if note.kind is NoteKind.DIED},
    )
    group, contested = watch(group, view, changes, now)
    old = _outdated(group, view, view.listing)
    if old != group.outdated:
        group = evolve(group, outdated=old)
    group, missed = _miss(group, view, now)
    return group, died + came + contested + missed


def next_look(group: Group, view: View, now: float) -> float | None:
    """Return when `info` should be asked because somebody fell silent.

    None: the usual interval is enough.
    """
    if view.listing is None or view.feed.up_since is None:
        return None
    looks = [
        look
        for member in group.members
        if not member.is_dead
        if (look := _next_look_for(member, view, view.listing, now)) is not None
    ]
    return min(looks, default=None)


def _next_look_for(
    member: Member, view: View, listing: Listing, now: float
) -> float | None:
    stale_at = now + view.feed.stale_after - silence(member, view, now)
    if listing.asked <= stale_at:
        return stale_at + MARGIN_S
    if member.unlisted_at is not None:
        return member.unlisted_at + SECOND_LOOK_S + MARGIN_S
    return None


def _bury(
    group: Group, view: View, listing: Listing, now: float
) -> tuple[Group, tuple[Note, ...]]:
    looked = {m.name: _look(m, view, listing, now) for m in group.members}
    notes = tuple(
        Note(NoteKind.DIED, m.name) for m in group.clones if looked[m.name].is_dead
    )
    clones = tuple(looked[m.name] for m in group.clones if not looked[m.name].is_dead)
    before = group.primary
    if before is None:
        return evolve(group, clones=clones), notes
    primary = looked[before.name]
    if primary.is_dead and not before.is_dead:
        notes = (*notes, Note(NoteKind.PRIMARY_LOST, primary.name))
    if before.is_dead and not primary.is_dead:
        notes = (*notes, Note(NoteKind.PRIMARY_RETURNED, primary.name))
    return evolve(group, primary=primary, clones=clones), notes


def _look(member: Member, view: View, listing: Listing, now: float) -> Member:
    """Return *member* after one more answer to `info`."""
    if member.is_dead and member.name in listing.infos:
        # A new life: its silence counts from here, not from the old one.
        listening_since = view.feed_of(member.name).listened_by(now)
        return Member(name=member.name, listening_since=listening_since)
    was_silent = silence(member, view, now) - (now - listing.asked)
    if member.name in listing.infos or was_silent <= view.feed.stale_after:
        # Whatever missed it before, a silence that follows begins anew.
        return (
            member if member.unlisted_at is None else evolve(member, unlisted_at=None)
        )
    if view.feed_of(member.name).up_since is None:
        return member
    if member.unlisted_at is None:
        return evolve(member, unlisted_at=listing.asked)
    if listing.asked - member.unlisted_at < SECOND_LOOK_S:
        return member
    return evolve(member, is_dead=True)


def _welcome(
    group: Group, view: View, infos: Mapping[Name, Info], now: float
) -> tuple[Group, tuple[Note, ...]]:
    numbers = {
        name: number
        for name in infos
        if (number := group.id.number_of(name)) is not None
    }
    known = {m.name for m in group.members} | {s.name for s in group.ledger.slots}
    strangers = {n: k for n, k in numbers.items() if n not in known}
    if not _is_settled(group, view):
        # It may still show what our own action has just removed.
        strangers = {}
    made_from = group.blueprint(view) if strangers else None
    notes: list[Note] = []
    members: list[Member] = []
    for name, number in strangers.items():
        info, image = infos[name], None if made_from is None else made_from.digest
        like = _Like(name, number, info.digest)
        kind = _kind_of_stranger(group, like, image, now)
        if kind is not NoteKind.FOREIGN:
            joining = evolve(group, clones=(*group.clones, *members))
            stands_by = kind is NoteKind.TURNED_UP and _was_standby(group, number)
            member = _stranger(joining, name, view, now)
            members.append(evolve(member, is_standby=stands_by))
        if name not in group.foreign or kind is not NoteKind.FOREIGN:
            notes.append(Note(kind, name))
    ours, joined = {m.name for m in members}, {m.number for m in members}
    ledger = group.ledger
    ledger = evolve(
        ledger,
        next_number=max([ledger.next_number, *(k + 1 for k in numbers.values())]),
        doubts=tuple(d for d in ledger.doubts if d.number not in joined),
        # Once it is ours the word is kept: a later one of that name is another.
        adopted=ledger.adopted - ours,
    )
    clones = sorted([*group.clones, *members], key=lambda m: m.number or 0)
    foreign = frozenset(strangers) - ours if strangers else group.foreign & set(infos)
    group = evolve(group, clones=tuple(clones), foreign=foreign, ledger=ledger)
    return group, tuple(notes)


def _miss(group: Group, view: View, now: float) -> tuple[Group, tuple[Note, ...]]:
    """Tell once of each clone whose first frame doesn't come.

    Where a balancer says who is ready nothing waits for that frame.
    """
    if group.policy.serving is None:
        return group, ()
    patience = max(
        group.policy.boot_timeout, BOOT_INTERVALS * view.feed.rhythm.reckoned
    )
    missed = {
        clone.name
        for clone in group.clones
        if clone.created is not None
        and not clone.is_missed
        and view.tracks.get(clone.name, NEVER_HEARD).heard is None
        and silence(clone, view, now) > patience
    }
    if not missed:
        return group, ()
    clones = (
        evolve(clone, is_missed=True) if clone.name in missed else clone
        for clone in group.clones
    )
    notes = tuple(Note(NoteKind.MISSED, name) for name in sorted(missed))
    return evolve(group, clones=tuple(clones)), notes


def _outdated(group: Group, view: View, listing: Listing) -> tuple[Name, ...]:
    """Return the clones that have not the image that new ones get."""
    infos, made_from = listing.infos, group.blueprint(view)
    if made_from is None:
        return ()
    return tuple(
        clone.name
        for clone in group.clones
        if clone.name in infos and infos[clone.name].digest != made_from.digest
    )


def _is_settled(group: Group, view: View) -> bool:
    ledger, listing = group.ledger, view.listing
    if ledger.actions or listing is None:
        return False
    return ledger.settled_at is None or listing.asked > ledger.settled_at


def _stranger(group: Group, name: Name, view: View, now: float) -> Member:
    """Return *name*, which joins *group*, with the address that it has."""
    pool, info, address = group.policy.address_pool, view.info(name), None
    if pool is not None and info is not None:
        address = lease_of(info, pool, dict(held_by(group)))
    return Member(
        name=name,
        number=group.id.number_of(name),
        listening_since=view.feed_of(name).listened_by(now),
        address=address,
    )


def _was_standby(group: Group, number: int) -> bool:
    return any(d.is_standby for d in group.ledger.doubts if d.number == number)


@frozen
class _Like:
    """A unikernel with a clone's name, and no record.

    Attributes:
        name: Absolute.
        number: Of the clone that has this name.
        digest: Of its image.
    """

    name: Name
    number: int
    digest: bytes


def _kind_of_stranger(
    group: Group, stranger: _Like, image: bytes | None, now: float
) -> NoteKind:
    """Tell whether *stranger* is ours; *image* is what new clones get."""
    ledger, digest = group.ledger, stranger.digest
    if stranger.name in ledger.disowned:
        return NoteKind.FOREIGN
    if any(doubt.is_of(stranger.number, digest, now) for doubt in ledger.doubts):
        return NoteKind.TURNED_UP
    if stranger.name in ledger.adopted:
        return NoteKind.ADOPTED
    match Adopt.NEVER if ledger.is_ownership_lost else group.policy.adopt:
        case Adopt.ALWAYS:
            return NoteKind.ADOPTED
        case Adopt.NEVER:
            return NoteKind.FOREIGN
        case Adopt.SAME_IMAGE:
            return NoteKind.ADOPTED if image == digest else NoteKind.FOREIGN
        case unreachable:
            assert_never(unreachable)
