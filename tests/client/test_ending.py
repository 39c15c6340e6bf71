"""How albatrossctl ends where it is ended, or nobody takes what it prints."""

import json
import os
import signal
import subprocess

import pytest

from tests.client.ctl_process import COMMAND, running, sandbox_in
from tests.client.vectors import FOLDER, of_kind


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """The directory of a sandbox in a process of its own, ``h.toml`` in it."""
    with sandbox_in(tmp_path_factory.mktemp("sandbox")) as directory:
        yield directory


def test_an_interrupt_ends_a_stream_without_a_word(sandbox):
    host = ("--config", str(sandbox / "h.toml"))
    with running("stats", *host, stderr=subprocess.PIPE) as child:
        child.stdout.readline()
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        _, complaint = child.communicate(timeout=10)

    assert (child.returncode, complaint) == (130, "")


def test_a_reader_that_leaves_ends_a_stream_without_a_word(sandbox):
    host = ("--config", str(sandbox / "h.toml"))
    with running("stats", *host, stderr=subprocess.PIPE) as child:
        child.stdout.readline()
        child.stdout.close()
        complaint = child.stderr.read()
        child.wait(10)

    assert (child.returncode, complaint) == (0, "")


def test_an_output_of_another_encoding_is_no_traceback(sandbox):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = subprocess.run(  # noqa: S603 - ours
        [*COMMAND, "info", "--config", str(sandbox / "wö.toml")],
        capture_output=True,
        env=environment,
        check=False,
    )

    assert done.returncode == 1
    assert b"can't be read" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (("info",), 0, b""),
        (
            ("image", "user:web", "-o", "-"),
            1,
            b"albatrossctl: standard output is closed\n",
        ),
    ],
    ids=["nothing", "content"],
)
def test_a_closed_standard_output_is_no_traceback(sandbox, command, code, said):
    host = ("--config", str(sandbox / "h.toml"))
    done = subprocess.run(  # noqa: S603 - ours
        ["/bin/sh", "-c", '"$@" >&-', "sh", *COMMAND, *command, *host],
        stderr=subprocess.PIPE,
        check=False,
    )

    assert (done.returncode, done.stderr) == (code, said)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("info",), id="text"),
        pytest.param(("info", "--json"), id="JSON"),
        pytest.param(("image", "user:web", "-o", "-"), id="content"),
        pytest.param(("stats", "--count", "1"), id="stream"),
    ],
)
def test_a_full_disk_is_one_sentence(sandbox, command):
    host = ("--config", str(sandbox / "h.toml"))
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - it is no path to us
        done = subprocess.run(  # noqa: S603 - ours
            [*COMMAND, *command, *host],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    said = "albatrossctl: standard output can't be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.parametrize("command", ["decode", "encode", "decode --frames"])
def test_a_full_disk_is_one_sentence_to_the_codec(command):
    octets, meaning = of_kind("wire")["data-console-utf8"]
    said = json.dumps(meaning) if command == "encode" else octets.hex()
    frames = (str(FOLDER / "stats_stream.bin"),) if "--frames" in command else ()
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - it is no path to us
        done = subprocess.run(  # noqa: S603 - ours
            [*COMMAND, *command.split(), *frames],
            input=said,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    complaint = "albatrossctl: standard output can't be written: No space left"
    assert done.returncode == 1
    assert done.stderr.startswith(complaint)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["stats", "console"])
def test_a_unikernel_that_does_not_run_is_told_and_waited_for(sandbox, command):
    host = ("--config", str(sandbox / "h.toml"))
    with running(command, "user:wbe", *host, stderr=subprocess.PIPE) as child:
        said = child.stderr.readline()
        child.send_signal(signal.SIGINT)
        _, more = child.communicate(timeout=10)

    assert said.startswith("albatrossctl: user:wbe does not run at 127.0.0.1:")
    assert said.endswith(": this waits until it does\n")
    assert (child.returncode, more) == (130, "")
