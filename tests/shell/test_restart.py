"""A daemon that ends at any moment, and the next one on the same state."""

import pytest
import trio
from attrs import evolve

from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.faults import Killed, ReplyLost, Rule, Silenced, SlowReply
from autoscaler.core.policy import Mode, Policy
from tests.shell.harness import (
    Machine,
    Wish,
    make_world,
    start_daemon,
    wait_until,
)

# Hours of virtual time, in whole daemons: traced they take three times as long.
pytestmark = pytest.mark.no_cover

# Every await of an action lies between two of these: a command takes 3 ms.
MOMENTS = [*(ms / 1000 for ms in range(25)), 0.1, 1.0, 5.0, 9.45, 9.6, 12.0]
ONE_CLONE = Policy(max_clones=1, min_clones=1)
NO_CLONE = Policy(max_clones=0)


async def settled(nursery, world, policy, machine=None):
    """Return the world of the next daemon, once it had time to settle."""
    again = await start_daemon(
        nursery, world.live, world.store, policy, machine or Machine()
    )
    await trio.sleep(200)
    return again


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_create_that_is_killed_at_any_moment_leads_to_one_clone(
    autojump_clock, nursery, moment
):
    world = await make_world(nursery, Wish(policy=ONE_CLONE))
    await world.notebook.acted.wait()
    await trio.sleep(moment)

    await world.kill()
    again = await settled(nursery, world, ONE_CLONE)

    assert len(again.clones) == 1
    assert again.members == again.clones
    assert again.group.foreign == frozenset()
    assert not again.group.ledger.actions


@pytest.mark.parametrize("moment", MOMENTS[:20])
async def test_a_destroy_that_is_killed_at_any_moment_is_finished(
    autojump_clock, nursery, moment
):
    world = await make_world(nursery, Wish(policy=ONE_CLONE))
    await wait_until(lambda: len(world.members) == 1, 60)
    await world.kill()
    world = await start_daemon(nursery, world.live, world.store, NO_CLONE)
    await world.notebook.acted.wait()
    await trio.sleep(moment)

    await world.kill()
    again = await settled(nursery, world, NO_CLONE)

    assert again.clones == []
    assert again.members == []
    assert not again.group.ledger.actions


async def test_a_create_is_on_disk_before_the_host_hears_of_it(autojump_clock, nursery):
    world = await make_world(nursery, Wish(policy=ONE_CLONE))

    await wait_until(lambda: world.size == 2, 60)
    kept = (await world.store.load()).snapshots[0]

    assert kept.actions
    (left,) = kept.actions
    assert [str(slot.name) for slot in left.slots] == world.clones


async def test_a_clone_that_was_made_meanwhile_starts_the_cooldown_at_the_start(
    autojump_clock, nursery
):
    slow = Rule(fault=SlowReply(20), verb="create")
    world = await make_world(nursery, Wish(policy=ONE_CLONE, rules=(slow,)))
    await wait_until(lambda: world.size == 2, 60)

    await world.kill()
    again = await start_daemon(nursery, world.live, world.store, ONE_CLONE)
    await wait_until(lambda: again.events("action_finished") != [], 30)

    finished = again.events("action_finished")[0]
    assert finished["outcome"] == "done"
    assert again.group.ledger.changed_at == pytest.approx(trio.current_time(), abs=1)


async def test_a_create_that_did_not_come_about_has_failed_and_backs_off(
    autojump_clock, nursery
):
    world = await make_world(nursery, Wish(policy=ONE_CLONE))
    await world.notebook.acted.wait()
    await trio.sleep(0.001)

    await world.kill()
    again = await start_daemon(nursery, world.live, world.store, ONE_CLONE)
    await wait_until(lambda: again.events("action_finished") != [], 30)

    finished = again.events("action_finished")[0]
    assert finished["outcome"] == "failed"
    assert finished["error"].endswith("user:web-clone-1 is not listed")
    assert again.group.ledger.creating.failures == 1
    assert again.clones == []


async def test_an_action_that_was_half_done_is_told_as_failed(autojump_clock, nursery):
    step = Policy(max_clones=2, scale_up_step=2, scale_up_trigger_ticks=1)
    second = Rule(fault=SlowReply(100), verb="create", after=1)
    world = await make_world(
        nursery, Wish(policy=step, demand=Demand.constant(3), rules=())
    )
    await wait_until(lambda: world.members == ["user:web-clone-1"], 200)
    world.live.inject(second)

    await world.kill()
    again = await start_daemon(nursery, world.live, world.store, step)
    await wait_until(lambda: again.events("action_finished") != [], 30)

    finished = again.events("action_finished")[0]
    assert finished["outcome"] == "failed"
    assert "user:web-clone-2 is not listed" in finished["error"]
    assert again.members == ["user:web-clone-1"]


@pytest.mark.parametrize(
    "machine",
    [
        pytest.param(Machine(), id="same-boot"),
        pytest.param(Machine(wall_step=86_400), id="same-boot-wall-ahead"),
        pytest.param(Machine(wall_step=-86_400), id="same-boot-wall-behind"),
        pytest.param(Machine(boot_id="another"), id="another-boot"),
        pytest.param(Machine(boot_id="another", wall_step=-900), id="boot-wall-behind"),
    ],
)
async def test_the_cooldown_is_kept_and_never_longer_than_its_length(
    autojump_clock, nursery, machine
):
    policy = Policy(max_clones=2, cooldown_up=600, scale_up_trigger_ticks=1)
    world = await make_world(nursery, Wish(policy=policy, demand=Demand.constant(3)))
    await wait_until(lambda: len(world.members) == 1, 200)
    ended = trio.current_time()

    await world.kill()
    again = await start_daemon(nursery, world.live, world.store, policy, machine)
    await wait_until(lambda: len(again.members) == 2, 1000)

    if machine.wall_step <= 0 or machine.boot_id == "the only boot":
        assert trio.current_time() - ended > 600
    assert trio.current_time() - ended < 600 + 100


async def test_another_boot_with_a_wall_clock_ahead_ends_the_cooldown_early(
    autojump_clock, nursery
):
    policy = Policy(max_clones=2, cooldown_up=600, scale_up_trigger_ticks=1)
    world = await make_world(nursery, Wish(policy=policy, demand=Demand.constant(3)))
    await wait_until(lambda: world.events("action_finished") != [], 200)
    machine = Machine(boot_id="another", wall_step=10_000)

    await world.kill()
    again = await start_daemon(nursery, world.live, world.store, policy, machine)

    assert await wait_until(lambda: len(again.members) == 2, 1000) < 200


async def test_numbers_are_not_used_again(autojump_clock, nursery):
    world = await make_world(nursery, Wish(policy=ONE_CLONE))
    await wait_until(lambda: world.members == ["user:web-clone-1"], 60)
    await world.kill()
    world.live.strike(Killed(world.group.clones[0].name))

    again = await start_daemon(nursery, world.live, world.store, ONE_CLONE)
    await wait_until(lambda: again.members == ["user:web-clone-2"], 600)

    assert again.clones == ["user:web-clone-2"]


async def test_a_clone_whose_create_was_lost_twice_is_ours_when_it_turns_up(
    autojump_clock, nursery
):
    lost = Rule(fault=ReplyLost(), verb="create")
    world = await make_world(nursery, Wish(policy=ONE_CLONE, rules=(lost,)))
    await wait_until(lambda: world.size == 2, 60)

    await world.kill()
    again = await settled(nursery, world, ONE_CLONE)

    assert again.members == again.clones == ["user:web-clone-1"]


async def test_an_interval_is_remembered_until_there_is_a_new_one(
    autojump_clock, nursery
):
    world = await make_world(nursery, Wish(interval=5.0))
    await trio.sleep(130)

    await world.kill()
    again = await start_daemon(nursery, world.live, world.store, ONE_CLONE)

    (watch,) = again.daemon.fleet.watches.values()
    assert watch.feed.rhythm.interval == pytest.approx(5.0)
    assert watch.feed.rhythm.median is None


async def test_a_daemon_that_only_observes_settles_what_the_last_one_began(
    autojump_clock, nursery
):
    world = await make_world(nursery, Wish(policy=ONE_CLONE))
    await wait_until(lambda: world.size == 2, 60)
    observing = evolve(ONE_CLONE, mode=Mode.OBSERVE)

    await world.kill()
    again = await settled(nursery, world, observing)

    assert again.members == again.clones == ["user:web-clone-1"]
    assert not again.group.ledger.actions


async def test_a_host_that_is_silent_at_the_start_is_asked_until_it_answers(
    autojump_clock, nursery
):
    world = await make_world(nursery, Wish(policy=ONE_CLONE))
    await wait_until(lambda: world.size == 2, 60)
    await world.kill()
    world.live.inject(Rule(fault=SlowReply(100), verb="info", times=3))

    again = await start_daemon(nursery, world.live, world.store, ONE_CLONE)
    await wait_until(lambda: not again.group.ledger.actions, 600)

    assert again.members == again.clones == ["user:web-clone-1"]
    assert again.events("look_failed")[0]["error"] == "no answer within 30 s"


async def test_a_crash_loop_of_the_daemon_makes_no_second_clone(
    autojump_clock, nursery
):
    world = await make_world(nursery, Wish(policy=ONE_CLONE))
    for _ in range(20):
        await trio.sleep(7)
        await world.kill()
        world = await start_daemon(nursery, world.live, world.store, ONE_CLONE)
    await trio.sleep(200)

    assert len(world.clones) == 1
    assert world.members == world.clones


async def test_a_given_up_clone_that_is_replaced_while_the_daemon_is_killed(
    autojump_clock, nursery
):
    policy = Policy(max_clones=2, min_clones=1, death_timeout=100, cooldown_up=10)
    world = await make_world(nursery, Wish(policy=policy))
    await wait_until(lambda: len(world.members) == 1, 60)
    await trio.sleep(60)
    world.live.strike(Silenced(world.group.clones[0].name))
    await wait_until(lambda: bool(world.group.ledger.actions), 400)
    await trio.sleep(1)

    await world.kill()
    again = await settled(nursery, world, policy)

    assert again.members == again.clones
    assert again.clones == ["user:web-clone-2"]
