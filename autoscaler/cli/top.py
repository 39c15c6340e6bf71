"""`autoscaler top`: all groups in a terminal, the most urgent first."""

import argparse
import os
from collections.abc import Iterator

import trio

from albatross_client.cli.help import Formatter
from albatross_client.texts import clean
from autoscaler.cli.options import add_config
from autoscaler.cli.output import complain, print_json, print_prose, print_table
from autoscaler.cli.screen.sights import Group, Seen, Sight
from autoscaler.cli.screen.source import StateDirectory
from autoscaler.cli.screen.table import describe_decision, describe_sizes, summarise
from autoscaler.cli.screen.teletype import Teletype, is_usable
from autoscaler.cli.screen.watching import watch
from autoscaler.shell.configuration.durations import parse_duration
from autoscaler.shell.configuration.settings import SettingsError, load_settings

# Faster than eyes, and slower than what the daemon has to answer.
SHORTEST_S = 0.1
_EPILOGUE = """\
examples:
  autoscaler top --config FILE                  until q is pressed
  autoscaler top --config FILE --interval 5s    over a slow line
  autoscaler top --config FILE --once | less    as a table, once
  autoscaler top --config FILE --json           the same for programs

keys:
  up, down, PgUp, PgDn, Home, End   choose a group
  e     explain the chosen group    p     pause it, or resume it; asks first
  ?     help                        q     leave

exit codes, beside those of all commands:
  129  the terminal is gone
  143  ended by SIGTERM
"""


def add_command(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``top``."""
    parser = subparsers.add_parser(
        "top",
        help="follow all groups in a terminal, the most urgent first",
        description="Show the fleet and all its groups, and keep showing them: what "
        "needs a person comes first.  Where standard input or output is no terminal, "
        "one table is printed.  Where no daemon runs, the state file tells.",
        epilog=_EPILOGUE,
        formatter_class=Formatter,
    )
    add_config(parser)
    parser.add_argument(
        "--interval",
        metavar="DURATION",
        help="from one look to the next; default: 1s, and longer where looking takes "
        "more than a tenth of the time",
    )
    parser.add_argument("--once", action="store_true", help="print one table")
    parser.add_argument("--json", action="store_true", help="print JSON, once")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show the fleet; return the exit code."""
    try:
        wanted = arguments.interval
        interval = None if wanted is None else _interval(wanted)
    except ValueError as error:
        complain(f"--interval: {error}")
        return 2
    try:
        settings = load_settings(arguments.config)
    except SettingsError as error:
        complain(str(error))
        return 1
    source = StateDirectory(settings)
    if arguments.json or arguments.once or not is_usable(os.environ):
        return _print(source.see(), as_json=arguments.json)
    title = f"autoscaler top: {clean(settings.deployment.name)}"
    return trio.run(watch, Teletype.of_process(os.environ), source, title, interval)


def _interval(text: str) -> float:
    """Return *text* in seconds.

    Raises:
        ValueError: It is no interval to look at.
    """
    seconds = parse_duration(text)
    if seconds < SHORTEST_S:
        msg = f"{text!r} is less than {SHORTEST_S:g} s"
        raise ValueError(msg)
    return seconds


def _print(seen: Seen, *, as_json: bool) -> int:
    if seen.sight is None:
        complain(seen.complaint)
        return 1
    if as_json:
        print_json(seen.form)
        return 0
    if seen.complaint:
        print(seen.complaint)
    print_prose((summarise(seen.sight.fleet), *_needs(seen.sight), ""))
    print_table(
        "Groups",
        (
            "group",
            "mode",
            "wants/can/has",
            "load %",
            "decision",
            "why, and what is missing",
        ),
        (_row(group) for group in seen.sight.groups),
    )
    return 0


def _needs(sight: Sight) -> Iterator[str]:
    return (f"! {need}" for need in sight.fleet.needs)


def _row(group: Group) -> tuple[str, ...]:
    why = "" if group.decision is None else group.decision.why
    missing = "" if group.flip is None else group.flip.told
    return (
        group.group,
        group.mode,
        describe_sizes(group),
        "-" if group.load_percent is None else f"{group.load_percent:.1f}",
        describe_decision(group),
        "; ".join(filter(None, (why, missing))),
    )
