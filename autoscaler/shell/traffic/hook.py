"""Any balancer at all, by executables of the operator's: one for each step.

Laws: no shell reads what we say; a hook gets JSON on its standard input, and
what exits with 0 has done its step.  One that is not through in time is ended
with all that it has started; of what hooks print only so much is kept.
"""

from collections.abc import Mapping
from pathlib import Path

import trio
from attrs import frozen

from albatross_client.texts import clean
from autoscaler.core.arrange import Step
from autoscaler.core.backend import Backend
from autoscaler.shell.program import run_program
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
HOOK_S = 10.0


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
                run = await run_program(
                    path, write_step(step, self.backend), MOST_OUTPUT
                )
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
