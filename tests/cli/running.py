"""The command as a process, beside a sandbox host."""

import re
import subprocess
import sys
from pathlib import Path

import trio
from attrs import define

from albatross_client.names import Name
from albatross_client.sandbox.embed import Sandbox

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


def write_config(directory: Path, sandbox: Sandbox, more: str = "") -> Path:
    path = directory / "autoscaler.toml"
    path.write_text(GROUP.format(more=more) + sandbox.toml, "utf-8")
    return path


async def command(*words: object) -> tuple[int, str, str]:
    """Run ``autoscaler`` with *words*; return its code and what it wrote."""
    line = [sys.executable, "-c", AUTOSCALER, *map(str, words)]
    with trio.fail_after(PATIENCE_S):
        done = await trio.run_process(
            line, capture_stdout=True, capture_stderr=True, check=False
        )
    return done.returncode, done.stdout.decode(), done.stderr.decode()
