"""A bug in what is told over HTTP costs that answer, and nothing else."""

import json

import pytest
import trio

from autoscaler.shell.containment import BROKEN
from autoscaler.shell.operators.clerk import Clerk
from autoscaler.shell.web.api import Locked
from autoscaler.shell.web.pulse import Pulse
from autoscaler.shell.web.token import Lock
from tests.shell.web.clients import open_town, read_to_end
from tests.shell.web.offices import (
    TOKEN,
    application_of,
    log_of,
    open_office_on_disk,
    write_token,
)

ASK = b"GET /a?access_token=abc HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def broken(_scope, _receive, _send):
    msg = "a bug"
    raise ValueError(msg)


def explode(*_args):
    msg = "a bug"
    raise ValueError(msg)


async def test_a_bug_is_answered_in_a_sentence_and_told_once(nursery):
    town = await open_town(nursery, broken)

    answer = await town.get("/a?access_token=abc")

    assert (answer.status, answer.body.decode()) == (500, f"{BROKEN}\n")
    [(event, fields)] = town.log
    assert (event, fields["doing"]) == ("bug_contained", "answering GET /a")
    assert str(fields["error"]).startswith("ValueError at visit.py:")
    assert str(fields["traceback"]).startswith("a bug; test_broken.py:")
    assert "abc" not in str(fields)


async def test_a_deadline_that_an_answer_misses_by_itself_is_a_bug_too(nursery):
    async def hasty(_scope, _receive, _send):
        with trio.fail_after(0):
            await trio.sleep(1)

    town = await open_town(nursery, hasty)

    assert (await town.get("/")).status == 500
    assert [event for event, _ in town.log] == ["bug_contained"]


async def test_an_answer_that_breaks_off_is_seen_to_be_no_whole_one(nursery):
    async def half(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": ()})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        explode()

    town = await open_town(nursery, half)

    async with await town.connect() as stream:
        await stream.send_all(ASK)
        text = await read_to_end(stream)

    assert b"half" in text
    assert not text.endswith(b"0\r\n\r\n")
    assert [event for event, _ in town.log] == ["bug_contained"]


async def test_headers_that_can_not_be_sent_end_the_visit_alone(nursery):
    async def odd(_scope, _receive, send):
        headers = [(b"content-length", b"2"), (b"content-length", b"3")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    town = await open_town(nursery, odd)

    assert await town.say(ASK) == b""
    assert [event for event, _ in town.log] == ["bug_contained"]


@pytest.fixture
async def office(nursery, tmp_path):
    return await open_office_on_disk(nursery, tmp_path)


@pytest.mark.parametrize(
    ("view", "path"),
    [
        pytest.param((Clerk, "top"), "/api/v1/top", id="JSON"),
        pytest.param((Pulse, "look"), "/healthz", id="health"),
    ],
)
async def test_all_paths_but_the_broken_one_are_answered(
    nursery, office, monkeypatch, view, path
):
    town = await open_town(nursery, application_of(office))
    monkeypatch.setattr(*view, explode)

    answer = await town.get(path)

    assert (answer.status, json.loads(answer.body)) == (500, {"error": BROKEN})
    assert [event for event, _ in town.log] == ["bug_contained"]
    assert (await town.get("/api/v1/status")).status == 200
    assert not office.world.daemon.stopping.is_set()


async def test_a_bug_before_any_path_is_contained_as_well(
    nursery, office, tmp_path, monkeypatch
):
    lock = Lock(write_token(tmp_path), log_of(office))
    town = await open_town(nursery, Locked(application_of(office), lock))
    monkeypatch.setattr(Lock, "_current", explode)

    answer = await town.get("/", authorization=f"Bearer {TOKEN}")

    assert (answer.status, answer.body.decode()) == (500, f"{BROKEN}\n")
    assert TOKEN not in str(town.log)
