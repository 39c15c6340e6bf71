"""The schemas of what programs are told: as committed, and kept to."""

import json

import pytest
import trio

from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.faults import HostDown
from autoscaler.core.decision import Reason
from autoscaler.core.events import Ticked
from autoscaler.core.record import Instant
from autoscaler.shell.operators.past_forms import explain_form
from autoscaler.shell.operators.schemas import SCHEMAS, write_schema
from autoscaler.shell.operators.top_form import top_form
from tests.core.telling import CASES, EVENTS, recorded
from tests.schemas import DIRECTORY, VALIDATORS, hold, is_refused
from tests.shell.harness import GROUP, Wish, wait_until
from tests.shell.operators.office import open_office
from tests.shell.reloading import PLAIN, group


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_committed_schema_is_that_of_the_code(name):
    """`make schemas` writes it anew."""
    text = (DIRECTORY / f"{name}.schema.json").read_text()

    assert text == write_schema(name)
    VALIDATORS[name].check_schema(json.loads(text))


def test_there_is_no_other_schema():
    # One is the configuration's.
    assert {*SCHEMAS, "autoscaler"} <= set(VALIDATORS)


@pytest.mark.parametrize("reason", CASES, ids=lambda reason: reason.value)
def test_whatever_is_decided_is_explained_as_the_schema_says(reason):
    group_, view = CASES[reason]
    record = recorded(group_, view, EVENTS.get(reason, Ticked)(view))

    hold("explain", explain_form(GROUP, record, "daemon", ()))


def test_a_key_that_nobody_knows_is_refused():
    group_, view = CASES[Reason.STEADY]
    form = explain_form(GROUP, recorded(group_, view), "daemon", ())

    assert is_refused("explain", {**form, "new": 1})
    assert is_refused("explain", {**form, "decision": {"outcome": "hold"}})


async def test_a_whole_life_is_told_as_the_schema_says(autojump_clock, nursery):
    office = await open_office(
        nursery, PLAIN + group("user:api"), wish=Wish(demand=Demand.constant(9))
    )
    fleet = office.world.daemon.fleet

    def look():
        at = Instant(trio.current_time(), fleet.clocks().wall)
        told = json.loads(json.dumps(top_form(fleet, at)))
        hold("top", told)
        return told

    look()
    await wait_until(lambda: office.world.group.ledger.actions != (), 300)
    assert look()["groups"][0]["actions"] or look()["groups"][1]["actions"]
    await wait_until(lambda: office.world.size == 4, 1200)
    await office.ask("observe")
    await trio.sleep(60)
    assert look()["fleet"]["mode"] == "observe"
    office.world.live.strike(HostDown(600))
    await trio.sleep(300)
    assert look()["fleet"]["need"] == 3
