"""Two groups must never be able to take each other's members or addresses.

Nor each other's requests: a backend, and where an activator listens, are of one
group alone.
"""

from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address

from attrs import frozen

from autoscaler.core.addresses import AddressPool
from autoscaler.core.backend import Place as Gate
from autoscaler.core.group import GroupId
from autoscaler.shell.configuration.problems import Place, Problem
from autoscaler.shell.configuration.traffic_tables import TrafficSettings


@frozen
class Claimant:
    """A group, and what it claims.

    Attributes:
        id: Which one.
        place: Its table.
        pool: Where its members' addresses come from, if it has one.
        traffic: How they get their requests, if that is our affair.
    """

    id: GroupId
    place: Place
    pool: AddressPool | None = None
    traffic: TrafficSettings | None = None

    @property
    def key(self) -> str:
        """The key of its table that names it."""
        return "name" if self.id.is_managed else "primary"


def collisions(
    groups: Iterable[Claimant], machine: Callable[[GroupId], object]
) -> Iterator[Problem]:
    """Yield what two groups both claim, as problems of the later one.

    Arguments:
        groups: In the order of the file.
        machine: Tells on which machine a group is: that may be two hosts, one
            for each domain's keys.
    """
    known = tuple(groups)
    yield from _same_names(known, machine)
    yield from _members_names(known, machine)
    yield from _addresses(known)
    yield from _backends(known)
    yield from _gates(known)


def _same_names(
    groups: tuple[Claimant, ...], machine: Callable[[GroupId], object]
) -> Iterator[Problem]:
    owners: dict[object, Claimant] = {}
    makers: dict[object, Claimant] = {}
    for group in groups:
        where = machine(group.id), group.id.name
        owner = owners.setdefault(where, group)
        if owner is not group:
            kind = "name" if owner.id.is_managed else "primary"
            complaint = f"is the {kind} of {owner.id} already"
            yield group.place.problem(complaint, group.key, str(group.id.name))
            continue
        prefix = machine(group.id), group.id.name.path, group.id.prefix
        maker = makers.setdefault(prefix, group)
        if maker is not group:
            complaint = (
                f"its members would have the names of those of {maker.id}; must be "
                "another name"
            )
            yield group.place.problem(complaint, group.key, str(group.id.name))


def _members_names(
    groups: tuple[Claimant, ...], machine: Callable[[GroupId], object]
) -> Iterator[Problem]:
    by_prefix = {(machine(g.id), g.id.name.path, g.id.prefix): g for g in groups}
    for group in groups:
        label = group.id.name.label or ""
        # What is before a number is a prefix; there is but one such number.
        prefix = label.rstrip("0123456789")
        taken_by = by_prefix.get((machine(group.id), group.id.name.path, prefix))
        if taken_by is None or taken_by.id.number_of(group.id.name) is None:
            continue
        clone = "member" if taken_by.id.is_managed else "clone"
        complaint = (
            f"is named like a {clone} of {taken_by.id}, which would take it for its "
            "own; must be another name"
        )
        yield group.place.problem(complaint, group.key, str(group.id.name))


def _addresses(groups: tuple[Claimant, ...]) -> Iterator[Problem]:
    pools = [(group.pool, group) for group in groups if group.pool is not None]
    pools.sort(key=lambda each: (each[0].first.version, int(each[0].first)))
    widest: tuple[AddressPool, Claimant] | None = None
    for pool, group in pools:
        # In this order a pool overlaps with the one that reaches furthest, or
        # with none before it.
        if widest is not None and pool.overlaps(widest[0]):
            complaint = f"has addresses of {widest[1].id} in it; each needs its own"
            yield group.place.problem(complaint, "address_pool", str(pool))
            if int(pool.last) <= int(widest[0].last):
                continue
        widest = pool, group


def _backends(groups: tuple[Claimant, ...]) -> Iterator[Problem]:
    owners: dict[object, Claimant] = {}
    for group in groups:
        if group.traffic is None:
            continue
        balancer = group.traffic.balancer
        hooks = frozenset(balancer.hooks.items())
        owner = owners.setdefault((balancer.socket, hooks, balancer.backend), group)
        if owner is not group:
            complaint = f"is the backend of {owner.id}; each group needs its own"
            yield group.place.problem(complaint, "balancer", balancer.backend)


def _gates(groups: tuple[Claimant, ...]) -> Iterator[Problem]:
    known: list[tuple[Gate, Claimant]] = []
    for group in groups:
        if group.traffic is None or group.traffic.activator is None:
            continue
        gate = group.traffic.activator.listen
        owner = next((o for other, o in known if _overlap(gate, other)), None)
        if owner is not None:
            complaint = (
                f"is where {owner.id} listens already; each activator needs its own "
                "port"
            )
            yield group.place.problem(complaint, "activator", str(gate))
        known.append((gate, group))


def _overlap(one: Gate, other: Gate) -> bool:
    """Tell whether nobody can listen at both."""
    if one.port != other.port:
        return False
    addresses = ip_address(one.address), ip_address(other.address)
    if addresses[0].version != addresses[1].version:
        return False
    return one == other or any(address.is_unspecified for address in addresses)
