"""Where one more clone fits: what policies allow, and on which CPUs.

A create that a policy would refuse is never sent.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from attrs import evolve

from albatross_client.names import Name, is_label
from albatross_client.texts import clean
from albatross_client.values import Info, ResourcePolicy, Typ
from autoscaler.core.actions import Slot
from autoscaler.core.blueprint import Blueprint
from autoscaler.core.decision import Reason, Shortage
from autoscaler.core.group import Group
from autoscaler.core.leases import mentioned
from autoscaler.core.view import Claim, Occupant, View

# Characters of names that hosts give: decisions are kept, on disk too.
MOST_NAMED = 100


def find_slots(
    group: Group, view: View, count: int, freed: Name | None = None
) -> tuple[Slot, ...] | Shortage:
    """Return where up to *count* clones fit, or why not even one does.

    Arguments:
        group: Whose clones.
        view: What is known of the host.
        count: How many, at least one.
        freed: A clone that will be gone before.
    """
    slots: list[Slot] = []
    number = group.ledger.next_number
    while len(slots) < count:
        planned = (*group.ledger.slots, *slots)
        found = _find_slot(group, view, number + len(slots), planned, freed)
        if isinstance(found, Shortage):
            return tuple(slots) or found
        slots.append(found)
    return tuple(slots)


def confirm_slot(
    group: Group, view: View, slot: Slot, freed: Name | None = None
) -> Slot | Shortage:
    """Return *slot* as it fits by the newest answers, or why it no longer does.

    Arguments:
        group: Whose clone; *slot* is one of its reservations.
        view: What is known of the host, after asking again.
        slot: The reservation.
        freed: A clone that will be gone before.
    """
    others = tuple(s for s in group.ledger.slots if s.number != slot.number)
    found = _find_slot(group, view, slot.number, others, freed)
    if isinstance(found, Shortage):
        return found
    if slot.address in mentioned(_infos(view)):
        # Somebody has it who wasn't listed before, or is no longer ours.
        return Shortage(Reason.NO_ADDRESS, "addresses", 1)
    return evolve(found, address=slot.address)


def cloneable(
    made_from: Blueprint | None, *, share_block_devices: bool
) -> Shortage | None:
    """Return why nothing can be *made_from* it at all, None if it can."""
    if made_from is None:
        return Shortage(Reason.NO_DATA, "info of the primary")
    if made_from.blocks and not share_block_devices:
        used = len(made_from.blocks)
        return Shortage(Reason.BLOCK_DEVICE, "block devices", used=used)
    if made_from.typ is not Typ.SOLO5:
        return Shortage(Reason.UNSUPPORTED, made_from.typ.value)
    return None


def _find_slot(
    group: Group,
    view: View,
    number: int,
    planned: Sequence[Slot],
    freed: Name | None,
) -> Slot | Shortage:
    made_from, policy = group.blueprint(view), group.policy
    shortage = cloneable(made_from, share_block_devices=policy.share_block_devices)
    if shortage is not None or made_from is None or view.rules is None:
        return shortage or Shortage(Reason.NO_DATA, "policy of the domain")
    claims = [*view.claims, *(slot.claim for slot in planned)]
    occupants = tuple(_occupants(group, view, claims, freed))
    applicable = _applicable(view.rules.policies, group.id.name)
    shortage = _over_policy(made_from, applicable, occupants)
    if shortage is not None:
        return shortage
    cpuids = _choose_cpuids(group, view, made_from, applicable, occupants)
    if isinstance(cpuids, Shortage):
        return cpuids
    if not is_label(group.id.clone_label(number)):
        # Numbers lie above all that are listed; anybody can list a high one.
        return Shortage(Reason.NO_CAPACITY, "labels of at most 63 characters")
    claim = Claim(group.id.clone(number), made_from.memory, cpuids)
    pool = policy.address_pool
    if pool is None:
        return Slot(number, claim)
    address = pool.first_free(_addresses_taken(group, view, planned))
    if address is None:
        size, resting = pool.size, len(group.ledger.resting)
        return Shortage(Reason.NO_ADDRESS, "addresses", 1, size, size, None, resting)
    return Slot(number, claim, address)


def _occupants(
    group: Group, view: View, claims: Iterable[Claim], freed: Name | None
) -> Iterator[Occupant]:
    infos = view.listing.infos if view.listing is not None else {}
    for name, info in infos.items():
        if name != freed:
            yield Occupant(name, info.memory, info.cpuids)
    domain = group.id.domain
    # Of the group's own domain nothing is newer than what it was told itself.
    elsewhere = [o for o in view.around.occupants if not o.name.is_within(domain)]
    yield from elsewhere
    known = {*infos, *(occupant.name for occupant in elsewhere)}
    for claim in claims:
        if claim.name not in known:
            yield Occupant(claim.name, claim.memory, claim.cpuids)


def _applicable(
    policies: Mapping[Name, ResourcePolicy], name: Name
) -> dict[Name, ResourcePolicy]:
    return {
        domain: policy for domain, policy in policies.items() if name.is_within(domain)
    }


def _over_policy(
    made_from: Blueprint,
    policies: Mapping[Name, ResourcePolicy],
    occupants: tuple[Occupant, ...],
) -> Shortage | None:
    for domain, policy in policies.items():
        below = [o for o in occupants if o.name.is_within(domain)]
        if len(below) + 1 > policy.unikernels:
            return Shortage(
                Reason.NO_CAPACITY,
                "unikernels",
                1,
                len(below),
                policy.unikernels,
                domain,
            )
        memory = sum(o.memory for o in below)
        if memory + made_from.memory > policy.memory:
            return Shortage(
                Reason.NO_CAPACITY,
                "memory",
                made_from.memory,
                memory,
                policy.memory,
                domain,
            )
        bridges = {
            interface.bridge or interface.name for interface in made_from.interfaces
        }
        if not bridges <= policy.bridges:
            refused = clean(", ".join(sorted(bridges - policy.bridges)), MOST_NAMED)
            return Shortage(
                Reason.NO_CAPACITY, f"bridges ({refused})", len(bridges), domain=domain
            )
    return None


def _choose_cpuids(
    group: Group,
    view: View,
    made_from: Blueprint,
    policies: Mapping[Name, ResourcePolicy],
    occupants: tuple[Occupant, ...],
) -> frozenset[int] | Shortage:
    allowed = made_from.cpuids
    if policies:
        allowed = frozenset.intersection(*(p.cpuids for p in policies.values()))
    if not group.policy.share_cpuids:
        allowed -= _siblings_cpuids(group, occupants)
    needed = len(made_from.cpuids)
    if len(allowed) < needed:
        limit = len(allowed)
        return Shortage(
            Reason.NO_CAPACITY, "cpuids", needed, 0, limit, _owner(policies)
        )
    load = _load_by_cpuid(group, view)
    pinned = Counter(cpuid for o in occupants for cpuid in o.cpuids)
    best = sorted(allowed, key=lambda cpuid: (load[cpuid], pinned[cpuid], cpuid))
    return frozenset(best[:needed])


def _owner(policies: Mapping[Name, ResourcePolicy]) -> Name | None:
    return max(policies, key=lambda domain: len(domain.path), default=None)


def _siblings_cpuids(group: Group, occupants: tuple[Occupant, ...]) -> frozenset[int]:
    # Foreign look-alikes share no load with the group: only members count.
    family = {m.name for m in group.members}
    return frozenset(
        cpuid
        for o in occupants
        if o.name in family or group.id.number_of(o.name) is not None
        if o.name not in group.foreign
        for cpuid in o.cpuids
    )


def _load_by_cpuid(group: Group, view: View) -> Counter[int]:
    """Return hundredths of a percent of usage per CPU, over all we see."""
    load: Counter[int] = Counter()
    for occupant in _occupants(group, view, (), None):
        usage = _usage_of(occupant.name, view)
        if usage is None or not occupant.cpuids:
            continue
        share = round(100 * usage / len(occupant.cpuids))
        load.update(dict.fromkeys(occupant.cpuids, share))
    return load


def _usage_of(name: Name, view: View) -> float | None:
    heard = (tracks[name].usage for tracks in view.around.tracks if name in tracks)
    track = view.tracks.get(name)
    return next(heard, None) if track is None else track.usage


def _addresses_taken(
    group: Group, view: View, planned: Sequence[Slot]
) -> frozenset[str]:
    held = {m.address for m in group.clones} | {slot.address for slot in planned}
    resting = {rest.address for rest in group.ledger.resting}
    return frozenset(a for a in held if a) | resting | mentioned(_infos(view))


def _infos(view: View) -> Collection[Info]:
    return view.listing.infos.values() if view.listing is not None else ()
