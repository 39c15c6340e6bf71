"""Try a connection, and show what both sides' certificates say.

The questions of an operator whose daemon can't reach a host: whose key is
this, what may it do, until when, who answers there, and what may domains use.
"""

import argparse
from collections.abc import Iterator
from datetime import datetime, timedelta

from attrs import frozen
from cryptography import x509

from albatross_client.certificates import (
    Authority,
    Validity,
    common_name,
    rfc3339,
    validity,
    wall_clock,
)
from albatross_client.cli import show
from albatross_client.cli.host_options import settings_of
from albatross_client.cli.output import print_json, print_table, print_text
from albatross_client.client import Client
from albatross_client.commands import PolicyInfo
from albatross_client.connection import Connector
from albatross_client.hosts import OPEN_TO_OTHERS
from albatross_client.keys import readable_by_others
from albatross_client.minting import Ask
from albatross_client.names import Name
from albatross_client.texts import clean
from albatross_client.tls import public_key_sha256
from albatross_client.transfer import reply, success
from albatross_client.values import ResourcePolicy

WARN_AHEAD = timedelta(days=30)


@frozen
class _Seen:
    """What a try has shown."""

    client: Client
    server: x509.Certificate
    policies: tuple[tuple[Name, ResourcePolicy], ...]
    warnings: tuple[str, ...]


async def check(client: Client, arguments: argparse.Namespace) -> None:
    """Connect, and print what was seen.

    Raises:
        AlbatrossError: The host can't be asked.
    """
    server = await _server(client)
    policies = await client.policies(client.endpoint.authority.domain)
    rows = tuple(sorted(policies.items(), key=lambda item: str(item[0])))
    dates = (*client.endpoint.validity, validity(server))
    warnings = (*_open_files(arguments), *soon_over(dates, wall_clock()))
    seen = _Seen(client, server, rows, warnings)
    if arguments.json:
        print_json(_as_json(seen))
    else:
        _print_for_people(seen)


def soon_over(dates: tuple[Validity, ...], now: datetime) -> Iterator[str]:
    """Yield a warning for each of *dates* that ends within a month."""
    for each in dates:
        left = each.ends - now
        if left < WARN_AHEAD:
            yield f"{each.subject} expires on {rfc3339(each.ends)}, in {left.days} days"


async def _server(client: Client) -> x509.Certificate:
    """Return the certificate of the server, once it has taken ours."""
    connector = Connector(client.endpoint, wall_clock)
    ask = Ask(client.endpoint.authority.domain, PolicyInfo())
    limit = client.endpoint.limits.reply_bytes
    async with await connector.open(ask, limit) as connection:
        success(await reply(connection))
        return connection.server


def _open_files(arguments: argparse.Namespace) -> Iterator[str]:
    for path in settings_of(arguments).secret_files:
        if readable_by_others(path):
            yield f"{path} {OPEN_TO_OTHERS}"


def _as_json(seen: _Seen) -> show.Json:
    endpoint = seen.client.endpoint
    return {
        "address": endpoint.address,
        "domain": str(endpoint.authority.domain),
        "may": _may(endpoint.authority),
        "certificates": [_dates_json(each) for each in endpoint.authority.validity],
        "server_ca": _dates_json(validity(endpoint.server_ca)),
        "server": {
            **_dates_json(validity(seen.server)),
            "name": common_name(seen.server),
            "key_sha256": public_key_sha256(seen.server).hex(),
        },
        "policies": [show.policy_json(*row) for row in seen.policies],
        "warnings": list(seen.warnings),
    }


def _dates_json(dates: Validity) -> dict[str, object]:
    return {
        "subject": dates.subject,
        "begins": rfc3339(dates.begins),
        "ends": rfc3339(dates.ends),
    }


def _print_for_people(seen: _Seen) -> None:
    endpoint = seen.client.endpoint
    print_text(f"{endpoint.address} answers and takes our certificate.")
    print_text(f"This key may {_may(endpoint.authority)}.")
    print_text("")
    ours = (("ours", each) for each in endpoint.authority.validity)
    dates = (
        *ours,
        ("server_ca", validity(endpoint.server_ca)),
        ("server", validity(seen.server)),
    )
    rows = [
        (whose, each.subject, rfc3339(each.begins), rfc3339(each.ends))
        for whose, each in dates
    ]
    print_table(("CERTIFICATE", "SUBJECT", "BEGINS", "ENDS"), rows)
    name = common_name(seen.server) or ""
    print_text(f'\nTo pin the server: server_name = "{clean(name)}"')
    digest = public_key_sha256(seen.server).hex()
    print_text(f'server_key_sha256 = "{digest}"\n')
    print_table(show.POLICY_HEADER, [show.policy_row(*row) for row in seen.policies])
    for warning in seen.warnings:
        print_text(f"warning: {clean(warning)}")


def _may(authority: Authority) -> str:
    if not authority.path:
        return "do everything, in every domain (it signs at the root)"
    return (
        f"do everything at and below {authority.domain}, and every command stores the "
        "policy in its certificate at the host again"
    )
