"""A new image of the primary, in a whole daemon on a sandbox host."""

import pytest
import trio
from attrs import evolve

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.sandbox.faults import CountersRestarted, Killed
from albatross_client.sandbox.memory import MemoryClient
from autoscaler.core.decision import Reason
from autoscaler.core.policy import OnPrimaryLoss, Policy
from tests.shell.harness import WEB, Wish, make_world, wait_until

# Hours of virtual time, in whole daemons: traced they take three times as long.
pytestmark = pytest.mark.no_cover

NEW_IMAGE = SANDBOX_IMAGE + b" of another day"


async def deploy(world, image=NEW_IMAGE):
    """Put another image in the place of the primary's, as an operator does."""
    await MemoryClient(world.live).destroy(WEB)
    world.live.create(WEB, evolve(Wish().config, image=image))


def digests(world):
    unikernels = world.live.state.unikernels
    return {str(name): unikernels[name].digest for name in unikernels}


def have_one_image(world):
    return len(set(digests(world).values())) == 1


async def started(nursery, demand=1.2, **policy):
    wanted = evolve(Policy(max_clones=4, min_clones=2), **policy)
    wish = Wish(policy=wanted, demand=Demand.constant(demand))
    world = await make_world(nursery, wish)
    await wait_until(lambda: world.size == 3, 600)
    await trio.sleep(120)
    return world


async def test_a_new_image_replaces_clones_one_at_a_time(autojump_clock, nursery):
    world = await started(nursery)
    old = set(world.clones)
    sizes = set()

    def is_done():
        sizes.add(world.size)
        return have_one_image(world) and not old & set(world.clones)

    await deploy(world)
    await wait_until(is_done, 900)

    started_ones = world.events("action_started")
    rollouts = [e for e in started_ones if e["reason"] == "rollout"]
    assert len(rollouts) == 2
    assert sizes <= {3, 4}
    assert world.group.ledger.rolling.failures == 0


async def test_where_there_is_no_room_an_old_clone_goes_first(autojump_clock, nursery):
    world = await started(nursery, max_clones=2)
    old = set(world.clones)

    await deploy(world)
    await wait_until(lambda: have_one_image(world) and not old & set(world.clones), 900)

    assert world.size == 3


async def test_clones_of_a_lost_primary_go_where_that_is_wanted(
    autojump_clock, nursery
):
    world = await started(nursery, on_primary_loss=OnPrimaryLoss.DESTROY_CLONES)

    await MemoryClient(world.live).destroy(WEB)
    await wait_until(lambda: not world.clones, 600)

    reasons = {e["reason"] for e in world.events("action_started")}
    assert Reason.PRIMARY_LOST.value in reasons
    assert world.group.ledger.budget.stood_down_at is None


async def test_a_new_image_that_does_not_live_stops_and_keeps_old_clones(
    autojump_clock, nursery
):
    world = await started(nursery)
    old = set(world.clones)

    async def kill_newcomers():
        while True:
            for name in set(world.clones) - old:
                world.live.strike(Killed(Name.parse(name)))
            await trio.sleep(1)

    await deploy(world)
    nursery.start_soon(kill_newcomers)
    await wait_until(lambda: "image_unhealthy" in world.notebook.reasons, 600)

    assert old <= set(world.clones)
    assert world.group.ledger.budget.failures == 0
    assert "replace" in {d.outcome.value for d in world.notebook.decisions}


async def test_a_new_clone_that_restarts_while_it_is_tried_goes_again(
    autojump_clock, nursery
):
    world = await started(nursery)
    old = set(world.clones)

    async def restart_newcomers():
        while True:
            # Seldom: faster than frames come, no counter would go down.
            await trio.sleep(21)
            for name in set(world.clones) - old:
                world.live.strike(CountersRestarted(Name.parse(name)))

    await deploy(world)
    nursery.start_soon(restart_newcomers)
    await wait_until(lambda: "image_unhealthy" in world.notebook.reasons, 600)

    ended = [e for e in world.events("action_finished") if e["reason"] == "rollout"]
    assert "without a restart" in ended[0]["error"]
    assert set(world.clones) == old
