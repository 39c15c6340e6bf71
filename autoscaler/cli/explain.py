"""`autoscaler explain`: why a group does what it does, and what is missing."""

import argparse
import math
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from albatross_client.cli.help import Formatter
from autoscaler.cli.options import add_config
from autoscaler.cli.output import complain, print_json, print_prose, print_table
from autoscaler.core.group import GroupId
from autoscaler.core.guards import Guard
from autoscaler.core.record import Record
from autoscaler.core.shortages import counted
from autoscaler.core.telling import describe_lack, tell
from autoscaler.shell.clock import wall_clock
from autoscaler.shell.configuration.durations import format_age
from autoscaler.shell.configuration.settings import (
    Settings,
    SettingsError,
    load_settings,
)
from autoscaler.shell.operators.control import ControlError, DaemonDownError, ask
from autoscaler.shell.operators.past_forms import explain_form
from autoscaler.shell.operators.requests import (
    Request,
    RequestError,
    find_groups,
)
from autoscaler.shell.operators.times import ALLOWED, format_time, parse_time
from autoscaler.shell.state.mortems import PostMortem
from autoscaler.shell.state.past import read_post_mortems, read_record
from autoscaler.shell.state.records import from_json
from autoscaler.shell.state.schema import StoreError

_EXAMPLES = """\
examples:
  autoscaler explain user:web --config FILE              what holds it now
  autoscaler explain user:web --at 14:30 --config FILE   and what did then
  autoscaler explain alpha/user:web --at 10m --json --config FILE
"""


def add_command(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``explain``."""
    parser = subparsers.add_parser(
        "explain",
        help="tell why a group does what it does, and what is missing",
        description="Tell how the decision about a group came about: its members, "
        "every guard with its numbers, what the group wants, can have and has, and "
        "what is missing to act.  The daemon is asked; where it is down, or for an "
        "earlier time, the state file tells.",
        epilog=_EXAMPLES,
        formatter_class=Formatter,
    )
    parser.add_argument("group", metavar="GROUP", help="PRIMARY or HOST/PRIMARY")
    parser.add_argument("--at", metavar="TIME", help=f"{ALLOWED}; default: now")
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


@frozen
class Explained:
    """What is told.

    Attributes:
        group: Of which group.
        record: Its record.
        source: Who told it: ``daemon`` or ``state``.
        mortems: What is kept of clones that are gone, oldest first.
    """

    group: GroupId
    record: Record
    source: str
    mortems: tuple[PostMortem, ...]


def run(arguments: argparse.Namespace) -> int:
    """Explain; return the exit code."""
    wall = wall_clock()
    try:
        at = None if arguments.at is None else parse_time(arguments.at, wall)
        settings = load_settings(arguments.config)
        [group] = find_groups((g.id for g in settings.groups), arguments.group)
        found = find_explained(settings, group, at)
    except (SettingsError, RequestError, ControlError, StoreError) as error:
        complain(str(error))
        return 1
    except ValueError as error:
        complain(f"--at: {error}")
        return 2
    if found is None:
        since = (
            "yet: `autoscaler run` has to have run for a moment"
            if at is None
            else f"that is older than {format_time(at)}"
        )
        complain(f"{group}: nothing is known of a decision {since}")
        return 1
    if arguments.json:
        print_json(explain_form(group, found.record, found.source, found.mortems))
    else:
        _print_for_people(found, wall)
    return 0


def find_explained(
    settings: Settings, group: GroupId, at: float | None
) -> Explained | None:
    """Return what the daemon has in memory, or else what the state has.

    Arguments:
        settings: Of which deployment.
        group: Of which group.
        at: Of which time, seconds since 1970; None: now.

    Raises:
        ControlError: The daemon answers otherwise than it should.
        StoreError: The state can't be read.
    """
    directory = settings.deployment.state_dir
    words = {"group": str(group)} | ({} if at is None else {"at": repr(at)})
    try:
        record = _asked(directory, words)
    except DaemonDownError:
        record = None
    if record is not None:
        return Explained(group, record, "daemon", read_post_mortems(directory, group))
    kept = read_record(directory, group, math.inf if at is None else at)
    if kept is None:
        return None
    return Explained(group, kept, "state", read_post_mortems(directory, group))


def _asked(directory: Path, words: Mapping[str, str]) -> Record | None:
    """Return what the daemon has in memory.

    Raises:
        DaemonDownError: No daemon runs.
        ControlError: It answers otherwise than it should.
    """
    reply = ask(directory, Request("explain", words))
    if not reply.is_done:
        raise ControlError("\n".join(reply.said))
    try:
        found = [from_json(row["record"], Record) for row in reply.rows]
    except (KeyError, ValueError) as error:
        msg = "what answers there is no daemon of this version"
        raise ControlError(msg) from error
    return found[0] if found else None


def _print_for_people(found: Explained, wall: float) -> None:
    print_prose((*head(found, wall), ""))
    print_table("Members", MEMBERS, member_rows(found))
    print_table("Guards", GUARDS, guard_rows(found))


def head(found: Explained, wall: float) -> tuple[str, ...]:
    """Return what is told above the tables, a paragraph each."""
    record, decision = found.record, found.record.decision
    when = f"{format_time(record.at)}, {format_age(wall - record.at)} ago"
    lines = [
        f"{found.group}: {decision.outcome.value} {decision.reason.value} ({when})"
    ]
    if found.source == "state":
        lines.append(
            "By the state file: the daemon is down, or does not look back so far."
        )
    lines += ["", *tell(record)]
    if decision.id is not None:
        lines += ["", f"The log and the history call this decision {decision.id}."]
    if found.mortems:
        count, newest = len(found.mortems), found.mortems[-1]
        kept = f"{counted(count, 'post-mortem')} kept, the newest of {newest.name}"
        # By itself: a command must be whole to be copied.
        command = f"autoscaler history --post-mortem {newest.name} --config FILE"
        lines += ["", f"{kept}:", command]
    return tuple(lines)


MEMBERS = ("member", "class", "usage %", "age")
GUARDS = ("guard", "verdict", "value", "limit", "why")


def member_rows(found: Explained) -> list[tuple[str, ...]]:
    """Return the rows below `MEMBERS`."""
    record = found.record
    standings = zip(record.decision.load.standings, record.ages, strict=True)
    return [
        (
            str(standing.name),
            standing.counts_as.value,
            "-" if standing.usage is None else f"{standing.usage:.1f}",
            "-" if age is None else format_age(age),
        )
        for standing, age in standings
    ]


def guard_rows(found: Explained) -> list[tuple[str, ...]]:
    """Return the rows below `GUARDS`, those that hold first."""
    record = found.record
    guards = sorted(record.guards, key=lambda guard: not guard.holds)
    return [_guard_row(guard, record) for guard in guards]


def _guard_row(guard: Guard, record: Record) -> tuple[str, str, str, str, str]:
    return (
        guard.kind.value,
        "holds" if guard.holds else "passes",
        _number(guard.value),
        _number(guard.limit),
        describe_lack(guard, record) if guard.holds else "",
    )


def _number(number: float | None) -> str:
    return "-" if number is None else f"{number:.1f}".removesuffix(".0")
