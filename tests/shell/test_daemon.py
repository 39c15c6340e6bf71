"""The daemon as a whole: how it ends, what it leaves alone."""

import signal

import pytest
import trio
from attrs import evolve

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.faults import Rule, SlowReply
from albatross_client.values import Config
from autoscaler.core.group import GroupId
from autoscaler.core.policy import Mode, Policy
from tests.fakes import WatchedHost
from tests.shell.harness import (
    GROUP,
    HOST,
    ROOMY,
    USER,
    Machine,
    Wish,
    build_world,
    make_host,
    make_world,
    wait_until,
)

ONE_CLONE = Policy(max_clones=1, min_clones=1)
API = Name(("user",), "api")


async def test_a_daemon_that_does_nothing_ends_at_once(autojump_clock, nursery):
    world = await make_world(nursery, Wish())
    await trio.sleep(100)
    began = trio.current_time()

    world.daemon.stop()
    await world.ended.wait()

    assert trio.current_time() - began < 1
    assert world.size == 1


async def test_an_end_waits_for_the_action_in_flight(autojump_clock, nursery):
    world = await make_world(nursery, Wish(policy=ONE_CLONE))
    await world.notebook.acted.wait()

    world.daemon.stop()
    await world.ended.wait()

    kept = (await world.store.load()).snapshots[0]
    assert world.events("action_finished")[0]["outcome"] == "done"
    assert [str(clone.name) for clone in kept.clones] == world.clones
    assert not kept.actions


async def test_an_end_waits_no_longer_than_it_may_and_says_what_is_left(
    autojump_clock, nursery
):
    slow = Rule(fault=SlowReply(100), verb="create")
    world = await make_world(nursery, Wish(policy=ONE_CLONE, rules=(slow,)))
    await wait_until(lambda: world.size == 2, 60)
    began = trio.current_time()

    world.daemon.stop()
    await world.ended.wait()

    kept = (await world.store.load()).snapshots[0]
    assert trio.current_time() - began == pytest.approx(30, abs=1)
    assert world.events("actions_left") == [{"left": str(GROUP)}]
    assert kept.actions


async def test_nothing_is_decided_after_the_end_began(autojump_clock, nursery):
    slow = Rule(fault=SlowReply(25), verb="create")
    policy = Policy(max_clones=3, min_clones=3)
    world = await make_world(nursery, Wish(policy=policy, rules=(slow,)))
    await wait_until(lambda: world.size == 2, 60)
    ticks = len(world.notebook.ticks)

    world.daemon.stop()
    await world.ended.wait()

    assert len(world.notebook.ticks) == ticks
    assert len(world.events("action_started")) == 1
    assert world.size == 2


async def test_a_signal_ends_it_and_a_second_one_at_once(autojump_clock, nursery):
    slow = Rule(fault=SlowReply(100), verb="create")
    wish = Wish(policy=ONE_CLONE, rules=(slow,))
    live = make_host(nursery, wish)
    world = await build_world(live, wish.store(), wish.policy, Machine())
    began = 0.0

    async with trio.open_nursery() as inner:  # noqa: TID251 - ends with the test
        inner.start_soon(world.daemon.run, (signal.SIGUSR1,))
        await wait_until(lambda: world.size == 2, 60)
        began = trio.current_time()
        signal.raise_signal(signal.SIGUSR1)
        await trio.sleep(5)
        signal.raise_signal(signal.SIGUSR1)

    kept = (await world.store.load()).snapshots[0]
    stopping = world.events("daemon_stopping")
    assert trio.current_time() - began < 6
    assert [f["actions_in_flight"] for f in stopping] == [1, 1]
    assert kept.actions
    assert world.size == 2


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.PAUSED])
@pytest.mark.parametrize(
    "bounds",
    [
        pytest.param(Policy(max_clones=3), id="load"),
        pytest.param(Policy(max_clones=3, min_clones=2), id="min"),
        pytest.param(Policy(max_clones=0), id="max"),
    ],
)
async def test_a_group_that_is_not_active_only_reads(
    autojump_clock, nursery, mode, bounds
):
    hosts: list[WatchedHost] = []

    def watched(client):
        hosts.append(WatchedHost(client))
        return hosts[-1]

    wish = Wish(
        policy=evolve(bounds, mode=mode),
        demand=Demand(((0.0, 2.0), (900.0, 0.2))),
        machine=Machine(through=watched),
    )
    live = make_host(nursery, wish)
    live.create(GROUP.clone(7), wish.config)
    world = await build_world(live, wish.store(), wish.policy, wish.machine)
    nursery.start_soon(world.run)

    await trio.sleep(1800)

    assert world.clones == ["user:web-clone-7"]
    assert {verb for host in hosts for verb in host.asked} == {
        "info",
        "policies",
        "stats",
    }
    assert world.events("action_started") == []
    assert any(d.acts for d in world.notebook.decisions) == (mode is Mode.OBSERVE)


async def test_two_groups_share_the_last_room(autojump_clock, nursery):
    room_for_one = evolve(ROOMY, unikernels=3)
    wish = Wish(
        policy=ONE_CLONE,
        domain=room_for_one,
        machine=Machine(groups={GroupId(HOST, API): ONE_CLONE}),
    )
    live = make_host(nursery, wish)
    live.create(API, wish.config)
    refused: list[str] = []
    world = await build_world(live, wish.store(), wish.policy, wish.machine)
    nursery.start_soon(world.run)

    await trio.sleep(600)

    refused += [
        str(f["error"]) for f in world.events("action_finished") if "error" in f
    ]
    assert world.size == 2
    assert refused == []
    assert live.state.policies[USER].unikernels == len(live.state.unikernels)


async def test_one_slow_host_does_not_delay_another(autojump_clock, nursery):
    slow = Rule(fault=SlowReply(1000), times=None)
    other = make_host(nursery, Wish(rules=(slow,)))
    groups = {GroupId("slow", GROUP.name): Policy(max_clones=1, min_clones=1)}
    machine = Machine(others={"slow": other}, groups=groups)
    world = await make_world(nursery, Wish(demand=Demand.constant(2), machine=machine))

    took = await wait_until(lambda: world.size == 3, 600)

    assert took < 300
    assert len(other.state.unikernels) == 1


async def test_groups_of_several_domains_are_each_followed(autojump_clock, nursery):
    shop = Name(("shop",))
    till = Name(("shop",), "till")
    wish = Wish(
        policy=ONE_CLONE, machine=Machine(groups={GroupId(HOST, till): ONE_CLONE})
    )
    live = make_host(nursery, wish)
    live.set_policy(shop, ROOMY)
    live.create(till, Config(image=wish.config.image, memory=32))
    world = await build_world(live, wish.store(), wish.policy, wish.machine)
    nursery.start_soon(world.run)

    await trio.sleep(120)

    running = sorted(map(str, live.state.unikernels))
    assert running == [
        "shop:till",
        "shop:till-clone-1",
        "user:web",
        "user:web-clone-1",
    ]
