"""A balancer is kept like its group, whatever happens to either."""

from typing import TYPE_CHECKING, cast

import pytest
import trio
from attrs import evolve

from albatross_client.sandbox.memory import MemoryClient
from autoscaler.core.arrange import Add, MakeReady, Step, Weigh
from autoscaler.core.backend import Duty
from autoscaler.core.serving import WeightPolicy
from autoscaler.shell.balancing.keeper import ANSWER_S, RETRY_S
from autoscaler.shell.traffic.balancer import BalancerError, Trouble
from tests.shell.balancing.scene import AWAY, SHOP, LiveBalancer, make_scene
from tests.shell.harness import wait_until

if TYPE_CHECKING:
    from autoscaler.shell.traffic.activator import Activator

TWO = "shop-1", "shop-2"


class Splicing:
    """An activator that passes on connections without an end."""

    def __init__(self):
        self.sessions = {"shop-1": 2, "shop-2": 1}
        self.cuts = []

    def cut(self, label):
        self.cuts.append(label)


async def test_a_balancer_that_forgets_everything_gets_it_back_at_the_next_look(
    autojump_clock, nursery
):
    scene = await make_scene(nursery)
    await scene.settled(*TWO)

    scene.balancer.model.forget()

    assert await scene.settled(*TWO) < 2
    assert scene.world.events("server_name_taken") == []


async def test_a_balancer_that_was_away_is_asked_until_it_answers(
    autojump_clock, nursery
):
    scene = await make_scene(nursery)
    await scene.settled(*TWO)
    scene.balancer.trouble = AWAY
    await trio.sleep(600)
    scene.balancer.model.forget()
    scene.balancer.trouble = None

    took = await wait_until(lambda: set(scene.servers) == set(TWO), 10)

    assert took < 2 * RETRY_S
    await scene.settled(*TWO)
    lost = scene.world.events("balancer_lost")
    # Said once, and then once a minute.
    assert len(lost) in (10, 11)
    assert lost[0]["error"] == "nobody listens there"
    assert len(scene.world.events("balancer_found")) == 1


async def test_without_an_answer_nothing_is_known_of_a_balancer(
    autojump_clock, nursery
):
    scene = await make_scene(nursery)
    await scene.settled(*TWO)
    fleet = scene.world.daemon.fleet
    assert fleet.view(SHOP).backend is not None

    scene.balancer.trouble = AWAY
    await trio.sleep(2)

    assert fleet.view(SHOP).backend is None
    assert not scene.keeper.answers()
    assert scene.keeper.state("shop-1") == "the balancer doesn't answer"
    assert not scene.keeper.is_known()


async def test_a_balancer_that_hangs_is_one_that_does_not_answer(
    autojump_clock, nursery
):
    scene = await make_scene(nursery)
    await scene.settled(*TWO)

    scene.balancer.hangs = True
    await trio.sleep(ANSWER_S + 2)

    [lost] = scene.world.events("balancer_lost")
    assert lost["error"] == f"no answer within {ANSWER_S:g} s"


@pytest.mark.parametrize(
    ("trouble", "is_lost"),
    [
        pytest.param(Trouble.REFUSED, False, id="refused"),
        pytest.param(Trouble.IN_USE, False, id="in-use"),
        pytest.param(Trouble.UNREACHABLE, True, id="away"),
    ],
)
async def test_a_step_that_is_refused_makes_no_balancer_lost(
    autojump_clock, nursery, trouble, is_lost
):
    refusals = {"shop-1": BalancerError("no", trouble)}
    scene = await make_scene(nursery, balancer=LiveBalancer(refusals=refusals))

    await wait_until(lambda: scene.running == ["shop-1"], 60)
    await trio.sleep(5)

    assert (scene.world.events("balancer_lost") != []) == is_lost
    assert (scene.world.daemon.fleet.view(SHOP).backend is None) == is_lost
    scene.balancer.refusals = {}
    await scene.settled(*TWO)


async def test_the_others_are_served_where_one_is_refused(autojump_clock, nursery):
    scene = await make_scene(nursery)
    await scene.settled(*TWO)
    refused = BalancerError("no", Trouble.REFUSED)
    scene.balancer.refusals = {"shop-1": refused}

    scene.balancer.model.forget()

    await wait_until(lambda: scene.serving == ["shop-2"], 5)
    assert scene.keeper.state("shop-1") == "no"


async def test_calm_balancers_are_asked_once_a_second(autojump_clock, nursery):
    scene = await make_scene(nursery)
    await scene.settled(*TWO)
    await trio.sleep(20)
    before = scene.balancer.looks

    await trio.sleep(100)

    assert scene.balancer.looks - before == pytest.approx(100, abs=5)


async def test_one_that_stays_sick_makes_nobody_ask_all_the_time(
    autojump_clock, nursery
):
    scene = await make_scene(nursery)
    await scene.settled(*TWO)
    scene.balancer.sick = {"10.0.0.1"}
    scene.balancer.model.forget()
    await trio.sleep(20)
    before = scene.balancer.looks

    await trio.sleep(100)

    assert scene.serving == ["shop-2"]
    assert scene.balancer.looks - before == pytest.approx(100, abs=5)


async def test_what_is_waited_for_is_told_by_a_look_that_begins_later(
    autojump_clock, nursery
):
    """What was seen before may be older than what was done since."""
    scene = await make_scene(nursery)
    await scene.settled(*TWO)
    keeper, looks = scene.keeper, scene.balancer.looks

    await keeper.until(lambda: True, 1.0)

    assert scene.balancer.looks > looks


async def test_whoever_waits_hears_of_work_as_soon_as_a_server_gets_it(
    autojump_clock, nursery
):
    """Somebody is held until then: the next look is not for later."""
    readied: list[float] = []

    def told(step: Step) -> None:
        if isinstance(step, MakeReady):
            readied.append(trio.current_time())

    scene = await make_scene(nursery, balancer=LiveBalancer(told=told))

    await scene.settled(*TWO)

    ready_at = sorted(clone.ready_at or 0 for clone in scene.group.clones)
    assert ready_at == sorted(readied)


async def test_a_waiting_action_is_answered_at_its_own_pace(autojump_clock, nursery):
    scene = await make_scene(nursery)
    await scene.settled(*TWO)
    await trio.sleep(20)
    before = scene.balancer.looks

    with trio.move_on_after(10):
        await scene.keeper.until(lambda: False, 0.5)

    assert scene.balancer.looks - before == pytest.approx(20, abs=3)


async def test_sessions_that_come_past_the_balancer_count(autojump_clock, nursery):
    scene = await make_scene(nursery, activator=None)
    await scene.settled(*TWO)
    scene.balancer.model.begin("shop-1")

    splicing = Splicing()
    scene.keeper.activator = cast("Activator", splicing)
    await trio.sleep(2)

    backend = scene.world.daemon.fleet.view(SHOP).backend
    assert backend is not None
    assert [s.sessions for s in backend.servers.values()] == [3, 1]
    assert [scene.keeper.sessions(label) for label in TWO] == [3, 1]
    # A drain waits for them, and its end cuts them off.
    scene.want(max_clones=1, min_clones=1)
    await wait_until(lambda: scene.running == ["shop-1"], 120)
    assert splicing.cuts == ["shop-2"]
    assert scene.servers["shop-1"].duty is Duty.READY


async def test_how_far_a_server_has_come_is_told_in_words(autojump_clock, nursery):
    scene = await make_scene(nursery)
    await scene.settled(*TWO)
    scene.balancer.model.begin("shop-1")
    scene.balancer.sick = {"10.0.0.2"}
    await trio.sleep(2)

    assert scene.keeper.state("shop-1") == "it is ready, sessions: 1"
    assert scene.keeper.state("shop-2") == "its checks: failed"
    assert scene.keeper.state("shop-3") == "the balancer has no server of this name"


async def test_a_group_that_goes_while_its_balancer_is_asked_ends_its_keeper(
    autojump_clock, nursery
):
    scene = await make_scene(nursery)
    await scene.settled(*TWO)
    scene.balancer.slow_s = 3.0
    await trio.sleep(2)

    scene.world.daemon.fleet.remove(SHOP)
    await trio.sleep(10)

    assert scene.exchange.of(SHOP) is None
    assert scene.serving == list(TWO)


async def test_members_are_weighed_where_their_operator_wants_that(
    autojump_clock, nursery
):
    scene = await make_scene(nursery)
    serving = scene.policy.serving
    assert serving is not None
    await scene.settled(*TWO)

    scene.want(serving=evolve(serving, weights=WeightPolicy()))
    await trio.sleep(60)

    weighed = [s for s in scene.balancer.performed if isinstance(s, Weigh)]
    assert weighed != []
    assert {server.weight for server in scene.servers.values()} != {1.0}


async def test_a_member_that_dies_leaves_no_server_behind(autojump_clock, nursery):
    scene = await make_scene(nursery)
    await scene.settled(*TWO)

    await MemoryClient(scene.world.live).destroy(SHOP.clone(2))
    await wait_until(lambda: "shop-2" not in scene.servers, 300)

    await scene.settled("shop-1", "shop-3")
    added = [s.name for s in scene.balancer.performed if isinstance(s, Add)]
    assert added == ["shop-1", "shop-2", "shop-3"]
