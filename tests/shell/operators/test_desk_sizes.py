"""Sizes that operators ask for by hand, and explanations."""

from itertools import pairwise

import pytest
import trio

from autoscaler.core.record import MOST_KEPT, Record
from autoscaler.shell.operators.requests import Reply
from autoscaler.shell.state.records import from_json
from tests.shell.harness import GROUP, wait_until
from tests.shell.operators.office import BUSY, open_office
from tests.shell.reloading import (
    PLAIN,
)

# Sizes by hand


async def test_a_group_becomes_as_large_as_is_asked_and_then_cools_down(
    autojump_clock, nursery
):
    office = await open_office(nursery)
    await trio.sleep(100)

    grown = await office.ask("scale", group="user:web", clones="2")
    await wait_until(lambda: office.world.size == 3, 60)
    while_it_cools = await wait_until(lambda: office.world.size == 2, 900)

    assert grown.said == (f"{GROUP}: ann asks for 2 clones: create 2 clones",)
    assert while_it_cools > 300
    actions = office.world.store._connection.execute(  # noqa: SLF001 - as a reader would
        "SELECT json_extract(action, '$.by'), json_extract(action, '$.reason') "
        "FROM actions ORDER BY number"
    ).fetchall()
    assert actions[:2] == [("ann", "operator"), (None, "low")]
    [request] = office.world.events("operator_asked")
    assert (request["verb"], request["user"]) == ("scale", "ann")


async def test_a_group_becomes_as_small_as_is_asked(autojump_clock, nursery):
    office = await open_office(nursery)
    await trio.sleep(100)
    await office.ask("scale", group="user:web", clones="3")
    await wait_until(lambda: office.world.group.ledger.actions == (), 120)

    shrunk = await office.ask("scale", group="user:web", clones="0")
    await wait_until(lambda: office.world.size == 1, 60)
    again = await office.ask("scale", group="user:web", clones="0")

    assert shrunk.is_done
    assert again == Reply((f"{GROUP} has 0 clones already",))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param({"clones": "4"}, "4 clones can't be: the conf", id="many"),
        pytest.param({"clones": "-1"}, "must be a whole number", id="negative"),
        pytest.param({"clones": "½"}, "must be a whole number", id="half"),
        pytest.param({"clones": "9" * 99}, "must be a whole number", id="endless"),
        pytest.param({"clones": "1", "group": "user:wbe"}, "did you mean", id="whose"),
    ],
)
async def test_a_size_that_can_not_be_is_refused(autojump_clock, nursery, words, said):
    office = await open_office(nursery)
    await trio.sleep(100)

    reply = await office.ask("scale", **{"group": "user:web", **words})

    assert not reply.is_done
    assert said in reply.said[0]


async def test_a_size_is_refused_while_something_holds_the_group(
    autojump_clock, nursery
):
    office = await open_office(nursery)
    await trio.sleep(100)
    await office.ask("scale", group="user:web", clones="1")

    busy = await office.ask("scale", group="user:web", clones="2")
    await office.ask("observe", group="user:web")
    observed = await office.ask("scale", group="user:web", clones="2")

    assert busy == Reply((f"{GROUP}: an action is in flight",), is_done=False)
    said = f"{GROUP} is only observed: resume it first"
    assert observed == Reply((said,), is_done=False)


async def test_a_size_that_is_one_action_too_many_stands_the_group_down(
    autojump_clock, nursery
):
    office = await open_office(nursery, PLAIN + "max_actions_per_hour = 1\n")
    await trio.sleep(100)
    await office.ask("scale", group="user:web", clones="1")
    await wait_until(lambda: office.world.group.ledger.actions == (), 60)

    reply = await office.ask("scale", group="user:web", clones="2")

    assert not reply.is_done
    assert "did or failed too much" in reply.said[0]


# Why it does what it does


async def test_a_decision_is_explained_and_that_is_no_part_of_the_history(
    autojump_clock, nursery
):
    office = await open_office(nursery, wish=BUSY)
    await wait_until(lambda: office.world.size > 1, 300)

    reply = await office.ask("explain", group="user:web")

    told = from_json(reply.rows[0]["record"], Record)
    assert reply.said == (str(GROUP),)
    assert told.decision == office.world.decision
    assert told == office.world.daemon.fleet.newest(GROUP)
    assert office.world.events("operator_asked") == []
    rows = office.world.store._connection.execute("SELECT verb FROM requests")  # noqa: SLF001 - as a reader would
    assert rows.fetchall() == []


async def test_an_earlier_decision_is_explained_as_far_as_it_is_remembered(
    autojump_clock, nursery
):
    office = await open_office(nursery, wish=BUSY)
    await wait_until(lambda: office.world.size > 1, 300)
    kept = office.world.daemon.fleet.records[GROUP]

    earlier = await office.ask("explain", group="user:web", at=repr(kept[1].at))
    too_early = await office.ask("explain", group="user:web", at="0")

    assert from_json(earlier.rows[0]["record"], Record) == kept[1]
    assert (too_early.is_done, too_early.rows) == (True, ())


async def test_of_an_unknown_group_nothing_is_explained(autojump_clock, nursery):
    office = await open_office(nursery)

    assert not (await office.ask("explain", group="user:wbe")).is_done


async def test_records_are_in_the_state_at_every_change_and_every_minute(
    autojump_clock, nursery
):
    office = await open_office(nursery)
    await trio.sleep(15 * 60)

    rows = office.world.store._connection.execute(  # noqa: SLF001 - as a reader would
        "SELECT at, is_change FROM records ORDER BY number"
    ).fetchall()
    changes = office.world.store._connection.execute(  # noqa: SLF001 - likewise
        "SELECT count(*) FROM decisions"
    ).fetchone()

    assert sum(is_change for _, is_change in rows) == changes[0]
    times = sorted(at for at, _ in rows)
    gaps = [after - at for at, after in pairwise(times)]
    assert max(gaps) <= 61
    assert len(office.world.daemon.fleet.records[GROUP]) == MOST_KEPT
