"""So many actions at once, and no host that keeps another waiting."""

import pytest
import trio

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.faults import HostDown, ReplyLost, Rule, SlowReply
from autoscaler.core.group import GroupId
from autoscaler.core.policy import Policy
from autoscaler.shell.acting.perform import PATIENCE_S
from autoscaler.shell.acting.turns import Turns
from tests.shell.harness import (
    GROUP,
    HOST,
    Machine,
    Wish,
    build_world,
    make_host,
    make_world,
    wait_until,
)

ONE_CLONE = Policy(max_clones=1, min_clones=1)
PRIMARIES = [Name(("user",), f"p{number}") for number in range(5)]


async def crowd(nursery, turns, rules=()):
    """Return a world in which six groups want a clone each, all at once."""
    groups = {GroupId(HOST, name): ONE_CLONE for name in PRIMARIES}
    machine = Machine(groups=groups, turns=turns)
    wish = Wish(policy=ONE_CLONE, machine=machine, rules=rules)
    live = make_host(nursery, wish)
    for name in PRIMARIES:
        live.create(name, wish.config)
    world = await build_world(live, wish.store(), wish.policy, machine)
    nursery.start_soon(world.run)
    return world


def most_at_once(world):
    running = most = 0
    for event, _ in world.log:
        running += (event == "action_started") - (event == "action_finished")
        most = max(most, running)
    return most


def withdrawn_of(world):
    """Return what the history has of actions that were never begun."""
    return world.store._connection.execute(  # noqa: SLF001 - as a reader would
        "SELECT error, took_s FROM actions WHERE outcome = 'withdrawn'"
    ).fetchall()


@pytest.mark.parametrize(
    ("turns", "most"),
    [
        pytest.param(Turns, 2, id="default"),
        pytest.param(lambda: Turns(8, {HOST: 1}), 1, id="one-of-a-host"),
        pytest.param(lambda: Turns(3, {HOST: 5}), 3, id="three-in-all"),
        pytest.param(lambda: Turns(9, {HOST: 9}), 6, id="room-for-all"),
    ],
)
async def test_no_more_actions_run_at_once_than_are_allowed(
    autojump_clock, nursery, turns, most
):
    world = await crowd(nursery, turns)

    await wait_until(lambda: len(world.clones) == 6, 600)
    await wait_until(lambda: len(world.events("action_finished")) == 6, 600)

    assert most_at_once(world) == most
    assert len(world.events("action_waiting")) == (6 - most)


async def test_who_waits_for_its_turn_is_busy(autojump_clock, nursery):
    slow = Rule(fault=SlowReply(25), verb="create", times=None)
    world = await crowd(nursery, lambda: Turns(1), (slow,))

    await wait_until(lambda: world.size == 2, 60)
    await trio.sleep(20)

    groups = world.daemon.fleet.groups.values()
    assert len(world.events("action_waiting")) == 5
    assert all(group.ledger.actions for group in groups)
    reasons = [g.decision.reason.value for g in groups if g.decision is not None]
    assert "busy" in reasons


async def test_an_action_that_waits_too_long_is_decided_anew(autojump_clock, nursery):
    slow = Rule(fault=SlowReply(100), verb="create", times=1)
    world = await crowd(nursery, lambda: Turns(1), (slow,))

    await wait_until(lambda: world.events("action_withdrawn") != [], 200)
    failures = [g.ledger.creating.failures for g in world.daemon.fleet.groups.values()]
    await wait_until(lambda: len(world.clones) == 6, 900)

    assert failures == [0] * 6
    assert most_at_once(world) == 1
    kept = withdrawn_of(world)
    assert len(kept) == len(world.events("action_withdrawn"))
    assert {why for why, _ in kept} == {"no turn came in time"}
    assert {waited for _, waited in kept} == {PATIENCE_S}


async def test_an_end_drops_those_that_wait(autojump_clock, nursery):
    slow = Rule(fault=SlowReply(25), verb="create", times=None)
    world = await crowd(nursery, lambda: Turns(1), (slow,))
    await wait_until(lambda: world.size == 2, 60)

    world.daemon.stop()
    await world.ended.wait()

    assert world.size == 2
    assert len(world.events("action_withdrawn")) == 5
    assert len(world.events("action_started")) == 1
    kept = withdrawn_of(world)
    assert len(kept) == 5
    assert {why for why, _ in kept} == {"the daemon ended before its turn came"}


async def test_an_action_whose_host_is_gone_holds_no_turn(autojump_clock, nursery):
    lost = Rule(fault=ReplyLost(), verb="create")
    other = make_host(nursery, Wish(rules=(lost,)))
    gone = GroupId("gone", GROUP.name)
    machine = Machine(
        others={"gone": other}, groups={gone: ONE_CLONE}, turns=lambda: Turns(1)
    )
    world = await make_world(
        nursery, Wish(policy=Policy(max_clones=1), machine=machine)
    )
    await wait_until(lambda: len(other.state.unikernels) == 2, 100)
    other.strike(HostDown(5000))

    world.live.set_demand(GROUP.name, Demand.constant(2.0))
    took = await wait_until(lambda: world.size == 2, 600)

    assert took < 200
    assert world.daemon.fleet.groups[gone].ledger.actions


async def test_turns_are_given_in_the_order_they_were_asked_for(
    autojump_clock, nursery
):
    turns, given = Turns(1), []

    async def act(number):
        turn = turns.of(HOST)
        await turns.wait(turn, 100)
        given.append(number)
        await trio.sleep(1)
        turn.give_back()

    for number in range(5):
        nursery.start_soon(act, number)
        await trio.sleep(0.1)
    await trio.sleep(10)

    assert given == [0, 1, 2, 3, 4]


async def test_a_turn_that_was_half_taken_is_given_back_whole(autojump_clock, nursery):
    turns = Turns(1, {"alpha": 5, "beta": 5})
    first, second = turns.of("alpha"), turns.of("beta")
    await turns.wait(first, 1)

    came = await turns.wait(second, 1)
    second.give_back()
    first.give_back()

    assert not came
    assert turns.of("beta").take_at_once()


async def test_more_may_run_after_a_reload(autojump_clock, nursery):
    turns = Turns(1)
    first, second = turns.of(HOST), turns.of(HOST)
    await turns.wait(first, 1)
    before = second.take_at_once()

    turns.allow(5, {HOST: 5})

    assert not before
    assert second.take_at_once()
