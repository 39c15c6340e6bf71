"""Executables that are told of events: real ones."""

import os

import pytest
import trio

from autoscaler.shell.notifying.executable import Executable
from autoscaler.shell.notifying.message import write_body
from tests.shell.notifying.messages import LOST


@pytest.fixture
def script(tmp_path):
    def write(text):
        path = tmp_path / "page"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return Executable(path)

    return write


async def test_it_reads_the_event_on_its_standard_input(script, tmp_path):
    failure = await script(f"cat > {tmp_path}/got").tell(LOST)

    assert failure is None
    assert (tmp_path / "got").read_bytes() == write_body(LOST)


async def test_one_that_reads_nothing_has_been_told(script):
    assert await script("exit 0").tell(LOST) is None


async def test_no_shell_reads_what_is_told(script, tmp_path):
    failure = await script('cat; [ $# = 0 ] && echo "$0" >&2; exit 1').tell(LOST)

    assert failure is not None
    assert failure.error.endswith(f"exit code 1: {tmp_path}/page")


async def test_what_it_complains_of_is_told_in_its_own_words_and_final(script):
    failure = await script("printf 'no\\033[31m modem' >&2; exit 3").tell(LOST)

    assert failure is not None
    assert failure.error.endswith("/page failed with exit code 3: no\\x1b[31m modem")
    assert failure.is_final


async def test_one_that_prints_without_end_is_read_in_part(script):
    failure = await script("head -c 9000000 /dev/zero | tee /dev/stderr; exit 1").tell(
        LOST
    )

    assert failure is not None
    assert len(failure.error) < 500


async def test_one_that_hangs_is_ended_with_all_that_it_has_started(script, tmp_path):
    hanging = script(f"sleep 600 & echo $! > {tmp_path}/child; wait")

    with trio.move_on_after(0.5) as scope:
        await hanging.tell(LOST)

    assert scope.cancelled_caught
    child = int((tmp_path / "child").read_text())
    with trio.fail_after(5):
        while is_running(child):
            await trio.sleep(0.01)


def is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{process}/stat") as file:  # noqa: PTH123 - procfs
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        pytest.param(None, "No such file or directory", id="missing"),
        pytest.param(0o644, "Permission denied", id="not executable"),
    ],
)
async def test_one_that_cannot_be_run_is_told_so(tmp_path, mode, says):
    path = tmp_path / "page"
    if mode is not None:
        path.write_text("#!/bin/sh\n")
        path.chmod(mode)

    failure = await Executable(path).tell(LOST)

    assert failure is not None
    assert failure.error == f"{path} can't be run: {says}"
