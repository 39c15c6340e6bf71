"""`autoscaler status`: what the daemon knows and does, from its state file."""

import argparse

from albatross_client.cli.help import Formatter, examples
from autoscaler.cli.options import add_config
from autoscaler.cli.output import complain, print_json, print_table
from autoscaler.core.decision import Decision, Requests, Service
from autoscaler.core.deeds import describe_action
from autoscaler.core.describe import explain
from autoscaler.core.policy import Mode
from autoscaler.core.record import Record
from autoscaler.shell.configuration.durations import format_age
from autoscaler.shell.configuration.settings import SettingsError, load_settings
from autoscaler.shell.operators.status_form import Shown, as_json, look
from autoscaler.shell.operators.status_report import GroupLine, Said
from autoscaler.shell.state.lock import Holder
from autoscaler.shell.state.schema import StoreError


def add_command(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``status``."""
    parser = subparsers.add_parser(
        "status",
        help="show what the daemon knows and does",
        description="Show groups, members, decisions and actions from the state "
        "file, whether the daemon runs or not.",
        epilog=examples(
            ("autoscaler status --config FILE", ""),
            (
                "autoscaler status --config FILE --json",
                "for programs: config/schema/status.schema.json says what is in it",
            ),
        ),
        formatter_class=Formatter,
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show the state; return the exit code."""
    try:
        shown = look(load_settings(arguments.config))
    except (SettingsError, StoreError) as error:
        complain(str(error))
        return 1
    if arguments.json:
        print_json(as_json(shown))
    else:
        _print_for_people(shown)
    return 0


def _print_for_people(shown: Shown) -> None:
    print(f"{_daemon(shown.daemon)}\n")
    print_table(
        "Groups",
        ("group", "clones", "wants/can/has", "decision", "age", "why"),
        (_group_row(line, shown.wall) for line in shown.report.groups),
    )
    _print_members(shown)
    _print_requests(shown)
    print_table(
        "In flight and waiting",
        ("group", "what", "seconds"),
        (row for line in shown.report.groups for row in _waiting(line)),
    )
    _print_strangers(shown)
    # Who is down follows no stream.
    was = "was " if shown.daemon is None else ""
    print_table(
        "Streams",
        ("host", "domain", "state", "for"),
        (
            (
                stream.host,
                str(stream.domain),
                was + ("up" if stream.is_up else "down"),
                _age(stream.since, shown.wall),
            )
            for stream in shown.state.streams
        ),
    )


def _print_members(shown: Shown) -> None:
    members = [(line, m) for line in shown.report.groups for m in line.members]
    columns: tuple[str, ...] = ("group", "member", "class", "usage %")
    rows: list[tuple[str, ...]] = [
        (
            str(line.id),
            str(member.name),
            "-" if member.counts_as is None else member.counts_as.value,
            "-" if member.usage is None else f"{member.usage:.1f}",
        )
        for line, member in members
    ]
    if any(line.policy.serving is not None for line in shown.report.groups):
        columns = (*columns, "server", "sessions")
        services = [_service(member.service) for _, member in members]
        rows = [(*row, *more) for row, more in zip(rows, services, strict=True)]
    print_table("Members", columns, rows)


def _service(service: Service | None) -> tuple[str, str]:
    if service is None:
        return "-", "-"
    shown = f"{service.duty.value}, checks {service.health.value}"
    return shown, str(service.sessions)


def _print_requests(shown: Shown) -> None:
    """Show what balancers tell of groups that have one."""
    print_table(
        "Traffic",
        ("group", "in flight", "waiting", "for ms"),
        (
            (str(line.id), *_requests(line.requests))
            for line in shown.report.groups
            if line.policy.serving is not None
        ),
    )


def _requests(requests: Requests | None) -> tuple[str, str, str]:
    if requests is None:
        return "?", "?", "the balancer tells nothing"
    waited = requests.queue_ms
    return (
        str(requests.in_flight),
        str(requests.queued),
        "-" if waited is None else f"{waited:.0f}",
    )


def _print_strangers(shown: Shown) -> None:
    print_table(
        "Foreign: named like clones, but not ours",
        ("group", "unikernel"),
        (
            (str(line.id), str(name))
            for line in shown.report.groups
            for name in line.foreign
        ),
    )
    stranded = shown.report.stranded
    print_table(
        "Stranded: clones of groups that are no longer configured",
        ("host", "clone", "for"),
        (
            (
                each.host,
                str(each.name),
                "-" if each.since is None else _age(each.since, shown.wall),
            )
            for each in stranded
        ),
    )
    # Beside the table: a command must be whole to be copied.
    for each in stranded:
        if each.command is not None:
            print(f"to remove it: {each.command}\n")


def _daemon(daemon: Holder | None) -> str:
    if daemon is None:
        return "The daemon is down: this is what it knew last."
    return f"The daemon runs (process {daemon.pid or 'unknown'})."


def _group_row(line: GroupLine, wall: float) -> tuple[str, ...]:
    policy = line.policy
    clones = f"{policy.min_clones}..{policy.max_clones}"
    if line.standing is None:
        return str(line.id), clones, "-", "-", "-", "nothing was decided yet"
    decision = line.standing.decision
    return (
        str(line.id),
        f"{decision.clones} of {clones}{_standbys(decision)}",
        "-" if line.record is None else _sizes(line.record),
        f"{decision.outcome.value} {decision.reason.value}",
        _age(line.standing.since, wall),
        f"{explain(decision)}{_said(line.said, wall)}",
    )


def _sizes(record: Record) -> str:
    sizes = record.sizes
    wants = "?" if sizes.wants is None else str(sizes.wants)
    return f"{wants}/{sizes.can}/{sizes.has}"


def _standbys(decision: Decision) -> str:
    if not (decision.standbys or decision.standbys_wanted):
        return ""
    return f", {decision.standbys_ready} of {decision.standbys_wanted} stand by"


def _said(said: Said | None, wall: float) -> str:
    if said is None:
        return ""
    verb = _PARTICIPLES[said.mode]
    if said.user is None or said.since is None:
        return f"; {verb} by an operator"
    return f"; {verb} by {said.user} for {_age(said.since, wall)}"


_PARTICIPLES = {Mode.PAUSED: "paused", Mode.OBSERVE: "set to observe"}


def _waiting(line: GroupLine) -> list[tuple[str, str, str]]:
    rows = []
    for each in line.actions:
        age = "-" if each.age_s is None else f"{each.age_s:.0f} passed"
        rows.append((describe_action(each.action), age))
    waits = {
        "cooldown up": line.cooldown_up_left_s,
        "cooldown down": line.cooldown_down_left_s,
        **{f"pause {what}": left for what, left in line.backoffs_left_s.items()},
    }
    rows += [(what, f"{left:.0f} left") for what, left in waits.items() if left > 0]
    return [(str(line.id), what, how_long) for what, how_long in rows]


def _age(since: float, wall: float) -> str:
    return format_age(wall - since)
