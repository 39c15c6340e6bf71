import json

import pytest
from attrs import evolve

from autoscaler.cli import main
from autoscaler.core.decision import Outcome, Reason
from autoscaler.shell.operators.times import format_time
from autoscaler.shell.state.mortems import DIED, PostMortem
from autoscaler.shell.state.store import RequestRow, Store
from tests.cli.files import configuration
from tests.shell.kept import (
    CLOCKS,
    CLONE,
    WEST_API,
    WEST_WEB,
    Row,
    creation,
    decision,
    destruction,
    snapshot,
)

WALL = CLOCKS.wall
ID = "3tq7-k29x"


def history(file, *words):
    return main(["history", "--config", str(file), *words])


def asked(wall, verb="pause", **words):
    return RequestRow(
        wall=wall,
        uid=1000,
        user="ann",
        verb=verb,
        words=words,
        is_done=verb != "adopt",
        said=("so it is",),
    )


@pytest.fixture(autouse=True)
def clocks(monkeypatch):
    monkeypatch.setattr("autoscaler.cli.history.wall_clock", lambda: WALL + 600)


@pytest.fixture
async def file(tmp_path):
    """A configuration beside the state of a daemon that has done something."""
    now = [WALL]
    async with await Store.open(tmp_path / "state", lambda: now[0]) as store:
        high = decision(Reason.HIGH, Outcome.UP, count=1)
        rollout = decision(Reason.ROLLOUT, Outcome.REPLACE, victim=CLONE)
        await store.record_decisions(
            [
                Row(WEST_WEB, WALL - 86_400, decision()),
                Row(WEST_WEB, WALL, high),
                Row(WEST_WEB, WALL + 1, decision(Reason.BUSY)),
                Row(WEST_WEB, WALL + 50, rollout),
            ]
        )
        await store.begin(snapshot(actions=(creation(2),)), creation(2), WALL)
        now[0] = WALL + 20
        await store.end(snapshot(), creation(2), "failed", "the host said no", 1.5)
        await store.begin(
            snapshot(actions=(destruction(3),)), destruction(3), WALL + 60
        )
        fourth = evolve(creation(4), reason=Reason.OPERATOR, by="ann", decision_id=ID)
        await store.begin(snapshot(actions=(fourth,)), fourth, WALL + 62)
        by_ann = decision(Reason.OPERATOR, Outcome.UP, count=1, by="ann", id=ID)
        await store.record_decisions([Row(WEST_WEB, WALL + 62, by_ann)])
        await store.save([snapshot(WEST_API)])
        other = evolve(destruction(1), reason=Reason.ROLLOUT)
        await store.begin(snapshot(WEST_API, actions=(other,)), other, WALL + 61)
        await store.end(snapshot(WEST_API), other, "done", None, 100.0)
        for row in (
            asked(WALL + 30, group="user:web"),
            asked(WALL + 70),
            asked(WALL + 71, "adopt", name="west/user:api-clone-4"),
            asked(WALL + 72, "adopt", name="user:web-clone-5"),
            asked(WALL + 73, "adopt", name="user"),
            asked(WALL + 74, group="user:nobody"),
        ):
            await store.record_request(row)
    return configuration(tmp_path)


async def test_all_that_happened_is_told_the_newest_last(file, capsys):
    assert history(file) == 0

    words = " ".join(capsys.readouterr().out.split())
    shown = [
        "+0 west/user:web rule create user:web-clone-2 (failed) 1.5 s - high; the host",
        "+0 west/user:web rule up high - - the mean of those",
        "+30 west/user:web ann pause user:web (done) - - so it is",
        "+50 west/user:web rollout replace rollout - - the primary",
        "+60 west/user:web rule destroy user:web-clone-1 (in flight) - - low",
        "+61 west/user:api rollout destroy user:web-clone-1 (done) 100.0 s - rollout",
        "+62 west/user:web ann create user:web-clone-4 (in flight) - 3tq7-k29x",
        "+62 west/user:web ann up operator - 3tq7-k29x an",
        "+70 - ann pause (done) - - so it is",
        "+71 west/user:api ann adopt west/user:api-clone-4 (refused)",
    ]
    for seconds in range(80):
        words = words.replace(format_time(WALL + seconds), f"+{seconds}")
    found = [words.find(each) for each in shown]
    assert -1 not in found, words
    assert found == sorted(found)
    assert "busy" not in words


async def test_one_decision_is_told_with_what_followed_from_it(file, capsys):
    assert history(file, "--decision", ID, "--json") == 0

    lines = json.loads(capsys.readouterr().out)
    assert [(line["kind"], line["what"]) for line in lines] == [
        ("action", "create user:web-clone-4"),
        ("decision", "up operator"),
    ]


async def test_a_decision_that_is_not_known_is_said_so(file, capsys):
    assert history(file, "--decision", "3tq7-zzzz") == 1

    said = capsys.readouterr().err
    assert said.startswith("'3tq7-zzzz': no decision of that time is called so")


async def test_one_group_s_history_has_what_was_asked_of_all(file, capsys):
    assert history(file, "user:web", "--json") == 0

    lines = json.loads(capsys.readouterr().out)
    requests = [line["what"] for line in lines if line["kind"] == "request"]
    assert requests == ["pause user:web", "pause", "adopt user:web-clone-5"]
    assert {line["group"] for line in lines} == {"west/user:web", None}
    assert any(line["what"] == "hold busy" for line in lines)


async def test_a_group_that_is_no_longer_configured_has_a_history(file, capsys):
    assert history(file, "west/user:api", "--json") == 0

    [action, *_] = json.loads(capsys.readouterr().out)
    assert action == {
        "at": WALL + 61,
        "kind": "action",
        "group": "west/user:api",
        "who": "rollout",
        "what": "destroy user:web-clone-1",
        "why": "rollout",
        "took_s": 100.0,
        "outcome": "done",
        "decision_id": None,
    }


async def test_only_what_is_young_enough_is_told(file, capsys):
    assert history(file, "--since", "9m", "--json") == 0

    lines = json.loads(capsys.readouterr().out)
    assert min(line["at"] for line in lines) == WALL + 60


async def test_where_nothing_has_happened_that_is_told(tmp_path, capsys):
    assert history(configuration(tmp_path)) == 0
    out = capsys.readouterr().out
    assert history(configuration(tmp_path), "--json") == 0

    assert out.startswith("nothing has happened since ")
    assert json.loads(capsys.readouterr().out) == []


async def test_what_can_not_be_understood_is_told(file, capsys):
    assert history(file, "--since", "lately") == 2
    assert capsys.readouterr().err.startswith("--since: 'lately' is not a time")

    assert history(file, "user:wbe") == 1
    assert "did you mean" in capsys.readouterr().err


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE actions SET action = '{}'",
        "UPDATE decisions SET decision = '{}'",
        "UPDATE requests SET words = '[]'",
        "UPDATE requests SET uid = 'nobody'",
    ],
)
async def test_a_damaged_row_is_one_sentence(file, tmp_path, capsys, damage):
    async with await Store.open(tmp_path / "state") as store:
        store._connection.execute(damage)  # noqa: SLF001 - as a broken disk would

    assert history(file) == 1

    err = capsys.readouterr().err
    assert "in state.db is damaged" in err
    assert err.count("\n") == 1


async def test_an_action_that_waited_in_vain_is_told_with_why(file, capsys):
    async with await Store.open(file.parent / "state", lambda: WALL + 130) as store:
        await store.withdraw(WEST_API, creation(5), "no turn came in time", 60.0)

    assert history(file, "user:api") == 0

    words = " ".join(capsys.readouterr().out.split())
    assert "(withdrawn) 60.0 s - high; no turn came in time" in words
    assert format_time(WALL + 70) in words


async def test_a_clone_that_died_by_itself_is_told(file, capsys):
    died = PostMortem(group=WEST_API, name=WEST_API.clone(3), at=WALL + 80, why=DIED)
    async with await Store.open(file.parent / "state") as store:
        await store.bury(died)
        # Its action has a line already.
        await store.bury(evolve(died, name=WEST_API.clone(4), why="low"))

    assert history(file, "user:api") == 0
    words = " ".join(capsys.readouterr().out.split())
    assert history(file, "user:web") == 0
    others = capsys.readouterr().out
    assert history(file, "--json") == 0
    lines = json.loads(capsys.readouterr().out)

    assert "itself user:api-clone-3 died - - silent and no longer listed" in words
    assert "clone-4 died" not in words
    assert "died" not in others
    [death] = [line for line in lines if line["kind"] == "death"]
    assert (death["at"], death["group"]) == (WALL + 80, str(WEST_API))
