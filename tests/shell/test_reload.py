"""Another configuration under a daemon that runs: all of it, or nothing."""

import pytest
import trio

from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.faults import Rule, SlowReply
from autoscaler.core.actions import CreateClones, Slot
from autoscaler.core.decision import Reason
from autoscaler.core.events import ModeSet
from autoscaler.core.policy import Mode
from autoscaler.core.view import Claim
from tests.shell.harness import GROUP, HOST, ROOMY, USER, Wish, wait_until
from tests.shell.kept import snapshot
from tests.shell.reloading import (
    API,
    API_GROUP,
    ONE_CLONE,
    PLAIN,
    SHOP,
    SMALL,
    TILL,
    TILL_GROUP,
    deployment,
    group,
    host,
    make_reloadable,
)


async def test_changed_thresholds_hold_and_cost_no_stream_and_no_counter(
    autojump_clock, nursery
):
    wish = Wish(demand=Demand.constant(2))
    made = await make_reloadable(nursery, wish=wish)
    await wait_until(lambda: made.groups[GROUP].ticks.high == 2, 300)

    changed = group(more='cooldown_down = "10m"')
    differs = await made.reload(deployment() + host() + changed)

    assert differs == [f"group {GROUP}: cooldown_down: 5m -> 10m"]
    assert made.groups[GROUP].policy.cooldown_down == 600
    assert made.groups[GROUP].ticks.high == 2
    await wait_until(lambda: made.world.size == 2, 60)
    assert made.desktop.subscribed == [USER]


async def test_nothing_changed_is_nothing_done(autojump_clock, nursery):
    made = await make_reloadable(nursery)
    await trio.sleep(100)

    assert await made.reload() == []
    await trio.sleep(100)

    assert made.desktop.subscribed == [USER]


async def test_an_added_group_is_followed_on_the_stream_that_is_there(
    autojump_clock, nursery
):
    made = await make_reloadable(nursery)
    made.world.live.create(API, SMALL)
    await trio.sleep(100)

    differs = await made.reload(PLAIN + group("user:api", "min_clones = 1"))
    await wait_until(lambda: made.world.size == 2, 10)

    assert differs == [f"group {API_GROUP}: added"]
    assert made.world.clones == ["user:api-clone-1"]
    assert made.desktop.subscribed == [USER]


@pytest.mark.parametrize("subscribe", ["domain", "unikernel"])
async def test_nobody_is_silent_since_before_its_group_was_added(
    autojump_clock, nursery, subscribe
):
    """A primary counted as silent for as long as the daemon had listened."""
    text = deployment() + host(more=f'subscribe = "{subscribe}"\n') + group()
    made = await make_reloadable(nursery, text)
    await trio.sleep(2000)
    made.world.live.create(API, SMALL)

    await made.reload(text + group("user:api"))
    await wait_until(lambda: made.groups[API_GROUP].decision is not None, 10)
    decision = made.groups[API_GROUP].decision
    await trio.sleep(60)

    assert decision is not None
    assert [each.counts_as.value for each in decision.load.standings] == ["unknown"]
    assert made.world.events("member_given_up") == []


async def test_an_added_domain_gets_a_stream_and_a_removed_one_loses_it(
    autojump_clock, nursery
):
    made = await make_reloadable(nursery)
    live = made.world.live
    live.set_policy(SHOP, ROOMY)
    live.create(TILL, SMALL)
    await trio.sleep(50)

    await made.reload(PLAIN + group("shop:till"))
    await trio.sleep(100)
    decided = made.groups[TILL_GROUP].decision
    both = set(live.state.listeners)
    await made.reload(PLAIN)
    await trio.sleep(10)

    assert decided is not None
    assert both == {USER, SHOP}
    assert set(live.state.listeners) == {USER}
    assert set(made.world.daemon.fleet.watches) == {(HOST, USER)}
    assert made.desktop.subscribed == [USER, SHOP]


async def test_a_removed_group_leaves_its_clones_running_and_its_record(
    autojump_clock, nursery
):
    text = deployment() + host() + ONE_CLONE
    made = await make_reloadable(nursery, text + group("user:api"))
    await wait_until(lambda: len(made.groups[GROUP].clones) == 1, 100)

    await made.reload(deployment() + host() + group("user:api"))
    await trio.sleep(1000)

    assert GROUP not in made.groups
    assert made.world.clones == ["user:web-clone-1"]
    [told] = made.world.events("group_stranded")
    assert (told["group"], told["names"]) == (str(GROUP), "user:web-clone-1")
    kept = {each.id: each for each in (await made.world.store.load()).snapshots}
    assert [str(clone.name) for clone in kept[GROUP].clones] == made.world.clones


async def test_a_group_that_comes_back_has_its_clones_and_its_numbers(
    autojump_clock, nursery
):
    text = deployment() + host() + ONE_CLONE
    made = await make_reloadable(nursery, text + group("user:api"))
    await wait_until(lambda: len(made.groups[GROUP].clones) == 1, 100)
    before = made.groups[GROUP]
    without = deployment() + host() + group("user:api")

    await made.reload(without)
    await made.reload(text)
    at_once = made.groups[GROUP]
    await made.reload(without)
    await trio.sleep(1000)
    await made.reload(text)

    for back in (at_once, made.groups[GROUP]):
        assert [clone.name for clone in back.clones] == [
            clone.name for clone in before.clones
        ]
        assert back.ledger.next_number == before.ledger.next_number


async def test_what_was_not_written_yet_comes_back_too(autojump_clock, nursery):
    made = await make_reloadable(nursery, PLAIN + group("user:api"))
    await trio.sleep(100)
    made.world.daemon.fleet.tell(GROUP, ModeSet(Mode.OBSERVE))

    await made.reload(deployment() + host() + group("user:api"))
    await made.reload(PLAIN)

    assert made.groups[GROUP].ledger.mode is Mode.OBSERVE


async def test_an_action_that_an_earlier_time_left_is_settled_when_its_group_is_back(
    autojump_clock, nursery
):
    made = await make_reloadable(nursery)
    made.world.live.create(API, SMALL)
    slot = Slot(1, Claim(API_GROUP.clone(1), 32, frozenset({1})))
    left = CreateClones(id=1, reason=Reason.HIGH, slots=(slot,))
    await made.world.store.save([snapshot(API_GROUP, actions=(left,), next_number=2)])
    await trio.sleep(100)

    await made.reload(PLAIN + group("user:api"))
    await wait_until(lambda: made.world.events("action_finished") != [], 5)

    assert made.world.events("action_finished")[0]["outcome"] == "failed"
    assert not made.groups[API_GROUP].ledger.actions


async def test_a_removed_group_finishes_the_action_that_runs(autojump_clock, nursery):
    slow = Rule(fault=SlowReply(20), verb="create")
    text = deployment() + host() + ONE_CLONE
    made = await make_reloadable(nursery, text, Wish(rules=(slow,)))
    await wait_until(lambda: made.world.size == 2, 100)

    await made.reload(deployment() + host())
    while_it_runs = GROUP in made.groups
    await wait_until(lambda: GROUP not in made.groups, 60)
    await trio.sleep(10)

    assert while_it_runs
    assert made.world.events("action_finished")[0]["outcome"] == "done"
    assert made.world.events("group_stranded")[0]["names"] == "user:web-clone-1"
    [kept] = (await made.world.store.load()).snapshots
    assert [str(clone.name) for clone in kept.clones] == made.world.clones
    assert not kept.actions
    assert made.world.live.state.listeners == {}


async def test_a_group_that_comes_back_while_it_leaves_stays(autojump_clock, nursery):
    slow = Rule(fault=SlowReply(20), verb="create")
    text = deployment() + host() + ONE_CLONE
    made = await make_reloadable(nursery, text, Wish(rules=(slow,)))
    await wait_until(lambda: made.world.size == 2, 100)

    await made.reload(deployment() + host())
    await made.reload(text)
    await wait_until(lambda: made.world.events("action_finished") != [], 60)
    await trio.sleep(100)

    assert [str(clone.name) for clone in made.groups[GROUP].clones] == (
        made.world.clones
    )
    assert made.groups[GROUP].policy.mode is Mode.ACTIVE
    assert made.desktop.subscribed == [USER]


async def test_a_bad_file_leaves_the_old_one_in_force_and_tells_all(
    autojump_clock, nursery
):
    made = await make_reloadable(nursery)
    await trio.sleep(100)
    before = made.groups[GROUP]
    bad = deployment('modus = "x"') + host() + group(more="quorum = 7")

    problems = await made.refused(bad)

    assert ["modus" in problems[0], "quorum" in problems[1]] == [True, True]
    assert len(problems) == 2
    refusals = made.world.events("configuration_refused")
    assert [fields["error"] for fields in refusals] == problems
    assert made.groups[GROUP] is before
    assert made.desktop.subscribed == [USER]
