"""`autoscaler check`: is the configuration right, and do its hosts agree."""

import argparse
from collections.abc import Mapping
from pathlib import Path

import trio
from attrs import asdict, field, frozen

from albatross_client.certificates import rfc3339
from albatross_client.cli.help import Formatter, examples
from albatross_client.client import Client
from albatross_client.hosts import open_endpoint
from albatross_client.names import Name
from albatross_client.secrecy import keep_memory_private
from albatross_client.texts import escaped
from albatross_client.values import ResourcePolicy
from albatross_client.wire.reading import MAX_INTEGER
from autoscaler.cli.findings import (
    Found,
    found_at_hosts,
    found_in_file,
    found_in_settings,
)
from autoscaler.cli.image_findings import (
    COLUMNS,
    found_in_images,
    image_json,
    image_row,
)
from autoscaler.cli.key_findings import found_in_keys
from autoscaler.cli.notify_findings import found_in_notify
from autoscaler.cli.output import complain, print_json, print_table
from autoscaler.cli.survey import GroupSeen, HostSeen, Opened, Survey, survey
from autoscaler.cli.traffic_findings import found_at_balancers, found_in_traffic
from autoscaler.core.group import GroupId
from autoscaler.core.lint import Severity
from autoscaler.shell.clock import wall_clock
from autoscaler.shell.configuration.changes import Change, changes
from autoscaler.shell.configuration.settings import (
    HostSettings,
    Settings,
    SettingsError,
    load_settings,
)
from autoscaler.shell.descriptors import most_descriptors
from autoscaler.shell.drafts import Draft, read_drafts


def add_command(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``check``."""
    parser = subparsers.add_parser(
        "check",
        help="validate a configuration, and look at its hosts",
        description="Tell all that is wrong with a configuration at once, and what "
        "is probably not meant (hints). Exit code 0: it can be used; 1: it can't.",
        epilog=examples(
            ("autoscaler check --config FILE", "the file alone"),
            (
                "autoscaler check --config FILE --connect",
                "what its hosts and balancers say, too",
            ),
            ("autoscaler check --diff OLD NEW", "what a reload would change"),
        ),
        formatter_class=Formatter,
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--config", type=Path, metavar="FILE", help="the configuration, TOML"
    )
    which.add_argument(
        "--diff",
        type=Path,
        nargs=2,
        metavar=("OLD", "NEW"),
        help="check NEW, and tell what a reload from OLD would change",
    )
    parser.add_argument(
        "--connect",
        action="store_true",
        help="also ask the hosts: certificates, policies, primaries, room for clones; "
        "and the balancers: whether servers can be added, the activator's place",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


@frozen
class Shown:
    """What is told beside the findings, where it is asked for.

    Attributes:
        drafts: What managed groups are made from.
        seen: What the hosts have shown.
        differs: What a reload would change.
    """

    drafts: Mapping[GroupId, Draft] = field(factory=dict)
    seen: Survey | None = None
    differs: tuple[Change, ...] | None = None


def run(arguments: argparse.Namespace) -> int:
    """Check the configuration; return the exit code."""
    try:
        settings = load_settings(arguments.config or arguments.diff[1])
        differs = None if arguments.diff is None else _differs(*arguments.diff)
    except SettingsError as error:
        return _tell(arguments, found_in_file(error.problems), Shown())
    drafts, problems = read_drafts(settings)
    found, seen = found_in_settings(settings) + found_in_file(problems), None
    found += found_in_images(drafts.by_group) + found_in_traffic(
        settings, most_descriptors()
    )
    keep_memory_private()
    if arguments.connect:
        seen = trio.run(survey, settings, open_host, drafts.templates)
        found += found_at_hosts(seen, wall_clock())
        found += trio.run(found_at_balancers, settings)
    found += found_in_keys(settings, is_asked=arguments.connect)
    found += found_in_notify(settings)
    code = _tell(arguments, found, Shown(drafts.by_group, seen, differs))
    if not code and not arguments.json:
        print(_summary(settings))
    return code


def open_host(settings: HostSettings) -> Opened:
    """Read the keys of a host.

    Raises:
        CertificateError: They can't be used.
    """
    endpoint = open_endpoint(settings.access)
    return Opened(Client(endpoint), endpoint.authority.domain, endpoint.validity)


def print_survey(seen: Survey) -> None:
    """Print what hosts have shown: of themselves, then of the groups."""
    print_table(
        "Hosts",
        ("host", "address", "acts in", "certificate", "until"),
        (
            (host.settings.name, _address(host), *row)
            for host in seen.hosts
            for row in _certificates(host)
        ),
    )
    print_table(
        "Policies",
        ("host", "domain", "unikernels", "memory MB", "cpuids", "bridges"),
        (
            (host.settings.name, str(domain), *_limits(policy))
            for host in seen.hosts
            for domain, policy in sorted(host.policies.items())
        ),
    )
    print_table(
        "Groups",
        ("group", "primary", "max_clones", "running", "fit"),
        (_group_row(group) for group in seen.groups),
    )


def _differs(old: Path, new: Path) -> tuple[Change, ...]:
    """Return what changes when the file *new* takes the place of *old*.

    Raises:
        SettingsError: One of them can't be used.
    """
    return changes(load_settings(old), load_settings(new, at=old))


def _summary(settings: Settings) -> str:
    hosts, groups = len(settings.hosts), len(settings.groups)
    return f"{settings.path} can be used: hosts: {hosts}, groups: {groups}"


def _tell(arguments: argparse.Namespace, found: tuple[Found, ...], shown: Shown) -> int:
    """Print what was found; return the exit code."""
    if arguments.json:
        print_json(_as_json(found, shown))
    else:
        if shown.drafts:
            rows = (image_row(g, draft) for g, draft in shown.drafts.items())
            print_table("Images", COLUMNS, rows)
        if shown.seen is not None:
            print_survey(shown.seen)
        if shown.differs is not None:
            _print_changes(shown.differs)
        for each in found:
            complain(escaped(str(each)))
    return int(any(each.severity is Severity.ERROR for each in found))


def _print_changes(differs: tuple[Change, ...]) -> None:
    if not differs:
        print("a reload would change nothing")
    for change in differs:
        suffix = " (only by a restart)" if change.needs_restart else ""
        print(escaped(f"{change}{suffix}"))


def _address(host: HostSeen) -> str:
    access = host.settings.access
    name = f"[{access.host}]" if ":" in access.host else access.host
    return f"{name}:{access.port}"


def _certificates(host: HostSeen) -> list[tuple[str, str, str]]:
    if host.opened is None:
        return [("-", "-", "-")]
    return [
        (str(host.opened.domain), validity.subject, rfc3339(validity.ends))
        for validity in host.opened.validity
    ]


def _limits(policy: ResourcePolicy) -> tuple[str, str, str, str]:
    return (
        _count(policy.unikernels),
        _count(policy.memory),
        " ".join(map(str, sorted(policy.cpuids))),
        " ".join(sorted(policy.bridges)),
    )


def _count(number: int) -> str:
    # How policies say that there is no limit.
    return str(number) if number < MAX_INTEGER else "any"


def _group_row(group: GroupSeen) -> tuple[str, str, str, str, str]:
    room = group.room
    return (
        str(group.settings.id),
        "managed" if group.settings.id.is_managed else _runs(group),
        str(group.settings.policy.max_clones),
        "-" if room is None else str(room.running),
        "-" if room is None else str(room.clones),
    )


def _runs(group: GroupSeen) -> str:
    return "runs" if group.primary is not None else "-"


def _as_json(found: tuple[Found, ...], shown: Shown) -> dict[str, object]:
    errors = sum(each.severity is Severity.ERROR for each in found)
    report: dict[str, object] = {
        "ok": not errors,
        "findings": [
            {
                "severity": each.severity.value,
                "place": each.place,
                "key": each.key,
                "message": each.message,
            }
            for each in found
        ],
    }
    if shown.drafts:
        report["images"] = [image_json(g, draft) for g, draft in shown.drafts.items()]
    if shown.differs is not None:
        report["changes"] = [asdict(change) for change in shown.differs]
    if shown.seen is not None:
        report["hosts"] = [_host_json(host) for host in shown.seen.hosts]
        report["groups"] = [_group_json(group) for group in shown.seen.groups]
    return report


def _host_json(host: HostSeen) -> dict[str, object]:
    opened = host.opened
    return {
        "name": host.settings.name,
        "address": _address(host),
        "domain": None if opened is None else str(opened.domain),
        "certificates": []
        if opened is None
        else [
            {
                "subject": validity.subject,
                "begins": rfc3339(validity.begins),
                "ends": rfc3339(validity.ends),
            }
            for validity in opened.validity
        ],
        "policies": [
            _policy_json(domain, policy)
            for domain, policy in sorted(host.policies.items())
        ],
    }


def _policy_json(domain: Name, policy: ResourcePolicy) -> dict[str, object]:
    return {
        "domain": str(domain),
        "unikernels": policy.unikernels,
        "memory_mb": policy.memory,
        "block_mb": policy.block,
        "cpuids": sorted(policy.cpuids),
        "bridges": sorted(policy.bridges),
    }


def _group_json(group: GroupSeen) -> dict[str, object]:
    room = group.room
    return {
        "group": str(group.settings.id),
        "managed": group.settings.id.is_managed,
        "primary_runs": group.primary is not None,
        "max_clones": group.settings.policy.max_clones,
        "clones_running": None if room is None else room.running,
        "clones_that_fit": None if room is None else room.clones,
    }
