"""How a command line ends, whatever ends it: one exit code, no traceback."""

import argparse
import os
import signal
import sys
from collections.abc import Callable

FAILED = 1
INTERRUPTED = 128 + signal.SIGINT
_DISTRIBUTION = "albatross-autoscaler"


def exit_code(run: Callable[[], int]) -> int:
    """Return the exit code of *run*, which prints to standard output."""
    # What hosts say may not fit the terminal's encoding.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _flushed(run())
    except BrokenPipeError:
        # Whoever reads has read enough.
        _print_no_more()
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED


def _flushed(code: int) -> int:
    """Return *code*, or that of a failure where what was printed is lost."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if code == 0:
            print(unprintable(error), file=sys.stderr)
        _print_no_more()
        return code or FAILED
    return code


def unprintable(error: OSError) -> str:
    """Return what to say where *error* keeps us from printing."""
    return f"standard output can't be written: {error.strerror}"


def _print_no_more() -> None:
    # The interpreter must not flush again.
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
