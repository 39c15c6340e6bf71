"""What a group learns from its balancer, and how members leave that."""

from attrs import evolve

from autoscaler.core.backend import Backend
from autoscaler.core.events import Balanced, MemberParts
from autoscaler.core.group import Group, Member
from autoscaler.core.idle import listen


def follow_balancer(group: Group, event: Balanced | MemberParts, now: float) -> Group:
    """Return *group* after its balancer was asked, or as a member leaves it."""
    if isinstance(event, Balanced):
        return _told(group, event.backend, now)
    return evolve(group, ledger=group.ledger.with_parting(event.name, event.how))


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
