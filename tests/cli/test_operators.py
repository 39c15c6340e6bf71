"""Operators and a daemon that is a process of its own: all of it, over TLS."""

import io
import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest
import trio

from albatross_client.sandbox.embed import Sandbox
from albatross_client.sandbox.faults import Rule, SlowReply
from autoscaler.cli.main import main
from autoscaler.core.group import GroupId
from autoscaler.shell.operators.control import user_name
from autoscaler.shell.state.store import Store
from tests.cli.files import configuration
from tests.cli.running import (
    PATIENCE_S,
    Running,
    command,
    start,
    write_config,
)
from tests.shell.kept import WEB, WEST_API, snapshot

CLONE = "user:web-clone-1"


def running(sandbox: Sandbox) -> set[str]:
    return {str(name) for name in sandbox.host.state.unikernels}


async def until(condition) -> None:
    with trio.fail_after(PATIENCE_S):
        while not condition():
            await trio.sleep(0.02)


async def begin(nursery, sandbox, tmp_path, more="") -> tuple[Running, Path]:
    config = write_config(tmp_path, sandbox, more)
    daemon = await start(nursery, config)
    await daemon.wait_for("event=stream_opened")
    return daemon, config


async def test_what_is_paused_waits_for_resume_and_costs_no_stream(
    nursery, sandbox, tmp_path
):
    daemon, config = await begin(nursery, sandbox, tmp_path, 'mode = "observe"')
    paused = await command("pause", "user:web", "--config", config)
    config.write_text(config.read_text().replace('"observe"', '"active"'))
    daemon.process.send_signal(signal.SIGHUP)
    reloaded = await daemon.wait_for("event=configuration_reloaded")
    await trio.sleep(2)
    while_paused = running(sandbox)

    resumed = await command("resume", "--json", "--config", config)
    await daemon.wait_for("event=action_finished")
    status = await command("status", "--config", config)
    code = await daemon.end(signal.SIGTERM)

    assert paused == (0, "sandbox/user:web is paused\n", "")
    assert "mode: observe -> active" in reloaded
    assert while_paused == {"user:web"}
    assert json.loads(resumed[1])["ok"] is True
    assert CLONE in status[1]
    assert code == 0, daemon.lines
    assert running(sandbox) == {"user:web", CLONE}
    assert sum("event=stream_opened" in line for line in daemon.lines) == 1


async def test_a_size_by_hand_is_explained_and_in_the_history_with_who_asked(
    nursery, sandbox, tmp_path
):
    daemon, config = await begin(
        nursery, sandbox, tmp_path, "scale_up_threshold_percent = 100"
    )
    await command("pause", "--config", config)
    refused = await command("scale", "user:web", "1", "--config", config)
    await command("resume", "--config", config)
    scaled = await command("scale", "user:web", "1", "--config", config)
    explained = await command("explain", "user:web", "--json", "--config", config)
    await daemon.wait_for("event=action_finished")
    history = await command("history", "user:web", "--json", "--config", config)
    await daemon.end(signal.SIGTERM)
    afterwards = await command("explain", "user:web", "--config", config)

    user = user_name(os.getuid())
    assert refused[0] == 1
    assert f"{user} asks for 1 clone: create 1 clone" in scaled[1]
    assert json.loads(explained[1])["source"] == "daemon"
    lines = json.loads(history[1])
    asked = [each for each in lines if each["kind"] == "request"]
    assert [(each["what"], each["outcome"]) for each in asked] == [
        ("pause", "done"),
        ("scale user:web 1", "refused"),
        ("resume", "done"),
        ("scale user:web 1", "done"),
    ]
    [action] = [each for each in lines if each["kind"] == "action"]
    assert (action["who"], action["outcome"]) == (user, "done")
    assert {each["who"] for each in asked} == {user}
    assert "By the state file" in afterwards[1]


async def test_a_bad_file_is_refused_by_signal_and_by_command(
    nursery, sandbox, tmp_path
):
    daemon, config = await begin(nursery, sandbox, tmp_path, 'mode = "observe"')
    good = config.read_text()
    config.write_text(good.replace("poll_interval", "pole_interval") + "nonsense = 1\n")

    daemon.process.send_signal(signal.SIGHUP)
    logged = await daemon.wait_for("event=configuration_refused.*pole_interval")
    code, out, err = await command("reload", "--config", config)
    config.write_text(good)
    again = await command("reload", "--config", config)
    await daemon.end(signal.SIGTERM)

    assert "did you mean poll_interval?" in logged
    assert (code, out) == (1, "")
    assert "did you mean poll_interval?" in err
    assert again == (0, "nothing has changed\n", "")


@pytest.mark.parametrize("is_up", [True, False], ids=["by the daemon", "without it"])
async def test_stranded_clones_are_destroyed_when_somebody_says_yes(
    nursery, sandbox, tmp_path, is_up
):
    daemon, config = await begin(nursery, sandbox, tmp_path)
    await daemon.wait_for("event=action_finished")
    groups = config.read_text()
    config.write_text(groups.replace("user:web", "user:api"))
    await command("reload", "--config", config)
    if not is_up:
        await daemon.end(signal.SIGTERM)

    unasked = await command("destroy", "--stranded", "--config", config)
    still = running(sandbox)
    code, out, err = await command("destroy", "--stranded", "--yes", "--config", config)
    again = await command(
        "destroy", "--stranded", "--json", "--yes", "--config", config
    )

    assert unasked[0] == 1
    assert CLONE in unasked[1]
    assert "say --yes" in unasked[2]
    assert CLONE in still
    assert (code, out, err) == (0, f"sandbox/{CLONE} is destroyed\n", "")
    assert running(sandbox) == {"user:web"}
    assert json.loads(again[1]) == {"ok": True, "clones": []}


async def test_an_end_in_the_middle_of_an_action_finishes_it(
    nursery, sandbox, tmp_path
):
    sandbox.host.inject(Rule(fault=SlowReply(1.0), verb="create"))
    daemon, _config = await begin(nursery, sandbox, tmp_path)
    await daemon.wait_for("event=action_started")

    code = await daemon.end(signal.SIGTERM)

    assert code == 0
    finished = await daemon.wait_for("event=action_finished")
    assert "outcome=done" in finished
    assert running(sandbox) == {"user:web", CLONE}


async def test_what_was_not_finished_is_left_to_the_next_start(
    nursery, sandbox, tmp_path
):
    sandbox.host.inject(Rule(fault=SlowReply(60), verb="create"))
    first, config = await begin(nursery, sandbox, tmp_path)
    await until(lambda: CLONE in running(sandbox))

    first.process.send_signal(signal.SIGTERM)
    await first.wait_for("event=daemon_stopping")
    code = await first.end(signal.SIGTERM)
    left = await first.wait_for("event=actions_left")
    second = await start(nursery, config)
    finished = await second.wait_for("event=action_finished")
    await second.end(signal.SIGTERM)

    assert code == 0
    assert "left=sandbox/user:web" in left
    assert "outcome=done" in finished
    assert running(sandbox) == {"user:web", CLONE}


async def test_systemd_is_told_of_the_start_a_reload_and_the_end(
    nursery, sandbox, tmp_path, monkeypatch
):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "300000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)

        async def hear(word):
            while True:
                message = (await trio.to_thread.run_sync(heard.recv, 4096)).decode()
                if message.startswith(word):
                    return message

        daemon = await start(nursery, write_config(tmp_path, sandbox))
        await hear("READY=1")
        await hear("WATCHDOG=1")
        daemon.process.send_signal(signal.SIGHUP)
        reloading = await hear("RELOADING=1")
        await hear("READY=1")
        daemon.process.send_signal(signal.SIGTERM)
        await hear("STOPPING=1")
        with trio.fail_after(PATIENCE_S):
            await daemon.process.wait()

    assert "MONOTONIC_USEC=" in reloading


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        pytest.param(["pause"], 1, "the daemon is down", id="a word"),
        pytest.param(["reload"], 1, "the daemon is down", id="a reload"),
        pytest.param(["adopt"], 2, "say either a NAME or --all", id="no name"),
        pytest.param(["adopt", "x:y", "--all"], 2, "either a NAME", id="both"),
        pytest.param(["adopt", "--all"], 1, "the daemon is down", id="all"),
        pytest.param(["disown", "x:y"], 1, "the daemon is down", id="a name"),
        pytest.param(["prewarm", "x:y", "2"], 1, "the daemon is down", id="a number"),
    ],
)
def test_without_a_daemon_there_is_one_sentence(
    tmp_path, capsys, words, code, complaint
):
    config = tmp_path / "autoscaler.toml"
    config.write_text('[deployment]\nname = "test"\nstate_dir = "state"\n')

    assert main([*words, "--config", str(config)]) == code

    said = capsys.readouterr()
    assert said.out == ""
    assert complaint in said.err
    assert said.err.count("\n") == 1


def test_a_file_that_can_not_be_read_is_told(tmp_path, capsys):
    code = main(["pause", "--config", str(tmp_path / "none.toml")])

    assert code == 1
    assert "can't be read" in capsys.readouterr().err


class Terminal(io.StringIO):
    """A terminal at which somebody has typed."""

    def isatty(self):
        return True


@pytest.fixture
def stranded(tmp_path):
    """A configuration beside a state with two stranded clones, no daemon."""
    config = configuration(tmp_path)
    kept = [snapshot(WEST_API, (1,)), snapshot(GroupId("east", WEB), (2,))]

    async def keep():
        async with await Store.open(tmp_path / "state") as store:
            await store.save(kept)

    trio.run(keep)
    return config


@pytest.mark.parametrize("typed", ["n\n", "\n", "maybe\n"])
def test_without_a_yes_nothing_is_destroyed(stranded, capsys, monkeypatch, typed):
    monkeypatch.setattr(sys, "stdin", Terminal(typed))

    code = main(["destroy", "--stranded", "--config", str(stranded)])

    said = capsys.readouterr()
    assert code == 1
    assert "west  user:api-clone-1" in said.out
    assert "Destroy all 2? [y/N]" in said.out
    assert said.err == "nothing was destroyed\n"


def test_after_a_yes_each_that_can_not_be_destroyed_says_why(
    stranded, capsys, monkeypatch
):
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))

    code = main(["destroy", "--stranded", "--config", str(stranded)])

    east, west = capsys.readouterr().err.splitlines()
    assert code == 1
    assert east.startswith("east/user:web-clone-2: east is no longer configured")
    assert west.startswith("west/user:api-clone-1: ")
    assert "ca.pem" in west


def test_json_asks_nobody(stranded, capsys):
    code = main(["destroy", "--stranded", "--json", "--config", str(stranded)])

    said = capsys.readouterr()
    assert (code, said.out) == (1, "")
    assert "--json asks nobody, so say --yes" in said.err


def test_only_those_that_are_named_are_destroyed(stranded, capsys):
    words = ["destroy", "--stranded", "--yes", "--config", str(stranded)]

    code = main([*words, "east/user:web-clone-2"])
    other = main([*words, "west/user:web"])

    one, two = capsys.readouterr().err.splitlines()
    assert (code, other) == (1, 1)
    assert one.startswith("east/user:web-clone-2: ")
    assert two == "west/user:web is not stranded: it is left alone"


def test_where_nothing_is_stranded_that_is_said(tmp_path, capsys):
    code = main(["destroy", "--stranded", "--config", str(configuration(tmp_path))])

    assert code == 0
    assert capsys.readouterr().out == "nothing is stranded\n"
