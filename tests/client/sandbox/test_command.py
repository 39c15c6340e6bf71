"""albatrossctl sandbox, run as operators run it."""

import argparse
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import trio

from albatross_client.cli import main, sandbox
from albatross_client.cli.serving import (
    BUSY_CORES,
    QUIET_CORES,
    next_steps,
    options_of,
    serve,
)
from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import Options, run_sandbox
from albatross_client.sandbox.live import DEFAULT_ROOT_POLICY
from albatross_client.sandbox.process import Serving
from albatross_client.sandbox.texts import DEFAULT_POLICY
from tests.sandbox_fixtures import API, USER, WEB

ANNOUNCED_SECONDS = 30


def parsed(*arguments):
    parser = argparse.ArgumentParser()
    sandbox.add_commands(parser.add_subparsers())
    return parser.parse_args(["sandbox", "--directory", "/nowhere", *arguments])


def children_of(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


@pytest.fixture
def running(tmp_path):
    """The command, with two unikernels."""
    child = subprocess.Popen(  # noqa: S603 - ours
        [
            sys.executable,
            "-c",
            "from albatross_client.cli import main; raise SystemExit(main())",
            "sandbox",
            f"--directory={tmp_path}",
            "--unikernel=user:web",
            "--unikernel=user:api",
            "--demand=user:web=0.1",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    yield child
    child.kill()
    child.communicate()


def announcement(child):
    text = b""
    while b"ca_key" not in text or not text.endswith(b"\n"):
        ready, _, _ = select.select([child.stdout], [], [], ANNOUNCED_SECONDS)
        assert ready, text
        octets = os.read(child.stdout.fileno(), 65_536)
        assert octets, child.stderr.read()
        text += octets
    return text.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=str)
def test_it_announces_itself_serves_and_ends_cleanly(running, tmp_path, capsys, number):
    first, _, snippet = announcement(running).partition("\n")
    (host,) = tomllib.loads(snippet)["hosts"]
    config = tmp_path / "hosts.toml"
    config.write_text(snippet)
    burners = children_of(running.pid)

    listed = main(["info", "--config", str(config), "--json"])
    running.send_signal(number)
    code = running.wait(ANNOUNCED_SECONDS)

    assert re.fullmatch(
        rf"sandbox at 127\.0\.0\.1:\d+, keys in {tmp_path}: .*ca\.key ca\.pem.*", first
    )
    assert host["address"] in first
    assert listed == 0
    assert '"user:web"' in capsys.readouterr().out
    assert len(burners) == 2
    assert code == 0
    assert running.stderr.read() == b""
    assert not any(Path(f"/proc/{pid}").exists() for pid in burners)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--interval", "1"], "'1' is no duration"),
        (["--interval", "0s"], "'interval' must be > 0: 0.0"),
        (["--core-share", "0"], "'core_share' must be > 0: 0.0"),
        (["--core-share", "nan"], "'core_share' must be > 0: nan"),
        (["--core-share", "1.5"], "'core_share' must be <= 1: 1.5"),
        (["--port", "65536"], "'port' must be <= 65535: 65536"),
        (["--unikernel", "user:"], "is a domain, not a unikernel"),
        (["--fault", "explode"], "is no fault: allowed are reply-lost"),
        (["--demand", "user:web=nosuch.csv"], "nosuch.csv"),
        (
            ["--policy", "org", "--policy", "org:team=unikernels:99"],
            "policy above allows 16 unikernels, which is fewer than 99",
        ),
        (["--unikernel", ":x", "--policy", ":=memory:1"], "maximum allowed memory"),
        (["--boot", "soon"], "'soon' is no duration"),
        (["--argument", "user:web"], "no argument of a unikernel: NAME=ARGUMENT"),
        (["--argument", "user:web=-v"], "there is no --unikernel user:web"),
    ],
    ids=[
        "duration",
        "interval",
        "no share",
        "share that is no number",
        "more than a core",
        "port",
        "name",
        "fault",
        "file",
        "policy",
        "unikernel",
        "boot",
        "argument",
        "argument of nobody",
    ],
)
def test_what_is_wrong_is_one_line_on_standard_error(
    tmp_path, capsys, arguments, complaint
):
    code = main(["sandbox", "--directory", str(tmp_path), *arguments])

    captured = capsys.readouterr()
    assert code == 1
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert complaint in captured.err


def test_a_directory_that_cannot_be_used_is_named(tmp_path, capsys):
    file = tmp_path / "file"
    file.touch()
    (tmp_path / "ca.key").write_bytes(b"junk")

    codes = [main(["sandbox", "--directory", str(each)]) for each in (file, tmp_path)]

    exists, junk = capsys.readouterr().err.splitlines()
    assert codes == [1, 1]
    assert exists == f"albatrossctl: {file} can't be used: File exists"
    assert "ca.key is not of the sandbox's making" in junk


def test_a_port_that_is_taken_is_named_and_the_keys_of_who_has_it_stay(
    tmp_path, capsys
):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code = main(["sandbox", f"--directory={tmp_path}", f"--port={port}"])

    assert code == 1
    assert f"127.0.0.1:{port} is in use already" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_domain_with_a_unikernel_has_a_policy_without_being_told():
    options = options_of(
        parsed("--unikernel=user:web", "--unikernel=user:api", "--unikernel=org:team:x")
    )

    policies = options.settings.policies
    assert list(policies) == [USER, Name(("org",)), Name(("org", "team"))]
    assert set(policies.values()) == {DEFAULT_POLICY}
    assert options.unikernels[WEB].cpuids == frozenset({0})
    assert options.unikernels[API].cpuids == frozenset({1})


def test_unikernels_have_their_arguments_and_serve_as_told():
    options = options_of(
        parsed(
            "--unikernel=user:web",
            "--unikernel=user:api",
            "--argument=user:web=--ipv4=127.0.1.2/8",
            "--argument=user:web=--port=81",
            "--request-cost=5ms",
            "--boot=2s",
        )
    )

    assert options.unikernels[WEB].argv == ("--ipv4=127.0.1.2/8", "--port=81")
    assert options.unikernels[API].argv is None
    assert options.serving == Serving(request_seconds=0.005, boot_seconds=2.0)


def test_outer_policies_are_stored_first_and_the_roots_is_the_machines():
    options = options_of(parsed("--policy=a:b", "--policy=a", "--policy=:=memory:99"))

    settings = options.settings
    assert list(settings.policies) == [Name(("a",)), Name(("a", "b"))]
    assert settings.root_policy.memory == 99
    assert options_of(parsed()).settings.root_policy == DEFAULT_ROOT_POLICY


async def test_a_signal_ends_it_in_its_own_process_too(tmp_path, nursery, capsys):
    done = trio.Event()

    async def serve_and_tell():
        await serve(Options(directory=tmp_path))
        done.set()

    nursery.start_soon(serve_and_tell)
    with trio.fail_after(ANNOUNCED_SECONDS):
        while "ca_key" not in capsys.readouterr().out:
            await trio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        await done.wait()


def test_the_example_is_busy_at_first_and_comes_and_goes():
    options = options_of(parsed("--example", "--unikernel=user:api"))

    demand = options.settings.demands[WEB]
    assert list(options.unikernels) == [WEB, API]
    assert [demand.cores(minute * 60) for minute in (0, 4, 5, 14, 15)] == [
        BUSY_CORES,
        BUSY_CORES,
        QUIET_CORES,
        QUIET_CORES,
        BUSY_CORES,
    ]


def test_the_example_takes_a_load_of_ones_own():
    options = options_of(parsed("--example", "--demand=user:web=1"))

    assert options.settings.demands == {WEB: Demand.constant(1)}


async def test_the_example_says_what_to_type_next(nursery, tmp_path):
    host = await nursery.start(run_sandbox, Options(directory=tmp_path))

    said = next_steps(host)
    [line] = [line for line in said.splitlines() if " init " in line]

    assert line.split()[1:] == [
        "init",
        "--name=sandbox",
        f"--host={host.address}",
        f"--ca={tmp_path / 'user.pem'}",
        "--primary=user:web",
        f"--output={tmp_path / 'autoscaler.toml'}",
    ]


def test_the_help_names_every_form(capsys):
    with pytest.raises(SystemExit) as done:
        main(["sandbox", "--help"])

    assert done.value.code == 0
    text = capsys.readouterr().out
    for word in ("--demand", "reply-lost", "policy-full=DOMAIN", "server.pem"):
        assert word in text
