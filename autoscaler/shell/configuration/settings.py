"""The configuration: one TOML file to one frozen value.

Laws: `parse_settings` is a function of the text and of where it lies; all that
is wrong is told at once, each problem with its file, table, key and value and
with what is allowed; what `[defaults]` says holds for every group that doesn't
say otherwise.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen
from attrs.validators import ge, gt

from autoscaler.core.policy import Mode
from autoscaler.shell.configuration.group_tables import (
    Groups,
    GroupSettings,
    read_defaults,
)
from autoscaler.shell.configuration.host_tables import HostSettings, read_hosts
from autoscaler.shell.configuration.http_table import HttpSettings, read_http
from autoscaler.shell.configuration.keys import deployment_keys
from autoscaler.shell.configuration.notify_table import NotifySettings, read_notify
from autoscaler.shell.configuration.problems import (
    Place,
    Problem,
    SettingsError,
    unknown,
)
from autoscaler.shell.configuration.tables import Shape

__all__ = [
    "Deployment",
    "GroupSettings",
    "HostSettings",
    "Settings",
    "SettingsError",
    "load_settings",
    "parse_settings",
]

TABLES = ("deployment", "http", "notify", "hosts", "defaults", "groups")
DAY_S = 86_400.0


@frozen(kw_only=True)
class Deployment:
    """What holds for the daemon as a whole; durations in seconds.

    Attributes:
        name: What the operator calls it.
        state_dir: Where its state is kept.
        mode: The most that may be done about any group's decisions.
        shutdown_timeout: How long a shutdown waits for actions in flight.
        reconcile_interval: How often hosts are asked what runs.
        max_actions_in_flight: How many actions may run at once, on all hosts.
        history_keep: How long decisions, actions and usage are kept.
    """

    name: str
    state_dir: Path
    mode: Mode = Mode.ACTIVE
    shutdown_timeout: float = field(default=30.0, validator=ge(0))
    reconcile_interval: float = field(default=60.0, validator=gt(0))
    max_actions_in_flight: int = field(default=8, validator=ge(1))
    history_keep: float = field(default=7 * DAY_S, validator=gt(0))


@frozen(kw_only=True)
class Settings:
    """A configuration.

    Attributes:
        path: Its file.
        deployment: What holds for the daemon as a whole.
        hosts: The hosts, in the order of the file.
        groups: The groups, in the order of the file.
        http: Where the daemon answers over HTTP; None: nowhere.
        notify: Who is told of which events.
    """

    path: Path
    deployment: Deployment
    hosts: tuple[HostSettings, ...]
    groups: tuple[GroupSettings, ...]
    http: HttpSettings | None = None
    notify: tuple[NotifySettings, ...] = ()


def load_settings(path: Path, at: Path | None = None) -> Settings:
    """Read the configuration at *path*.

    Arguments:
        path: The file.
        at: Where it shall lie, if not there: what it names is relative to it.

    Raises:
        SettingsError: It can't be read, or something in it is wrong.
    """
    place = Place(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        complaint = f"can't be read: {error.strerror}"
        raise SettingsError([place.problem(complaint)]) from error
    except UnicodeDecodeError as error:
        complaint = f"is not UTF-8 text: byte {error.start} doesn't belong there"
        raise SettingsError([place.problem(complaint)]) from error
    return parse_settings(text, at or path)


def parse_settings(text: str, path: Path) -> Settings:
    """Return the configuration *text*, which lies at *path*.

    Raises:
        SettingsError: Something in it is wrong; all of it is told.
    """
    tables = _parse(text, Place(path))
    problems = [
        Place(path).problem(unknown("table", name, TABLES), name)
        for name in tables
        if name not in TABLES
    ]
    deployment, wrong = _read_deployment(tables, path)
    problems += wrong
    http, wrong = read_http(tables.get("http"), path)
    problems += wrong
    notify, wrong = read_notify(tables.get("notify"), path)
    problems += wrong
    hosts, wrong = read_hosts(tables.get("hosts", []), path)
    problems += wrong
    defaults = read_defaults(tables.get("defaults", {}), path)
    problems += defaults.problems
    groups, wrong = Groups(
        path,
        {host.name: host for host in hosts},
        _names(tables.get("hosts")),
        defaults,
        Mode.ACTIVE if deployment is None else deployment.mode,
    ).read(tables.get("groups", []))
    problems += wrong
    if deployment is None or problems:
        raise SettingsError(problems)
    return Settings(
        path=path,
        deployment=deployment,
        hosts=hosts,
        groups=groups,
        http=http,
        notify=notify,
    )


def _parse(text: str, place: Place) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:
        # Not only TOMLDecodeError: a number may have too many digits.  Of a key
        # that is there twice the library says what it would have to do itself.
        why = str(error).replace("Cannot overwrite a value", "a key is there twice")
        raise SettingsError([place.problem(f"is not TOML: {why}")]) from error
    except RecursionError as error:
        complaint = "is not TOML: it is nested too deeply"
        raise SettingsError([place.problem(complaint)]) from error


def _read_deployment(
    tables: Mapping[str, Any], path: Path
) -> tuple[Deployment | None, tuple[Problem, ...]]:
    place = Place(path, "[deployment]")
    table = tables.get("deployment", {})
    if not isinstance(table, Mapping):
        return None, (place.problem("must be a table"),)
    keys = deployment_keys(path.parent)
    return Shape(Deployment, keys, frozenset(keys)).read(table, place)


def _names(tables: object) -> frozenset[str]:
    """Return how hosts are called, those included that are wrong otherwise."""
    return frozenset(
        name
        for table in (tables if isinstance(tables, list) else ())
        if isinstance(table, Mapping) and isinstance(name := table.get("name"), str)
    )
