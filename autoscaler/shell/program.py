"""Executables of the operator's: told something, ended in time, read in part.

Laws: no shell reads what we say; whoever is cancelled ends the executable with
all that it has started; of what it prints only so much is kept.
"""

import contextlib
import os
import signal
import subprocess
from functools import partial
from pathlib import Path

import trio
from attrs import define, field, frozen

MOST_COMPLAINT = 4096
# After its end: what it has written is in the pipes already.
LAST_WORDS_S = 0.5
_CHUNK = 65_536


@define
class Said:
    """What came through a pipe, as much of it as is kept.

    Attributes:
        most: How many bytes are kept.
        text: Those that are.
        is_full: Whether there were more.
    """

    most: int
    text: bytearray = field(factory=bytearray)
    is_full: bool = False

    async def read(self, stream: trio.abc.ReceiveStream) -> None:
        """Read *stream* to its end; what is too much is dropped."""
        async with stream:
            while part := await stream.receive_some(_CHUNK):
                room = self.most - len(self.text)
                self.text += part[:room]
                self.is_full = self.is_full or len(part) > room


@frozen
class Run:
    """How a hook ended.

    Attributes:
        code: Its exit code; below 0: the signal that ended it.
        output: What it said.
        complaint: What it said of failures, the beginning.
    """

    code: int
    output: Said
    complaint: Said


async def run_program(path: Path, told: bytes, most: int) -> Run | OSError:
    """Run *path* with *told* on its standard input; returns how that ended.

    Arguments:
        path: The executable; no shell reads it.
        told: What it reads.
        most: How many bytes of what it prints are kept.
    """
    output, complaint = Said(most), Said(MOST_COMPLAINT)
    async with trio.open_nursery() as nursery:
        try:
            process = await nursery.start(partial(_run_process, path, told))
        except OSError as error:
            return error
        nursery.start_soon(output.read, process.stdout)
        nursery.start_soon(complaint.read, process.stderr)
        await process.wait()
        # What it has started may hold the pipes open for ever.
        nursery.cancel_scope.deadline = trio.current_time() + LAST_WORDS_S
    return Run(process.returncode, output, complaint)


async def _run_process(
    path: Path, told: bytes, task_status: trio.TaskStatus[trio.Process]
) -> None:
    await trio.run_process(
        [path],
        stdin=told,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
        # A group of its own, so that all of it can be ended.
        start_new_session=True,
        deliver_cancel=_end_all,
        task_status=task_status,
    )


async def _end_all(process: trio.Process) -> None:
    # Called while *process* has not ended: the group can't be another's yet.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await trio.lowlevel.checkpoint()
