"""Small makers of groups that a balancer sends requests to."""

from typing import Any

from attrs import evolve

from autoscaler.core.addresses import AddressPool
from autoscaler.core.backend import Backend, Duty, Health, Place, Server
from autoscaler.core.group import Group
from autoscaler.core.idle import IdlePolicy, Quiet
from autoscaler.core.serving import ServePolicy
from autoscaler.core.view import View
from tests.core.builders import MANAGED, NOW, State, make_managed, make_policy

POOL = AddressPool.parse("10.0.0.1-10.0.0.99")
GATE = Place("127.0.0.1", 9000)
IDLE = IdlePolicy(idle_to_min=30, idle_to_zero=300, min_age=20)
SERVING = ServePolicy(port=80, activator=GATE, idle=IDLE)
NAME = MANAGED.name.label


def label(number: int) -> str:
    return MANAGED.clone_label(number)


def make_server(number: int, **changes: Any) -> Server:
    """Return the server of member *number*, which serves."""
    standard = Server(
        name=label(number),
        address=f"10.0.0.{number}",
        port=80,
        duty=Duty.READY,
        health=Health.PASSED,
    )
    return evolve(standard, **changes)


def make_gate(**changes: Any) -> Server:
    """Return the activator as its balancer shows it."""
    standard = Server(
        name="activator",
        address=GATE.address,
        port=GATE.port,
        duty=Duty.READY,
        health=Health.PASSED,
        is_backup=True,
    )
    return evolve(standard, **changes)


def make_backend(*servers: Server, **changes: Any) -> Backend:
    by_name = {server.name: server for server in servers}
    return evolve(Backend(at=NOW, epoch="1", servers=by_name), **changes)


def make_served(
    *sessions: int, states: tuple[State, ...] | None = None, **changes: Any
) -> tuple[Group, View]:
    """Return a managed group whose members work on so many sessions each.

    They have been ready for long, and nobody has asked for them for a minute.
    """
    policy = make_policy(serving=SERVING, address_pool=POOL, **changes)
    states = tuple(50.0 for _ in sessions) if states is None else states
    group, view = make_managed(*states, policy=policy)
    clones = tuple(
        evolve(
            clone,
            address=f"10.0.0.{clone.number}",
            created=NOW - 1000,
            ready_at=NOW - 1000,
        )
        for clone in group.clones
    )
    servers = (make_server(n, sessions=s) for n, s in enumerate(sessions, 1))
    backend = make_backend(make_gate(), *servers, in_flight=sum(sessions))
    quiet = Quiet(NOW - 60, 0, "1")
    return (
        evolve(group, clones=clones, quiet=quiet),
        evolve(view, backend=backend),
    )
