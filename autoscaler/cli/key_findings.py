"""What a check finds about keys: who can read them, and what they open."""

import os
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

from albatross_client.certificates import domain_of
from albatross_client.errors import CertificateError
from albatross_client.hosts import OPEN_TO_OTHERS, open_endpoint
from albatross_client.keys import readable_by_others
from albatross_client.names import Name
from albatross_client.texts import clean
from autoscaler.cli.findings import Found
from autoscaler.core.lint import Severity
from autoscaler.shell.configuration.http_table import TABLE
from autoscaler.shell.configuration.settings import HostSettings, Settings
from autoscaler.shell.token_files import TokenError, read_token


def found_in_keys(settings: Settings, *, is_asked: bool = False) -> tuple[Found, ...]:
    """Return what is wrong with the key files that are on this machine.

    A configuration may be checked where its keys are not: of files that can't
    be read there are only hints.

    Arguments:
        settings: The configuration.
        is_asked: Whether the hosts are asked too: what keeps them from being
            asked is told there.
    """
    of_hosts = (
        found
        for host in settings.hosts
        for found in (
            *_open_to_others(host),
            *_too_powerful(host, settings),
            *(() if is_asked else _unusable(host, settings)),
        )
    )
    return (*of_hosts, *_token(settings))


def _unusable(host: HostSettings, settings: Settings) -> Iterator[Found]:
    """Tell what would keep the daemon from starting, or from a group."""
    place = f"host {host.name}"
    absent = [path for path in _files(host) if not os.access(path, os.R_OK)]
    if absent:
        which = ", ".join(map(str, absent))
        message = f"the daemon needs what can't be read here: {which}"
        yield Found(severity=Severity.HINT, place=place, message=message)
        return
    try:
        authority = open_endpoint(host.access).authority
    except CertificateError as error:
        yield Found(severity=Severity.ERROR, place=place, message=clean(str(error)))
        return
    for group in settings.groups:
        if group.id.host != host.name:
            continue
        try:
            authority.require_within(group.id.domain)
        except CertificateError as error:
            yield Found(
                severity=Severity.ERROR,
                place=f"group {group.id}",
                message=clean(str(error)),
            )


def _files(host: HostSettings) -> Iterator[Path]:
    """Yield all files of *host*, each once."""
    access = host.access
    yield from dict.fromkeys((access.server_ca, access.ca, *access.secret_files))


def _open_to_others(host: HostSettings) -> Iterator[Found]:
    for path in host.access.secret_files:
        try:
            is_open = readable_by_others(path)
        except CertificateError:
            continue
        if is_open:
            yield Found(
                severity=Severity.ERROR,
                place=f"host {host.name}",
                message=f"{path} {OPEN_TO_OTHERS}",
            )


def _token(settings: Settings) -> Iterator[Found]:
    """Tell what keeps the token from opening anything."""
    http = settings.http
    if http is None or http.token_file is None:
        return
    try:
        read_token(http.token_file)
    except TokenError as error:
        # The daemon runs without it, and nothing is changed over HTTP.
        is_there = http.token_file.exists()
        yield Found(
            severity=Severity.ERROR if is_there else Severity.HINT,
            place=f"{settings.path}: [{TABLE}]",
            key="token_file",
            message=str(error),
        )


def _too_powerful(host: HostSettings, settings: Settings) -> Iterator[Found]:
    """Hint at a root CA where that of a domain would do."""
    domains = [
        group.id.name.path for group in settings.groups if group.id.host == host.name
    ]
    enough = _common(domains)
    try:
        is_root = enough and not domain_of(host.access.ca).path
    except CertificateError:
        return
    if is_root:
        yield Found(
            severity=Severity.HINT,
            place=f"host {host.name}",
            key="ca",
            message="this is a root CA, and whoever has its key can do anything on "
            f"the host: all groups lie in {Name(enough)}, a CA of that domain would do",
        )


def _common(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return what all *paths* begin with."""
    if not paths:
        return ()
    alike = takewhile(lambda labels: len(set(labels)) == 1, zip(*paths, strict=False))
    return tuple(labels[0] for labels in alike)
