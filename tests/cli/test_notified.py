"""A daemon as a process of its own tells others of its events."""

import json
import signal
import time

import pytest
import trio

from autoscaler.shell.notifying.notices import GOODBYE_S
from tests.cli.running import PATIENCE_S, Running, start, write_config

# The same daemon and host as there.

TABLE = """
[[notify]]
name = "page"
events = ["action_finished", "daemon_stopped"]
on_event = "page"
{more}
[[groups]]
host = "sandbox"
primary = "user:none"
max_clones = 0
"""


@pytest.fixture
async def begin(nursery, sandbox, tmp_path):
    async def begin(script: str, more: str = "") -> Running:
        page = tmp_path / "page"
        page.write_text(f"#!/bin/sh\n{script}\n")
        page.chmod(0o755)
        table = TABLE.format(more=more)
        return await start(nursery, write_config(tmp_path, sandbox, table))

    return begin


async def told_in(file):
    """Return what was written to *file*, once there is something."""
    with trio.fail_after(PATIENCE_S):
        while not (file.exists() and file.read_text().endswith("\n")):
            await trio.sleep(0.02)
    lines = map(json.loads, file.read_text().splitlines())
    # One that was being told at the end may have been told twice.
    return list({line["id"]: line for line in lines}.values())


async def test_events_are_told_to_the_very_end(begin, tmp_path):
    daemon = await begin(f"cat >> {tmp_path}/got")

    await told_in(tmp_path / "got")
    code = await daemon.end(signal.SIGTERM)

    told = await told_in(tmp_path / "got")
    assert code == 0
    assert [each["event"] for each in told] == ["action_finished", "daemon_stopped"]
    assert told[0]["deployment"] == "test"
    assert told[0]["fields"]["outcome"] == "done"


@pytest.mark.slow
async def test_executables_that_hang_hold_up_neither_actions_nor_the_end(
    begin, tmp_path
):
    daemon = await begin("sleep 600")

    finished = await daemon.wait_for("event=action_finished")
    began = time.monotonic()
    code = await daemon.end(signal.SIGTERM)
    took = time.monotonic() - began

    assert code == 0
    assert "outcome=done" in finished
    assert took < GOODBYE_S + 5
    await daemon.wait_for("event=notifications_dropped receiver=page dropped=2")


async def test_a_reload_tells_others(begin, tmp_path):
    daemon = await begin("exit 0")
    await daemon.wait_for("event=action_finished")
    config = tmp_path / "autoscaler.toml"
    text = config.read_text("utf-8").replace(
        'events = ["action_finished", ', 'events = ["configuration_reloaded", '
    )
    other = tmp_path / "other"
    other.write_text(f"#!/bin/sh\ncat >> {tmp_path}/got\n")
    other.chmod(0o755)
    config.write_text(text.replace('on_event = "page"', 'on_event = "other"'), "utf-8")

    daemon.process.send_signal(signal.SIGHUP)
    await daemon.wait_for("event=configuration_reloaded")
    await told_in(tmp_path / "got")
    await daemon.end(signal.SIGTERM)

    told = await told_in(tmp_path / "got")
    # What the executable before was being told waits for the other one.
    events = [each["event"] for each in told if each["event"] != "action_finished"]
    assert events == ["configuration_reloaded", "daemon_stopped"]


async def test_a_secret_that_others_can_read_is_refused_at_the_start(begin, tmp_path):
    key = tmp_path / "key"
    key.write_text("0123456789abcdef" * 4)
    key.chmod(0o644)
    more = (
        '[[notify]]\nname = "chat"\nevents = ["level:error"]\n'
        'webhook = "http://127.0.0.1:9/"\nsecret_file = "key"'
    )

    daemon = await begin("exit 0", more)
    line = await daemon.wait_for("can be read by others than its owner")
    with trio.fail_after(10):
        code = await daemon.process.wait()

    assert code == 1
    assert "[[notify]] #2 (chat): secret_file" in line
