"""Tests of how a balancer is brought to what should be."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.core.arrange import (
    Add,
    Arrangement,
    Drain,
    MakeReady,
    Ours,
    Remove,
    Rest,
    Taken,
    Wanted,
    Weigh,
    arrange,
)
from autoscaler.core.backend import Backend, Duty, Health, Place, Server
from tests.balancing import ModelBalancer

HERE = Place("10.0.42.11", 80)
ELSEWHERE = Place("10.0.42.12", 80)
FOREIGN = Place("10.9.9.9", 80)
CLAIM = Ours(lambda name: name.startswith("web-"), {"web-1": frozenset({HERE})})


def server(**changes):
    usual = Server(
        name="web-1",
        address=HERE.address,
        port=HERE.port,
        duty=Duty.READY,
        health=Health.PASSED,
        weight=1.0,
    )
    return evolve(usual, **changes)


def shown(*servers):
    return Backend(at=0.0, servers={each.name: each for each in servers})


def wanted(duty=Duty.READY, place=HERE, weight=None):
    return {"web-1": Wanted(place=place, duty=duty, weight=weight)}


@pytest.mark.parametrize("duty", [Duty.READY, Duty.DRAIN])
def test_what_is_missing_is_added(duty):
    assert arrange(wanted(duty, weight=50), shown(), CLAIM).steps == (
        Add("web-1", HERE, 50),
    )


def test_what_should_rest_is_not_added():
    assert arrange(wanted(Duty.MAINT), shown(), CLAIM) == Arrangement()


@pytest.mark.parametrize(
    ("duty", "seen", "steps"),
    [
        pytest.param(Duty.READY, server(), (), id="serves"),
        pytest.param(
            Duty.READY, server(health=Health.FAILED), (), id="serves and fails"
        ),
        pytest.param(
            Duty.READY,
            server(duty=Duty.DRAIN),
            (MakeReady("web-1"),),
            id="passed its check",
        ),
        pytest.param(
            Duty.READY,
            server(duty=Duty.DRAIN, health=Health.UNPROVEN),
            (),
            id="waits for its check",
        ),
        pytest.param(
            Duty.READY,
            server(duty=Duty.DRAIN, health=Health.FAILED),
            (),
            id="fails its check",
        ),
        pytest.param(
            Duty.READY,
            server(duty=Duty.MAINT, health=Health.PASSED),
            (Drain("web-1"),),
            id="has rested and must prove itself",
        ),
        pytest.param(Duty.DRAIN, server(duty=Duty.DRAIN), (), id="stands by"),
        pytest.param(Duty.DRAIN, server(), (Drain("web-1"),), id="has to end its work"),
        pytest.param(
            Duty.DRAIN, server(duty=Duty.MAINT), (Drain("web-1"),), id="be checked"
        ),
        pytest.param(Duty.MAINT, server(duty=Duty.MAINT), (), id="rests"),
        pytest.param(
            Duty.MAINT, server(sessions=3), (Rest("web-1"),), id="must not serve"
        ),
    ],
)
def test_a_server_comes_to_its_duty_one_step_at_a_time(duty, seen, steps):
    assert arrange(wanted(duty), shown(seen), CLAIM).steps == steps


@pytest.mark.parametrize(
    ("seen", "steps"),
    [
        pytest.param(server(), (Drain("web-1"),), id="serves"),
        pytest.param(server(duty=Duty.DRAIN, sessions=1), (), id="ends its work"),
        pytest.param(server(duty=Duty.DRAIN), (Rest("web-1"),), id="has ended it"),
        pytest.param(server(duty=Duty.MAINT, sessions=1), (), id="rests, not idle"),
        pytest.param(server(duty=Duty.MAINT), (Remove("web-1"),), id="rests"),
    ],
)
def test_what_is_not_wanted_is_drained_and_then_removed(seen, steps):
    assert arrange({}, shown(seen), CLAIM).steps == steps


@pytest.mark.parametrize(
    ("weight", "steps"),
    [
        pytest.param(None, (MakeReady("web-1"),), id="as it is"),
        pytest.param(1, (MakeReady("web-1"),), id="the same"),
        pytest.param(
            40, (Weigh("web-1", 40), MakeReady("web-1")), id="before it gets work"
        ),
    ],
)
def test_a_weight_is_set_where_it_differs(weight, steps):
    seen = shown(server(duty=Duty.DRAIN))

    assert arrange(wanted(weight=weight), seen, CLAIM).steps == steps


def test_a_weight_that_is_not_told_is_left_alone():
    seen = shown(server(weight=None))

    assert arrange(wanted(weight=40), seen, CLAIM).steps == ()


def test_a_member_that_moved_leaves_its_old_place_first():
    moved = wanted(place=ELSEWHERE)

    assert arrange(moved, shown(server()), CLAIM).steps == (Drain("web-1"),)
    assert arrange(moved, shown(), CLAIM).steps == (Add("web-1", ELSEWHERE),)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(
            server(address=FOREIGN.address), id="another address than we gave"
        ),
        pytest.param(server(port=8080), id="another port"),
        pytest.param(server(address="web.example"), id="a name for an address"),
        pytest.param(server(is_backup=True), id="a backup server"),
        pytest.param(server(name="web-2"), id="an address of another of ours"),
    ],
)
def test_a_server_with_a_name_of_ours_that_is_not_ours_is_told_and_left(seen):
    want = {seen.name: Wanted(place=ELSEWHERE, duty=Duty.READY)}

    for each in (want, {}):
        arrangement = arrange(each, shown(seen), CLAIM)

        assert arrangement == Arrangement(
            (), (Taken(seen.name, seen.address, seen.port),)
        )


def test_a_taken_name_is_told_in_words():
    assert str(Taken("web-1", "10.9.9.9", 80)) == (
        "the server web-1 at 10.9.9.9 port 80 has a name of ours and isn't: rename it, "
        "it is left alone and the name unused"
    )


def test_servers_of_others_are_left_alone():
    seen = shown(server(name="database", address=FOREIGN.address))

    assert arrange({}, seen, CLAIM) == Arrangement()


def test_where_no_addresses_are_told_names_have_to_do():
    """A hook for DNS may know no ports, and not everything is an address."""
    seen = shown(server(address="", port=0, duty=Duty.DRAIN))

    assert arrange(wanted(), seen, CLAIM).steps == (MakeReady("web-1"),)
    assert arrange({}, seen, CLAIM).steps == (Rest("web-1"),)


def test_a_name_that_was_given_is_ours_however_it_looks():
    claim = Ours(lambda _: False, {"old": frozenset({HERE})})

    assert arrange({}, shown(server(name="old")), claim).steps == (Drain("old"),)


NAMES = ("web-1", "web-2", "web-3")
PLACES = (HERE, ELSEWHERE, Place("fd00::1", 443))
GIVEN = Ours(lambda name: name in NAMES, dict.fromkeys(NAMES, frozenset(PLACES)))
WISHES = st.dictionaries(
    st.sampled_from(NAMES),
    st.builds(
        Wanted,
        place=st.sampled_from(PLACES),
        duty=st.sampled_from(Duty),
        weight=st.none() | st.integers(1, 100),
    ),
)
SERVERS = st.builds(
    Server,
    name=st.sampled_from((*NAMES, "database", "activator")),
    address=st.sampled_from([place.address for place in (*PLACES, FOREIGN)]),
    port=st.sampled_from([80, 443]),
    duty=st.sampled_from(Duty),
    health=st.just(Health.UNPROVEN),
    sessions=st.integers(0, 2),
    weight=st.sampled_from([1.0, 50.0]),
    is_backup=st.booleans(),
)
MODELS = st.builds(
    lambda servers, healthy: ModelBalancer(
        {each.name: each for each in servers}, healthy
    ),
    st.lists(SERVERS),
    st.sets(st.sampled_from((*PLACES, FOREIGN))),
)
# Down and out takes three steps, another place and up three more.
MOST_ROUNDS = 8


def is_foreign(seen):
    given = seen.name in NAMES and seen.place in PLACES and not seen.is_backup
    return not given


@given(WISHES, MODELS)
def test_any_balancer_comes_to_what_is_wanted_and_stays_there(wishes, model):
    foreign = {name: s for name, s in model.servers.items() if is_foreign(s)}

    for _ in range(MOST_ROUNDS):
        model.check()
        for name, seen in list(model.servers.items()):
            if name not in foreign and seen.duty is not Duty.READY and seen.sessions:
                model.end(name)
        for step in arrange(wishes, model.show(), GIVEN).steps:
            model.perform(step)
    model.check()

    final = arrange(wishes, model.show(), GIVEN)
    assert final.steps == ()
    assert {taken.name for taken in final.taken} == set(foreign) & set(NAMES)
    for name, wish in wishes.items():
        if name not in foreign and name in model.servers:
            assert_is(model.servers[name], wish, model)
    ours = set(model.servers) - set(foreign)
    assert ours <= set(wishes)


def assert_is(seen, wish, model):
    is_healthy = wish.place in model.healthy
    reached = wish.duty is not Duty.READY or is_healthy
    assert seen.place == wish.place
    assert seen.weight == wish.weight or wish.weight is None
    if reached:
        assert seen.duty is wish.duty


@given(WISHES, MODELS)
def test_nothing_foreign_is_ever_touched(wishes, model):
    foreign = {name: s for name, s in model.servers.items() if is_foreign(s)}

    for step in arrange(wishes, model.show(), GIVEN).steps:
        assert step.name in NAMES
        assert step.name not in foreign


@given(WISHES, MODELS)
def test_nobody_gets_work_before_a_check_or_goes_with_work(wishes, model):
    model.check()
    before = model.show().servers

    for step in arrange(wishes, model.show(), GIVEN).steps:
        if isinstance(step, MakeReady):
            assert before[step.name].health is Health.PASSED
        if isinstance(step, Remove):
            assert before[step.name].sessions == 0
            assert before[step.name].duty is Duty.MAINT
