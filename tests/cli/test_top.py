"""`autoscaler top` where it prints: no terminal, `--once` or `--json`."""

import json
from functools import partial

import pytest
import trio
from attrs import evolve

from autoscaler.cli import main
from autoscaler.cli.screen.sights import OTHER_VERSION
from autoscaler.core.policy import Mode
from autoscaler.shell.operators.control import listen, serve
from autoscaler.shell.operators.requests import Reply, told
from autoscaler.shell.state.store import RequestRow, Store
from tests.cli import states
from tests.cli.files import configuration
from tests.cli.screen.fleets import HELD, SHORT, form, group, keep
from tests.schemas import hold
from tests.shell.kept import CLOCKS, WEST_WEB, Row, record, snapshot

TWO = 'max_clones = 4\n[[groups]]\nhost = "west"\nprimary = "user:api"\nmax_clones = 2'


def top(file, *words):
    return main(["top", "--config", str(file), *words])


@pytest.fixture
def answered(nursery, tmp_path):
    return partial(show_beside, nursery, tmp_path)


async def show_beside(nursery, directory, reply, *words):
    """Show what a daemon that answers *reply* tells."""

    async def obey(_request, _peer):
        return reply

    (directory / "state").mkdir(exist_ok=True)
    listener = await listen(directory / "state")
    nursery.start_soon(serve, listener, directory / "state", obey)
    return await trio.to_thread.run_sync(top, configuration(directory), *words)


async def test_where_there_is_no_terminal_a_table_is_printed(answered, capsys):
    document = json.dumps(form(SHORT, HELD, group()))

    assert await answered(told(document)) == 0

    out = capsys.readouterr().out
    assert out.startswith(
        "1 host, 1 of 1 stream up, 3 groups, 4 members\n"
        "! west/user:shop: wants 3, can 1, has 1 (clones); blocked by no capacity"
    )
    words = " ".join(out.split())
    for shown in (
        "GROUP MODE WANTS/CAN/HAS LOAD % DECISION WHY, AND WHAT IS MISSING",
        "west/user:shop active 3/1/1 97.0 no capacity 10m the mean of those who",
        "west/user:api paused 1/4/1 - paused 2.1m",
        "to shrink: the mean of all is 10.0 points above 40 %",
    ):
        assert shown in words
    assert "\x1b" not in out


async def test_programs_get_all_that_the_daemon_tells(answered, capsys):
    document = form(SHORT, HELD)

    assert await answered(told(json.dumps(document)), "--json") == 0

    assert json.loads(capsys.readouterr().out) == document


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(
            Reply(("'top': there is no verb 'top'",), is_done=False), id="an older one"
        ),
        pytest.param(told("{}"), id="one that tells something else"),
        pytest.param(told("no JSON"), id="one that tells no JSON"),
    ],
)
@pytest.mark.parametrize("words", [(), ("--json",)])
async def test_a_daemon_of_another_version_is_told_in_one_sentence(
    answered, capsys, reply, words
):
    assert await answered(reply, *words) == 1

    assert capsys.readouterr() == ("", f"{OTHER_VERSION}\n")


async def test_where_no_daemon_runs_the_state_tells(tmp_path, capsys):
    await keep(tmp_path)

    assert top(configuration(tmp_path, groups=GROUPS)) == 0

    out = capsys.readouterr().out
    assert out.startswith("no daemon runs: showing the state of ")
    words = " ".join(out.split())
    assert "1 host, 0 of 0 streams up, 2 groups, 3 members" in words
    assert "west/user:web active 1/4/1 50.0 steady 0s the means, 50.0 %" in words
    assert "west/user:api active - - nothing decided yet" in words


async def test_programs_get_the_same_form_from_the_state(tmp_path, capsys):
    await keep(tmp_path)

    assert top(configuration(tmp_path, groups=GROUPS), "--json") == 0

    shown = json.loads(capsys.readouterr().out)
    hold("top", shown)
    [api, web] = shown["groups"]
    assert (api["group"], api["decision"]) == ("west/user:api", None)
    assert web["decision"]["reason"] == "steady"
    assert (web["flip"]["aim"], web["sizes"]["has"]) == ("down", 1)


async def test_the_state_tells_what_was_under_way_as_old_as_it_was(
    tmp_path, capsys, clocks
):
    await states.keep(tmp_path)

    assert top(configuration(tmp_path), "--json") == 0

    shown = json.loads(capsys.readouterr().out)
    hold("top", shown)
    [web] = shown["groups"]
    assert [(each["what"], each["age_s"]) for each in web["actions"]] == [
        ("create user:web-clone-2", 0.0)
    ]
    assert [each["class"] for each in web["members"]] == ["fresh", "stale", None]
    assert {stream["up"] for stream in shown["fleet"]["streams"]} == {False}


async def test_the_state_tells_who_holds_a_group_and_what_it_is_short_of(
    tmp_path, capsys
):
    short = evolve(record(), sizes=evolve(record().sizes, wants=9, can=4))
    paused = RequestRow(
        wall=CLOCKS.wall - 60,
        uid=1000,
        user="ada",
        verb="pause",
        words={"group": "user:web"},
        is_done=True,
        said=("it is paused",),
    )
    async with await Store.open(tmp_path / "state", lambda: CLOCKS.wall) as store:
        await store.save([snapshot(mode=Mode.PAUSED)])
        await store.record_request(paused)
        rows = [Row(WEST_WEB, CLOCKS.wall, short.decision, short)]
        await store.record_decisions(rows)

    assert top(configuration(tmp_path), "--json") == 0

    shown = json.loads(capsys.readouterr().out)
    hold("top", shown)
    [web] = shown["groups"]
    assert web["mode"] == "paused"
    assert web["said"] == {"mode": "paused", "user": "ada", "age_s": 60.0}
    assert (web["need"], shown["fleet"]["need"]) == (2, 2)
    assert shown["fleet"]["needs"] == ["west/user:web: wants 9, can 4, has 1 (clones)"]


def test_where_none_ever_ran_that_is_told(tmp_path, capsys):
    assert top(configuration(tmp_path)) == 1

    assert capsys.readouterr().err == (
        "no daemon runs, and none ever has: begin with `autoscaler run`\n"
    )


@pytest.mark.parametrize(
    ("interval", "why"),
    [
        ("soon", "'soon' is not a duration with a unit"),
        ("10ms", "'10ms' is less than 0.1 s"),
        ("0s", "'0s' is less than 0.1 s"),
    ],
)
def test_an_interval_that_is_none_can_not_be_understood(
    tmp_path, capsys, interval, why
):
    assert top(configuration(tmp_path), "--interval", interval) == 2

    assert capsys.readouterr().err.startswith(f"--interval: {why}")


def test_a_configuration_that_is_wrong_is_told(tmp_path, capsys):
    assert top(tmp_path / "none.toml") == 1

    assert "none.toml" in capsys.readouterr().err


GROUPS = f'[[groups]]\nhost = "west"\nprimary = "user:web"\n{TWO}\n'
