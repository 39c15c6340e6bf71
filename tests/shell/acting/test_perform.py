"""Actions and the state file: an intent first, an outcome afterwards."""

import pytest
import trio
from attrs import frozen

from albatross_client.sandbox.demand import Demand
from autoscaler.core.policy import Policy
from autoscaler.shell.state.schema import StoreError
from autoscaler.shell.state.store import Step, Store
from tests.shell.acting.disks import Disk
from tests.shell.harness import Wish, World, make_world, start_daemon, wait_until

ONE_CLONE = Policy(max_clones=1, min_clones=1)


@frozen(repr=False)
class Case:
    disk: Disk
    world: World


@pytest.fixture
async def case(autojump_clock, nursery):
    disk = Disk()
    wish = Wish(policy=ONE_CLONE, store=disk.store)
    return Case(disk, await make_world(nursery, wish))


async def test_an_action_has_an_intent_before_and_an_outcome_after(
    autojump_clock, case
):
    await wait_until(lambda: case.world.size == 2, 60)
    before = case.disk.actions()
    await wait_until(lambda: not case.world.group.ledger.actions, 60)
    await trio.sleep(1)

    assert before == [(None, None)]
    assert case.disk.actions() == [("done", None)]


class NoIntents(Store):
    """Everything can be written but that an action begins."""

    async def begin(self, snapshot, action, wall=None):
        raise StoreError("no intents")


class NoCommands(Store):
    """Everything can be written but that a command is sent."""

    async def note(self, snapshot, action, name, step):
        if step is Step.SENT:
            raise StoreError("no commands")
        await super().note(snapshot, action, name, step)


@pytest.mark.parametrize("kind", [NoIntents, NoCommands])
async def test_what_cannot_be_written_down_does_not_begin(
    autojump_clock, nursery, kind
):
    world = await make_world(nursery, Wish(policy=ONE_CLONE, store=kind.in_memory))

    await trio.sleep(300)

    finished = world.events("action_finished")
    assert world.size == 1
    assert 1 <= len(finished) <= 6
    assert {fields["outcome"] for fields in finished} == {"failed"}
    assert all(str(f["error"]).startswith("not begun: ") for f in finished)


async def test_no_action_is_even_decided_while_nothing_can_be_written(
    autojump_clock, case
):
    case.disk.set_readable_only()

    await trio.sleep(300)

    assert case.world.size == 1
    assert case.world.events("action_started") == []
    assert case.world.decision.reason.value == "state_unwritable"


async def test_a_state_that_cannot_be_written_is_said_once_and_when_it_can_again(
    autojump_clock, case
):
    case.disk.set_readable_only()
    await trio.sleep(300)
    said = len(case.world.events("state_failed"))
    case.disk.set_readable_only(is_readable_only=False)
    await wait_until(lambda: case.world.size == 2, 700)

    assert said == 1
    assert len(case.world.events("state_recovered")) == 1


async def test_hosts_are_looked_at_while_the_state_cannot_be_written(
    autojump_clock, case
):
    case.disk.set_readable_only()

    await trio.sleep(300)

    assert case.world.notebook.ticks[-1].load.mean_up == pytest.approx(50)
    assert case.world.notebook.ticks[-1].load.fresh == 1


async def test_what_could_not_be_written_is_written_later(autojump_clock, case):
    await wait_until(lambda: case.world.members != [], 60)
    case.disk.set_readable_only()
    case.world.live.set_demand(case.world.group.primary.name, Demand.constant(0.1))
    await trio.sleep(400)
    changes = len(case.world.notebook.decisions)
    case.disk.set_readable_only(is_readable_only=False)
    await trio.sleep(130)

    rows = case.disk.connection.execute("SELECT count(*) FROM decisions").fetchone()
    usage = case.disk.connection.execute("SELECT count(*) FROM usage").fetchone()
    assert rows[0] >= changes
    assert usage[0] >= 8


async def test_an_outcome_that_cannot_be_written_is_written_later(autojump_clock, case):
    await wait_until(lambda: case.world.size == 2, 60)
    case.disk.set_readable_only()
    await wait_until(lambda: not case.world.group.ledger.actions, 60)
    await trio.sleep(100)
    before = case.disk.actions()
    case.disk.set_readable_only(is_readable_only=False)
    await trio.sleep(20)

    assert before == [(None, None)]
    assert case.disk.actions() == [("done", None)]


async def test_a_state_that_cannot_be_written_does_not_hold_up_the_end(
    autojump_clock, case
):
    await wait_until(lambda: case.world.size == 2, 60)
    case.disk.set_readable_only()
    await wait_until(lambda: not case.world.group.ledger.actions, 60)

    case.world.daemon.stop()
    with trio.fail_after(20):
        await case.world.ended.wait()

    assert case.world.size == 2


async def test_each_step_of_a_create_is_written_down(autojump_clock, case):
    await wait_until(lambda: case.disk.actions() == [("done", None)], 60)

    assert case.disk.steps() == [
        ("user:web-clone-1", step)
        for step in ("intended", "sent", "confirmed", "first_sample", "done")
    ]


async def test_each_step_of_a_destroy_is_written_down(autojump_clock, nursery, case):
    await wait_until(lambda: case.disk.actions() == [("done", None)], 60)
    await case.world.kill()
    store, before = Store(case.disk.connection, None), len(case.disk.steps())

    world = await start_daemon(nursery, case.world.live, store, Policy(max_clones=0))
    await wait_until(lambda: len(case.disk.actions()) == 2, 60)
    await wait_until(lambda: not world.group.ledger.actions, 60)
    await trio.sleep(1)

    steps = [step for _, step in case.disk.steps()[before:]]
    assert steps == ["intended", "sent", "confirmed", "done"]


async def test_a_command_is_written_down_before_the_host_hears_of_it(
    autojump_clock, case
):
    await wait_until(lambda: case.world.size == 2, 60)

    assert case.disk.steps()[-1] in {
        ("user:web-clone-1", "sent"),
        ("user:web-clone-1", "confirmed"),
    }


async def test_an_action_whose_end_was_not_written_is_closed_at_the_next_start(
    autojump_clock, nursery, case
):
    await wait_until(lambda: case.disk.actions() == [("done", None)], 60)
    await case.world.kill()
    case.disk.connection.execute("UPDATE actions SET ended = NULL, outcome = NULL")

    store = Store(case.disk.connection, None)
    await start_daemon(nursery, case.world.live, store, ONE_CLONE)
    await trio.sleep(1)

    assert case.disk.actions() == [("failed", "what came of it was not written down")]
