"""A newcomer's walk: what the README says to type, typed, with nothing else."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from tests.cli.running import PATIENCE_S, Running, watch

ROOT = Path(__file__).parents[1]
PORT = "11025"
# Three looks of 10 s at a member that has been up for 30 s.
UNTIL_IT_GROWS_S = 180


def typed(program: str, word: str) -> str:
    """Return the one line of the README's first part that says this."""
    readme = (ROOT / "README.md").read_text()
    part = readme[readme.index("## Try it") : readme.index("## A real deployment")]
    [line] = re.findall(rf"(?m)^ {{4}}({program} {word}\b.*)$", part)
    return str(line)


def recipe(target: str) -> str:
    """Return what `make` does for a *target* of one line."""
    makefile = (ROOT / "Makefile").read_text()
    [line] = re.findall(rf"(?m)^{target}:.*\n\t@?(.*)$", makefile)
    return str(line).replace("$(BIN)", ".venv/bin")


AUTOSCALER = ".venv/bin/autoscaler"
INIT, RUN, EXPLAIN = (typed(AUTOSCALER, word) for word in ("init", "run", "explain"))


class Terminal:
    """Types lines in a fresh directory, at a port of its own."""

    def __init__(self, nursery, directory):
        self.nursery = nursery
        self.directory = directory
        (directory / ".venv").symlink_to(sys.prefix)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = str(free.getsockname()[1])

    async def run(self, line):
        with trio.fail_after(PATIENCE_S):
            done = await trio.run_process(
                self._words(line, ""),
                cwd=self.directory,
                capture_stdout=True,
                capture_stderr=True,
                check=False,
            )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    async def leave_running(self, line):
        process = await trio.lowlevel.open_process(
            self._words(line, "1>&2"), cwd=self.directory, stderr=subprocess.PIPE
        )
        lines: list[str] = []
        self.nursery.start_soon(watch, process, lines)
        return Running(process, lines, UNTIL_IT_GROWS_S)

    def _words(self, line, more):
        return ["sh", "-c", f"exec {line.replace(PORT, self.port)} {more}"]


@pytest.fixture
def terminal(nursery, tmp_path):
    if not (Path(sys.prefix) / "bin" / "albatrossctl").exists():
        pytest.skip("NOT CHECKED: the programs are not installed (make venv)")
    return Terminal(nursery, tmp_path)


@pytest.fixture
async def sandbox(terminal):
    """What the first line starts, and says what to type next."""
    assert typed("make", "sandbox") == "make sandbox"
    sandbox = await terminal.leave_running(recipe("sandbox"))
    await sandbox.wait_for(re.escape(INIT.replace(PORT, terminal.port)))
    return sandbox


@pytest.mark.slow
async def test_a_configuration_is_written_and_can_be_used(terminal, sandbox):
    written = await terminal.run(INIT)
    again = await terminal.run(INIT)
    checked = await terminal.run(typed(AUTOSCALER, "check"))
    unheard = await terminal.run(EXPLAIN)

    code, out, err = written
    assert (code, err) == (0, "")
    assert "sandbox/autoscaler.toml is written" in out
    assert typed(AUTOSCALER, "check") in out
    assert RUN in out
    assert again[0] == 1
    assert "is there already" in again[2]
    assert (checked[0], checked[2]) == (0, "")
    assert "sandbox/autoscaler.toml can be used: hosts: 1, groups: 1" in checked[1]
    assert "`autoscaler run` has to have run" in unheard[2]


@pytest.mark.slow
async def test_it_is_observed_explained_and_then_done(terminal, sandbox):
    await terminal.run(INIT)
    observing = await terminal.leave_running(RUN)
    await observing.wait_for("event=would_act_began")
    observed = await terminal.run(EXPLAIN)
    ends = [await observing.end(signal.SIGINT)]
    acting = await terminal.leave_running(RUN.removesuffix(" --mode observe"))
    await acting.wait_for("event=action_finished")
    acted = await terminal.run(EXPLAIN)
    ends += [await acting.end(signal.SIGINT), await sandbox.end(signal.SIGINT)]

    assert not any("event=action_" in line for line in observing.lines)
    assert observed[0] == 0
    assert "it would act, and is only observed" in observed[1]
    assert acted[0] == 0
    assert "user:web-clone-1" in acted[1]
    assert ends == [0, 0, 0]
