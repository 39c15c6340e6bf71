"""What may fail without harm: its bugs are told, and everything else goes on.

A bug ends the daemon, so that it begins anew from what hosts say; but who only
looks at groups must never be what ends their scaling.

Law: a cancellation passes, also from within a group of errors.
"""

import traceback
from pathlib import PurePath
from types import TracebackType

from attrs import frozen

from autoscaler.shell.log import Log

# What whoever asked is told.
BROKEN = "this can't be answered, by a bug of ours: the log has more (bug_contained)"
# A field of the log has some hundred characters: first comes what says most.
LONGEST_MESSAGE = 120


@frozen
class Containment:
    """Ends bugs of what is done within; without one nothing is different.

    Attributes:
        log: Told of them.
        doing: What is done, in words.
        passing: Errors that are none, and are handled outside.
    """

    log: Log
    doing: str
    passing: tuple[type[Exception], ...] = ()

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> bool:
        """Tell of *error* and end it, if it is a bug."""
        if isinstance(error, self.passing):
            return False
        bug, others = _split(error)
        if bug is None:
            return False
        self._tell(bug)
        if others is not None:
            raise others from None
        return True

    def _tell(self, bug: Exception) -> None:
        # Innermost first.
        frames = traceback.extract_tb(bug.__traceback__)[::-1]
        ours = list(filter(_is_ours, frames)) or frames
        self.log.event(
            "bug_contained",
            doing=self.doing,
            # The same each time; its text may hold what a client has sent.
            error=" at ".join([type(bug).__name__, *map(_place, ours[:1])]),
            traceback="; ".join([str(bug)[:LONGEST_MESSAGE], *map(_place, frames)]),
        )


def _is_ours(frame: traceback.FrameSummary) -> bool:
    return "autoscaler" in PurePath(frame.filename).parts


def _place(frame: traceback.FrameSummary) -> str:
    return f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}"


def _split(
    error: BaseException | None,
) -> tuple[Exception | None, BaseException | None]:
    """Return the first bug in *error*, and what of it is none."""
    if not isinstance(error, BaseExceptionGroup):
        return (error, None) if isinstance(error, Exception) else (None, error)
    bugs, others = error.split(Exception)
    first: Exception | None = bugs
    while isinstance(first, ExceptionGroup):
        first = first.exceptions[0]
    return first, others
