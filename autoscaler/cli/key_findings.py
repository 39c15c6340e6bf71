"""What a check finds about keys: who can read them, and what they open."""

from collections.abc import Iterator, Sequence
from itertools import takewhile

from albatross_client.certificates import domain_of
from albatross_client.errors import CertificateError
from albatross_client.hosts import OPEN_TO_OTHERS
from albatross_client.keys import readable_by_others
from albatross_client.names import Name
from autoscaler.cli.findings import Found
from autoscaler.core.lint import Severity
from autoscaler.shell.configuration.http_table import TABLE
from autoscaler.shell.configuration.settings import HostSettings, Settings
from autoscaler.shell.token_files import TokenError, read_token


def found_in_keys(settings: Settings) -> tuple[Found, ...]:
    """Return what is wrong with the key files that are on this machine.

    A configuration may be checked where its keys are not: files that can't be
    read are left to those who need them.
    """
    of_hosts = (
        found
        for host in settings.hosts
        for found in (*_open_to_others(host), *_too_powerful(host, settings))
    )
    return (*of_hosts, *_token(settings))


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
