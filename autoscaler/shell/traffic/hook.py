"""Any balancer at all, by executables of the operator's: one for each step.

Laws: no shell reads what we say; a hook gets JSON on its standard input, and
what exits with 0 has done its step.  One that is not through in time is ended
with all that it has started; of what hooks print only so much is kept.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import trio
from attrs import define, field, frozen

from albatross_client.texts import clean
from autoscaler.core.arrange import Step
from autoscaler.core.backend import Backend
from autoscaler.shell.traffic.balancer import BalancerError, Trouble
from autoscaler.shell.traffic.hook_form import (
    OBSERVE,
    read_backend,
    word_of,
    write_step,
)

# For a step that is not here the balancer must have no need: weights that it
# doesn't tell are never set.
NEEDED = frozenset({OBSERVE, "add", "ready", "drain", "rest", "remove"})
KNOWN = NEEDED | {"weigh"}
MOST_OUTPUT = 4 * 1024 * 1024
MOST_COMPLAINT = 4096
HOOK_S = 10.0
# After its end: what it has written is in the pipes already.
LAST_WORDS_S = 0.5
_CHUNK = 65_536


@frozen
class HookBalancer:
    """A balancer whose steps are executables.

    Attributes:
        backend: What hooks are told the group is called.
        hooks: Executables with absolute paths, by the word of their step.
        patience_s: How long each may take, seconds.

    Raises:
        ValueError: A hook is missing, or is for no step.
    """

    backend: str
    hooks: Mapping[str, Path]
    patience_s: float = HOOK_S

    def __attrs_post_init__(self) -> None:
        for word in sorted(NEEDED - set(self.hooks)):
            msg = f"there is no hook for {word}: needed are {', '.join(sorted(NEEDED))}"
            raise ValueError(msg)
        for word in sorted(set(self.hooks) - KNOWN):
            msg = f"{clean(word, 60)!r} is no step: {', '.join(sorted(KNOWN))} are"
            raise ValueError(msg)
        for path in self.hooks.values():
            if not path.is_absolute():
                msg = f"{path} is no absolute path of a hook"
                raise ValueError(msg)

    async def observe(self) -> Backend:
        """Return what the hook has observed.

        Raises:
            BalancerError: It can't be told.
        """
        answer = await self._run(None)
        try:
            return read_backend(answer, trio.current_time())
        except ValueError as error:
            msg = f"what {self.hooks[OBSERVE]} prints can't be used: {error}"
            raise BalancerError(msg, Trouble.UNREADABLE) from error

    async def perform(self, step: Step) -> None:
        """Let the hook do *step*; without one for weights they are left alone.

        Raises:
            BalancerError: It was not done, or nobody knows.
        """
        if word_of(step) in self.hooks:
            await self._run(step)

    async def _run(self, step: Step | None) -> bytes:
        path = self.hooks[word_of(step)]
        try:
            with trio.fail_after(self.patience_s):
                run = await _run(path, write_step(step, self.backend))
        except trio.TooSlowError as error:
            msg = f"{path} did not end within {self.patience_s:g} s and was ended"
            raise BalancerError(msg, Trouble.SILENT) from error
        if isinstance(run, OSError):
            raise _not_begun(path, run) from run
        if run.output.is_full:
            msg = f"{path} prints more than {MOST_OUTPUT} bytes"
            raise BalancerError(msg, Trouble.UNREADABLE)
        if run.code:
            said = clean(run.complaint.text.decode("utf-8", "replace").strip(), 300)
            msg = f"{path} failed with exit code {run.code}: {said or 'without a word'}"
            raise BalancerError(msg, Trouble.REFUSED)
        return bytes(run.output.text)


def _not_begun(path: Path, error: OSError) -> BalancerError:
    if isinstance(error, PermissionError):
        msg = f"{path} may not be run by this user: make it executable"
        return BalancerError(msg, Trouble.FORBIDDEN)
    return BalancerError(f"{path} can't be run: {error.strerror}", Trouble.REFUSED)


@define
class _Said:
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
class _Run:
    """How a hook ended.

    Attributes:
        code: Its exit code; below 0: the signal that ended it.
        output: What it said.
        complaint: What it said of failures, the beginning.
    """

    code: int
    output: _Said
    complaint: _Said


async def _run(path: Path, told: bytes) -> _Run | OSError:
    output, complaint = _Said(MOST_OUTPUT), _Said(MOST_COMPLAINT)
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
    return _Run(process.returncode, output, complaint)


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
