"""Members stand by, are promoted and made anew, in a whole daemon."""

from typing import TYPE_CHECKING, cast

import pytest
import trio
from attrs import evolve

from autoscaler.core.arrange import Add, MakeReady
from autoscaler.core.backend import Duty, Health
from autoscaler.core.demand import RequestPolicy
from autoscaler.core.events import ScaleAsked, WakeAsked
from autoscaler.core.serving import StandbyPolicy
from autoscaler.shell.balancing.waking import Members
from autoscaler.shell.log import Log
from autoscaler.shell.operators.control import Peer
from autoscaler.shell.operators.desk import Desk, Ledgers
from autoscaler.shell.operators.notify import Notifier
from autoscaler.shell.operators.requests import Request
from tests.shell.balancing.scene import (
    GATE,
    POLICY,
    SHOP,
    LiveBalancer,
    Scene,
    gate,
    make_scene,
)
from tests.shell.harness import wait_until

# Hours of virtual time, in whole daemons: traced they take three times as long.
pytestmark = pytest.mark.no_cover

if TYPE_CHECKING:
    from autoscaler.shell.reload import Reloader

CALM = evolve(
    POLICY,
    min_clones=1,
    poll_interval=1.0,
    requests=RequestPolicy(target_in_flight=5, stabilise=3600.0),
)
ANN = Peer(1000, "ann", 4711)


def standing_by(scene: Scene) -> list[str]:
    """Return the servers that get no work and have passed their checks."""
    return sorted(
        server.name
        for server in scene.servers.values()
        if server.duty is Duty.DRAIN and server.health is Health.PASSED
    )


async def make_pool(nursery, size=2, least=1, policy=CALM, **changes) -> Scene:
    """Start a group with *size* members that stand by, unless they can't."""
    scene = await make_scene(nursery, policy, **changes)
    serving = scene.policy.serving
    assert serving is not None
    standby = StandbyPolicy(size=size, min=least)
    scene.want(serving=evolve(serving, standby=standby))
    return scene


async def until_full(scene: Scene, *labels: str) -> None:
    await wait_until(
        lambda: standing_by(scene) == sorted(labels) and not scene.group.ledger.actions,
        120,
    )


def scale(scene: Scene, size: int) -> None:
    """Ask for so many members by hand."""
    view = scene.world.daemon.fleet.view(SHOP)
    scene.world.daemon.fleet.tell(SHOP, ScaleAsked(view, size, "ann"))


async def test_standbys_are_checked_and_get_no_work(autojump_clock, nursery):
    scene = await make_pool(nursery)

    await until_full(scene, "shop-2", "shop-3")

    assert scene.serving == ["shop-1"]
    assert MakeReady("shop-2") not in scene.balancer.performed
    assert scene.failures == []
    assert scene.group.ledger.changed_at is not None


async def test_a_promotion_is_one_step_and_at_once(autojump_clock, nursery):
    scene = await make_pool(nursery)
    await until_full(scene, "shop-2", "shop-3")
    await trio.sleep(5.5)
    told = []
    scene.balancer.told = lambda step: told.append((step, trio.current_time()))
    began = trio.current_time()

    scale(scene, 2)
    await wait_until(lambda: told != [], 10)

    assert told[0] == (MakeReady("shop-2"), began)
    [promoted] = [n for n in scene.world.notebook.notes if n.name == SHOP.clone(2)]
    assert promoted.kind.value == "standby_promoted"
    await until_full(scene, "shop-3", "shop-4")
    assert [type(step) for step, _ in told].count(Add) == 1


async def test_one_decision_after_the_other_is_kept_where_each_promotes(
    autojump_clock, nursery
):
    scene = await make_pool(nursery)
    await until_full(scene, "shop-2", "shop-3")
    before = len(scene.world.notebook.decisions)

    scale(scene, 2)
    scale(scene, 3)

    decisions = scene.world.notebook.decisions[before:]
    assert [decision.promoted for decision in decisions] == [1, 1]


async def test_a_standby_that_never_passes_a_check_is_removed_again(
    autojump_clock, nursery
):
    scene = await make_pool(nursery, balancer=LiveBalancer(sick={"10.0.0.2"}), size=1)

    await wait_until(lambda: scene.failures != [], 120)

    assert "got no work within 60 s: its checks: failed" in scene.failures[0]
    assert scene.group.ledger.refilling.failures == 1
    assert scene.group.ledger.creating.failures == 0
    await until_full(scene, "shop-3")


async def test_a_standby_that_fails_is_replaced(autojump_clock, nursery):
    scene = await make_pool(nursery)
    await until_full(scene, "shop-2", "shop-3")

    scene.balancer.sick = {"10.0.0.2"}

    await until_full(scene, "shop-3", "shop-4")
    assert scene.running == ["shop-1", "shop-3", "shop-4"]
    assert scene.serving == ["shop-1"]


async def test_what_is_promoted_stays_so_over_a_restart(autojump_clock, nursery):
    scene = await make_pool(nursery)
    await until_full(scene, "shop-2", "shop-3")
    scale(scene, 2)
    await trio.sleep(2)

    after = await scene.restarted(nursery)
    await trio.sleep(5)

    assert after.serving == ["shop-1", "shop-2"]
    assert "shop-3" in [s.name.label for s in after.group.standbys]


async def test_a_promotion_that_was_not_written_down_is_seen_at_the_balancer(
    autojump_clock, nursery
):
    scene = await make_pool(nursery)
    await until_full(scene, "shop-2", "shop-3")
    await trio.sleep(1)
    scale(scene, 2)
    # The keeper has told the balancer, and the writer nobody yet.
    await trio.sleep(0.01)
    assert scene.serving == ["shop-1", "shop-2"]

    after = await scene.restarted(nursery)
    await wait_until(lambda: after.group.clones != (), 10)
    await trio.sleep(2)

    assert [c.name.label for c in after.group.serving] == ["shop-1", "shop-2"]
    assert after.serving == ["shop-1", "shop-2"]


async def test_standbys_are_neither_ready_nor_on_their_way(autojump_clock, nursery):
    scene = await make_pool(nursery)
    members = Members(SHOP, scene.world.daemon.fleet, scene.keeper)
    await wait_until(lambda: len(scene.running) > 1, 60)

    assert not members.is_waking()
    await until_full(scene, "shop-2", "shop-3")
    assert [serving.server for serving in members.ready()] == ["shop-1"]


async def test_who_is_promoted_takes_held_connections_at_once(autojump_clock, nursery):
    asleep = evolve(CALM, min_clones=0)
    scene = await make_pool(nursery, policy=asleep, activator=GATE)
    scene.balancer.intrude(gate())
    members = Members(SHOP, scene.world.daemon.fleet, scene.keeper)
    await until_full(scene, "shop-1", "shop-2")
    assert members.ready() == []

    fleet = scene.world.daemon.fleet
    fleet.tell(SHOP, WakeAsked(fleet.view(SHOP)))

    assert [serving.server for serving in members.ready()] == ["shop-1"]


@pytest.mark.parametrize("count", ["x", "-1", "½"])
async def test_a_prewarm_needs_a_number(autojump_clock, nursery, count):
    scene = await make_pool(nursery, size=0, least=0)

    reply = await desk(scene).obey(prewarm(count), ANN)

    assert not reply.is_done
    assert "count must be a whole number" in reply.said[0]


async def test_members_are_prewarmed_and_who_asked_is_kept(autojump_clock, nursery):
    scene = await make_pool(nursery, size=0, least=0)
    await wait_until(lambda: scene.serving == ["shop-1"], 60)

    reply = await desk(scene).obey(prewarm("2"), ANN)
    more = await desk(scene).obey(prewarm("9"), ANN)
    await until_full(scene, *(f"shop-{number}" for number in range(2, 6)))

    assert reply.said == (f"{SHOP}: 2 of 2 standbys: 0 ready, 2 coming, for 600 s",)
    [said] = more.said
    assert said == (
        f"{SHOP}: 4 of 9 standbys: 0 ready, 4 coming; at most 5 members are wanted, "
        "and 1 of them serve"
    )
    rows = scene.world.store._connection.execute(  # noqa: SLF001 - as a reader would
        "SELECT user, verb, is_done FROM requests"
    ).fetchall()
    assert rows == [("ann", "prewarm", 1)] * 2
    await trio.sleep(601)
    assert standing_by(scene) == []
    assert scene.serving == ["shop-1"]


async def test_a_group_without_a_balancer_has_no_standbys(autojump_clock, nursery):
    scene = await make_pool(nursery)

    reply = await desk(scene).obey(
        Request("prewarm", {"group": "user:web", "count": "1"}), ANN
    )

    assert not reply.is_done
    assert "has no balancer, which standbys need" in reply.said[0]


async def test_where_none_is_possible_it_was_not_done(autojump_clock, nursery):
    full = evolve(CALM, max_clones=1)
    scene = await make_pool(nursery, size=0, least=0, policy=full)
    await wait_until(lambda: scene.serving == ["shop-1"], 60)

    refused = await desk(scene).obey(prewarm("1"), ANN)
    taken_back = await desk(scene).obey(prewarm("0"), ANN)

    assert (refused.is_done, taken_back.is_done) == (False, True)


def prewarm(count: str) -> Request:
    return Request("prewarm", {"group": "user:shop", "count": count})


def desk(scene: Scene) -> Desk:
    """Return a desk at which nobody reloads."""
    log = Log(lambda *_: None)
    ledgers = Ledgers(scene.world.store, log, Notifier())
    return Desk(scene.world.daemon, cast("Reloader", None), ledgers)
