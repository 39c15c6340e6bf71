"""The `[[hosts]]` tables: how hosts are reached, and how often they speak."""

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from albatross_client import hosts
from autoscaler.shell.keys import Key, a_duration
from autoscaler.shell.problems import Place, Problem, titled

STATS_INTERVAL = a_duration()
# Keys of a host that are the autoscaler's, beside those of the client.
OUR_KEYS: Mapping[str, Key] = {"stats_interval": STATS_INTERVAL}


@frozen
class HostSettings:
    """One `[[hosts]]` table.

    Attributes:
        name: What the configuration calls the host.
        access: Address and files of keys, as the client opens them.
        stats_interval: How often it sends statistics, seconds; None: that is
            measured.
    """

    name: str
    access: hosts.HostSettings
    stats_interval: float | None = None

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
    interval = None
    if isinstance(table, Mapping) and "stats_interval" in table:
        interval, complaint = _read_interval(table["stats_interval"], place)
        problems += complaint
    if access is None or problems:
        return None, problems
    return HostSettings(access.name, access, interval), ()


def _read_interval(
    value: object, place: Place
) -> tuple[float | None, tuple[Problem, ...]]:
    try:
        interval = STATS_INTERVAL.read(value)
    except ValueError:
        interval = None
    if isinstance(interval, float) and interval > 0:
        return interval, ()
    complaint = f"must be {STATS_INTERVAL.allowed}"
    return None, (place.problem(complaint, "stats_interval", value),)


def _translated(problem: hosts.Problem, place: Place) -> Problem:
    """Return what the client says of a table in the words of this file."""
    place = Place(place.file, problem.table)
    verb = "" if problem.value == "unknown" else "is "
    complaint = f"{verb}{problem.value}; allowed is {problem.allowed}"
    return place.problem(complaint, problem.key or None)
