"""`autoscaler run` as a process of its own, over TLS, against a sandbox."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import trio
from attrs import evolve
from jsonschema import Draft202012Validator

from autoscaler.cli.main import main
from autoscaler.cli.run import limited
from autoscaler.core.policy import Mode
from autoscaler.shell.configuration.settings import load_settings
from autoscaler.shell.event_pages import write_schema
from tests.cli.running import (
    GROUP,
    PATIENCE_S,
    WEB,
    start,
    write_config,
)


async def test_it_scales_up_and_leaves_its_clones_running_at_the_end(
    nursery, sandbox, tmp_path
):
    daemon = await start(nursery, write_config(tmp_path, sandbox))

    finished = await daemon.wait_for("event=action_finished")
    code = await daemon.end(signal.SIGTERM)

    assert "outcome=done" in finished
    assert code == 0
    assert set(map(str, sandbox.host.state.unikernels)) == {
        "user:web",
        "user:web-clone-1",
    }
    await daemon.wait_for("event=daemon_stopped")


async def test_what_a_daemon_writes_as_json_fits_the_schema(nursery, sandbox, tmp_path):
    schema = Draft202012Validator(json.loads(write_schema()))
    options = ("--log-format", "json", "--log-level", "debug")
    daemon = await start(nursery, write_config(tmp_path, sandbox), *options)

    await daemon.wait_for('"event": "action_finished"')
    await daemon.end(signal.SIGTERM)
    await daemon.wait_for('"event": "daemon_stopped"')
    lines = [json.loads(line) for line in daemon.lines]

    assert [e.message for line in lines for e in schema.iter_errors(line)] == []
    assert {"tick_decided", "stream_opened"} <= {line["event"] for line in lines}


async def test_a_second_daemon_on_the_same_state_names_the_first(
    nursery, sandbox, tmp_path
):
    config = write_config(tmp_path, sandbox, 'mode = "observe"')
    first = await start(nursery, config)
    await first.wait_for("event=stream_opened")

    second = await start(nursery, config)
    with trio.fail_after(PATIENCE_S):
        code = await second.process.wait()
    (line,) = [await second.wait_for("another daemon")]
    await first.end(signal.SIGINT)

    assert code == 1
    assert f"process {first.process.pid}" in line
    assert first.process.returncode == 0


async def test_a_daemon_that_observes_says_what_it_would_do_and_does_nothing(
    nursery, sandbox, tmp_path
):
    config = write_config(tmp_path, sandbox)
    daemon = await start(nursery, config, "--mode", "observe")

    started = await daemon.wait_for("event=daemon_started")
    would = await daemon.wait_for("event=would_act_began")
    code = await daemon.end(signal.SIGTERM)

    assert "mode=observe" in started
    assert "would create 1 clone (only observed)" in would
    assert code == 0
    assert list(sandbox.host.state.unikernels) == [WEB]


async def test_clones_of_a_group_no_longer_configured_are_named(
    nursery, sandbox, tmp_path
):
    config = write_config(tmp_path, sandbox)
    first = await start(nursery, config)
    await first.wait_for("event=action_finished")
    await first.end(signal.SIGTERM)
    config.write_text(config.read_text().replace("user:web", "user:api"))

    second = await start(nursery, config)
    line = await second.wait_for("event=group_stranded")
    await second.end(signal.SIGTERM)

    assert "names=user:web-clone-1" in line
    assert "group=sandbox/user:web" in line


def test_a_missing_configuration_is_one_sentence(tmp_path, capsys):
    code = main(["run", "--config", str(tmp_path / "none.toml")])

    said = capsys.readouterr()
    assert code == 1
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "none.toml" in said.err
    assert "can't be read" in said.err


def test_a_bad_configuration_names_every_problem(tmp_path, capsys):
    file = tmp_path / "bad.toml"
    file.write_text('[deployment]\nname = 7\nstate_dir = "state"\nmodus = "x"\n')

    code = main(["run", "--config", str(file)])

    said = capsys.readouterr().err
    assert code == 1
    assert "name" in said
    assert "modus" in said


def test_missing_keys_are_one_sentence(tmp_path, capsys):
    file = tmp_path / "autoscaler.toml"
    host = (
        '[[hosts]]\nname = "sandbox"\naddress = "localhost"\n'
        'server_ca = "ca.pem"\nca = "ca.pem"\nca_key = "ca.key"\n'
    )
    file.write_text(GROUP.format(more="") + host)

    code = main(["run", "--config", str(file)])

    said = capsys.readouterr().err
    assert code == 1
    assert said.startswith("autoscaler: ")
    assert said.count("\n") == 1
    assert "ca.pem" in said


@pytest.mark.parametrize(
    ("of_the_file", "of_the_option", "in_force"),
    [
        pytest.param(Mode.ACTIVE, Mode.OBSERVE, Mode.OBSERVE, id="option-wins"),
        pytest.param(Mode.PAUSED, Mode.OBSERVE, Mode.PAUSED, id="file-wins"),
        pytest.param(Mode.ACTIVE, Mode.ACTIVE, Mode.ACTIVE, id="active"),
    ],
)
def test_the_more_careful_mode_is_in_force(of_the_file, of_the_option, in_force):
    settings = load_settings(Path(__file__).parents[2] / "config" / "sandbox.toml")
    deployment = evolve(settings.deployment, mode=of_the_file)
    groups = tuple(
        evolve(group, policy=evolve(group.policy, mode=of_the_file))
        for group in settings.groups
    )

    wanted = limited(
        evolve(settings, deployment=deployment, groups=groups), of_the_option
    )

    assert wanted.deployment.mode is in_force
    assert {group.policy.mode for group in wanted.groups} == {in_force}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def fetch(port: int, path: str) -> bytes:
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all(request.encode())
        with trio.fail_after(PATIENCE_S):
            return b"".join([part async for part in stream])


async def test_it_answers_over_http_where_that_is_wanted(
    nursery, sandbox, tmp_path, capsys
):
    port = free_port()
    config = write_config(tmp_path, sandbox)
    with config.open("a") as file:
        file.write(f'\n[http]\nlisten = "127.0.0.1:{port}"\n')
    running = await start(nursery, config)
    await running.wait_for("http_opened")
    await running.wait_for("action_finished.*outcome=done")

    metrics = await fetch(port, "/metrics")
    _, _, told = (await fetch(port, "/api/v1/status")).partition(b"\r\n\r\n")

    assert b'autoscaler_actions_total{kind="create",outcome="done"} 1\n' in metrics
    assert b'autoscaler_certificate_expiry_seconds{host="sandbox"' in metrics
    status = json.loads(told)
    assert status["daemon"] == {"running": True, "pid": running.process.pid}
    main(["status", "--config", str(config), "--json"])
    assert json.loads(capsys.readouterr().out).keys() == status.keys()
    assert await running.end(signal.SIGTERM) == 0


def test_nothing_of_http_is_read_where_nobody_wants_it():
    code = "import sys, autoscaler.cli; from autoscaler.cli import run; "
    code += "raise SystemExit('starlette' in sys.modules or 'h11' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603

    assert done.returncode == 0
