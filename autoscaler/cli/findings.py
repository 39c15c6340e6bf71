"""What a check finds: one list for people, programs and exit codes."""

from collections.abc import Iterable, Iterator

from attrs import frozen

from autoscaler.cli.survey import GroupSeen, HostSeen, Survey
from autoscaler.core.lint import Severity, lint
from autoscaler.core.shortages import describe_shortage
from autoscaler.shell.configuration.http_table import TABLE as HTTP
from autoscaler.shell.configuration.http_table import doubts
from autoscaler.shell.configuration.problems import Problem
from autoscaler.shell.configuration.settings import Settings
from autoscaler.shell.operators.control import path_complaint

EXPIRY_DAYS = (30, 7, 1)
DAY_S = 86_400.0


@frozen(kw_only=True)
class Found:
    """One thing to tell.

    Attributes:
        severity: An error ends the check with exit code 1.
        place: File and table, host or group.
        key: Of the configuration, where it is about one.
        message: What is the matter.
    """

    severity: Severity
    place: str
    key: str | None = None
    message: str

    def __str__(self) -> str:
        parts = (self.severity.value, self.place, self.key, self.message)
        return ": ".join(part for part in parts if part is not None)


def found_in_file(problems: Iterable[Problem]) -> tuple[Found, ...]:
    """Return the *problems* of a configuration that can't be used."""
    return tuple(
        Found(
            severity=Severity.ERROR,
            place=str(problem.file)
            if problem.table is None
            else f"{problem.file}: {problem.table}",
            key=problem.key,
            message=problem.complaint
            if problem.value is None
            else f"{problem.value}: {problem.complaint}",
        )
        for problem in problems
    )


def found_in_settings(settings: Settings) -> tuple[Found, ...]:
    """Return what is probably not meant in *settings*."""
    intervals = {host.name: host.stats_interval for host in settings.hosts}
    findings = [
        Found(
            severity=finding.severity,
            place=f"group {group.id}",
            key=finding.key,
            message=finding.message,
        )
        for group in settings.groups
        for finding in lint(group.policy, intervals[group.id.host])
    ]
    complaint = path_complaint(settings.deployment.state_dir)
    if complaint is not None:
        # The daemon runs without it, but nobody can pause or reload it.
        findings.append(
            Found(
                severity=Severity.HINT,
                place=f"{settings.path}: [deployment]",
                key="state_dir",
                message=complaint,
            )
        )
    if settings.http is not None:
        findings += (
            Found(
                severity=Severity.HINT,
                place=f"{settings.path}: [{HTTP}]",
                key=key,
                message=message,
            )
            for key, message in doubts(settings.http)
        )
    if not settings.groups:
        message = "there are no [[groups]]: nothing will be scaled"
        findings.append(
            Found(severity=Severity.HINT, place=str(settings.path), message=message)
        )
    return tuple(findings)


def found_at_hosts(seen: Survey, wall: float) -> tuple[Found, ...]:
    """Return what is wrong with what hosts have shown.

    Arguments:
        seen: What they have shown.
        wall: Seconds since 1970, now.
    """
    return (
        *(found for host in seen.hosts for found in _at_host(host, wall)),
        *(found for group in seen.groups for found in _at_group(group)),
    )


def _at_host(host: HostSeen, wall: float) -> Iterator[Found]:
    place = f"host {host.settings.name}"
    for complaint in host.complaints:
        yield Found(severity=Severity.ERROR, place=place, message=complaint)
    for validity in () if host.opened is None else host.opened.validity:
        days = (validity.ends.timestamp() - wall) / DAY_S
        if 0 < days <= EXPIRY_DAYS[0]:
            message = f"{validity.subject} expires in {days:.1f} days"
            yield Found(severity=Severity.HINT, place=place, message=message)


def _at_group(group: GroupSeen) -> Iterator[Found]:
    place = f"group {group.settings.id}"
    if group.complaint is not None:
        yield Found(severity=Severity.ERROR, place=place, message=group.complaint)
        return
    is_managed = group.settings.id.is_managed
    if group.room is None:
        if is_managed:
            # What is wrong with its image is told.
            return
        message = f"{group.settings.id.name} does not run on the host"
        yield Found(
            severity=Severity.ERROR, place=place, key="primary", message=message
        )
        return
    policy, room = group.settings.policy, group.room
    if room.shortage is None:
        return
    clone = "member" if is_managed else "clone"
    severity = (
        Severity.HINT if room.clones >= max(1, policy.min_clones) else (Severity.ERROR)
    )
    message = (
        f"{policy.max_clones} {clone}s are more than fit ({room.clones}, "
        f"{room.running} of them running): {describe_shortage(room.shortage, clone)}"
    )
    yield Found(severity=severity, place=place, key=f"max_{clone}s", message=message)
