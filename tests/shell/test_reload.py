"""Another configuration under a daemon that runs: all of it, or nothing."""

import sqlite3

import pytest
import trio

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.sandbox.faults import Rule, SlowReply
from albatross_client.values import Config
from autoscaler.core.actions import CreateClones, Slot
from autoscaler.core.decision import Reason
from autoscaler.core.events import ModeSet
from autoscaler.core.group import GroupId
from autoscaler.core.policy import Mode
from autoscaler.core.view import Claim
from autoscaler.shell.state.store import Store
from tests.shell.harness import GROUP, HOST, ROOMY, USER, Wish, make_host, wait_until
from tests.shell.kept import snapshot
from tests.shell.reloading import (
    PLAIN,
    deployment,
    group,
    host,
    make_reloadable,
)

API, SHOP = Name(("user",), "api"), Name(("shop",))
TILL = Name(("shop",), "till")
API_GROUP, TILL_GROUP = GroupId(HOST, API), GroupId(HOST, TILL)
ONE_CLONE = group(more="min_clones = 1")
SMALL = Config(image=SANDBOX_IMAGE, memory=32)


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


async def test_keys_that_do_not_fit_leave_everything_as_it_was(autojump_clock, nursery):
    beta = make_host(nursery, Wish())
    made = await make_reloadable(nursery, others={"beta": beta})
    made.desktop.bad_keys = frozenset({"alpha", "beta"})

    problems = await made.refused(
        deployment() + host() + host("beta") + group(on="beta") + group("user:api")
    )

    assert problems == [
        "/etc/autoscaler.toml: [[hosts]] #1 (alpha): the key of alpha does not fit",
        "/etc/autoscaler.toml: [[hosts]] #2 (beta): the key of beta does not fit",
    ]
    assert set(made.groups) == {GROUP}


async def test_new_keys_sign_the_next_command_and_cost_no_stream(
    autojump_clock, nursery
):
    made = await make_reloadable(nursery)
    await trio.sleep(100)
    made.desktop.keys = 1

    await made.reload(deployment() + host() + ONE_CLONE)
    await wait_until(lambda: made.world.size == 2, 100)

    assert made.desktop.created == [(GROUP.clone(1), 1)]
    assert made.desktop.subscribed == [USER]


async def test_a_host_that_moves_is_subscribed_to_where_it_is_now(
    autojump_clock, nursery
):
    made = await make_reloadable(nursery)
    await trio.sleep(100)
    now = made.desktop.lives["alpha"]
    assert set(now.state.listeners) == {USER}

    differs = await made.reload(deployment() + host(address="10.0.0.7") + group())
    await trio.sleep(100)

    assert differs == ['host alpha: address: "alpha:1025" -> "10.0.0.7:1025"']
    assert made.desktop.subscribed == [USER, USER]
    assert made.world.daemon.fleet.watches[HOST, USER].feed.up_since is not None
    assert made.world.events("stream_lost") == []


async def test_a_host_and_its_groups_come_and_go(autojump_clock, nursery):
    beta = make_host(nursery, Wish())
    made = await make_reloadable(nursery, others={"beta": beta})
    with_beta = PLAIN + host("beta") + group(more="min_clones = 1", on="beta")

    await made.reload(with_beta)
    await wait_until(lambda: len(beta.state.unikernels) == 2, 100)
    hosts = set(made.world.daemon.hosts)
    await made.reload(PLAIN)
    await trio.sleep(10)

    assert hosts == {"alpha", "beta"}
    assert set(made.world.daemon.hosts) == {"alpha"}
    assert beta.state.listeners == {}
    assert len(beta.state.unikernels) == 2


async def test_a_mode_for_all_holds_for_every_group(autojump_clock, nursery):
    made = await make_reloadable(nursery, wish=Wish(demand=Demand.constant(2)))

    await made.reload(deployment('mode = "paused"') + host() + group())
    await trio.sleep(600)

    assert made.world.size == 1
    assert made.world.notebook.reasons[-1] == "paused"


async def test_times_of_the_deployment_change_too(autojump_clock, nursery):
    slow = Rule(fault=SlowReply(100), verb="create")
    text = deployment() + host() + ONE_CLONE
    made = await make_reloadable(nursery, text, Wish(rules=(slow,)))
    await wait_until(lambda: made.world.size == 2, 100)

    times = 'shutdown_timeout = "3s"\nreconcile_interval = "20s"'
    await made.reload(
        deployment(times) + host("alpha", 'stats_interval = "9s"') + ONE_CLONE
    )
    fleet = made.world.daemon.fleet
    began = trio.current_time()
    made.world.daemon.stop()
    await made.world.ended.wait()

    assert trio.current_time() - began == pytest.approx(3, abs=0.5)
    assert fleet.reconcile_interval == 20
    assert fleet.watches[HOST, USER].feed.rhythm.configured == 9


async def test_the_place_of_the_state_needs_a_restart(autojump_clock, nursery):
    made = await make_reloadable(nursery)

    problems = await made.refused(
        PLAIN.replace('"state"', '"elsewhere"') + group("user:api")
    )

    assert len(problems) == 1
    assert "state_dir: can't change without a restart" in problems[0]
    assert set(made.groups) == {GROUP}


async def test_a_daemon_that_is_about_to_end_reads_nothing_new(autojump_clock, nursery):
    slow = Rule(fault=SlowReply(20), verb="create")
    text = deployment() + host() + ONE_CLONE
    made = await make_reloadable(nursery, text, Wish(rules=(slow,)))
    await wait_until(lambda: made.world.size == 2, 100)
    made.world.daemon.stop()

    problems = await made.refused(PLAIN)

    assert "about to end" in problems[0]


async def test_a_state_that_can_not_be_read_adds_no_group(autojump_clock, nursery):
    connection = sqlite3.connect(":memory:", isolation_level=None)
    made = await make_reloadable(nursery)
    made.reloader._store = Store(connection, None)  # noqa: SLF001 - without tables

    problems = await made.refused(PLAIN + group("user:api"))
    differs = await made.reload(PLAIN.replace("max_clones = 3", "max_clones = 4"))

    assert "no such table" in problems[0]
    assert differs == [f"group {GROUP}: max_clones: 3 -> 4"]


async def test_two_reloads_at_once_come_one_after_the_other(autojump_clock, nursery):
    made = await make_reloadable(nursery)

    async with trio.open_nursery() as inner:  # noqa: TID251 - ends with the test
        for _ in range(3):
            inner.start_soon(made.reload, PLAIN + group("user:api"))

    told = [f["changes"] for f in made.world.events("configuration_reloaded")]
    assert sorted(told) == [0, 0, 1]
    assert set(made.groups) == {GROUP, API_GROUP}


async def test_a_new_group_is_under_the_word_for_all(autojump_clock, nursery):
    made = await make_reloadable(nursery)
    made.world.daemon.fleet.word = Mode.PAUSED
    made.world.live.create(API, SMALL)

    await made.reload(PLAIN + group("user:api", "min_clones = 1"))
    await trio.sleep(300)

    assert made.groups[API_GROUP].mode is Mode.PAUSED
    assert made.world.size == 1


async def test_many_changes_are_told_in_one_line_that_is_not_too_long(
    autojump_clock, nursery
):
    made = await make_reloadable(nursery)

    await made.reload(PLAIN + "".join(group(f"user:a{n}") for n in range(9)))

    [told] = made.world.events("configuration_reloaded")
    assert told["changes"] == 9
    assert str(told["differs"]).endswith("user:a4: added; and 4 more")
