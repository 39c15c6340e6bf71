"""One decision has one name, from the decision to what is left of its clone."""

import trio

from albatross_client.sandbox.faults import Rule, SlowReply
from autoscaler.core.policy import Policy
from autoscaler.core.snapshot import Snapshot
from autoscaler.shell.state.records import from_json, to_json
from tests.shell.acting.buried import buried
from tests.shell.harness import (
    GROUP,
    Machine,
    Wish,
    make_world,
    start_daemon,
    wait_until,
)

# As it was written before decisions had names.
OLDER = """
{"id":{"host":"west","primary":"user:web","is_managed":false},"clones":[],
"foreign":[],"next_number":3,"next_action":3,"actions":[{"kind":"create_clones",
"id":2,"reason":"high","slots":[{"number":2,"claim":{"name":"user:web-clone-2",
"memory":32,"cpuids":[1]},"address":null}],"by":null,"as_standby":false}],
"changed_at":null,"creating":null,"destroying":null,"replacing":null,"replaced":[],
"gave_up_at":null}
"""
ONE_CLONE = Policy(max_clones=1, min_clones=1)
NO_CLONE = Policy(max_clones=0)


def ids(world, event, **fields):
    """Return the ids in the lines of *event* that have these *fields*."""
    return [
        line["decision_id"]
        for line in world.events(event)
        if fields.items() <= line.items()
    ]


async def test_one_id_leads_from_the_decision_to_the_end_of_its_action(
    autojump_clock, nursery
):
    world = await make_world(nursery, Wish(policy=ONE_CLONE))

    await wait_until(lambda: bool(world.events("action_finished")), 60)

    [decided] = ids(world, "decision_changed", outcome="up")
    assert ids(world, "action_started") == [decided]
    assert ids(world, "action_finished") == [decided]
    assert world.daemon.fleet.records[GROUP][0].decision.id == decided


async def test_what_is_left_of_a_clone_names_the_decision_that_it_went_by(
    autojump_clock, nursery
):
    world = await make_world(nursery, Wish(policy=ONE_CLONE))
    await wait_until(lambda: len(world.members) == 1, 60)
    await world.kill()

    world = await start_daemon(nursery, world.live, world.store, NO_CLONE)
    await wait_until(lambda: bool(world.events("action_finished")), 60)
    await trio.sleep(10)

    [decided] = ids(world, "decision_changed", outcome="down")
    [mortem] = buried(world)
    assert mortem.decision_id == decided


async def test_what_an_earlier_run_left_in_flight_ends_with_its_own_id(
    autojump_clock, nursery
):
    slow = (Rule(fault=SlowReply(5), verb="create", times=1),)
    world = await make_world(nursery, Wish(policy=ONE_CLONE, rules=slow))
    await wait_until(lambda: bool(world.events("action_started")), 60)
    [decided] = ids(world, "action_started")
    await world.kill()

    again = await start_daemon(nursery, world.live, world.store, ONE_CLONE)
    await wait_until(lambda: bool(again.events("action_finished")), 60)

    assert ids(again, "action_finished")[0] == decided


async def test_no_id_comes_twice_though_the_clock_was_set_back(autojump_clock, nursery):
    first = await make_world(nursery, Wish(policy=ONE_CLONE))
    await trio.sleep(100)
    await first.kill()
    back = Machine(wall_step=-86_400.0)

    again = await start_daemon(nursery, first.live, first.store, ONE_CLONE, back)
    await trio.sleep(100)

    before, after = (ids(world, "decision_changed") for world in (first, again))
    assert before
    assert after
    assert max(before) < min(after)


def test_a_snapshot_of_an_older_version_has_actions_without_an_id():
    kept = from_json(OLDER, Snapshot)

    assert [action.decision_id for action in kept.actions] == [None]
    assert from_json(to_json(kept), Snapshot) == kept
