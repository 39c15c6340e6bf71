"""What programs are told and may do over HTTP, by a daemon that runs."""

import json

import pytest
import trio

from autoscaler.core.decision import Outcome, Reason
from autoscaler.core.policy import Mode
from autoscaler.shell.operators.requests import Request, read_told
from autoscaler.shell.state.mortems import DIED, ConsoleText, PostMortem
from autoscaler.shell.state.store import RequestRow, Store, UsageRow
from autoscaler.shell.web.token import Lock
from tests.schemas import hold
from tests.shell.harness import GROUP
from tests.shell.kept import Row, decision, record
from tests.shell.operators.office import ANN
from tests.shell.reloading import PLAIN, group
from tests.shell.web.clients import open_town
from tests.shell.web.offices import (
    TOKEN,
    application_of,
    log_of,
    open_office_on_disk,
    settings_in,
    write_token,
)

BEARER = f"Bearer {TOKEN}"
PATH = "/api/v1/groups/alpha/user:web"
CLONE = GROUP.clone(1)
GONE = f"{CLONE} died"


def read(answer, schema=None):
    """Return what is told, which is as the *schema* of this name says."""
    assert answer.headers["content-type"] == "application/json"
    told = json.loads(answer.body)
    if answer.status >= 400:
        schema = "done" if "done" in told else "error"
    if schema is not None:
        hold(schema, told)
    return told


@pytest.fixture
async def office(nursery, tmp_path):
    return await open_office_on_disk(nursery, tmp_path, PLAIN + group("user:api"))


@pytest.fixture
async def town(nursery, office, tmp_path):
    """A daemon that may be changed, by who has the token."""
    return await open_town(nursery, application_of(office, write_token(tmp_path)))


@pytest.fixture
async def wall(office, tmp_path):
    """An hour of which something is on disk; the time is told."""
    wall = office.world.daemon.fleet.clocks().wall
    high = decision(Reason.HIGH, Outcome.UP, count=1)
    mortem = PostMortem(
        group=GROUP,
        name=CLONE,
        at=wall - 300,
        why=DIED,
        usage=12.5,
        console=(ConsoleText(wall - 301, "bye"),),
    )
    async with await Store.open(tmp_path) as store:
        await store.record_decisions(
            [
                Row(GROUP, wall - 7200, decision()),
                Row(GROUP, wall - 600, high, record(wall - 600)),
            ]
        )
        for minute in range(3):
            row = UsageRow(
                group=GROUP,
                wall=wall - 180 + 60 * minute,
                mean=40.0 + minute,
                least=None,
                most=None,
                smallest=1,
                largest=1,
            )
            await store.record_usage([row])
        await store.record_request(
            RequestRow(
                wall=wall - 60,
                uid=1000,
                user="ann",
                verb="pause",
                words={"group": str(GROUP)},
                is_done=True,
                said=("so it is",),
            )
        )
        await store.bury(mortem)
    return wall


# Reading


async def test_the_status_is_that_of_the_command_line(town):
    told = read(await town.get("/api/v1/status"), "status")

    assert list(told) == ["daemon", "stranded", "streams", "groups"]
    assert told["daemon"] == {"running": False, "pid": None}
    assert [each["group"] for each in told["groups"]] == [
        "alpha/user:web",
        "alpha/user:api",
    ]


async def test_the_status_is_read_once_a_second_at_most(town, tmp_path):
    first = await town.get("/api/v1/status")
    async with await Store.open(tmp_path):
        second = await town.get("/api/v1/status")

    # The lock of the state would show that somebody runs.
    assert second.body == first.body


async def test_one_group_is_told_alone(town):
    whole = read(await town.get("/api/v1/status"), "status")["groups"]

    assert read(await town.get("/api/v1/groups")) == {"groups": whole}
    assert read(await town.get(PATH), "group") == whole[0]
    assert read(await town.get("/api/v1/groups/alpha/user%3Aweb")) == whole[0]


async def test_a_view_gets_all_in_one_answer(town, wall):
    told = read(await town.get("/api/v1/top"), "top")

    assert told["fleet"]["groups"] == 2
    [web] = [each for each in told["groups"] if each["group"] == str(GROUP)]
    assert len(web["hour_percent"]) == 60
    assert [mean for mean in web["hour_percent"] if mean] == [40.0, 41.0, 42.0]


async def test_the_history_is_told_with_the_newest_last(town, wall):
    told = read(await town.get("/api/v1/history?since=1h"), "history")

    assert [(each["who"], each["what"]) for each in told] == [
        ("rule", "up high"),
        ("itself", GONE),
        ("ann", f"pause {GROUP}"),
    ]


@pytest.mark.parametrize(
    ("query", "done"),
    [
        pytest.param("since=3h", ["hold steady", "up high", GONE, "pause"], id="since"),
        pytest.param("since=3h&limit=1", ["pause"], id="the newest"),
        pytest.param("group=user:api", [], id="another group"),
        pytest.param(
            "group=alpha/user:web&since=1h", ["up high", GONE, "pause"], id="one"
        ),
    ],
)
async def test_a_history_may_be_of_less(town, wall, query, done):
    told = read(await town.get(f"/api/v1/history?{query}"))

    assert [each["what"].removesuffix(f" {GROUP}") for each in told] == done


async def test_a_time_may_be_told_in_seconds_since_1970(town, wall):
    told = read(await town.get(f"/api/v1/history?since={wall - 700:.3f}"))

    assert len(told) == 3


async def test_a_decision_is_explained_from_memory_and_an_earlier_one_from_disk(
    town, office, wall
):
    fleet = office.world.daemon.fleet
    with trio.fail_after(60):
        while fleet.newest(GROUP) is None:
            await trio.sleep(0.05)

    now = read(await town.get(f"{PATH}/explain"), "explain")
    earlier = read(await town.get(f"{PATH}/explain?at={wall - 500}"))

    assert (now["group"], now["source"]) == (str(GROUP), "daemon")
    assert (earlier["group"], earlier["source"]) == (str(GROUP), "state")
    assert earlier["post_mortems"] == [str(CLONE)]


async def test_a_time_before_all_that_is_kept_is_told_to_be_so(town, wall):
    answer = await town.get(f"{PATH}/explain?at=10")

    assert answer.status == 404
    assert "nothing is known of a decision that is older than" in read(answer)["error"]


async def test_a_group_that_the_status_does_not_have_yet_is_told_to_be_new(
    town, office, tmp_path
):
    office.desk.clerk.reading.settings = lambda: settings_in(tmp_path)

    answer = await town.get("/api/v1/groups/alpha/user:api")

    assert answer.status == 404
    assert read(answer)["error"] == "alpha/user:api is new: ask again in a second"


async def test_of_whom_nothing_is_kept_is_told(town, wall):
    answer = await town.get("/api/v1/post-mortems/alpha/user:web-clone-9")

    assert answer.status == 404
    assert "there is no post-mortem of it" in read(answer)["error"]


async def test_a_head_is_that_of_the_answer(town):
    answer = await town.get("/api/v1/top", method="HEAD")

    assert (answer.status, answer.body) == (200, b"")


async def test_what_is_kept_of_the_dead_is_told(town, wall):
    [line] = read(await town.get("/api/v1/post-mortems"), "post-mortems")
    path = f"/api/v1/post-mortems/alpha/{CLONE}"
    whole = read(await town.get(path), "post-mortem")

    assert (line["name"], line["why"]) == (str(CLONE), "died")
    assert whole["console"] == [{"at": wall - 301, "text": "bye"}]
    assert read(await town.get("/api/v1/post-mortems?group=user:api")) == []


async def test_the_control_socket_tells_the_same(town, office, wall):
    for verb in ("status", "history"):
        reply = await office.desk.obey(Request(verb), ANN)

        assert read_told(reply) == read(await town.get(f"/api/v1/{verb}"))


async def test_a_state_that_can_not_be_read_is_told(town, office, tmp_path):
    (tmp_path / "state.db").write_bytes(b"no database")

    for path in ("status", "groups", "history", "post-mortems"):
        answer = await town.get(f"/api/v1/{path}")
        assert answer.status == 503
        assert "state.db" in read(answer)["error"]
    assert (await town.get("/api/v1/top")).status == 200
    for verb in ("status", "history"):
        reply = await office.desk.obey(Request(verb), ANN)
        assert not reply.is_done
        assert "state.db" in reply.said[0]


# Changing


async def test_nothing_changes_without_a_token_file(nursery, office):
    town = await open_town(nursery, application_of(office))

    answer = await town.post(f"{PATH}/pause")

    assert answer.status == 403
    assert "token_file" in read(answer)["error"]
    assert office.world.group.mode is Mode.ACTIVE


async def test_who_has_the_token_pauses_and_resumes_a_group(town, office):
    paused = await town.post(f"{PATH}/pause", authorization=BEARER)
    mode = office.world.group.mode
    resumed = await town.post(f"{PATH}/resume", authorization=BEARER)

    assert read(paused, "done") == {"done": True, "said": [f"{GROUP} is paused"]}
    assert mode is Mode.PAUSED
    assert read(resumed)["said"] == [
        f"{GROUP} does what the file and --mode allow: active"
    ]


async def test_all_groups_are_paused_at_once(town, office):
    answer = await town.post("/api/v1/pause", authorization=BEARER)

    assert answer.status == 200
    assert office.world.daemon.fleet.word is Mode.PAUSED


async def test_a_group_is_scaled_in_the_name_of_the_token(town, office):
    answer = await town.post(f"{PATH}/scale", b'{"clones": 2}', authorization=BEARER)

    assert (answer.status, read(answer)["done"]) == (200, True)
    [asked] = office.world.events("operator_asked")
    assert (asked["user"], asked["uid"], asked["asked_for"]) == ("http token", -1, "2")
    assert "http token" in {each.by for each in office.world.notebook.decisions}


async def test_what_can_not_be_done_is_told_with_why(town):
    answer = await town.post(f"{PATH}/prewarm", b'{"count": 1}', authorization=BEARER)

    assert answer.status == 409
    assert read(answer) == {
        "done": False,
        "said": [f"{GROUP} has no balancer, which standbys need"],
    }


async def test_a_reload_is_asked_for(town):
    answer = await town.post("/api/v1/reload", authorization=BEARER)

    assert read(answer) == {"done": True, "said": ["nothing has changed"]}


async def test_changes_are_kept_with_who_asked(town, office):
    await town.post(f"{PATH}/observe", authorization=BEARER)

    rows = office.world.store._connection.execute(  # noqa: SLF001 - as a reader would
        "SELECT uid, user, verb, words, is_done FROM requests"
    ).fetchall()
    assert rows == [(-1, "http token", "observe", f'{{"group": "{GROUP}"}}', 1)]


# The token


async def test_a_token_that_changes_is_read_again(town, tmp_path):
    write_token(tmp_path, "f" * 40)

    old = await town.post(f"{PATH}/pause", authorization=BEARER)
    new = await town.post(f"{PATH}/pause", authorization=f"bearer {'f' * 40}")

    assert (old.status, new.status) == (401, 200)
    assert old.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(lambda path: path.unlink(), "can't be read", id="gone"),
        pytest.param(
            lambda path: (path.unlink(), path.mkdir()),
            "no regular file",
            id="directory",
        ),
        pytest.param(lambda path: path.chmod(0o640), "chmod 600", id="open to others"),
        pytest.param(lambda path: path.write_text("short"), "32 to 512", id="short"),
        pytest.param(lambda path: path.write_text("ü" * 40), "letters", id="letters"),
    ],
)
async def test_a_token_file_that_can_not_be_used_opens_nothing(
    town, office, tmp_path, spoil, says
):
    spoil(tmp_path / "token")

    answer = await town.post(f"{PATH}/pause", authorization=BEARER)

    assert answer.status == 503
    assert read(answer)["error"] == "the token file can't be used: the log says why"
    assert says in office.world.events("http_token_refused")[0]["error"]


async def test_a_token_file_that_can_not_be_used_is_told_before_it_is_needed(
    office, tmp_path
):
    path = write_token(tmp_path, mode=0o644)

    await Lock(path, log_of(office)).try_out()

    [told] = office.world.events("http_token_refused")
    assert told["error"] == f"{path} can be read by others than its owner: chmod 600 it"


async def test_the_token_may_be_needed_for_reading_too(nursery, office, tmp_path):
    app = application_of(office, write_token(tmp_path), is_locked=True)
    town = await open_town(nursery, app)

    for path in ("/api/v1/status", "/metrics", "/api/v1/nothing"):
        assert (await town.get(path)).status == 401
    assert (await town.get("/api/v1/status", authorization=BEARER)).status == 200
    assert (await town.get("/healthz")).status == 200
