"""How a command line ends, whatever ends it: one exit code, no traceback."""

import argparse
import os
import signal
import sys
from collections.abc import Callable

INTERRUPTED = 128 + signal.SIGINT
_DISTRIBUTION = "albatross-autoscaler"


def exit_code(run: Callable[[], int]) -> int:
    """Return the exit code of *run*, which prints to standard output."""
    # What hosts say may not fit the terminal's encoding.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = run()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has read enough; the interpreter must not flush again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


class Version(argparse.Action):
    """Prints the version; reading it takes 20 ms that others need not wait."""

    def __call__(
        self, parser: argparse.ArgumentParser, *_: object, **__: object
    ) -> None:
        """Print and leave."""
        from importlib.metadata import version  # noqa: PLC0415 - for this alone

        print(parser.prog, version(_DISTRIBUTION))
        parser.exit()
