"""What of a group survives a restart, as plain values that JSON can hold.

Samples and tick counters are not kept: after a restart the first frame only
sets the baseline, and counting starts at zero.  Who created a clone, cooldowns,
pauses and numbers are kept, for no host can tell them.
"""

from collections.abc import Iterable

from attrs import evolve, field, frozen

from albatross_client.names import Name
from autoscaler.core.actions import Action
from autoscaler.core.decide import HOUR_S
from autoscaler.core.group import Backoff, Group, GroupId, Ledger, Member, new_group
from autoscaler.core.moments import Clocks, Stamp, revive, stamp
from autoscaler.core.policy import Policy


@frozen
class KeptClone:
    """A clone of ours.

    Attributes:
        name: Absolute.
        number: Of the clone.
        created: When; None: adopted.
        address: From the group's pool.
    """

    name: Name
    number: int
    created: Stamp | None
    address: str | None


@frozen
class KeptBackoff:
    """A pause after failures."""

    failures: int
    since: Stamp
    length: float
    digest: bytes = field(repr=bytes.hex)


@frozen(kw_only=True)
class Snapshot:
    """What of a group survives a restart; fields as in `Group` and `Ledger`."""

    id: GroupId
    clones: tuple[KeptClone, ...]
    foreign: tuple[Name, ...]
    next_number: int
    next_action: int
    in_flight: Action | None
    has_changed: bool = False
    changed_at: Stamp | None
    creating: KeptBackoff | None
    destroying: KeptBackoff | None
    replacing: KeptBackoff | None
    replaced: tuple[Stamp, ...]
    gave_up_at: Stamp | None
    doubtful: tuple[int, ...]


def take(group: Group, clocks: Clocks) -> Snapshot:
    """Return what of *group* has to survive a restart."""
    ledger = group.ledger
    return Snapshot(
        id=group.id,
        clones=tuple(_keep_clone(clone, clocks) for clone in group.clones),
        foreign=tuple(sorted(group.foreign)),
        next_number=ledger.next_number,
        next_action=ledger.next_action,
        in_flight=ledger.in_flight,
        has_changed=ledger.has_changed,
        changed_at=_keep(ledger.changed_at, clocks),
        creating=_keep_backoff(ledger.creating, clocks),
        destroying=_keep_backoff(ledger.destroying, clocks),
        replacing=_keep_backoff(ledger.replacing, clocks),
        replaced=tuple(stamp(at, clocks) for at in ledger.replaced),
        gave_up_at=_keep(ledger.gave_up_at, clocks),
        doubtful=tuple(sorted(ledger.doubtful)),
    )


def restore(snapshot: Snapshot, policy: Policy, clocks: Clocks) -> Group:
    """Return the group that *snapshot* kept, with the operator's *policy*."""
    cooldown = max(policy.cooldown_up, policy.cooldown_down)
    # Older than all of these, a creation tells no more.
    young = max(policy.warmup, HOUR_S)
    patience = policy.death_timeout
    replaced = (revive(at, clocks, HOUR_S) for at in snapshot.replaced)
    ledger = Ledger(
        next_number=snapshot.next_number,
        next_action=snapshot.next_action,
        in_flight=snapshot.in_flight,
        has_changed=snapshot.has_changed,
        changed_at=_revive(snapshot.changed_at, clocks, cooldown),
        creating=_revive_backoff(snapshot.creating, clocks),
        destroying=_revive_backoff(snapshot.destroying, clocks),
        replacing=_revive_backoff(snapshot.replacing, clocks),
        replaced=tuple(sorted(replaced)),
        gave_up_at=_revive(snapshot.gave_up_at, clocks, patience + 1),
        doubtful=frozenset(snapshot.doubtful),
    )
    return evolve(
        new_group(snapshot.id, policy),
        clones=tuple(_revive_clones(snapshot.clones, clocks, young)),
        foreign=frozenset(snapshot.foreign),
        ledger=ledger,
    )


def _keep(instant: float | None, clocks: Clocks) -> Stamp | None:
    return None if instant is None else stamp(instant, clocks)


def _revive(kept: Stamp | None, clocks: Clocks, longest: float) -> float | None:
    return None if kept is None else revive(kept, clocks, longest)


def _keep_clone(clone: Member, clocks: Clocks) -> KeptClone:
    created = _keep(clone.created, clocks)
    return KeptClone(clone.name, clone.number or 0, created, clone.address)


def _revive_clones(
    clones: Iterable[KeptClone], clocks: Clocks, young: float
) -> Iterable[Member]:
    for clone in clones:
        yield Member(
            name=clone.name,
            number=clone.number,
            created=_revive(clone.created, clocks, young),
            address=clone.address,
        )


def _keep_backoff(backoff: Backoff, clocks: Clocks) -> KeptBackoff | None:
    if not backoff.failures:
        return None
    since = stamp(backoff.since, clocks)
    return KeptBackoff(backoff.failures, since, backoff.length, backoff.digest)


def _revive_backoff(kept: KeptBackoff | None, clocks: Clocks) -> Backoff:
    if kept is None:
        return Backoff()
    since = revive(kept.since, clocks, kept.length)
    return Backoff(kept.failures, since, kept.length, kept.digest)
