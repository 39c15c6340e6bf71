"""What a group learns from its balancer, and how members leave that."""

from typing import assert_never

from attrs import evolve

from autoscaler.core.backend import Backend
from autoscaler.core.events import AddressFound, Balanced, MemberParts
from autoscaler.core.group import Group, Member
from autoscaler.core.idle import listen


def follow_balancer(
    group: Group, event: Balanced | MemberParts | AddressFound, now: float
) -> Group:
    """Return *group* after its balancer was asked, or for what it has to do.

    That is to let a member go, or to have one where it was found.
    """
    match event:
        case Balanced(backend):
            return _told(group, backend, now)
        case MemberParts(name, how):
            return evolve(group, ledger=group.ledger.with_parting(name, how))
        case AddressFound():
            clones = tuple(_found(clone, event) for clone in group.clones)
            return evolve(group, clones=clones)
        case _:
            assert_never(event)


def _found(clone: Member, event: AddressFound) -> Member:
    is_it = clone.name == event.name
    return evolve(clone, found=event.address) if is_it else clone


def _told(group: Group, backend: Backend | None, now: float) -> Group:
    quiet = listen(group.quiet, backend)
    if quiet != group.quiet:
        group = evolve(group, quiet=quiet)
    if backend is None or all(clone.ready_at is not None for clone in group.clones):
        return group
    clones = tuple(_seen(clone, backend, now) for clone in group.clones)
    return evolve(group, clones=clones)


def _seen(clone: Member, backend: Backend, now: float) -> Member:
    server = backend.servers.get(clone.name.label or "")
    if clone.ready_at is not None or server is None or not server.serves:
        return clone
    return evolve(clone, ready_at=now)
