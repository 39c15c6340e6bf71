"""status: what is shown, to people and as JSON."""

import json

import pytest
import trio
from attrs import evolve

from autoscaler.cli import main
from autoscaler.core.policy import Mode
from autoscaler.shell.state.store import RequestRow, Store
from tests.cli.files import configuration
from tests.cli.states import (
    BALANCER,
    behind_a_balancer,
    keep,
    keep_behind_a_balancer,
)
from tests.shell.kept import (
    CLOCKS,
    WEST_WEB,
    Row,
    decision,
    snapshot,
)


def status(*words):
    return main(["status", "--config", *map(str, words)])


async def test_all_that_is_known_is_shown(tmp_path, capsys, clocks):
    await keep(tmp_path)
    file = configuration(tmp_path)

    assert status(file) == 0

    out = capsys.readouterr().out
    words = " ".join(out.split())
    assert words.startswith("The daemon is down: this is what it knew last.")
    for shown in (
        "west/user:web 1 of 0..4 1/4/1 hold steady 8s the means, 93.2 %",
        "west/user:web user:web fresh 93.2",
        "west/user:web user:web-clone-1 stale -",
        "west/user:web user:web-clone-2 - -",
        "west/user:web create user:web-clone-2 8 passed",
        "west/user:web cooldown up 52 left",
        "west/user:web cooldown down 292 left",
        "west/user:web user:web-clone-9",
        "east user:web-clone-3",
        "west user:api-clone-1",
        f"remove it: autoscaler destroy --stranded --config {file} west/user:api-clo",
        "west user: was up 8s",
        "east user: was down",
    ):
        assert shown in words


async def test_all_that_is_known_is_json_too(tmp_path, capsys, clocks):
    await keep(tmp_path)

    assert status(configuration(tmp_path), "--json") == 0

    shown = json.loads(capsys.readouterr().out)
    assert shown["daemon"] == {"running": False, "pid": None}
    [group] = shown["groups"]
    assert group["group"] == "west/user:web"
    assert group["members"][0] == {
        "name": "user:web",
        "class": "fresh",
        "usage_percent": 93.25,
        "server": None,
    }
    assert group["requests"] is None
    assert group["decision"]["reason"] == "steady"
    assert group["decision"]["age_s"] == 8.0
    assert group["actions"] == [
        {
            "id": 2,
            "what": "create user:web-clone-2",
            "reason": "high",
            "age_s": 8.0,
        }
    ]
    assert group["cooldown_down_left_s"] == 292.0
    assert group["foreign"] == ["user:web-clone-9"]
    assert group["sizes"] == {
        "wants": 1,
        "can": 4,
        "has": 1,
        "coming": 0,
        "blocked_by": None,
    }
    assert group["said"] is None
    assert [each["command"] is None for each in shown["stranded"]] == [True, False]
    assert {(s["host"], s["up"]) for s in shown["streams"]} == {
        ("west", True),
        ("east", False),
    }


async def test_what_a_balancer_tells_is_shown(tmp_path, capsys, clocks):
    await keep_behind_a_balancer(tmp_path, behind_a_balancer(decision().load))
    file = configuration(tmp_path, more=BALANCER)

    assert status(file) == 0

    words = " ".join(capsys.readouterr().out.split())
    assert "GROUP MEMBER CLASS USAGE % SERVER SESSIONS" in words
    assert "west/user:web user:web fresh 93.2 - -" in words
    assert "user:web-clone-1 stale - ready, checks passed 7" in words
    assert "GROUP IN FLIGHT WAITING FOR MS west/user:web 9 2 12" in words


async def test_how_many_stand_by_is_shown(tmp_path, capsys, clocks):
    waiting = evolve(decision(), standbys=2, standbys_ready=1, standbys_wanted=3)
    async with await Store.open(tmp_path / "state", lambda: CLOCKS.wall) as store:
        await store.save([snapshot(clones=(1,))])
        await store.record_decisions([Row(WEST_WEB, CLOCKS.wall, waiting)])

    assert status(configuration(tmp_path)) == 0

    words = " ".join(capsys.readouterr().out.split())
    assert "west/user:web 1 of 0..4, 1 of 3 stand by" in words


async def test_what_a_balancer_tells_is_json_too(tmp_path, capsys, clocks):
    await keep_behind_a_balancer(tmp_path, behind_a_balancer(decision().load))

    assert status(configuration(tmp_path, more=BALANCER), "--json") == 0

    [group] = json.loads(capsys.readouterr().out)["groups"]
    assert [member["server"] for member in group["members"]] == [
        None,
        {"duty": "ready", "health": "passed", "sessions": 7},
    ]
    assert group["requests"] == {"in_flight": 9, "queued": 2, "queue_ms": 12.5}


async def test_a_balancer_that_tells_nothing_is_shown_as_that(tmp_path, capsys, clocks):
    await keep_behind_a_balancer(tmp_path, decision().load)

    assert status(configuration(tmp_path, more=BALANCER)) == 0

    words = " ".join(capsys.readouterr().out.split())
    assert "west/user:web ? ? the balancer tells nothing" in words


async def test_without_a_balancer_nothing_is_said_of_one(tmp_path, capsys, clocks):
    await keep_behind_a_balancer(tmp_path, decision().load)

    assert status(configuration(tmp_path)) == 0

    out = capsys.readouterr().out
    assert "SERVER" not in out
    assert "Traffic" not in out


def request(wall, verb, **words):
    return RequestRow(
        wall=wall,
        uid=1000,
        user="ann",
        verb=verb,
        words=words,
        is_done=True,
        said=("so it is",),
    )


@pytest.mark.usefixtures("clocks")
@pytest.mark.parametrize(
    ("words", "why", "said"),
    [
        pytest.param(
            [
                Mode.PAUSED,
                request(-50, "resume"),
                request(-10, "pause", group="user:web"),
            ],
            "call for no change; paused by ann for 18s",
            {"mode": "paused", "user": "ann", "age_s": 18.0},
            id="it alone",
        ),
        pytest.param(
            [
                Mode.OBSERVE,
                request(-10, "observe"),
                request(-5, "pause", group="user:api"),
            ],
            "call for no change; set to observe by ann for 18s",
            {"mode": "observe", "user": "ann", "age_s": 18.0},
            id="with all others",
        ),
        pytest.param(
            [Mode.PAUSED, request(-10, "observe")],
            "call for no change; paused by an operator",
            {"mode": "paused", "user": None, "age_s": None},
            id="longer ago than the history goes back",
        ),
        pytest.param(
            [Mode.ACTIVE, request(-10, "resume")], "call for no change", None, id="-"
        ),
    ],
)
async def test_who_holds_a_group_is_told_and_since_when(
    tmp_path, capsys, words, why, said
):
    mode, *requests = words
    async with await Store.open(tmp_path / "state") as store:
        await store.save([snapshot(mode=mode)])
        await store.record_decisions([Row(WEST_WEB, CLOCKS.wall, decision())])
        for row in requests:
            await store.record_request(evolve(row, wall=CLOCKS.wall + row.wall))

    assert status(configuration(tmp_path)) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert status(configuration(tmp_path), "--json") == 0

    assert f"{why} Members:" in out
    assert json.loads(capsys.readouterr().out)["groups"][0]["said"] == said


async def test_a_daemon_that_runs_is_told_with_its_process(tmp_path, capsys):
    file = configuration(tmp_path)

    async with await Store.open(tmp_path / "state"):
        code = await trio.to_thread.run_sync(status, file, "--json")

    assert code == 0
    daemon = json.loads(capsys.readouterr().out)["daemon"]
    assert daemon["running"] is True
    assert daemon["pid"] > 1


async def test_a_daemon_that_runs_is_told_to_people(tmp_path, capsys):
    file = configuration(tmp_path)

    async with await Store.open(tmp_path / "state"):
        status(file)

    assert capsys.readouterr().out.startswith("The daemon runs (process ")


def test_where_no_daemon_ever_ran_that_is_told(tmp_path, capsys):
    assert status(configuration(tmp_path)) == 0

    assert "nothing was decided yet" in capsys.readouterr().out


def test_where_no_daemon_ever_ran_json_says_null(tmp_path, capsys):
    assert status(configuration(tmp_path), "--json") == 0

    [group] = json.loads(capsys.readouterr().out)["groups"]
    assert group["decision"] is None
    assert group["actions"] == []


def test_a_state_that_can_not_be_read_is_one_sentence(tmp_path, capsys):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "state.db").write_bytes(b"rubbish" * 500)

    assert status(configuration(tmp_path)) == 1

    err = capsys.readouterr().err
    assert "can't be read: file is not a database" in err
    assert err.count("\n") == 1


def test_a_wrong_configuration_is_told(tmp_path, capsys):
    assert status(configuration(tmp_path, more="warmup = 3\n")) == 1

    assert "warmup = 3: must be a duration" in capsys.readouterr().err
