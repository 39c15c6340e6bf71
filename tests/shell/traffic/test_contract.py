"""What the daemon relies on in any balancer: HAProxy's, and the fake's."""

import pytest

from autoscaler.core.arrange import Add, Drain, MakeReady, Remove, Rest, Weigh
from autoscaler.core.backend import Duty, Health, Place
from autoscaler.shell.traffic.balancer import BalancerError, Trouble
from tests.haproxy_fixture import needs_haproxy, running_haproxy
from tests.shell.traffic.worlds import (
    FakeWorld,
    HaproxyWorld,
    ours,
    ready,
    serves,
    settle,
    standby,
    until,
)

NOBODY = Place("127.0.0.1", 9)


@pytest.fixture(params=["fake", pytest.param("haproxy", marks=needs_haproxy)])
async def world(request, nursery, tmp_path):
    if request.param == "fake":
        yield FakeWorld(nursery)
    else:
        async with running_haproxy(tmp_path) as haproxy:
            yield HaproxyWorld(nursery, haproxy)


async def test_a_member_serves_once_it_has_passed_a_check(world):
    place = await world.member()

    await world.balancer.perform(Add("web-1", place))
    fresh = (await world.balancer.observe()).servers["web-1"]
    backend = await settle(
        world.balancer, {"web-1": ready(place)}, ours(place), serves("web-1")
    )

    assert fresh.duty is Duty.DRAIN
    assert backend.servers["web-1"].place == place


async def test_where_nobody_listens_nobody_serves(world):
    await world.balancer.perform(Add("web-1", NOBODY))

    backend = await until(
        world.balancer, lambda seen: seen.servers["web-1"].health is Health.FAILED
    )

    assert backend.servers["web-1"].duty is Duty.DRAIN


async def test_a_member_that_dies_fails_its_checks(world):
    place = await world.member()
    await settle(world.balancer, {"web-1": ready(place)}, ours(), serves("web-1"))

    await world.stop(place)

    await until(
        world.balancer, lambda seen: seen.servers["web-1"].health is Health.FAILED
    )


async def test_a_standby_that_dies_fails_its_checks(world):
    place = await world.member()
    await settle(
        world.balancer,
        {"web-1": standby(place)},
        ours(),
        lambda seen: seen.servers["web-1"].health is Health.PASSED,
    )

    await world.stop(place)

    await until(
        world.balancer, lambda seen: seen.servers["web-1"].health is Health.FAILED
    )


async def test_what_comes_back_from_maintenance_has_to_prove_itself_again(world):
    place = await world.member()
    await settle(world.balancer, {"web-1": ready(place)}, ours(), serves("web-1"))

    await world.balancer.perform(Rest("web-1"))
    resting = (await world.balancer.observe()).servers["web-1"]
    await world.stop(place)
    await world.balancer.perform(Drain("web-1"))
    back = (await world.balancer.observe()).servers["web-1"]
    await until(
        world.balancer, lambda seen: seen.servers["web-1"].health is Health.FAILED
    )

    assert (resting.duty, resting.health) == (Duty.MAINT, Health.UNPROVEN)
    assert back.duty is Duty.DRAIN
    assert back.health is not Health.PASSED


async def test_a_name_is_given_once(world):
    await world.balancer.perform(Add("web-1", NOBODY))
    other = await world.member()

    with pytest.raises(BalancerError) as caught:
        await world.balancer.perform(Add("web-1", other))

    assert caught.value.trouble is Trouble.NAME_TAKEN
    assert (await world.balancer.observe()).servers["web-1"].place == NOBODY


async def test_what_is_gone_can_be_removed_again_and_nothing_else(world):
    await world.balancer.perform(Remove("web-7"))

    for step in (Drain("web-7"), MakeReady("web-7"), Weigh("web-7", 3), Rest("web-7")):
        with pytest.raises(BalancerError) as caught:
            await world.balancer.perform(step)
        assert caught.value.trouble is Trouble.NO_SERVER


async def test_nothing_is_removed_while_it_works(world):
    place = await world.member()
    await settle(world.balancer, {"web-1": ready(place)}, ours(), serves("web-1"))
    await world.hold_request()
    busy = await world.balancer.observe()

    await world.balancer.perform(Rest("web-1"))
    with pytest.raises(BalancerError) as caught:
        await world.balancer.perform(Remove("web-1"))
    await world.end_requests()
    idle = await world.balancer.observe()
    await world.balancer.perform(Remove("web-1"))

    assert caught.value.trouble is Trouble.IN_USE
    assert (busy.in_flight, busy.servers["web-1"].sessions) == (1, 1)
    assert (idle.in_flight, idle.servers["web-1"].sessions) == (0, 0)
    assert (idle.servers["web-1"].ended, idle.ended) == (1, busy.ended + 1)
    assert "web-1" not in (await world.balancer.observe()).servers


async def test_what_is_not_wanted_goes_when_it_has_ended_its_work(world):
    place = await world.member()
    claim = ours(place)
    await settle(world.balancer, {"web-1": ready(place)}, claim, serves("web-1"))
    await world.hold_request()

    draining = await settle(world.balancer, {}, claim, serves())
    await world.end_requests()
    gone = await settle(
        world.balancer, {}, claim, lambda seen: "web-1" not in seen.servers
    )

    assert draining.servers["web-1"].duty is Duty.DRAIN
    assert draining.servers["web-1"].sessions == 1
    assert gone.epoch == draining.epoch


async def test_a_balancer_that_forgot_gets_all_of_it_again(world):
    places = {"web-1": await world.member(), "web-2": await world.member()}
    wanted = {name: ready(place) for name, place in places.items()}
    before = await settle(world.balancer, wanted, ours(), serves("web-1", "web-2"))

    await world.forget()
    empty = await world.balancer.observe()
    after = await settle(world.balancer, wanted, ours(), serves("web-1", "web-2"))

    assert not set(places) & set(empty.servers)
    assert after.epoch != before.epoch


async def test_weights_are_told_as_they_were_set(world):
    await world.balancer.perform(Add("web-1", NOBODY))
    await world.balancer.perform(Add("web-2", NOBODY, 70))

    await world.balancer.perform(Weigh("web-1", 40))
    backend = await world.balancer.observe()

    assert backend.servers["web-1"].weight == 40
    assert backend.servers["web-2"].weight == 70


async def test_a_standby_is_promoted_by_one_step(world):
    place = await world.member()
    await settle(
        world.balancer,
        {"web-1": standby(place)},
        ours(),
        lambda seen: seen.servers["web-1"].health is Health.PASSED,
    )

    await world.balancer.perform(MakeReady("web-1"))
    backend = await world.balancer.observe()

    assert backend.servers["web-1"].serves
