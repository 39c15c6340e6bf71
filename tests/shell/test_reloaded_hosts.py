"""A reload that changes hosts, keys and what holds for all."""

import sqlite3

import pytest
import trio

from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.faults import Rule, SlowReply
from autoscaler.core.policy import Mode
from autoscaler.shell.state.store import Store
from tests.shell.harness import GROUP, HOST, USER, Wish, make_host, wait_until
from tests.shell.reloading import (
    API,
    API_GROUP,
    ONE_CLONE,
    PLAIN,
    SMALL,
    deployment,
    group,
    host,
    make_reloadable,
)


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
