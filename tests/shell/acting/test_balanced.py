"""Members join their balancer and leave it, in a whole daemon."""

import pytest
import trio
from attrs import evolve

from albatross_client.sandbox.faults import Refused, Rule
from autoscaler.core.arrange import Add, Drain, MakeReady, Remove, Rest
from autoscaler.core.backend import Duty, Health, Server
from autoscaler.core.decision import Reason
from autoscaler.core.ledger import Parting
from autoscaler.shell.traffic.balancer import BalancerError, Trouble
from tests.shell.balancing.scene import AWAY, SHOP, LiveBalancer, make_scene
from tests.shell.harness import HOST, wait_until

DRAIN_S = 20.0


def foreign(name, address="10.9.9.9"):
    """Return a server of somebody else, which serves."""
    return Server(
        name=name, address=address, port=80, duty=Duty.READY, health=Health.PASSED
    )


def steps(balancer, name):
    return [type(step) for step in balancer.performed if step.name == name]


# In


async def test_members_get_work_once_a_check_has_passed(autojump_clock, nursery):
    scene = await make_scene(nursery)

    await scene.settled("shop-1", "shop-2")

    assert steps(scene.balancer, "shop-1") == [Add, MakeReady]
    assert [c.ready_at is not None for c in scene.group.clones] == [True, True]
    assert scene.failures == []


async def test_a_member_does_not_wait_for_its_first_frame(autojump_clock, nursery):
    """That comes up to ten seconds later."""
    scene = await make_scene(nursery)
    await wait_until(lambda: scene.running == ["shop-1"], 60)
    began = trio.current_time()

    await wait_until(lambda: scene.serving == ["shop-1"], 60)

    assert trio.current_time() - began < 1


async def test_one_that_never_passes_a_check_is_removed_again(autojump_clock, nursery):
    scene = await make_scene(nursery, balancer=LiveBalancer(sick={"10.0.0.1"}))

    await wait_until(lambda: scene.failures != [], 120)

    assert scene.failures == [
        f"{SHOP.clone(1)} got no work within 60 s: its checks: failed"
    ]
    assert scene.running == []
    assert "shop-1" not in scene.servers
    assert scene.group.ledger.creating.failures == 1
    assert scene.group.ledger.parting == {}
    scene.balancer.sick = set()
    await scene.settled("shop-2", "shop-3")


async def test_a_name_that_is_taken_is_left_alone_and_another_one_used(
    autojump_clock, nursery
):
    theirs, balancer = foreign("shop-1"), LiveBalancer()
    balancer.intrude(theirs)
    scene = await make_scene(nursery, balancer=balancer)

    await wait_until(lambda: scene.failures != [], 120)

    assert "a server that isn't ours has its name" in scene.failures[0]
    assert scene.running == []
    await wait_until(lambda: scene.running == ["shop-2", "shop-3"], 300)
    await wait_until(lambda: scene.serving == ["shop-1", "shop-2", "shop-3"], 60)
    assert scene.servers["shop-1"] == theirs
    assert len(scene.world.events("server_name_taken")) == 1


async def test_a_balancer_that_is_away_condemns_no_member(autojump_clock, nursery):
    scene = await make_scene(nursery, balancer=LiveBalancer(trouble=AWAY))

    await wait_until(lambda: scene.running == ["shop-1", "shop-2"], 600)
    assert scene.failures == []

    scene.balancer.trouble = None
    assert await scene.settled("shop-1", "shop-2") < 2


async def test_what_a_balancer_refuses_is_said_of_who_does_not_get_in(
    autojump_clock, nursery
):
    static = BalancerError("its `balance` allows no servers", Trouble.STATIC_BALANCE)
    balancer = LiveBalancer(refusals={"shop-1": static})
    scene = await make_scene(nursery, balancer=balancer)

    await wait_until(lambda: scene.failures != [], 120)

    assert scene.failures == [
        f"{SHOP.clone(1)} got no work within 60 s: its `balance` allows no servers"
    ]
    assert scene.world.events("balancer_lost") == []
    assert scene.world.events("server_unchanged") != []


async def test_one_that_fails_and_can_not_be_removed_may_still_serve(
    autojump_clock, nursery
):
    balancer = LiveBalancer(sick={"10.0.0.1"})
    scene = await make_scene(nursery, balancer=balancer)
    refused = Rule(fault=Refused("not now"), verb="destroy", times=None)
    scene.world.live.inject(refused)

    await wait_until(lambda: scene.failures != [], 120)
    balancer.sick = set()
    await wait_until(lambda: "shop-1" in scene.serving, 120)

    assert "and is still there: " in scene.failures[0]


# Out


async def test_a_victim_is_drained_removed_and_destroyed(autojump_clock, nursery):
    scene = await make_scene(nursery)
    await scene.settled("shop-1", "shop-2")

    scene.want(max_clones=1, min_clones=1)
    await scene.settled("shop-1")

    assert steps(scene.balancer, "shop-2") == [Add, MakeReady, Drain, Rest, Remove]
    assert scene.group.ledger.parting == {}
    assert scene.failures == []


async def test_nobody_is_destroyed_with_requests_on_it(autojump_clock, nursery):
    scene = await make_scene(nursery)
    await scene.settled("shop-1", "shop-2")
    scene.balancer.model.begin("shop-1")
    scene.balancer.model.begin("shop-2")

    scene.want(max_clones=1, min_clones=1)
    await wait_until(lambda: scene.serving == ["shop-1"], 120)
    await trio.sleep(DRAIN_S - 5)
    assert scene.running == ["shop-1", "shop-2"]
    scene.balancer.model.end("shop-2")

    assert await wait_until(lambda: scene.running == ["shop-1"], 10) < 1
    assert "shop-2" not in scene.servers


async def test_who_does_not_end_is_cut_off_after_the_drain_timeout(
    autojump_clock, nursery
):
    scene = await make_scene(nursery)
    await scene.settled("shop-1", "shop-2")
    scene.balancer.model.begin("shop-1")
    scene.balancer.model.begin("shop-2")

    scene.want(max_clones=1, min_clones=1)
    await wait_until(lambda: scene.serving == ["shop-1"], 120)
    took = await wait_until(lambda: scene.running == ["shop-1"], 60)

    assert took == pytest.approx(DRAIN_S, abs=1.5)
    assert scene.servers["shop-2"].duty is Duty.MAINT
    assert scene.failures == []
    # Its connections break; then nobody needs it any more.
    scene.balancer.model.end("shop-2")
    await wait_until(lambda: "shop-2" not in scene.servers, 5)


async def test_a_busy_victim_is_swapped_for_a_quiet_one(autojump_clock, nursery):
    scene = await make_scene(nursery)
    await scene.settled("shop-1", "shop-2")
    scene.balancer.model.begin("shop-1")

    def come_just_before_the_drain(step):
        if step == Drain("shop-2"):
            scene.balancer.model.begin("shop-2")
            scene.balancer.model.end("shop-1")

    scene.balancer.told = come_just_before_the_drain
    scene.want(max_clones=1, min_clones=1)
    await wait_until(lambda: scene.serving == ["shop-1"], 120)
    took = await wait_until(lambda: scene.running == ["shop-2"], 30)
    await scene.settled("shop-2")

    assert took == pytest.approx(DRAIN_S / 2, abs=1.5)
    finished = scene.finished[-1]
    assert finished["outcome"] == "done"
    assert finished["victim"] == str(SHOP.clone(1))
    assert finished["instead_of"] == str(SHOP.clone(2))


async def test_a_balancer_that_does_not_answer_holds_a_destroy(autojump_clock, nursery):
    scene = await make_scene(nursery)
    await scene.settled("shop-1", "shop-2")
    scene.balancer.trouble = AWAY

    scene.want(max_clones=1, min_clones=1)
    await wait_until(lambda: scene.failures != [], 120)

    [failure] = scene.failures
    assert failure == (
        f"{SHOP.clone(2)} could not leave its balancer within 10 s: "
        "the balancer doesn't answer"
    )
    assert scene.running == ["shop-1", "shop-2"]
    assert scene.group.ledger.destroying.failures == 1
    scene.balancer.trouble = None
    await scene.settled("shop-1")


async def test_a_victim_that_could_not_leave_serves_again(autojump_clock, nursery):
    scene = await make_scene(nursery)
    await scene.settled("shop-1", "shop-2")
    in_use = BalancerError("it has connections", Trouble.IN_USE)

    async def refuse_to_remove():
        await wait_until(lambda: scene.servers["shop-2"].duty is Duty.MAINT, 120)
        scene.balancer.refusals = {"shop-2": in_use}

    nursery.start_soon(refuse_to_remove)
    scene.want(max_clones=1, min_clones=1)
    await wait_until(lambda: scene.failures != [], 120)
    scene.balancer.refusals = {}
    scene.want(max_clones=2, min_clones=2)

    assert "could not leave its balancer" in scene.failures[0]
    await scene.settled("shop-1", "shop-2")


async def test_after_a_reload_nothing_is_believed_for_as_long_as_a_drain(
    autojump_clock, nursery
):
    """The earlier process still ends its requests, and shows none of them."""
    scene = await make_scene(nursery)
    await scene.settled("shop-1", "shop-2")

    def began_a_while_ago(step):
        if step == Drain("shop-2"):
            scene.balancer.began = trio.current_time() - DRAIN_S / 4

    scene.balancer.told = began_a_while_ago
    scene.want(max_clones=1, min_clones=1)
    await wait_until(lambda: scene.serving == ["shop-1"], 120)
    took = await wait_until(lambda: scene.running == ["shop-1"], 60)

    assert took == pytest.approx(DRAIN_S * 3 / 4, abs=1)
    assert steps(scene.balancer, "shop-2")[-1] is Remove


async def test_a_drain_keeps_nobody_waiting_for_its_turn(autojump_clock, nursery):
    scene = await make_scene(nursery)
    scene.want(max_clones=5, min_clones=5)
    labels = [f"shop-{n}" for n in range(1, 6)]
    await scene.settled(*labels)
    for label in labels:
        scene.balancer.model.begin(label)
    turns = scene.turns

    scene.want(max_clones=1, min_clones=1)
    await wait_until(lambda: len(scene.serving) == 4, 120)

    [action] = scene.group.ledger.actions
    assert action.reason is Reason.ABOVE_MAX
    assert all(turns.of(HOST).take_at_once() for _ in range(2))


# After a restart


async def test_a_daemon_that_is_killed_in_a_drain_lets_the_victim_serve_again(
    autojump_clock, nursery
):
    scene = await make_scene(nursery)
    await scene.settled("shop-1", "shop-2")
    scene.balancer.model.begin("shop-1")
    scene.balancer.model.begin("shop-2")
    scene.want(max_clones=1, min_clones=1)
    await wait_until(lambda: scene.serving == ["shop-1"], 120)
    assert scene.group.ledger.parting == {SHOP.clone(2): Parting.ENDS}

    again = await scene.restarted(nursery)

    await again.settled("shop-1", "shop-2")
    assert again.group.ledger.parting == {}


async def test_a_daemon_finds_its_members_where_it_left_them(autojump_clock, nursery):
    scene = await make_scene(nursery)
    await scene.settled("shop-1", "shop-2")
    told = len(scene.balancer.performed)

    again = await scene.restarted(nursery)
    await wait_until(lambda: all(c.ready_at for c in again.group.clones), 60)
    await trio.sleep(60)

    assert scene.balancer.performed[told:] == []
    assert again.world.events("server_name_taken") == []


async def test_a_server_that_an_earlier_run_has_left_is_removed(
    autojump_clock, nursery
):
    scene = await make_scene(nursery)
    await scene.settled("shop-1", "shop-2")
    scene.balancer.model.begin("shop-1")
    scene.balancer.model.begin("shop-2")
    scene.want(max_clones=1, min_clones=1)
    await wait_until(lambda: scene.running == ["shop-1"], 300)
    await wait_until(lambda: scene.group.ledger.actions == (), 10)
    await trio.sleep(5)
    # Its last connection breaks only now, and nobody remembers it.
    again = await scene.restarted(nursery)
    scene.balancer.model.end("shop-2")

    await wait_until(lambda: "shop-2" not in again.servers, 60)

    assert again.world.events("server_name_taken") == []


async def test_what_is_not_ours_is_never_touched(autojump_clock, nursery):
    theirs = (
        foreign("legacy", "10.0.0.50"),
        foreign("shop-9", "10.8.0.1"),
        evolve(foreign("activator"), is_backup=True),
    )
    balancer = LiveBalancer()
    balancer.intrude(*theirs)
    scene = await make_scene(nursery, balancer=balancer)

    await wait_until(lambda: scene.running == ["shop-1", "shop-2"], 300)
    scene.want(max_clones=1, min_clones=1)
    await wait_until(lambda: scene.running == ["shop-1"], 300)
    await trio.sleep(120)

    assert [scene.servers[server.name] for server in theirs] == list(theirs)
    [taken] = scene.world.events("server_name_taken")
    assert "shop-9 at 10.8.0.1" in taken["error"]
