"""Whatever strangers try is answered in a sentence, while the daemon ticks."""

import contextlib
import json
from functools import partial
from pathlib import Path

import pytest
import trio

from autoscaler.core.policy import Mode
from tests.shell.harness import Wish
from tests.shell.reloading import PLAIN
from tests.shell.web.attempts import ATTEMPTS, row_of
from tests.shell.web.clients import heard, open_town, siege_of
from tests.shell.web.offices import application_of, open_office_on_disk, write_token

DOCUMENT = Path(__file__).parents[3] / "docs" / "http-api.md"


@pytest.fixture
async def office(nursery, tmp_path):
    return await open_office_on_disk(nursery, tmp_path)


@pytest.fixture
async def town(nursery, office, tmp_path):
    return await open_town(nursery, application_of(office, write_token(tmp_path)))


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.what)
async def test_an_attempt_is_answered_in_a_sentence(town, office, attempt):
    async with await town.connect() as stream:
        await stream.send_all(attempt.sent)
        await stream.send_eof()
        text = b""
        with trio.fail_after(5):
            while part := await stream.receive_some():
                text += part

    answer = heard(text)
    said = answer.body.decode()
    assert answer.status == attempt.status
    assert attempt.says in said.replace('\\"', '"')
    assert len(said.splitlines()) == 1
    assert said.isascii()
    assert office.world.events("operator_asked") == [] or attempt.status == 409


def test_the_documentation_has_the_table():
    """A row that differs is printed as it has to be."""
    written = DOCUMENT.read_text("utf-8").splitlines()

    missing = [row_of(each) for each in ATTEMPTS if row_of(each) not in written]
    assert missing == []


async def test_what_follows_a_request_is_answered_on_its_own(town):
    said = await town.say(
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + b"\0" * 9 + b"\r\n\r\n"
    )

    assert said.count(b"HTTP/1.1 ") == 2
    assert said.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 400" in said


BESIEGED = PLAIN.replace("max_clones = 3", 'max_clones = 3\npoll_interval = "500ms"')
SIEGE_S, TICK_S, LEAST_TICKS = 8, 0.5, 4


async def ask_again_and_again(town):
    """Return the first answer to whom may be sent away, as many are."""
    while True:
        with contextlib.suppress(OSError, trio.BrokenResourceError, AssertionError):
            return await town.get("/healthz")
        await trio.sleep(0.1)


@pytest.mark.slow
async def test_a_daemon_that_is_besieged_ticks_and_answers(nursery, tmp_path):
    """A thousand silent connections, slow ones, deaf ones, and all attempts.

    How late others are is measured by `make bench`: here it has to be alive.
    """
    wish = Wish(interval=TICK_S)
    office = await open_office_on_disk(nursery, tmp_path, BESIEGED, wish)
    town = await open_town(nursery, application_of(office, write_token(tmp_path)))
    ticks = office.world.notebook.ticks
    with trio.fail_after(20):
        while len(ticks) < 3:
            await trio.sleep(0.05)
    before = len(ticks)

    siege = await nursery.start(partial(trio.run_process, siege_of(town.port, SIEGE_S)))
    await trio.sleep(SIEGE_S / 2)
    with trio.fail_after(SIEGE_S):
        during = await ask_again_and_again(town)
    await siege.wait()
    after = await town.get("/healthz")

    assert json.loads(during.body)["alive"] is json.loads(after.body)["alive"] is True
    assert len(ticks) - before >= LEAST_TICKS
    assert office.world.group.mode is Mode.ACTIVE
