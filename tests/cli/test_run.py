"""`autoscaler run` as a process of its own, over TLS, against a sandbox."""

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import trio
from attrs import define, evolve
from jsonschema import Draft202012Validator

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import Options, Sandbox, run_sandbox
from albatross_client.sandbox.live import Settings as HostSettings
from albatross_client.values import Config
from autoscaler.cli.main import main
from autoscaler.cli.run import limited
from autoscaler.core.policy import Mode
from autoscaler.shell.configuration.settings import load_settings
from autoscaler.shell.event_pages import write_schema
from tests.sandbox_fixtures import USER_POLICY

USER, WEB = Name(("user",)), Name(("user",), "web")
# A command line that starts takes about half a second, more on a busy machine.
PATIENCE_S = 30
AUTOSCALER = "from autoscaler.cli import main; raise SystemExit(main())"
GROUP = """
[deployment]
name = "test"
state_dir = "state"
shutdown_timeout = "5s"
reconcile_interval = "2s"

[[groups]]
host = "sandbox"
primary = "user:web"
max_clones = 1
poll_interval = "0.5s"
scale_up_trigger_ticks = 2
warmup = "0.5s"
boot_timeout = "5s"
{more}
"""


@define
class Running:
    """The daemon's process and what it has written so far."""

    process: trio.Process
    lines: list[str]
    patience: float = PATIENCE_S

    async def wait_for(self, pattern: str) -> str:
        """Return the first line that *pattern* is found in."""
        with trio.fail_after(self.patience):
            while True:
                for line in self.lines:
                    if re.search(pattern, line):
                        return line
                await trio.sleep(0.02)

    async def end(self, number: int) -> int:
        """Return the exit code after the signal *number*."""
        self.process.send_signal(number)
        with trio.fail_after(PATIENCE_S):
            return await self.process.wait()


async def watch(process: trio.Process, lines: list[str]) -> None:
    """Gather what *process* writes; it doesn't outlive the test."""
    assert process.stderr is not None
    rest = ""
    try:
        async for chunk in process.stderr:
            *whole, rest = (rest + chunk.decode()).split("\n")
            lines += whole
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            await process.stderr.aclose()


async def start(nursery: trio.Nursery, config: Path, *options: str) -> Running:
    command = [sys.executable, "-c", AUTOSCALER, "run", "--config", str(config)]
    process = await trio.lowlevel.open_process(
        [*command, *options], stderr=subprocess.PIPE
    )
    lines: list[str] = []
    nursery.start_soon(watch, process, lines)
    return Running(process, lines)


@pytest.fixture
async def sandbox(nursery, tmp_path):
    options = Options(
        directory=tmp_path / "keys",
        settings=HostSettings(
            interval=0.25,
            policies={USER: USER_POLICY},
            demands={WEB: Demand.constant(2)},
        ),
        unikernels={WEB: Config(memory=32)},
    )
    return await nursery.start(run_sandbox, options)


def write_config(directory: Path, sandbox: Sandbox, more: str = "") -> Path:
    path = directory / "autoscaler.toml"
    path.write_text(GROUP.format(more=more) + sandbox.toml, "utf-8")
    return path


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
