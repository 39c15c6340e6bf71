"""What a group learns from its balancer, and how members leave that."""

from collections.abc import Mapping
from typing import TypeGuard, assert_never

from attrs import evolve

from autoscaler.core.actions import DestroyClone
from autoscaler.core.backend import Backend, Server
from autoscaler.core.decision import Load, Reason, Requests, Service
from autoscaler.core.events import (
    AddressFound,
    AtBalancer,
    Balanced,
    MemberLingers,
    MemberParts,
)
from autoscaler.core.group import Group, Member
from autoscaler.core.idle import listen
from autoscaler.core.places import server_of
from autoscaler.core.scaling import order_of_going
from autoscaler.core.serving import ServePolicy
from autoscaler.core.standing import assess, is_draining
from autoscaler.core.view import View

# Any clone will do where these remove one.
ANY_WILL_DO = frozenset({Reason.LOW, Reason.IDLE, Reason.ABOVE_MAX})


def follow_balancer(group: Group, event: AtBalancer, now: float) -> Group:
    """Return *group* after its balancer was asked, or for what it has to do.

    That is to let a member go, or to have one where it was found.
    """
    match event:
        case Balanced(backend):
            return _told(group, backend, now)
        case MemberParts(name, how):
            return evolve(group, ledger=group.ledger.with_parting(name, how))
        case MemberLingers():
            return _swapped(group, event, now)
        case AddressFound():
            clones = tuple(_found(clone, event) for clone in group.clones)
            return evolve(group, clones=clones)
        case _:
            assert_never(event)


def with_spliced(backend: Backend, spliced: Mapping[str, int]) -> Backend:
    """Return *backend* with the sessions that come to servers past it.

    Arguments:
        backend: What the balancer told.
        spliced: How many connections the activator passes on, by server.
    """
    if not spliced:
        return backend
    servers = {n: _busier(s, spliced.get(n, 0)) for n, s in backend.servers.items()}
    return evolve(backend, servers=servers)


def _found(clone: Member, event: AddressFound) -> Member:
    is_it = clone.name == event.name
    return evolve(clone, found=event.address) if is_it else clone


def with_services(load: Load, group: Group, view: View) -> Load:
    """Return *load* with what the balancer of *group* tells of it."""
    serving, backend = group.policy.serving, view.backend
    if serving is None or backend is None:
        return load
    clones = {clone.name: clone for clone in group.clones}
    standings = (
        evolve(s, service=_service(clones.get(s.name), backend, serving))
        for s in load.standings
    )
    asked = Requests(backend.in_flight, backend.queued, backend.queue_ms)
    return evolve(load, standings=tuple(standings), requests=asked)


def _service(
    clone: Member | None, backend: Backend, serving: ServePolicy
) -> Service | None:
    server = None if clone is None else server_of(clone, backend, serving)
    if server is None:
        return None
    return Service(server.duty, server.health, server.sessions)


def _busier(server: Server, spliced: int) -> Server:
    return evolve(server, sessions=server.sessions + spliced) if spliced else server


def _told(group: Group, backend: Backend | None, now: float) -> Group:
    quiet, serving = listen(group.quiet, backend), group.policy.serving
    if quiet != group.quiet:
        group = evolve(group, quiet=quiet)
    if backend is None or serving is None:
        return group
    if all(clone.ready_at is not None for clone in group.clones):
        return group
    clones = tuple(_seen(clone, backend, serving, now) for clone in group.clones)
    return evolve(group, clones=clones)


def _seen(clone: Member, backend: Backend, serving: ServePolicy, now: float) -> Member:
    server = server_of(clone, backend, serving)
    if clone.ready_at is not None or server is None or not server.serves:
        return clone
    # What gets work stands by no longer: a daemon that was killed may not have
    # written down that it was promoted.
    return evolve(clone, ready_at=now, is_standby=False)


def _swapped(group: Group, event: MemberLingers, now: float) -> Group:
    """Return *group* where a quiet clone goes in the place of a busy one.

    That happens once in an action: whoever is chosen then goes.
    """
    action = next((a for a in group.ledger.actions if _may_swap(a, event.name)), None)
    quiet = _quiet_one(group, event.view, now)
    if action is None or quiet is None:
        return group
    swapped = evolve(action, victim=quiet.name, instead_of=event.name)
    ledger = group.ledger.with_action(swapped).with_parting(event.name, None)
    return evolve(group, ledger=ledger)


def _may_swap(action: object, victim: object) -> TypeGuard[DestroyClone]:
    return (
        isinstance(action, DestroyClone)
        and action.victim == victim
        and not action.as_standby
        and action.instead_of is None
        and action.reason in ANY_WILL_DO
    )


def _quiet_one(group: Group, view: View, now: float) -> Member | None:
    """Return the first that should go of those that serve and do nothing."""
    serving, backend = group.policy.serving, view.backend
    if serving is None or backend is None:
        return None
    load = assess(group, view, now)
    order = order_of_going(group, load, backend, among=group.serving)
    return next(
        (
            clone
            for clone in order
            if not is_draining(group, clone.name)
            and (server := server_of(clone, backend, serving)) is not None
            and server.serves
            and not server.sessions
        ),
        None,
    )
