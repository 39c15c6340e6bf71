"""Which servers a balancer should have, and which of its servers are ours."""

from typing import Any

import pytest
from attrs import evolve

from autoscaler.core.arrange import Wanted
from autoscaler.core.backend import Duty, Place
from autoscaler.core.ledger import Parting
from autoscaler.core.places import OurServers, find_places, place_of, server_of
from tests.core.builders import MANAGED, creating, destroying, make_world, replacing
from tests.core.served import SERVING, label, make_backend, make_served, make_server

FIRST = Place("10.0.0.1", 80)


def duties(group):
    return {name: wish.duty for name, wish in find_places(group, SERVING).items()}


def parting(group, number, how):
    ledger = group.ledger.with_parting(MANAGED.clone(number), how)
    return evolve(group, ledger=ledger)


def acting(group, action):
    return evolve(group, ledger=evolve(group.ledger, actions=(action,)))


def test_every_member_with_an_address_should_serve():
    group, _ = make_served(0, 0)

    assert find_places(group, SERVING) == {
        "web-1": Wanted(place=FIRST, duty=Duty.READY),
        "web-2": Wanted(place=Place("10.0.0.2", 80), duty=Duty.READY),
    }


def test_a_member_without_an_address_has_no_place():
    group, _ = make_served(0)
    group = evolve(group, clones=(evolve(group.clones[0], address=None),))

    assert find_places(group, SERVING) == {}
    assert place_of(group.clones[0], SERVING) is None


def test_an_operators_primary_is_not_ours_to_add():
    group, _ = make_world(50.0)

    assert find_places(group, SERVING) == {}


def test_a_victim_gets_no_new_work():
    group, _ = make_served(0, 0)
    victim = evolve(destroying(1), victim=MANAGED.clone(1))

    assert duties(acting(group, victim)) == {"web-1": Duty.DRAIN, "web-2": Duty.READY}


def test_who_is_replaced_serves_until_the_new_one_does():
    group, _ = make_served(0)
    waiting = evolve(replacing(9, 1), victim=MANAGED.clone(1))

    assert duties(acting(group, waiting)) == {"web-1": Duty.READY}
    assert duties(acting(group, evolve(waiting, slots=()))) == {"web-1": Duty.DRAIN}


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        pytest.param(Parting.ENDS, {"web-1": Duty.DRAIN}, id="ends"),
        pytest.param(Parting.LEAVES, {}, id="leaves"),
        pytest.param(Parting.CUT, {"web-1": Duty.MAINT}, id="cut"),
        pytest.param(None, {"web-1": Duty.READY}, id="stays"),
    ],
)
def test_a_member_parts_from_its_balancer_in_steps(how, expected):
    group, _ = make_served(0)

    assert duties(parting(group, 1, how)) == expected


@pytest.mark.parametrize(
    ("changes", "is_its"),
    [
        pytest.param({}, True, id="at-its-place"),
        pytest.param({"address": "", "port": 0}, True, id="no-address-told"),
        pytest.param({"address": "10.9.9.9"}, False, id="elsewhere"),
        pytest.param({"port": 81}, False, id="another-port"),
        pytest.param({"is_backup": True}, False, id="backup"),
    ],
)
def test_a_server_is_a_members_at_its_own_place_alone(changes, is_its):
    group, _ = make_served(0)
    server = make_server(1, **changes)

    found = server_of(group.clones[0], make_backend(server), SERVING)

    assert found == (server if is_its else None)


def test_a_member_that_its_balancer_has_forgotten_has_no_server():
    group, _ = make_served(0)

    assert server_of(group.clones[0], make_backend(), SERVING) is None


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        pytest.param("web-1", True, id="number"),
        pytest.param("web-01", False, id="another-way-to-write-it"),
        pytest.param("web-clone-1", False, id="clone-of-a-primary"),
        pytest.param("activator", False, id="activator"),
        pytest.param("a/b", False, id="no-label"),
    ],
)
def test_a_name_is_ours_where_a_member_could_have_it(name, is_ours):
    group, _ = make_served(0)

    assert OurServers(group, {}).names(name) is is_ours


def test_what_was_given_is_ours():
    group, _ = make_served(0)
    ours = OurServers(group, {"web-1": frozenset({FIRST})})

    assert ours.gave("web-1", FIRST)
    assert not ours.gave("web-1", Place("10.9.9.9", 80))


def test_what_an_earlier_run_has_left_is_ours():
    """The daemon was killed after a destroy, before its server was removed."""
    group, _ = make_served(0, 0)
    ours = OurServers(evolve(group, clones=group.clones[1:]), {})

    assert ours.gave("web-1", FIRST)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        pytest.param("web-2", Place("10.0.0.9", 80), id="of-a-member"),
        pytest.param("web-3", FIRST, id="number-not-yet-given"),
        pytest.param("web-1", Place("10.0.1.1", 80), id="not-of-the-pool"),
        pytest.param("web-1", Place("10.0.0.1", 81), id="another-port"),
        pytest.param("shop-1", FIRST, id="another-name"),
    ],
)
def test_nothing_else_is_left_over(name, place):
    group, _ = make_served(0, 0)
    ours = OurServers(evolve(group, clones=group.clones[1:]), {})

    assert not ours.gave(name, place)


@pytest.mark.parametrize("missing", ["serving", "address_pool"])
def test_without_a_pool_or_a_balancer_nothing_is_left_over(missing):
    group, _ = make_served(0)
    changes: dict[str, Any] = {missing: None}
    policy = evolve(group.policy, **changes)
    ours = OurServers(evolve(group, clones=(), policy=policy), {})

    assert not ours.gave("web-1", FIRST)


def test_a_clone_that_is_coming_has_no_place_yet():
    group, _ = make_served()

    assert find_places(acting(group, creating(1)), SERVING) == {}
    assert label(1) == "web-1"
