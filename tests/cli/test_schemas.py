"""What `--json` prints is what the schemas say, and what daemons answer."""

import json

import pytest
from attrs import evolve

from autoscaler.cli import main
from autoscaler.core.decision import Outcome, Reason
from autoscaler.shell.state.store import RequestRow, Store
from tests.cli import mortems, states
from tests.cli.files import configuration
from tests.schemas import hold
from tests.shell.kept import CLOCKS, CLONE, WEST_WEB, Row, decision, record

WALL = CLOCKS.wall


@pytest.fixture
async def file(tmp_path, monkeypatch):
    """A configuration beside the state of a daemon that did many things."""
    await states.keep(tmp_path)
    await mortems.keep(tmp_path, mortems.MORTEM)
    async with await Store.open(tmp_path / "state", lambda: WALL) as store:
        high = decision(Reason.HIGH, Outcome.UP, count=1)
        rows = [Row(WEST_WEB, WALL + 1, high), Row(WEST_WEB, WALL + 2, evolve(high))]
        await store.record_decisions([*rows, Row(WEST_WEB, WALL, high, record())])
        asked = RequestRow(
            wall=WALL + 3,
            uid=1000,
            user="ann",
            verb="pause",
            words={},
            is_done=True,
            said=("it is paused",),
        )
        await store.record_request(asked)
    for name in ("history", "explain"):
        monkeypatch.setattr(f"autoscaler.cli.{name}.wall_clock", lambda: WALL + 9)
    return configuration(tmp_path)


def printed(capsys, *words):
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


async def test_the_status_is_as_its_schema_says(file, capsys, clocks):
    told = printed(capsys, "status", "--config", file)

    hold("status", told)
    hold("group", told["groups"][0])
    assert told["groups"][0]["actions"]
    assert told["stranded"]


async def test_a_status_with_a_balancer_is_as_its_schema_says(tmp_path, capsys, clocks):
    load = states.behind_a_balancer(decision().load)
    await states.keep_behind_a_balancer(tmp_path, load)
    file = configuration(tmp_path, more=states.BALANCER)

    hold("status", printed(capsys, "status", "--config", file))


async def test_the_history_is_as_its_schema_says(file, capsys):
    told = printed(capsys, "history", "--config", file)

    hold("history", told)
    assert {each["kind"] for each in told} == {"action", "decision", "request"}


async def test_a_post_mortem_is_as_its_schema_says(file, capsys):
    words = ("history", "--post-mortem", CLONE, "--config", file)

    hold("post-mortem", printed(capsys, *words))


async def test_an_explanation_is_as_its_schema_says(file, capsys):
    told = printed(capsys, "explain", "user:web", "--config", file)

    hold("explain", told)
    assert told["post_mortems"] == [str(CLONE)]
