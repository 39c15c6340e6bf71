"""The command line: which subcommand, and how it ends.

Laws: every expected failure is one sentence on standard error and never a
traceback; a subcommand's module is imported only when it is asked for, so that
``--help`` is quick.
"""

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence

from albatross_client.cli.ending import Version, exit_code
from albatross_client.cli.help import Formatter

# Each is a module beside this one with `add_command(subparsers)`; those that
# the daemon answers are all in `ask`.
COMMANDS: Mapping[str, str] = {
    "init": "write a first configuration, after a look at the host",
    "run": "run the daemon",
    "check": "validate a configuration, and look at its hosts",
    "status": "show what the daemon knows and does",
    "top": "follow all groups in a terminal, the most urgent first",
    "explain": "tell why a group does what it does, and what is missing",
    "history": "show what happened, who did it and why",
    "reload": "have the daemon read its configuration again",
    "pause": "have the daemon do nothing, for a group or for all",
    "observe": "have it only say what it would do",
    "resume": "have it do again what its configuration allows",
    "scale": "have a group become so large now",
    "adopt": "say that a unikernel is the daemon's own",
    "disown": "say that a clone is to be left alone",
    "prewarm": "have members stand by for a while",
    "destroy": "remove clones that nobody looks after any more",
    "notify": "tell those who want events of a test event",
    "completion": "print what makes a shell complete both commands",
    "demo": "watch it scale a sandbox host up and down",
}
ASKED = frozenset(
    {"reload", "pause", "observe", "resume", "scale", "adopt", "disown", "prewarm"}
)
_PROGRAM = "autoscaler"
_DESCRIPTION = "Scale MirageOS unikernels that run on Albatross hosts."
_EPILOGUE = """\
exit codes:
  0    it went well
  1    it did not: one sentence on standard error says why
  2    the command line can't be understood
  130  interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; return the exit code.

    Arguments:
        argv: Without the program's name; None: the process's own.
    """
    words = sys.argv[1:] if argv is None else argv

    def run() -> int:
        # Here, for it imports what is asked for, and that takes a moment.
        arguments = _parser(words).parse_args(words)
        code: int = arguments.run(arguments)
        return code

    return exit_code(run)


def whole_parser() -> argparse.ArgumentParser:
    """Return the parser with all subcommands, which takes a while."""
    return _parser(tuple(COMMANDS))


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description=_DESCRIPTION,
        epilog=_EPILOGUE,
        formatter_class=Formatter,
    )
    parser.add_argument("--version", action=Version, nargs=0, help="show the version")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, purpose in COMMANDS.items():
        if name not in words:
            subparsers.add_parser(name, help=purpose)
        elif name in ASKED:
            module = importlib.import_module("autoscaler.cli.ask")
            module.add_asking(subparsers, name, purpose)
        else:
            module = importlib.import_module(f"autoscaler.cli.{name}")
            module.add_command(subparsers)
    return parser
