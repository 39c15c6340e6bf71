"""How a command line ends, whatever ends it: one exit code, no traceback."""

import argparse
import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

FAILED = 1
INTERRUPTED = 128 + signal.SIGINT
# write(2) - what a full disk or a broken one says; errors of files that a
# command opens by name have that name.
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_DISTRIBUTION = "albatross-autoscaler"


def exit_code(run: Callable[[], int]) -> int:
    """Return the exit code of *run*, which prints to standard output."""
    with _nothing_closed():
        # What hosts say may not fit the terminal's encoding.
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        return _exit_code(run)


def is_closed() -> bool:
    """Tell whether standard output was closed when the command began."""
    return getattr(sys.stdout, "name", None) == os.devnull


def unprintable(error: OSError) -> str:
    """Return what to say where *error* keeps us from printing."""
    return f"standard output can't be written: {error.strerror}"


def _exit_code(run: Callable[[], int]) -> int:
    try:
        code = run()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has read enough.
        _drop_output()
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITABLE:
            raise
        _drop_output()
        print(unprintable(error), file=sys.stderr)
        return FAILED
    return code


@contextmanager
def _nothing_closed() -> Iterator[None]:
    """Have the null device wherever a standard file is closed.

    The next file that is opened would be in its place, and be printed into.
    """
    with ExitStack() as ends:
        for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
            if getattr(sys, name) is None:
                null = Path(os.devnull)
                opened = ends.enter_context(null.open(mode, encoding="utf-8"))
                setattr(sys, name, opened)
                ends.callback(setattr, sys, name, None)
        yield


def _drop_output() -> None:
    """Have the interpreter not write again what could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Version(argparse.Action):
    """Prints the version; reading it takes 20 ms that others need not wait."""

    def __call__(
        self, parser: argparse.ArgumentParser, *_: object, **__: object
    ) -> None:
        """Print and leave."""
        from importlib.metadata import version  # noqa: PLC0415 - for this alone

        print(parser.prog, version(_DISTRIBUTION))
        parser.exit()
