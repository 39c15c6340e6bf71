"""`autoscaler top` in a real terminal: what it shows, and how it leaves."""

import json
import os
import signal
import sys

import pytest
import trio

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import Options, run_sandbox
from albatross_client.sandbox.live import Settings as HostSettings
from albatross_client.values import Config
from autoscaler.shell.operators.control import user_name
from tests.cli.files import configuration
from tests.cli.running import AUTOSCALER, command, start, write_config
from tests.cli.screen.fleets import keep
from tests.pseudo_terminal import LEAVE, open_terminal
from tests.sandbox_fixtures import USER_POLICY

USER, WEB = Name(("user",)), Name(("user",), "web")
NEVER = "no daemon runs, and none ever has"
# A bug that shows while everything is on the screen.
BROKEN = (
    "import autoscaler.cli.screen.source as source\n"
    "def see(settings):\n    raise ZeroDivisionError\n"
    "source.see = see\n" + AUTOSCALER
)


def top(config, *options, program=AUTOSCALER):
    words = ["top", "--config", str(config), "--interval", "0.2s"]
    return [sys.executable, "-c", program, *words, *options]


@pytest.fixture
async def alone(nursery, tmp_path):
    """A terminal where no daemon has ever run."""
    return await open_terminal(nursery, top(configuration(tmp_path)))


@pytest.mark.parametrize(
    ("keys", "code"),
    [pytest.param("q", 0, id="q"), pytest.param("\x03", 130, id="control C")],
)
async def test_whoever_leaves_gets_the_terminal_back(alone, keys, code):
    await alone.wait_for(NEVER, "autoscaler top: test", "q: leave")

    await alone.type(keys)

    assert await alone.end() == code
    assert alone.is_restored


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
async def test_whoever_is_ended_gives_the_terminal_back(alone, number, code):
    await alone.wait_for(NEVER)

    alone.process.send_signal(number)

    assert await alone.end() == code
    assert alone.is_restored


async def test_a_terminal_that_is_gone_is_no_reason_to_stay(alone):
    await alone.wait_for(NEVER)

    alone.hang_up()

    # The end of what it reads may come before the signal, or after it: to a
    # shell both are 129.
    assert await alone.end() in {129, -signal.SIGHUP}


async def test_even_a_bug_gives_the_terminal_back(nursery, tmp_path):
    command = top(configuration(tmp_path), program=BROKEN)
    terminal = await open_terminal(nursery, command)

    assert await terminal.end() == 1

    assert terminal.is_restored
    assert b"ZeroDivisionError" in terminal.sent.partition(LEAVE)[2]


async def test_who_is_stopped_gives_the_terminal_back_until_it_goes_on(alone):
    await alone.wait_for(NEVER)

    await alone.type("\x1a")
    with trio.fail_after(5):
        while not alone.is_restored:
            await trio.sleep(0.02)
    alone.process.send_signal(signal.SIGCONT)
    await alone.type("?")

    await alone.wait_for("choose a group", "Esc or q: back")


async def test_a_terminal_may_have_any_size_at_any_time(alone):
    for size in [(60, 12), (20, 4), (3, 2), (1, 1), (200, 60)]:
        alone.resize(*size)
        await trio.sleep(0.1)

    await alone.wait_for("autoscaler top: test", NEVER, "q: leave")


@pytest.mark.parametrize(
    ("environment", "has_colour", "has_unicode"),
    [
        pytest.param({}, True, True, id="everything"),
        pytest.param({"NO_COLOR": "1"}, False, True, id="no colour"),
        pytest.param({"LC_ALL": "C"}, True, False, id="no Unicode"),
    ],
)
async def test_colours_and_unicode_only_where_they_are_wanted(
    nursery, tmp_path, environment, has_colour, has_unicode
):
    await keep(tmp_path)
    words = top(configuration(tmp_path))

    terminal = await open_terminal(nursery, words, environment=environment)
    await terminal.wait_for("west/user:web", "steady")

    assert (b"\x1b[32m" in terminal.sent) is has_colour
    assert (not terminal.sent.isascii()) is has_unicode


async def test_a_dumb_terminal_gets_the_table(nursery, tmp_path):
    await keep(tmp_path)
    words = top(configuration(tmp_path))

    terminal = await open_terminal(nursery, words, environment={"TERM": "dumb"})

    assert await terminal.end() == 0
    await terminal.wait_for("no daemon runs: showing the state of", "west/user:web")
    assert LEAVE not in terminal.sent


@pytest.fixture
async def sandbox(nursery, tmp_path):
    options = Options(
        directory=tmp_path / "keys",
        settings=HostSettings(
            interval=0.25,
            policies={USER: USER_POLICY},
            # Nothing to do at first; then more than one member can.
            demands={WEB: Demand(((0.0, 0.6), (8.0, 2.0)))},
        ),
        unikernels={WEB: Config(memory=32)},
    )
    return await nursery.start(run_sandbox, options)


@pytest.mark.slow
async def test_a_fleet_is_followed_explained_and_steered(nursery, sandbox, tmp_path):
    config = write_config(tmp_path, sandbox)
    daemon = await start(nursery, config)
    terminal = await open_terminal(nursery, top(config), (110, 30))

    await it_grows_and_says_why_no_further(terminal)
    await it_explains(terminal)
    await it_pauses_in_the_name_of_who_says_yes(terminal, config)
    await daemon.end(signal.SIGTERM)
    await it_outlives_the_daemon(terminal)
    await start(nursery, config)
    await it_finds_the_next_one(terminal)
    await terminal.type("q")

    assert await terminal.end() == 0
    assert terminal.is_restored


async def it_grows_and_says_why_no_further(terminal):
    await terminal.wait_for("sandbox/user:web", "0/1/0")
    await terminal.wait_for("2/1/1", "user:web-clone-1")
    text = await terminal.wait_for("! sandbox/user:web: wants 2", "blocked by")
    assert "max clones" in text or "cooldown" in text


async def it_explains(terminal):
    await terminal.type("e")
    await terminal.wait_for("explain sandbox/user:web", "MEMBER", "GUARD")
    await terminal.type("\x1b[F")
    await terminal.wait_for("passes", without="more lines below")
    await terminal.type("\x1b")
    await terminal.wait_for("q: leave  e: explain")


async def it_pauses_in_the_name_of_who_says_yes(terminal, config):
    await terminal.type("p")
    await terminal.wait_for("pause sandbox/user:web? y: yes")
    await terminal.type("n")
    await terminal.wait_for("nothing was done")
    await terminal.type("py")
    me = user_name(os.getuid())
    await terminal.wait_for("sandbox/user:web is paused", f"paused by {me}")

    _, out, _ = await command("history", "--json", "--config", config)

    asked = [line for line in json.loads(out) if line["kind"] == "request"]
    assert [(line["who"], line["what"]) for line in asked] == [
        (me, "pause sandbox/user:web")
    ]


async def it_outlives_the_daemon(terminal):
    await terminal.wait_for("no daemon runs: showing the state of")
    terminal.resize(60, 20)
    await terminal.wait_for("w/c/h", "paused")


async def it_finds_the_next_one(terminal):
    await terminal.wait_for("1 of 1 stream up", without="no daemon runs")
    await terminal.type("py")
    await terminal.wait_for("does what the file and --mode allow: active")
