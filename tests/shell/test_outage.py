"""Low usage that is not believed, in a whole daemon on a sandbox host."""

import pytest
import trio
from attrs import evolve

from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.faults import CountersRestarted
from albatross_client.values import Interface
from autoscaler.core.policy import Policy
from tests.shell.harness import WEB, Wish, make_world, wait_until

# Hours of virtual time, in whole daemons: traced they take three times as long.
pytestmark = pytest.mark.no_cover

POLICY = Policy(max_clones=4, min_clones=0, cooldown_down=30.0)


async def grown(nursery, *interfaces, **policy):
    """Return a world whose group grew under load."""
    config = evolve(Wish().config, interfaces=tuple(map(Interface, interfaces)))
    wish = Wish(
        policy=evolve(POLICY, **policy), demand=Demand.constant(2.6), config=config
    )
    world = await make_world(nursery, wish)
    await wait_until(lambda: world.size >= 3, 600)
    await trio.sleep(300)
    return world


def barred(world):
    return {
        (decision.reason.value, decision.barred and decision.barred.value)
        for decision in world.notebook.decisions
    }


async def test_clones_stay_when_work_and_packets_end_together_until_it_is_believed(
    autojump_clock, nursery
):
    world = await grown(nursery, "service")
    size = world.size

    world.live.set_demand(WEB, Demand.constant(0.01))
    await trio.sleep(500)

    assert world.size == size
    assert ("suspected_outage", "low") in barred(world)
    await wait_until(lambda: world.size < size, 300)


async def test_without_packets_to_judge_by_low_usage_is_believed(
    autojump_clock, nursery
):
    world = await grown(nursery)
    size = world.size

    world.live.set_demand(WEB, Demand.constant(0.01))

    assert await wait_until(lambda: world.size < size, 300) < 120


async def test_clones_stay_after_the_members_of_a_host_restarted_together(
    autojump_clock, nursery
):
    world = await grown(nursery)
    size = world.size

    for name in tuple(world.live.state.unikernels):
        world.live.strike(CountersRestarted(name))
    world.live.set_demand(WEB, Demand.constant(0.01))
    await trio.sleep(500)

    assert world.size == size
    assert ("suspected_outage", "low") in barred(world)
    await wait_until(lambda: world.size < size, 300)
