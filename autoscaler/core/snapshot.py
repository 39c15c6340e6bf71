"""What of a group survives a restart, as plain values that JSON can hold.

Samples and tick counters are not kept: after a restart the first frame only
sets the baseline, and counting starts at zero.  Who created a clone, cooldowns,
pauses and numbers are kept, for no host can tell them.
"""

from collections.abc import Iterable

from attrs import evolve, field, frozen

from albatross_client.names import Name
from autoscaler.core.actions import Action
from autoscaler.core.blueprint import Blueprint
from autoscaler.core.budget import HOUR_S, TURNS_WITHIN_S, Budget
from autoscaler.core.decision import Reason
from autoscaler.core.doubts import DOUBT_S, Doubt
from autoscaler.core.group import (
    Group,
    GroupId,
    Member,
    new_group,
)
from autoscaler.core.leases import Rest
from autoscaler.core.ledger import (
    Backoff,
    Ledger,
    Prewarm,
)
from autoscaler.core.moments import Clocks, Stamp, revive, stamp
from autoscaler.core.policy import Mode, Policy


@frozen
class KeptClone:
    """A clone of ours.

    Attributes:
        name: Absolute.
        number: Of the clone.
        created: When; None: adopted.
        address: From the group's pool.
        found: Where it listens, if that had to be found out.
        is_standby: Whether it waits for work.
    """

    name: Name
    number: int
    created: Stamp | None
    address: str | None
    found: str | None = None
    is_standby: bool = False


@frozen
class KeptBackoff:
    """A pause after failures."""

    failures: int
    since: Stamp
    length: float
    digest: bytes = field(repr=bytes.hex)


@frozen
class KeptDoubt:
    """A clone whose create may yet turn out to have worked."""

    number: int
    since: Stamp
    digest: bytes = field(repr=bytes.hex)
    is_standby: bool = False


@frozen
class KeptPrewarm:
    """What an operator has asked to stand by, for a while."""

    count: int
    since: Stamp


@frozen
class KeptRest:
    """An address that is nobody's, and not given out yet."""

    address: str
    since: Stamp
    length: float


@frozen(kw_only=True)
class KeptBudget:
    """What counts against thrashing; fields as in `Budget`."""

    acted: tuple[Stamp, ...] = ()
    mended: tuple[Stamp, ...] = ()
    turns: tuple[Stamp, ...] = ()
    last: Reason | None = None
    failures: int = 0
    stood_down_at: Stamp | None = None


@frozen(kw_only=True)
class Snapshot:
    """What of a group survives a restart; fields as in `Group` and `Ledger`."""

    id: GroupId
    clones: tuple[KeptClone, ...]
    foreign: tuple[Name, ...]
    next_number: int
    next_action: int
    actions: tuple[Action, ...]
    changed_by: tuple[int, ...] = ()
    failed_upto: int = 1
    changed_at: Stamp | None
    creating: KeptBackoff | None
    destroying: KeptBackoff | None
    replacing: KeptBackoff | None
    replaced: tuple[Stamp, ...]
    gave_up_at: Stamp | None
    doubts: tuple[KeptDoubt, ...] = ()
    mode: Mode | None = None
    adopted: tuple[Name, ...] = ()
    disowned: tuple[Name, ...] = ()
    is_ownership_lost: bool = False
    budget: KeptBudget = KeptBudget()
    rolling: KeptBackoff | None = None
    surge: Name | None = None
    useless_at: Stamp | None = None
    resting: tuple[KeptRest, ...] = ()
    refilling: KeptBackoff | None = None
    needed_at: Stamp | None = None
    prewarm: KeptPrewarm | None = None


def take(group: Group, clocks: Clocks) -> Snapshot:
    """Return what of *group* has to survive a restart."""
    ledger = group.ledger
    return Snapshot(
        id=group.id,
        clones=tuple(_keep_clone(clone, clocks) for clone in group.clones),
        foreign=tuple(sorted(group.foreign)),
        next_number=ledger.next_number,
        next_action=ledger.next_action,
        actions=ledger.actions,
        changed_by=tuple(sorted(ledger.changed_by)),
        failed_upto=ledger.failed_upto,
        changed_at=_keep(ledger.changed_at, clocks),
        creating=_keep_backoff(ledger.creating, clocks),
        destroying=_keep_backoff(ledger.destroying, clocks),
        replacing=_keep_backoff(ledger.replacing, clocks),
        replaced=_keep_all(ledger.replaced, clocks),
        gave_up_at=_keep(ledger.gave_up_at, clocks),
        doubts=tuple(_keep_doubt(doubt, clocks) for doubt in ledger.doubts),
        mode=ledger.mode,
        adopted=tuple(sorted(ledger.adopted)),
        disowned=tuple(sorted(ledger.disowned)),
        is_ownership_lost=ledger.is_ownership_lost,
        budget=_keep_budget(ledger.budget, clocks),
        rolling=_keep_backoff(ledger.rolling, clocks),
        surge=ledger.surge,
        useless_at=_keep(ledger.useless_at, clocks),
        resting=tuple(
            KeptRest(r.address, stamp(r.since, clocks), r.length)
            for r in ledger.resting
        ),
        refilling=_keep_backoff(ledger.refilling, clocks),
        needed_at=_keep(ledger.needed_at, clocks),
        prewarm=_keep_prewarm(ledger.prewarm, clocks),
    )


def restore(
    snapshot: Snapshot,
    policy: Policy,
    clocks: Clocks,
    template: Blueprint | None = None,
) -> Group:
    """Return the group that *snapshot* kept, as its operator wants it now.

    Arguments:
        snapshot: What was kept of it.
        policy: What its operator wants.
        clocks: All clocks, now.
        template: What members of a managed group are made from.
    """
    cooldown = max(policy.cooldown_up, policy.cooldown_down)
    if policy.requests is not None:
        cooldown = max(cooldown, policy.requests.cooldown_down)
    # Older than all of these, a creation tells no more.
    young = max(policy.warmup, HOUR_S)
    patience = policy.death_timeout
    max_idle = 0.0 if policy.serving is None else policy.serving.standby.max_idle
    ledger = Ledger(
        next_number=snapshot.next_number,
        next_action=snapshot.next_action,
        actions=snapshot.actions,
        changed_by=frozenset(snapshot.changed_by),
        failed_upto=snapshot.failed_upto,
        changed_at=_revive(snapshot.changed_at, clocks, cooldown),
        creating=_revive_backoff(snapshot.creating, clocks),
        destroying=_revive_backoff(snapshot.destroying, clocks),
        replacing=_revive_backoff(snapshot.replacing, clocks),
        replaced=_revive_all(snapshot.replaced, clocks, HOUR_S),
        gave_up_at=_revive(snapshot.gave_up_at, clocks, patience + 1),
        doubts=tuple(_revive_doubt(doubt, clocks) for doubt in snapshot.doubts),
        mode=snapshot.mode,
        adopted=frozenset(snapshot.adopted),
        disowned=frozenset(snapshot.disowned),
        is_ownership_lost=snapshot.is_ownership_lost,
        budget=_revive_budget(snapshot.budget, clocks, policy.stand_down),
        rolling=_revive_backoff(snapshot.rolling, clocks),
        surge=snapshot.surge,
        useless_at=_revive(snapshot.useless_at, clocks, policy.stand_down),
        resting=tuple(
            Rest(r.address, revive(r.since, clocks, r.length), r.length)
            for r in snapshot.resting
        ),
        refilling=_revive_backoff(snapshot.refilling, clocks),
        needed_at=_revive(snapshot.needed_at, clocks, max_idle),
        prewarm=_revive_prewarm(snapshot.prewarm, clocks, max_idle),
    )
    return evolve(
        new_group(snapshot.id, policy, template),
        clones=tuple(_revive_clones(snapshot.clones, clocks, young)),
        foreign=frozenset(snapshot.foreign),
        ledger=ledger,
    )


def _keep(instant: float | None, clocks: Clocks) -> Stamp | None:
    return None if instant is None else stamp(instant, clocks)


def _revive(kept: Stamp | None, clocks: Clocks, longest: float) -> float | None:
    return None if kept is None else revive(kept, clocks, longest)


def _keep_all(instants: Iterable[float], clocks: Clocks) -> tuple[Stamp, ...]:
    return tuple(stamp(at, clocks) for at in instants)


def _revive_all(
    kept: Iterable[Stamp], clocks: Clocks, longest: float
) -> tuple[float, ...]:
    return tuple(sorted(revive(at, clocks, longest) for at in kept))


def _keep_budget(budget: Budget, clocks: Clocks) -> KeptBudget:
    return KeptBudget(
        acted=_keep_all(budget.acted, clocks),
        mended=_keep_all(budget.mended, clocks),
        turns=_keep_all(budget.turns, clocks),
        last=budget.last,
        failures=budget.failures,
        stood_down_at=_keep(budget.stood_down_at, clocks),
    )


def _revive_budget(kept: KeptBudget, clocks: Clocks, stand_down: float) -> Budget:
    return Budget(
        acted=_revive_all(kept.acted, clocks, HOUR_S),
        mended=_revive_all(kept.mended, clocks, HOUR_S),
        turns=_revive_all(kept.turns, clocks, TURNS_WITHIN_S),
        last=kept.last,
        failures=kept.failures,
        stood_down_at=_revive(kept.stood_down_at, clocks, stand_down),
    )


def _keep_clone(clone: Member, clocks: Clocks) -> KeptClone:
    return KeptClone(
        name=clone.name,
        number=clone.number or 0,
        created=_keep(clone.created, clocks),
        address=clone.address,
        found=clone.found,
        is_standby=clone.is_standby,
    )


def _revive_clones(
    clones: Iterable[KeptClone], clocks: Clocks, young: float
) -> Iterable[Member]:
    for clone in clones:
        yield Member(
            name=clone.name,
            number=clone.number,
            created=_revive(clone.created, clocks, young),
            address=clone.address,
            found=clone.found,
            is_standby=clone.is_standby,
        )


def _keep_doubt(doubt: Doubt, clocks: Clocks) -> KeptDoubt:
    since = stamp(doubt.since, clocks)
    return KeptDoubt(doubt.number, since, doubt.digest, doubt.is_standby)


def _revive_doubt(kept: KeptDoubt, clocks: Clocks) -> Doubt:
    since = revive(kept.since, clocks, DOUBT_S)
    return Doubt(kept.number, since, kept.digest, kept.is_standby)


def _keep_prewarm(prewarm: Prewarm | None, clocks: Clocks) -> KeptPrewarm | None:
    if prewarm is None:
        return None
    return KeptPrewarm(prewarm.count, stamp(prewarm.since, clocks))


def _revive_prewarm(
    kept: KeptPrewarm | None, clocks: Clocks, longest: float
) -> Prewarm | None:
    if kept is None:
        return None
    return Prewarm(kept.count, revive(kept.since, clocks, longest))


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
