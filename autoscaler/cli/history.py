"""`autoscaler history`: what happened, who did it, why, and what came of it."""

import argparse
from pathlib import Path

from albatross_client.cli.help import Formatter
from albatross_client.texts import clean
from autoscaler.cli.options import add_config
from autoscaler.cli.output import complain, print_json, print_table
from autoscaler.cli.post_mortem import show_post_mortem
from autoscaler.core.decision import Reason
from autoscaler.shell.clock import wall_clock
from autoscaler.shell.configuration.settings import (
    SettingsError,
    load_settings,
)
from autoscaler.shell.operators.history_lines import Line, tell_past
from autoscaler.shell.operators.past_forms import history_form
from autoscaler.shell.operators.requests import RequestError, find_groups
from autoscaler.shell.operators.times import ALLOWED, format_time, parse_time
from autoscaler.shell.state.past import read_groups, read_past
from autoscaler.shell.state.schema import StoreError

_EXAMPLES = """\
examples:
  autoscaler history --config FILE                        all of the last day
  autoscaler history user:web --since 2h --config FILE    one group
  autoscaler history --decision 3tq7-k29x --config FILE   one decision, and its end
  autoscaler history --post-mortem user:web-clone-7 --config FILE
  autoscaler history --since 2026-03-01 --json --config FILE
"""
_COLUMNS = ("time", "group", "who", "what", "took", "decision", "why")
# The action's own line tells that it was in flight.
_NOISE = f"hold {Reason.BUSY.value}"


def add_command(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``history``."""
    parser = subparsers.add_parser(
        "history",
        help="show what happened, who did it and why",
        description="Show actions, changes of decision, clones that died and what "
        "operators asked for, the newest last, from the state file: also of groups "
        "that are no longer configured, and whether the daemon runs or not.",
        epilog=_EXAMPLES,
        formatter_class=Formatter,
    )
    parser.add_argument(
        "group",
        nargs="?",
        metavar="GROUP",
        help="PRIMARY or HOST/PRIMARY; without it: all groups",
    )
    parser.add_argument(
        "--since", default="1d", metavar="TIME", help=f"{ALLOWED}; default: 1d"
    )
    parser.add_argument(
        "--decision",
        metavar="ID",
        help="only this decision and what followed from it: its decision_id",
    )
    parser.add_argument(
        "--post-mortem",
        metavar="NAME",
        help="show what was last known of a clone that is gone: PATH:LABEL or "
        "HOST/PATH:LABEL",
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show the history; return the exit code."""
    if arguments.post_mortem is not None:
        return show_post_mortem(
            arguments.config, arguments.post_mortem, as_json=arguments.json
        )
    try:
        since = parse_time(arguments.since, wall_clock())
    except ValueError as error:
        complain(f"--since: {error}")
        return 2
    try:
        lines = _read(arguments.config, arguments.group, since)
        lines = _of_decision(lines, arguments.decision)
    except (SettingsError, RequestError, StoreError) as error:
        complain(str(error))
        return 1
    if arguments.json:
        print_json(history_form(lines))
    elif not lines:
        print(f"nothing has happened since {format_time(since)}")
    else:
        rows = (_row(line) for line in lines if line.what != _NOISE)
        print_table("History", _COLUMNS, rows)
    return 0


def _read(config: Path, text: str | None, since: float) -> tuple[Line, ...]:
    settings = load_settings(config)
    directory = settings.deployment.state_dir
    known = {group.id for group in settings.groups}
    known |= read_groups(directory)
    groups = sorted(known)
    wanted = None if text is None else find_groups(groups, text)[0]
    return tell_past(read_past(directory, since), groups, wanted)


def _of_decision(lines: tuple[Line, ...], decision: str | None) -> tuple[Line, ...]:
    if decision is None:
        return lines
    found = tuple(line for line in lines if line.decision_id == decision)
    if not found:
        told = clean(decision, 40)
        msg = f"{told!r}: no decision of that time is called so; --since looks further"
        raise RequestError(msg)
    return found


def _row(line: Line) -> tuple[str, ...]:
    took = "-" if line.took_s is None else f"{line.took_s:.1f} s"
    outcome = f" ({line.outcome})" if line.outcome else ""
    if line.kind == "action" and line.outcome is None:
        outcome = " (in flight)"
    group = "-" if line.group is None else str(line.group)
    what = f"{line.what}{outcome}"
    decision = line.decision_id or "-"
    return format_time(line.at), group, line.who, what, took, decision, line.why
