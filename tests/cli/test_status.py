import json

import pytest
import trio
from attrs import evolve

from albatross_client.names import Name
from autoscaler.cli import main
from autoscaler.core.backend import Duty, Health
from autoscaler.core.decision import MemberClass, Requests, Service
from autoscaler.core.demand import RequestPolicy
from autoscaler.core.group import GroupId
from autoscaler.core.ledger import Backoff
from autoscaler.core.policy import Mode
from autoscaler.shell.configuration.settings import load_settings
from autoscaler.shell.operators.status_report import (
    MemberLine,
    Stranded,
    report,
)
from autoscaler.shell.state.reader import NOTHING, Standing, State, read_state
from autoscaler.shell.state.store import RequestRow, Store, StreamRow
from tests.cli.files import MANAGED, configuration
from tests.shell.kept import (
    CLOCKS,
    CLONE,
    WEB,
    WEST_API,
    WEST_WEB,
    Row,
    creation,
    decision,
    record,
    snapshot,
)

USER = Name.parse("user:")
BALANCER = """address_pool = "10.0.0.1-10.0.0.9"
[groups.balancer]
socket = "/run/haproxy/admin.sock"
backend = "web"
port = 80
"""
GONE = GroupId("east", WEB)


def status(*words):
    return main(["status", "--config", *map(str, words)])


def state(*snapshots, decisions=(), began=()):
    return State({s.id: s for s in snapshots}, dict(decisions), dict(began), ())


@pytest.fixture
def settings(tmp_path):
    return load_settings(configuration(tmp_path))


def line(settings, known, clocks=CLOCKS):
    [found] = report(settings, known, clocks).groups
    return found


def test_a_group_of_which_nothing_is_known_is_told_all_the_same(settings):
    found = line(settings, NOTHING)

    assert found.id == WEST_WEB
    assert found.members == ()
    assert found.standing is None


def test_members_have_the_class_and_usage_of_the_newest_decision(settings):
    standing = Standing(decision(), 1.0, 2.0)
    known = state(
        snapshot(clones=(1, 2), actions=(creation(3),)),
        decisions={WEST_WEB: standing}.items(),
    )

    assert line(settings, known).members == (
        MemberLine(WEB, MemberClass.FRESH, 93.25),
        MemberLine(CLONE, MemberClass.STALE, None),
        MemberLine(WEST_WEB.clone(2), None, None),
        MemberLine(WEST_WEB.clone(3), None, None),
    )


async def test_a_managed_group_has_no_member_but_its_own(tmp_path):
    shop = GroupId("west", Name(("user",), "shop"), is_managed=True)
    settings = load_settings(configuration(tmp_path, groups=MANAGED))
    async with await Store.open(tmp_path / "state", lambda: CLOCKS.wall) as store:
        kept = snapshot(shop, clones=(1,), actions=(creation(2),))
        await store.begin(kept, creation(2), CLOCKS.wall)
        await store.record_decisions([Row(shop, CLOCKS.wall, decision())])
        await store.refresh_decisions([Row(shop, CLOCKS.wall, decision())])

    found = line(settings, read_state(tmp_path / "state"))

    assert [str(member.name) for member in found.members] == [
        "user:shop-1",
        "user:web-clone-2",
    ]
    assert found.standing is not None
    assert [action.age_s for action in found.actions] == [0.0]


def test_cooldowns_count_from_the_last_change_each_for_itself(settings):
    known = state(snapshot(changed_at=CLOCKS.now - 45.0))

    found = line(settings, known)

    assert found.cooldown_up_left_s == pytest.approx(15.0)
    assert found.cooldown_down_left_s == pytest.approx(255.0)


def test_where_requests_drive_a_group_their_cooldown_is_told(settings):
    requests = RequestPolicy(target_rps=1, cooldown_down=50.0)
    group = settings.groups[0]
    driven = evolve(group, policy=evolve(group.policy, requests=requests))
    known = state(snapshot(changed_at=CLOCKS.now - 45))

    found = line(evolve(settings, groups=(driven,)), known)

    assert found.cooldown_up_left_s == 0.0
    assert found.cooldown_down_left_s == pytest.approx(5.0)


def test_a_cooldown_goes_on_while_the_daemon_is_down(settings):
    known = state(snapshot(changed_at=CLOCKS.now))
    later = evolve(CLOCKS, boot=CLOCKS.boot + 200.0)

    found = line(settings, known, later)

    assert found.cooldown_up_left_s == 0.0
    assert found.cooldown_down_left_s == pytest.approx(100.0)


def test_pauses_after_failures_are_told_while_they_hold(settings):
    known = state(
        snapshot(
            creating=Backoff(1, CLOCKS.now - 4.0, 10.0, b"x"),
            replacing=Backoff(1, CLOCKS.now - 40.0, 10.0),
        )
    )

    assert dict(line(settings, known).backoffs_left_s) == {
        "creating": pytest.approx(6.0)
    }


@pytest.mark.parametrize(
    ("began", "age"),
    [
        pytest.param({(WEST_WEB, 1): CLOCKS.wall - 3.0}, 3.0, id="known"),
        pytest.param({(WEST_WEB, 1): CLOCKS.wall + 3.0}, 0.0, id="a clock was stepped"),
        pytest.param({}, None, id="not known"),
    ],
)
def test_the_age_of_an_action_is_told(settings, began, age):
    known = state(snapshot(actions=(creation(),)), began=began.items())

    [found] = line(settings, known).actions
    assert found.age_s == age


def test_clones_of_a_group_that_is_gone_are_told_with_what_removes_them(tmp_path):
    settings = load_settings(configuration(tmp_path))
    known = state(snapshot(WEST_API, (1,)), snapshot(GONE, (2,)), snapshot())
    command = (
        f"autoscaler destroy --stranded --config {settings.path} west/user:api-clone-1"
    )

    assert report(settings, known, CLOCKS).stranded == (
        Stranded("east", Name.parse("user:web-clone-2"), None),
        Stranded("west", Name.parse("user:api-clone-1"), command),
    )


def test_a_stranded_clone_is_as_old_as_the_last_look_at_its_group(tmp_path):
    settings = load_settings(configuration(tmp_path))
    standing = Standing(decision(), 1.0, 1_799_999_000.0)
    known = state(snapshot(WEST_API, (1,)), decisions={WEST_API: standing}.items())

    [stranded] = report(settings, known, CLOCKS).stranded

    assert stranded.since == 1_799_999_000.0


def test_a_clone_that_was_being_created_is_stranded_too(tmp_path):
    settings = load_settings(configuration(tmp_path))
    known = state(snapshot(GONE, (1,), actions=(creation(2),)))

    names = [str(each.name) for each in report(settings, known, CLOCKS).stranded]

    assert names == ["user:web-clone-1", "user:web-clone-2"]


def test_a_command_can_be_pasted_whatever_the_path_is(tmp_path):
    directory = tmp_path / "it's here"
    directory.mkdir()
    settings = load_settings(configuration(directory))

    [stranded] = report(settings, state(snapshot(WEST_API, (1,))), CLOCKS).stranded

    assert f"""--config '{tmp_path}/it'"'"'s here/autoscaler.toml'""" in (
        stranded.command or ""
    )


async def keep(directory):
    """Write the state of a daemon that has something to tell."""
    async with await Store.open(directory / "state", lambda: CLOCKS.wall) as store:
        foreign = evolve(
            snapshot(clones=(1,), actions=(creation(2),), changed_at=CLOCKS.now),
            foreign=(WEST_WEB.clone(9),),
        )
        await store.begin(foreign, creation(2), CLOCKS.wall)
        await store.save([snapshot(WEST_API, (1,)), snapshot(GONE, (3,))])
        row = Row(WEST_WEB, CLOCKS.wall, decision(), record())
        await store.record_decisions([row])
        stream = StreamRow(host="west", domain=USER, is_up=True, since=CLOCKS.wall)
        down = StreamRow(host="west", domain=WEB.domain, is_up=False, since=1.0)
        await store.remember_streams([evolve(down, host="east"), stream])


@pytest.fixture
def clocks(monkeypatch):
    form = "autoscaler.shell.operators.status_form"
    monkeypatch.setattr(f"{form}.wall_clock", lambda: CLOCKS.wall + 8)
    monkeypatch.setattr(f"{form}.boot_clock", lambda: CLOCKS.boot + 8)
    monkeypatch.setattr(f"{form}.boot_id", lambda: CLOCKS.boot_id)


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


def behind_a_balancer(load):
    """Return *load* as it is where a balancer tells of it."""
    primary, clone = load.standings
    clone = evolve(clone, service=Service(Duty.READY, Health.PASSED, 7))
    return evolve(load, standings=(primary, clone), requests=Requests(9, 2, 12.5))


async def keep_behind_a_balancer(directory, load):
    async with await Store.open(directory / "state", lambda: CLOCKS.wall) as store:
        await store.save([snapshot(clones=(1,))])
        row = Row(WEST_WEB, CLOCKS.wall, evolve(decision(), load=load), None)
        await store.record_decisions([row])


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
