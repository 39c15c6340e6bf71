"""What an activator learns of its group, and how a group wakes and rests."""

import pytest
import trio
from attrs import evolve

from autoscaler.core.backend import Health
from autoscaler.core.demand import RequestPolicy
from autoscaler.core.idle import IdlePolicy
from autoscaler.core.policy import Mode
from autoscaler.shell.balancing.waking import Members
from tests.shell.balancing.scene import (
    AWAY,
    GATE,
    POLICY,
    SHOP,
    LiveBalancer,
    gate,
    make_scene,
)
from tests.shell.harness import wait_until

# Hours of virtual time, in whole daemons: traced they take three times as long.
pytestmark = pytest.mark.no_cover

SLEEPY = evolve(
    POLICY,
    min_clones=0,
    poll_interval=1.0,
    requests=RequestPolicy(target_in_flight=5),
)
IDLE = IdlePolicy(idle_to_min=30, idle_to_zero=120, min_age=30)


def labels(members):
    return [serving.server for serving in members.ready()]


async def sleeping(nursery, **changes):
    """Return a group without members, and what its activator asks."""
    scene = await make_scene(nursery, SLEEPY, idle=IDLE, activator=GATE, **changes)
    scene.balancer.intrude(gate())
    await trio.sleep(15)
    assert scene.running == []
    return scene, Members(SHOP, scene.world.daemon.fleet, scene.keeper)


async def test_who_serves_is_ready(autojump_clock, nursery):
    scene = await make_scene(nursery, balancer=LiveBalancer(sick={"10.0.0.1"}))
    members = Members(SHOP, scene.world.daemon.fleet, scene.keeper)
    await wait_until(lambda: scene.running == ["shop-1"], 60)
    assert labels(members) == []
    assert members.is_waking()

    scene.balancer.sick = set()
    await scene.settled("shop-1", "shop-2")

    assert [str(serving.place) for serving in members.ready()] == [
        "10.0.0.1:80",
        "10.0.0.2:80",
    ]
    assert not members.is_waking()


async def test_who_fails_its_checks_or_goes_is_not_ready(autojump_clock, nursery):
    scene = await make_scene(nursery)
    members = Members(SHOP, scene.world.daemon.fleet, scene.keeper)
    await scene.settled("shop-1", "shop-2")
    scene.balancer.sick = {"10.0.0.1"}
    await trio.sleep(2)
    assert labels(members) == ["shop-2"]

    scene.balancer.sick = set()
    scene.balancer.model.begin("shop-1")
    scene.balancer.model.begin("shop-2")
    scene.want(max_clones=1, min_clones=1)
    await wait_until(lambda: scene.group.ledger.actions != (), 120)

    assert labels(members) == ["shop-1"]


async def test_a_balancer_that_forgets_or_is_away_makes_nobody_unready(
    autojump_clock, nursery
):
    """That is when the activator gets their requests."""
    scene = await make_scene(nursery)
    members = Members(SHOP, scene.world.daemon.fleet, scene.keeper)
    await scene.settled("shop-1", "shop-2")

    scene.balancer.trouble = AWAY
    scene.balancer.model.forget()
    await trio.sleep(5)

    assert labels(members) == ["shop-1", "shop-2"]


async def test_a_group_that_is_gone_has_no_members_and_does_not_wake(
    autojump_clock, nursery
):
    scene, members = await sleeping(nursery)

    scene.world.daemon.fleet.remove(SHOP)
    members.wake()

    assert labels(members) == []
    assert not members.is_waking()


async def test_changes_are_told_at_once(autojump_clock, nursery):
    _, members = await sleeping(nursery)
    told = []

    async def listen():
        await members.changed()
        told.append(members.is_waking())
        await members.changed()
        told.append(labels(members))

    nursery.start_soon(listen)
    await trio.sleep(10)
    assert told == []
    members.wake()
    await wait_until(lambda: len(told) == 2, 5)

    assert told == [True, ["shop-1"]]


async def test_a_wake_is_one_create_whoever_asks(autojump_clock, nursery):
    scene, members = await sleeping(nursery)

    for _ in range(100):
        members.wake()
    took = await scene.settled("shop-1")

    assert took < 2
    assert len(scene.world.events("action_started")) == 1


async def test_a_wake_that_failed_is_held_back_for_a_while(autojump_clock, nursery):
    scene, members = await sleeping(nursery)
    scene.balancer.sick = {"10.0.0.1"}
    members.wake()
    await wait_until(lambda: scene.failures != [], 120)

    members.wake()
    assert scene.group.ledger.slots == ()

    await trio.sleep(15)
    members.wake()
    await scene.settled("shop-2")


async def test_nobody_wakes_a_paused_group_or_a_daemon_that_ends(
    autojump_clock, nursery
):
    scene, members = await sleeping(nursery)
    scene.want(mode=Mode.PAUSED)
    members.wake()
    assert scene.group.ledger.actions == ()

    scene.want(mode=Mode.ACTIVE)
    scene.world.daemon.stop()
    members.wake()
    assert scene.group.ledger.actions == ()


async def test_a_group_that_nobody_asks_for_goes_to_sleep(autojump_clock, nursery):
    scene, members = await sleeping(nursery)
    members.wake()
    await scene.settled("shop-1")
    began = trio.current_time()

    await wait_until(lambda: scene.running == [], 300)

    took = trio.current_time() - began
    assert IDLE.idle_to_zero <= took < IDLE.idle_to_zero + 5
    assert scene.failures == []
    assert list(scene.servers) == ["activator"]


async def test_it_does_not_sleep_while_nobody_would_wake_it(autojump_clock, nursery):
    scene, members = await sleeping(nursery)
    members.wake()
    await scene.settled("shop-1")
    broken = gate(Health.FAILED)
    scene.balancer.others.clear()
    scene.balancer.model.servers["activator"] = broken

    await trio.sleep(300)

    assert scene.running == ["shop-1"]
    decision = scene.group.decision
    assert decision is not None
    assert decision.reason.value == "no_activator"
    scene.balancer.intrude(gate())
    await wait_until(lambda: scene.running == [], 30)


async def test_a_request_that_ends_begins_the_clock_anew(autojump_clock, nursery):
    scene, members = await sleeping(nursery)
    members.wake()
    await scene.settled("shop-1")
    await trio.sleep(100)

    scene.balancer.model.begin("shop-1")
    scene.balancer.model.end("shop-1")
    took = await wait_until(lambda: scene.running == [], 300)

    assert IDLE.idle_to_zero <= took < IDLE.idle_to_zero + 5


async def test_an_open_session_keeps_its_member(autojump_clock, nursery):
    scene, members = await sleeping(nursery)
    members.wake()
    await scene.settled("shop-1")
    scene.balancer.model.begin("shop-1")

    await trio.sleep(900)

    assert scene.serving == ["shop-1"]


async def test_a_balancer_that_is_away_puts_nobody_to_sleep(autojump_clock, nursery):
    scene, members = await sleeping(nursery)
    members.wake()
    await scene.settled("shop-1")

    scene.balancer.trouble = AWAY
    await trio.sleep(900)

    assert scene.running == ["shop-1"]
