import json
import re
from functools import partial

import pytest
import trio
from attrs import evolve

from autoscaler.cli import main
from autoscaler.core.record_form import record_form
from autoscaler.shell.operators.control import listen, serve
from autoscaler.shell.operators.requests import Reply
from autoscaler.shell.operators.times import format_time
from autoscaler.shell.state.records import to_json
from autoscaler.shell.state.store import Store
from tests.cli.files import configuration
from tests.shell.kept import CLOCKS, WEST_WEB, Row, record


def explain(file, *words):
    return main(["explain", "user:web", "--config", str(file), *words])


@pytest.fixture
def clocks(monkeypatch):
    monkeypatch.setattr("autoscaler.cli.explain.wall_clock", lambda: CLOCKS.wall + 8)


async def keep(directory, *records):
    rows = [Row(WEST_WEB, each.at, each.decision, each) for each in records]
    async with await Store.open(directory / "state", lambda: CLOCKS.wall) as store:
        await store.record_decisions(rows)


@pytest.fixture
def answered(nursery, tmp_path):
    return partial(ask_beside, nursery, tmp_path)


async def ask_beside(nursery, directory, reply, *words):
    """Explain beside a daemon that answers *reply*, and say what is asked."""
    asked = []

    async def obey(request, _peer):
        asked.append(request)
        return reply

    (directory / "state").mkdir(exist_ok=True)
    listener = await listen(directory / "state")
    nursery.start_soon(serve, listener, directory / "state", obey)
    file = configuration(directory)
    code = await trio.to_thread.run_sync(explain, file, *words)
    return code, asked


async def test_what_the_state_has_is_told_where_the_daemon_is_down(
    tmp_path, capsys, clocks
):
    await keep(tmp_path, record())

    assert explain(configuration(tmp_path)) == 0

    out = capsys.readouterr().out
    assert out.startswith(
        f"west/user:web: hold steady ({format_time(CLOCKS.wall)}, 8s ago)\n"
        "By the state file: the daemon is down"
    )
    words = " ".join(out.split())
    for shown in (
        "the means, 50.0 % of those who report and 50.0 % of all, call for no change",
        "wants 1, can 4, has 1 (clones)",
        "to shrink: the mean of all is 10.0 points above 40 %; without one clone",
        "user:web fresh 50.0 1s",
        "max_clones passes 1 4",
        "low_ticks holds 0 5 0 of 5 low ticks",
    ):
        assert shown in words


async def test_what_the_daemon_has_in_memory_is_told(answered, capsys, clocks):
    newest = record(CLOCKS.wall + 5)
    reply = Reply(("west/user:web",), rows=({"record": to_json(newest)},))

    code, [asked] = await answered(reply, "--json")

    assert code == 0
    assert asked.words == {"group": "west/user:web"}
    shown = json.loads(capsys.readouterr().out)
    source = {"group": "west/user:web", "source": "daemon", "post_mortems": []}
    assert shown == {**source, **record_form(newest)}
    assert shown["flip"]["aim"] == "down"
    assert shown["sizes"] == {
        "wants": 1,
        "can": 4,
        "has": 1,
        "coming": 0,
        "blocked_by": None,
        "told": "wants 1, can 4, has 1 (clones)",
    }
    assert shown["members"][1]["age_s"] == 1.0


async def test_what_was_before_the_daemon_s_memory_is_in_the_state(
    tmp_path, answered, capsys, clocks
):
    old, young = record(CLOCKS.wall - 600, 20.0), record(CLOCKS.wall - 60)
    await keep(tmp_path, old, young)

    code, [asked] = await answered(Reply(("",)), "--at", "2m", "--json")

    assert code == 0
    assert float(asked.words["at"]) == CLOCKS.wall - 112
    shown = json.loads(capsys.readouterr().out)
    assert (shown["source"], shown["at"]) == ("state", CLOCKS.wall - 600)


async def test_of_a_time_before_all_others_nothing_is_known(tmp_path, capsys, clocks):
    await keep(tmp_path, record())

    assert explain(configuration(tmp_path), "--at", "1h") == 1

    err = capsys.readouterr().err
    assert re.match("west/user:web: nothing is known of a decision that is older", err)


def test_where_no_daemon_ever_ran_that_is_told(tmp_path, capsys, clocks):
    assert explain(configuration(tmp_path)) == 1

    err = capsys.readouterr().err
    assert err == (
        "west/user:web: nothing is known of a decision yet: `autoscaler run` has to "
        "have run for a moment\n"
    )


def test_a_group_that_is_not_configured_is_told_with_those_that_are(tmp_path, capsys):
    file = configuration(tmp_path)

    assert main(["explain", "user:wbe", "--config", str(file)]) == 1

    assert "did you mean west/user:web" in capsys.readouterr().err


def test_what_is_no_time_can_not_be_understood(tmp_path, capsys):
    assert explain(configuration(tmp_path), "--at", "noon") == 2

    assert capsys.readouterr().err.startswith("--at: 'noon' is not a time such as")


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(("no such group",), is_done=False), "no such group\n"),
        (Reply(("",), rows=({"record": "{}"},)), "no daemon of this version\n"),
        (Reply(("",), rows=({},)), "no daemon of this version\n"),
    ],
)
async def test_what_the_daemon_refuses_is_told(answered, capsys, clocks, reply, said):
    code, _ = await answered(reply)

    assert code == 1
    assert capsys.readouterr().err.endswith(said)


async def test_a_damaged_record_is_one_sentence(tmp_path, capsys, clocks):
    await keep(tmp_path, record())
    async with await Store.open(tmp_path / "state") as store:
        store._connection.execute("UPDATE records SET record = x'00'")  # noqa: SLF001

    assert explain(configuration(tmp_path)) == 1

    err = capsys.readouterr().err
    assert "a record of west/user:web in state.db is damaged" in err


async def test_a_member_without_usage_has_none(tmp_path, capsys, clocks):
    made = record()
    [first, second] = made.decision.load.standings
    load = evolve(made.decision.load, standings=(first, evolve(second, usage=None)))
    made = evolve(made, decision=evolve(made.decision, load=load), ages=(1.0, None))
    await keep(tmp_path, made)

    assert explain(configuration(tmp_path)) == 0

    assert "user:web-clone-1 fresh - -" in " ".join(capsys.readouterr().out.split())


async def test_what_holds_comes_before_what_passes(tmp_path, capsys, clocks):
    await keep(tmp_path, record())

    assert explain(configuration(tmp_path)) == 0

    _, _, table = capsys.readouterr().out.partition("GUARD ")
    verdicts = re.findall(r"holds|passes", table)
    assert verdicts == sorted(verdicts)
    assert set(verdicts) == {"holds", "passes"}
