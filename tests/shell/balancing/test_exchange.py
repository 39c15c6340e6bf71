"""Balancers and activators come and go with the configuration."""

import contextlib
import socket

import pytest
import trio
from attrs import evolve

from autoscaler.core.activation import ActivatorSettings
from autoscaler.core.backend import Duty, Place
from autoscaler.core.policy import Mode
from autoscaler.shell.balancing.exchange import LISTEN_AGAIN_S
from tests.shell.balancing.scene import SHOP, LiveBalancer, make_scene, settings
from tests.shell.harness import GROUP, wait_until

TWO = "shop-1", "shop-2"


@contextlib.contextmanager
def listening(port=0):
    """Listen at *port* as another process would; tells where."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        yield Place("127.0.0.1", taken.getsockname()[1])


@pytest.fixture
def place():
    """Return a place where nobody listens."""
    with listening() as found:
        return found


@pytest.fixture
def other_place(place):
    with listening() as found:
        return found


def is_heard(place):
    """Tell whether somebody listens; the kernel answers, whoever is busy."""
    try:
        socket.create_connection((place.address, place.port), 1).close()
    except ConnectionRefusedError:
        return False
    return True


async def followed(nursery, **changes):
    scene = await make_scene(nursery, **changes)
    await scene.settled(*TWO)
    return scene


async def test_what_did_not_change_goes_on(autojump_clock, nursery, place):
    scene = await followed(nursery, activator=place)
    keeper, activator = scene.keeper, scene.keeper.activator
    told = len(scene.balancer.performed)

    scene.exchange.follow(scene.machine.traffic)
    await trio.sleep(60)

    assert scene.keeper is keeper
    assert scene.keeper.activator is activator
    assert scene.balancer.performed[told:] == []
    assert is_heard(place)


async def test_another_balancer_gets_all_members_from_the_same_keeper(
    autojump_clock, nursery
):
    scene = await followed(nursery)
    keeper, other = scene.keeper, LiveBalancer(world=scene.world)

    scene.exchange.follow({SHOP: settings(other, backend="another")})
    await wait_until(lambda: len(other.model.servers) == 2, 5)

    assert scene.keeper is keeper
    assert {s.duty for s in scene.servers.values()} == {Duty.READY}


async def test_a_change_of_the_activator_alone_keeps_it_listening(
    autojump_clock, nursery, place
):
    scene = await followed(nursery, activator=place)
    activator = scene.keeper.activator
    assert activator is not None
    traffic = scene.machine.traffic[SHOP]

    larger = ActivatorSettings(listen=place, max_held=7)
    scene.exchange.follow({SHOP: evolve(traffic, activator=larger)})

    assert scene.keeper.activator is activator
    assert activator.holding.settings.max_held == 7


async def test_an_activator_may_move_and_its_keeper_stays(
    autojump_clock, nursery, place, other_place
):
    scene = await followed(nursery, activator=place)
    keeper = scene.keeper
    traffic = scene.machine.traffic[SHOP]

    moved = evolve(traffic, activator=ActivatorSettings(listen=other_place))
    scene.exchange.follow({SHOP: moved})
    await trio.sleep(20)

    assert scene.keeper is keeper
    assert not is_heard(place)
    assert is_heard(other_place)


async def test_an_activator_may_come_and_go(autojump_clock, nursery, place):
    scene = await followed(nursery)
    traffic = scene.machine.traffic[SHOP]
    assert scene.keeper.activator is None

    with_one = evolve(traffic, activator=ActivatorSettings(listen=place))
    scene.exchange.follow({SHOP: with_one})
    await trio.sleep(1)
    assert is_heard(place)

    scene.exchange.follow({SHOP: traffic})
    await trio.sleep(20)
    assert scene.keeper.activator is None
    assert not is_heard(place)


async def test_a_port_that_is_taken_is_tried_again(autojump_clock, nursery):
    with listening() as place:
        scene = await followed(nursery, activator=place)
        failed = scene.world.events("activator_failed")
        assert failed != []
        assert str(place) in failed[0]["error"]

    await trio.sleep(2 * LISTEN_AGAIN_S)

    assert is_heard(place)


async def test_a_group_may_get_a_balancer_later(autojump_clock, nursery):
    scene = await followed(nursery)
    own = LiveBalancer(world=scene.world)

    scene.exchange.follow({**scene.machine.traffic, GROUP: settings(own)})
    await trio.sleep(5)

    assert scene.exchange.of(GROUP) is not None
    assert own.looks > 0


async def test_without_its_table_a_balancer_is_left_as_it_is(autojump_clock, nursery):
    scene = await followed(nursery)
    fleet = scene.world.daemon.fleet

    scene.want(serving=None)
    scene.exchange.follow({})
    await trio.sleep(5)
    looks = scene.balancer.looks
    await trio.sleep(60)

    assert scene.exchange.of(SHOP) is None
    assert scene.balancer.looks == looks
    assert fleet.view(SHOP).backend is None
    assert scene.serving == list(TWO)


async def test_an_action_that_is_under_way_keeps_its_keeper(autojump_clock, nursery):
    """The group is taken out of the configuration in the middle of a drain."""
    scene = await followed(nursery)
    scene.balancer.model.begin("shop-1")
    scene.balancer.model.begin("shop-2")
    scene.want(max_clones=1, min_clones=1)
    await wait_until(lambda: scene.serving == ["shop-1"], 120)

    scene.want(mode=Mode.PAUSED)
    scene.exchange.follow({})
    await trio.sleep(5)
    assert scene.exchange.of(SHOP) is not None
    scene.balancer.model.end("shop-2")
    await wait_until(lambda: scene.running == ["shop-1"], 10)

    await wait_until(lambda: scene.exchange.of(SHOP) is None, 10)
    assert scene.failures == []


async def test_whose_table_comes_back_meanwhile_goes_on(autojump_clock, nursery, place):
    scene = await followed(nursery, activator=place)
    keeper = scene.keeper

    scene.exchange.follow({})
    scene.exchange.follow(scene.machine.traffic)
    await trio.sleep(20)

    assert scene.keeper is keeper
    assert keeper.activator is not None
    assert is_heard(place)
