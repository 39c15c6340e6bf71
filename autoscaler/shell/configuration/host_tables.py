"""The `[[hosts]]` tables: how hosts are reached, and how they are followed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from albatross_client import hosts
from albatross_client.solo5 import Architecture
from autoscaler.shell.configuration import forms
from autoscaler.shell.configuration.keys import Key, a_choice, a_count, a_duration
from autoscaler.shell.configuration.problems import Place, Problem, titled
from autoscaler.shell.hosts.host import Subscribe

# Keys of a host that are the autoscaler's, beside those of the client.
OUR_KEYS: Mapping[str, Key] = {
    "stats_interval": a_duration(),
    "subscribe": a_choice(Subscribe),
    "max_actions_in_flight": a_count(1),
    "architecture": a_choice(Architecture),
}
# What those of the client look like; it reads them itself.
CLIENT_FORMS: Mapping[str, forms.Form] = {
    "name": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"},
    "address": {
        "type": "string",
        "pattern": r"^(\[[0-9A-Fa-f:.]+(%[\w.-]+)?\]|[^\s:/\[\]@]{1,253})"
        r"(:[0-9]{1,5})?$",
    },
    **dict.fromkeys(("server_ca", "ca", "ca_key"), forms.TEXT),
    **dict.fromkeys(("ca_key_passphrase_file", "server_name"), forms.TEXT),
    "server_key_sha256": {
        "type": "string",
        "pattern": "^([0-9A-Fa-f]{2}[: ]*){32}$",
    },
    "policies": forms.table_of(
        {
            "type": "object",
            "properties": {
                "cpuids": {"type": "array", "items": forms.whole(0)},
                "unikernels": forms.whole(0),
                "memory": forms.whole(0),
                "block": forms.whole(0),
                "bridges": forms.TEXTS,
            },
            "required": ["cpuids", "unikernels", "memory", "bridges"],
            "additionalProperties": False,
        }
    ),
}
CLIENT_NEEDS = ("name", "address", "server_ca", "ca", "ca_key")


@frozen
class HostSettings:
    """One `[[hosts]]` table.

    Attributes:
        name: What the configuration calls the host.
        access: Address and files of keys, as the client opens them.
        stats_interval: How often it sends statistics, seconds; None: that is
            measured.
        subscribe: At which paths statistics are listened to.
        max_actions_in_flight: How many actions may run there at once.
        architecture: Which processors it has; None: that isn't said.
    """

    name: str
    access: hosts.HostSettings
    stats_interval: float | None = None
    subscribe: Subscribe = Subscribe.DOMAIN
    max_actions_in_flight: int = 2
    architecture: Architecture | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Which machine it is: another name may stand for the same one."""
        return self.access.host.lower(), self.access.port


def read_hosts(
    tables: object, file: Path
) -> tuple[tuple[HostSettings, ...], tuple[Problem, ...]]:
    """Return the hosts of a parsed `hosts`, and all that is wrong with them."""
    found: list[HostSettings] = []
    problems: list[Problem] = []
    if not isinstance(tables, list):
        place = Place(file, "hosts")
        return (), (place.problem("must be written as [[hosts]] tables"),)
    for number, table in enumerate(tables, 1):
        place = Place(file, _title(number, table))
        host, wrong = _read_host(table, file.parent, place)
        problems += wrong
        if host is None:
            continue
        if any(host.name == other.name for other in found):
            complaint = "another host has this name already; names must differ"
            problems.append(place.problem(complaint, "name", host.name))
        found.append(host)
    return tuple(found), tuple(problems)


def _title(number: int, table: object) -> str:
    name = table.get("name") if isinstance(table, Mapping) else None
    return titled("hosts", number, name if isinstance(name, str) else None)


def _read_host(
    table: object, base: Path, place: Place
) -> tuple[HostSettings | None, tuple[Problem, ...]]:
    access, wrong = hosts.structure_host(
        table, base, place.table or "", more_keys=frozenset(OUR_KEYS)
    )
    problems = tuple(_translated(each, place) for each in wrong)
    ours, complaints = _read_ours(table, place)
    problems += complaints
    if access is None or problems:
        return None, problems
    return HostSettings(access.name, access, **ours), ()


def _read_ours(
    table: object, place: Place
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Return what *table* says under our own keys."""
    ours: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, key in OUR_KEYS.items():
        if not isinstance(table, Mapping) or name not in table:
            continue
        try:
            ours[name] = key.read(table[name])
            _require_positive(ours[name])
        except ValueError:
            complaint = f"must be {key.allowed}"
            problems.append(place.problem(complaint, name, table[name]))
    return ours, tuple(problems)


def _require_positive(value: object) -> None:
    if isinstance(value, int | float) and value <= 0:
        raise ValueError


def _translated(problem: hosts.Problem, place: Place) -> Problem:
    """Return what the client says of a table in the words of this file."""
    place = Place(place.file, problem.table)
    verb = "" if problem.value == "unknown" else "is "
    complaint = f"{verb}{problem.value}; allowed is {problem.allowed}"
    return place.problem(complaint, problem.key or None)
