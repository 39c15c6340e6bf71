"""What a group learns from its balancer, and who goes in whose place."""

import pytest
from attrs import evolve

from autoscaler.core.actions import DestroyClone
from autoscaler.core.backend import Duty, Health
from autoscaler.core.balancing import with_spliced
from autoscaler.core.decision import MemberClass, Reason, Requests, Service
from autoscaler.core.events import (
    ActionEnded,
    Balanced,
    CloneDestroyed,
    MemberLingers,
    MemberParts,
    Ticked,
)
from autoscaler.core.idle import Quiet
from autoscaler.core.ledger import Parting
from autoscaler.core.scaling import order_of_going
from autoscaler.core.standing import assess
from tests.core.builders import MANAGED, NOW, creating, happens
from tests.core.served import make_backend, make_served, make_server


def fresh(*sessions):
    """Return a group whose members no balancer has shown yet."""
    group, view = make_served(*sessions)
    clones = tuple(evolve(clone, ready_at=None) for clone in group.clones)
    return evolve(group, clones=clones), view


def told(group, *servers, **changes):
    group, effects = happens(group, Balanced(make_backend(*servers, **changes)))
    assert effects == ()
    return group


def ready(group):
    return [clone.ready_at for clone in group.clones]


def test_a_member_is_ready_from_when_its_server_is_first_seen_to_serve():
    group, _ = fresh(0, 0)

    group = told(group, make_server(1), make_server(2, health=Health.UNPROVEN))
    assert ready(group) == [NOW, None]

    later, _ = happens(group, Balanced(make_backend(make_server(1))), NOW + 5)
    assert ready(later) == [NOW, None]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"duty": Duty.DRAIN}, id="drained"),
        pytest.param({"health": Health.FAILED}, id="failed"),
        pytest.param({"address": "10.9.9.9"}, id="not-ours"),
    ],
)
def test_a_member_whose_server_does_not_serve_is_not_ready(changes):
    group, _ = fresh(0)

    assert ready(told(group, make_server(1, **changes))) == [None]


def test_a_balancer_that_forgets_makes_nobody_unready():
    group, _ = make_served(0)

    assert ready(told(group)) == [NOW - 1000]


def test_a_group_without_a_policy_for_it_learns_when_it_is_quiet_alone():
    group, _ = fresh(0)
    group = evolve(group, policy=evolve(group.policy, serving=None))

    group = told(group, make_server(1))

    assert ready(group) == [None]
    assert group.quiet == Quiet(NOW - 60, 0, "1")


def test_a_balancer_that_does_not_answer_tells_nothing():
    group, _ = make_served(0)

    group, _ = happens(group, Balanced(None))

    assert group.quiet == Quiet()
    assert ready(group) == [NOW - 1000]


def test_sessions_past_the_balancer_are_added_to_it():
    backend = make_backend(make_server(1, sessions=2), make_server(2))

    busier = with_spliced(backend, {"web-1": 3, "web-9": 1})

    assert [s.sessions for s in busier.servers.values()] == [5, 0]
    assert with_spliced(backend, {}) is backend


# What is shown of it


def test_a_decision_tells_what_the_balancer_does():
    group, view = make_served(2, 0)
    backend = make_backend(
        make_server(1, sessions=2), in_flight=3, queued=1, queue_ms=4.0
    )

    group, _ = happens(group, Ticked(evolve(view, backend=backend)))

    load = group.decision.load
    assert load.requests == Requests(3, 1, 4.0)
    assert [s.service for s in load.standings] == [
        Service(Duty.READY, Health.PASSED, 2),
        None,
    ]


def test_a_reservation_has_no_server():
    group, view = make_served(2)
    group = evolve(group, ledger=evolve(group.ledger, actions=(creating(2),)))

    group, _ = happens(group, Ticked(view))

    assert [s.service is None for s in group.decision.load.standings] == [False, True]


@pytest.mark.parametrize("missing", ["balancer", "answer"])
def test_without_an_answer_a_decision_tells_nothing_of_it(missing):
    group, view = make_served(2)
    if missing == "balancer":
        group = evolve(group, policy=evolve(group.policy, serving=None))
    else:
        view = evolve(view, backend=None)

    group, _ = happens(group, Ticked(view))

    assert group.decision.load.requests is None
    assert [s.service for s in group.decision.load.standings] == [None]


# Leaving


def test_a_member_parts_and_stays_again():
    group, _ = make_served(0)
    name = MANAGED.clone(1)

    group, _ = happens(group, MemberParts(name, Parting.ENDS))
    assert group.ledger.parting == {name: Parting.ENDS}

    group, _ = happens(group, MemberParts(name, None))
    assert group.ledger.parting == {}


def test_who_is_gone_parts_no_more():
    group, _ = make_served(0)
    group, _ = happens(group, MemberParts(MANAGED.clone(1), Parting.CUT))

    group, _ = happens(group, CloneDestroyed(MANAGED.clone(1)))

    assert group.clones == ()
    assert group.ledger.parting == {}


def test_who_parts_is_no_capacity():
    """Also one that no action removes by name: a clone that didn't start."""
    group, view = make_served(0, 0)
    group, _ = happens(group, MemberParts(MANAGED.clone(1), Parting.ENDS))

    load = assess(group, view, NOW)

    assert load.names(MemberClass.DRAINING) == (MANAGED.clone(1),)


# Who goes


def test_the_one_with_the_fewest_sessions_goes_first():
    group, view = make_served(2, 1, 3, states=(1.0, 90.0, 5.0))

    order = order_of_going(group, assess(group, view, NOW), view.backend)

    assert [clone.number for clone in order] == [2, 1, 3]


def test_one_that_its_balancer_has_forgotten_goes_before_a_busy_one():
    group, view = make_served(1, 1)
    backend = make_backend(make_server(1, sessions=1))

    order = order_of_going(group, assess(group, view, NOW), backend)

    assert [clone.number for clone in order] == [2, 1]


@pytest.mark.parametrize("missing", ["balancer", "answer"])
def test_without_sessions_the_least_busy_goes_first(missing):
    group, view = make_served(9, 0, states=(1.0, 90.0))
    if missing == "balancer":
        group = evolve(group, policy=evolve(group.policy, serving=None))
    else:
        view = evolve(view, backend=None)

    order = order_of_going(group, assess(group, view, NOW), view.backend)

    assert [clone.number for clone in order] == [1, 2]


def removing(group, number, reason=Reason.LOW, instead_of=None):
    action = DestroyClone(
        id=7, reason=reason, victim=MANAGED.clone(number), instead_of=instead_of
    )
    return evolve(group, ledger=evolve(group.ledger, actions=(action,)))


def victims(group):
    return [action.victim for action in group.ledger.actions]


def test_a_busy_victim_is_swapped_for_a_quiet_one():
    group, view = make_served(2, 1, 0)
    group = removing(group, 1)
    group, _ = happens(group, MemberParts(MANAGED.clone(1), Parting.ENDS))

    group, effects = happens(group, MemberLingers(MANAGED.clone(1), view))

    [action] = group.ledger.actions
    assert action.victim == MANAGED.clone(3)
    assert action.instead_of == MANAGED.clone(1)
    assert group.ledger.parting == {}
    assert effects == ()


@pytest.mark.parametrize("sessions", [(2, 1, 1), (2,)])
def test_where_nobody_is_quiet_the_victim_stays_the_victim(sessions):
    group, view = make_served(*sessions)
    group = removing(group, 1)

    group, _ = happens(group, MemberLingers(MANAGED.clone(1), view))

    assert victims(group) == [MANAGED.clone(1)]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"duty": Duty.DRAIN}, id="drained"),
        pytest.param({"health": Health.FAILED}, id="failed"),
        pytest.param({"address": "10.9.9.9"}, id="not-ours"),
    ],
)
def test_only_one_that_serves_goes_in_anothers_place(changes):
    group, view = make_served(2, 0)
    servers = make_server(1, sessions=2), make_server(2, **changes)
    view = evolve(view, backend=make_backend(*servers))

    group, _ = happens(removing(group, 1), MemberLingers(MANAGED.clone(1), view))

    assert victims(group) == [MANAGED.clone(1)]


def test_one_that_goes_already_goes_in_nobodys_place():
    group, view = make_served(2, 0)
    group = removing(group, 1)
    other = DestroyClone(id=8, reason=Reason.LOW, victim=MANAGED.clone(2))
    actions = (*group.ledger.actions, other)
    group = evolve(group, ledger=evolve(group.ledger, actions=actions))

    group, _ = happens(group, MemberLingers(MANAGED.clone(1), view))

    assert victims(group) == [MANAGED.clone(1), MANAGED.clone(2)]


def test_a_victim_is_swapped_once():
    group, view = make_served(2, 0, 1)
    group = removing(group, 1, instead_of=MANAGED.clone(3))

    group, _ = happens(group, MemberLingers(MANAGED.clone(1), view))

    assert victims(group) == [MANAGED.clone(1)]


@pytest.mark.parametrize("reason", [Reason.GIVEN_UP, Reason.ROLLOUT, Reason.USELESS])
def test_who_has_to_go_for_itself_is_not_swapped(reason):
    group, view = make_served(2, 0)
    group = removing(group, 1, reason)

    group, _ = happens(group, MemberLingers(MANAGED.clone(1), view))

    assert victims(group) == [MANAGED.clone(1)]


@pytest.mark.parametrize("missing", ["balancer", "answer"])
def test_without_sessions_nobody_is_swapped(missing):
    group, view = make_served(2, 0)
    if missing == "balancer":
        group = evolve(group, policy=evolve(group.policy, serving=None))
    else:
        view = evolve(view, backend=None)

    group, _ = happens(removing(group, 1), MemberLingers(MANAGED.clone(1), view))

    assert victims(group) == [MANAGED.clone(1)]


def test_a_victim_that_stays_after_all_parts_no_more():
    group, _ = make_served(0)
    group = removing(group, 1)
    group, _ = happens(group, MemberParts(MANAGED.clone(1), Parting.CUT))

    group, _ = happens(group, ActionEnded(7, "the host still lists it"))

    assert group.ledger.parting == {}
