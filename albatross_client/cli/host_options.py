"""Which host is meant, and what its command line or file says of it."""

import argparse
from pathlib import Path

from attrs import evolve

from albatross_client.endpoint import MIB, Endpoint
from albatross_client.hosts import (
    HostSettings,
    open_endpoint,
    read_hosts,
    structure_host,
)

_NEEDED = ("address", "server_ca", "ca", "ca_key")
_OPTIONS = (*_NEEDED, "ca_key_passphrase_file")


def endpoint_of(arguments: argparse.Namespace) -> Endpoint:
    """Return the endpoint that *arguments* name, its files read.

    Raises:
        ValueError: They don't name one host; the message says what is missing.
        CertificateError: A file can't be read, or they don't fit together.
    """
    endpoint = open_endpoint(settings_of(arguments))
    # Only what fetches contents has one.
    limit = getattr(arguments, "limit", None)
    if limit is None:
        return endpoint
    limits = evolve(endpoint.limits, image_bytes=limit * MIB)
    return evolve(endpoint, limits=limits)


def settings_of(arguments: argparse.Namespace) -> HostSettings:
    """Return the host that *arguments* name.

    Raises:
        ValueError: They don't name one host; the message says what is missing.
    """
    given = {
        key: str(getattr(arguments, key))
        for key in _OPTIONS
        if getattr(arguments, key) is not None
    }
    if arguments.config is not None:
        if given:
            msg = f"give --config or {_option(next(iter(given)))}, not both"
            raise ValueError(msg)
        return _chosen(read_hosts(arguments.config), arguments.host, arguments.config)
    missing = [_option(key) for key in _NEEDED if key not in given]
    if missing:
        msg = f"which host? give --config FILE, or also {', '.join(missing)}"
        raise ValueError(msg)
    settings, problems = structure_host({"name": "host", **given}, Path(), "options")
    if settings is None:
        raise ValueError("; ".join(str(problem) for problem in problems))
    return settings


def _chosen(
    hosts: tuple[HostSettings, ...], name: str | None, file: Path
) -> HostSettings:
    named = [host for host in hosts if name in {None, host.name}]
    if len(named) == 1:
        return named[0]
    names = ", ".join(host.name for host in hosts)
    msg = (
        f"{file} has the hosts {names}: choose one by --host"
        if name is None
        else f"{file} has no host {name!r}; it has {names}"
    )
    raise ValueError(msg)


def _option(key: str) -> str:
    return f"--{key.replace('_', '-')}"
