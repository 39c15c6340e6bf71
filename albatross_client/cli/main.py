"""albatrossctl's entry point: which command, and how it ends.

Laws: every failure is one sentence on standard error and never a traceback;
what a command needs is imported when it runs, so that ``--help`` is quick.
"""

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence

from albatross_client.cli.help import Formatter

FAILED = 1
INTERRUPTED = 128 + signal.SIGINT

_PROGRAM = "albatrossctl"
_DESCRIPTION = "Talk to Albatross hosts, which run MirageOS unikernels."
_EPILOGUE = """\
exit codes:
  0    done
  1    it could not be done: one sentence on standard error says why
  2    the command line can't be understood
  130  interrupted (the usual end of stats and console)
"""
# Each has `add_commands(subparsers)`.
_MODULES = ("remote", "codec", "sandbox")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    # What hosts say may not fit the terminal's encoding.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = whole_parser().parse_args(argv)
        code = _run(arguments.run, arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has read enough; the interpreter must not flush again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _run(
    run: Callable[[argparse.Namespace], int], arguments: argparse.Namespace
) -> int:
    """Obey; unpack the one error that a nursery may have wrapped."""
    try:
        return run(arguments)
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from group


def whole_parser() -> argparse.ArgumentParser:
    """Return the parser with all commands."""
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description=_DESCRIPTION,
        epilog=_EPILOGUE,
        formatter_class=Formatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in _MODULES:
        module = importlib.import_module(f"albatross_client.cli.{name}")
        module.add_commands(subparsers)
    return parser


class _Version(argparse.Action):
    """Prints the version; reading it takes 20 ms that others need not wait."""

    def __call__(
        self, parser: argparse.ArgumentParser, *_: object, **__: object
    ) -> None:
        """Print and leave."""
        from importlib.metadata import version  # noqa: PLC0415 - for this alone

        print(_PROGRAM, version("albatross-autoscaler"))
        parser.exit()
