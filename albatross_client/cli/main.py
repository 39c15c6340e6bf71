"""albatrossctl's entry point: which command, and how it ends.

Laws: every failure is one sentence on standard error and never a traceback;
what a command needs is imported when it runs, so that ``--help`` is quick.
"""

import argparse
import importlib
from collections.abc import Callable, Sequence

from albatross_client.cli.ending import Version, exit_code
from albatross_client.cli.help import Formatter

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

    def run() -> int:
        arguments = whole_parser().parse_args(argv)
        return _run(arguments.run, arguments)

    return exit_code(run)


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
    parser.add_argument("--version", action=Version, nargs=0, help="show the version")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in _MODULES:
        module = importlib.import_module(f"albatross_client.cli.{name}")
        module.add_commands(subparsers)
    return parser
