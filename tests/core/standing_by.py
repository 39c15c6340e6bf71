"""Groups with members that stand by, whom their balancer has checked."""

from typing import Any

from attrs import evolve

from autoscaler.core.actions import CreateClones, Slot
from autoscaler.core.backend import Backend, Duty, Health, Server
from autoscaler.core.case import Case
from autoscaler.core.decision import Outcome, Reason
from autoscaler.core.events import (
    Ticked,
)
from autoscaler.core.group import Group, Member, Ticks
from autoscaler.core.ledger import (
    Backoff,
)
from autoscaler.core.serving import ServePolicy, StandbyPolicy
from autoscaler.core.standing import assess
from autoscaler.core.view import Claim, View
from tests.core.builders import (
    MANAGED,
    NOW,
    State,
    happens,
    make_info,
    make_managed,
    make_policy,
)

HIGH = Ticks(high=9, last=NOW - 10, conclusive=NOW - 10)

PAUSE = Backoff(failures=1, since=NOW, length=100.0)

POOL = StandbyPolicy(size=2, min=1, max_idle=600.0)
NO_POOL = StandbyPolicy()


def serving_policy(standby: StandbyPolicy = POOL, **changes: Any) -> ServePolicy:
    return evolve(ServePolicy(port=80, standby=standby), **changes)


def name(number: int):
    return MANAGED.clone(number)


def server(number: int, duty: Duty, health: Health = Health.PASSED) -> Server:
    label = name(number).label or ""
    return Server(
        name=label, address=f"10.0.0.{number}", port=80, duty=duty, health=health
    )


def make_pool(
    *states: State,
    standbys: int = 2,
    standby: StandbyPolicy = POOL,
    ledger: Any = None,
    **policy: Any,
) -> tuple[Group, View]:
    """Return a managed group of which the last *standbys* members stand by.

    Arguments:
        states: What the others count as.
        standbys: How many stand by; their usage is 90 %.
        standby: How many are to.
        ledger: What only the group knows.
        policy: More of the policy.
    """
    wanted = make_policy(serving=serving_policy(standby), **policy)
    everybody = (*states, *[90.0] * standbys)
    group, view = make_managed(*everybody, policy=wanted, ledger=ledger)
    clones = tuple(
        evolve(
            clone,
            address=f"10.0.0.{clone.number}",
            is_standby=(clone.number or 0) > len(states),
            ready_at=None if (clone.number or 0) > len(states) else NOW - 1000,
        )
        for clone in group.clones
    )
    servers = [server(clone.number or 0, _duty(clone)) for clone in clones]
    ledger = evolve(group.ledger, needed_at=group.ledger.needed_at or NOW - 10)
    group = evolve(group, clones=clones, ledger=ledger)
    return group, evolve(
        view, backend=Backend(at=NOW, servers={each.name: each for each in servers})
    )


def _duty(clone: Member) -> Duty:
    return Duty.DRAIN if clone.is_standby else Duty.READY


def with_server(view: View, number: int, duty: Duty, health: Health) -> View:
    """Return *view* with one server that is otherwise."""
    assert view.backend is not None
    each = server(number, duty, health)
    servers = {**view.backend.servers, each.name: each}
    return evolve(view, backend=evolve(view.backend, servers=servers))


def failing(view: View, *numbers: int) -> View:
    """Return *view* with those standbys' checks failed."""
    for number in numbers:
        view = with_server(view, number, Duty.DRAIN, Health.FAILED)
    return view


def case_of(group: Group, view: View) -> Case:
    return Case(group, view, NOW, assess(group, view, NOW), group.ticks)


def tick(group: Group, view: View, at: float = NOW) -> Any:
    return happens(group, Ticked(view), at)


def slot(number: int) -> Slot:
    claim = Claim(name(number), 32, frozenset({number}))
    return Slot(number, claim, f"10.0.0.{number}")


def numbers(members: Any) -> list[int | None]:
    return [member.number for member in members]


def reason_of(group: Group) -> Reason:
    assert group.decision is not None
    return group.decision.reason


def other_image(view: View, *outdated: int) -> View:
    """Return *view* where those members run another image than new ones get."""
    assert view.listing is not None
    infos = dict(view.listing.infos)
    for number in outdated:
        infos[name(number)] = make_info(number, digest=b"\x07" * 32)
    return evolve(view, listing=evolve(view.listing, infos=infos))


def refill(number: int, id_: int = 1) -> CreateClones:
    return CreateClones(
        id=id_, reason=Reason.REFILL, slots=(slot(number),), as_standby=True
    )


def held(group, view):
    group, effects = tick(group, view)
    assert effects == ()
    assert group.decision.outcome is Outcome.HOLD
    return group.decision.standby_held


def busy(*states: float, **changes) -> tuple[Group, View]:
    """Return a group that has to grow."""
    group, view = make_pool(*(states or (99.0, 99.0)), **changes)
    return evolve(group, ticks=HIGH), view
