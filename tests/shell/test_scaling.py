"""The daemon on a model host, under the virtual clock: load in, clones out."""

import pytest
import trio

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.faults import (
    Killed,
    Refused,
    ReplyLost,
    Rule,
    Silenced,
    StreamStalled,
)
from autoscaler.core.decision import MemberClass, Outcome
from autoscaler.core.policy import Policy
from tests.shell.harness import Wish, make_world, wait_until

# Hours of virtual time, in whole daemons: traced they take three times as long.
pytestmark = pytest.mark.no_cover

INTERVAL = 10.0


@pytest.mark.parametrize("percent", [30, 50, 60, 89, 95])
async def test_usage_is_within_two_points_of_the_load(autojump_clock, nursery, percent):
    wish = Wish(demand=Demand.constant(percent / 100), policy=Policy(max_clones=0))
    world = await make_world(nursery, wish)

    await trio.sleep(600)

    means = [t.load.mean_up for t in world.notebook.ticks if t.load.mean_up is not None]
    assert len(means) > 40
    assert all(abs(mean - percent) <= 2 for mean in means)


async def test_89_percent_changes_nothing_in_a_hundred_ticks(autojump_clock, nursery):
    world = await make_world(nursery, Wish(demand=Demand.constant(0.89)))

    await wait_until(lambda: len(world.notebook.ticks) >= 100, 2000)

    assert world.size == 1
    assert {t.outcome for t in world.notebook.ticks} == {Outcome.HOLD}


async def test_95_percent_adds_a_clone_at_the_third_tick(autojump_clock, nursery):
    world = await make_world(nursery, Wish(demand=Demand.constant(0.95)))

    await wait_until(lambda: world.size == 2, 300)

    usages = [t for t in world.notebook.ticks if t.load.mean_up is not None]
    outcomes = [tick.outcome for tick in usages]
    assert outcomes[:3] == [Outcome.HOLD, Outcome.HOLD, Outcome.UP]
    assert [tick.high for tick in usages[:3]] == [1, 2, 3]


async def test_stalls_of_35_seconds_a_minute_lead_to_no_action(autojump_clock, nursery):
    stalls = Rule(fault=StreamStalled(35.0), after=65.0, every=60.0, times=None)
    wish = Wish(
        demand=Demand.constant(0.8),
        policy=Policy(max_clones=3, scale_down_threshold_percent=70),
        rules=(stalls,),
    )
    world = await make_world(nursery, wish)

    await trio.sleep(3600)

    means = [t.load.mean_up for t in world.notebook.ticks if t.load.mean_up is not None]
    assert world.size == 1
    assert len(means) > 30
    assert all(abs(mean - 80) <= 2 for mean in means)


async def test_a_killed_clone_is_noticed_within_50_seconds(autojump_clock, nursery):
    policy = Policy(max_clones=3, min_clones=1)
    world = await make_world(nursery, Wish(policy=policy))
    await wait_until(lambda: len(world.group.clones) == 1, 120)
    await trio.sleep(120)
    clone = world.group.clones[0].name

    world.live.strike(Killed(clone))
    took = await wait_until(lambda: clone not in _members(world), 120)

    assert took <= 50


async def test_a_clone_that_is_listed_but_silent_does_not_stop_a_scale_up(
    autojump_clock, nursery
):
    policy = Policy(max_clones=4, min_clones=2)
    world = await make_world(nursery, Wish(policy=policy))
    await wait_until(lambda: len(world.group.clones) == 2, 200)
    await trio.sleep(300)

    world.live.strike(Silenced(world.group.clones[0].name))
    await trio.sleep(60)
    world.live.set_demand(world.group.id.name, Demand.constant(4))
    took = await wait_until(lambda: world.size >= 4, 600)

    stale = world.notebook.ticks[-1].load.names(MemberClass.STALE)
    assert stale == (world.group.clones[0].name,)
    assert took < 120


async def test_failing_creates_are_tried_at_most_15_times_an_hour(
    autojump_clock, nursery
):
    refusal = Rule(fault=Refused("no such luck"), verb="create", times=None)
    policy = Policy(max_clones=5, min_clones=3, max_failures_in_row=100)
    wish = Wish(policy=policy, rules=(refusal,))
    world = await make_world(nursery, wish)

    await trio.sleep(3600)

    tried = world.events("action_started")
    assert 8 <= len(tried) <= 15
    assert world.clones == []


async def test_ten_members_come_within_15_minutes_by_the_defaults(
    autojump_clock, nursery
):
    wish = Wish(demand=Demand.constant(8.9), policy=Policy(max_clones=9))
    world = await make_world(nursery, wish)

    took = await wait_until(lambda: len(world.group.clones) == 9, 1800)

    assert took < 15 * 60


async def test_a_lost_reply_to_create_leads_to_one_clone(autojump_clock, nursery):
    lost = Rule(fault=ReplyLost(), verb="create")
    wish = Wish(policy=Policy(max_clones=2, min_clones=1), rules=(lost,))
    world = await make_world(nursery, wish)

    await trio.sleep(600)

    assert world.clones == ["user:web-clone-1"]
    assert [str(c.name) for c in world.group.clones] == world.clones


async def test_a_group_grows_with_its_load_and_shrinks_again(autojump_clock, nursery):
    demand = Demand(((0.0, 0.3), (300.0, 2.5), (1500.0, 0.3)))
    world = await make_world(nursery, Wish(demand=demand))

    await wait_until(lambda: world.size == 3, 1500)
    await wait_until(lambda: world.size == 1, 3600)
    await trio.sleep(900)

    actions = [fields["action"] for fields in world.events("action_started")]
    assert actions == ["CreateClones"] * 2 + ["DestroyClone"] * 2
    assert world.size == 1


def _members(world) -> set[Name]:
    return {clone.name for clone in world.group.clones}
