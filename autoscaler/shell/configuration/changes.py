"""What two configurations differ in, in words.

Laws: no I/O; one change for each key that differs, in the order of the
deployment, its hosts and its groups; values are shown as the file writes them.
"""

import enum
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, assert_never

import attrs
from attrs import frozen

from albatross_client.values import Quit, ResourcePolicy, RestartOnExit
from autoscaler.core.addresses import AddressPool
from autoscaler.core.backend import Place as Listening
from autoscaler.core.policy import Policy
from autoscaler.shell.configuration.durations import ALLOWED, format_duration
from autoscaler.shell.configuration.group_tables import BOUNDS, GroupSettings
from autoscaler.shell.configuration.host_tables import OUR_KEYS, HostSettings
from autoscaler.shell.configuration.http_table import TABLE as HTTP
from autoscaler.shell.configuration.http_table import http_keys
from autoscaler.shell.configuration.keys import POLICY, Key, deployment_keys
from autoscaler.shell.configuration.notify_table import TABLE as NOTIFY
from autoscaler.shell.configuration.notify_table import Url, notify_keys
from autoscaler.shell.configuration.problems import show
from autoscaler.shell.configuration.recipes import Recipe
from autoscaler.shell.configuration.request_tables import REQUESTS, TABLE
from autoscaler.shell.configuration.settings import Settings
from autoscaler.shell.configuration.traffic_tables import TRAFFIC_KEYS, TrafficSettings
from autoscaler.shell.traffic.runtime_socket import TcpSocket, UnixSocket

HTTP_KEYS = http_keys(Path())
NOTIFY_KEYS = notify_keys(Path())
# Where the state is kept can't change under a daemon that keeps it there, nor
# where, and to whom, it answers clients that are there.
NEED_RESTART = frozenset(
    {("deployment", "state_dir"), *((HTTP, key) for key in HTTP_KEYS)}
)
NOT_SET = "not set"
OWN_TABLES = {TABLE: REQUESTS, **TRAFFIC_KEYS}
POLICY_KEYS = {
    **POLICY,
    **{
        f"{t}.{key}": how for t, keys in OWN_TABLES.items() for key, how in keys.items()
    },
}


@frozen
class Change:
    """One thing that differs.

    Attributes:
        what: The deployment, or which host or group.
        key: Which key of it; None: it came or went as a whole.
        says: In words, what became of it.
        needs_restart: Whether a daemon that runs can't follow it.
    """

    what: str
    key: str | None
    says: str
    needs_restart: bool = False

    def __str__(self) -> str:
        parts = (self.what, self.key, self.says)
        return ": ".join(part for part in parts if part is not None)


def changes(old: Settings, new: Settings) -> tuple[Change, ...]:
    """Return what differs from *old* to *new*."""
    keys = deployment_keys(Path())
    before, after = _groups(old), _groups(new)
    return (
        *_of_table(
            "deployment", _fields(old.deployment), _fields(new.deployment), keys
        ),
        *_of_table(HTTP, _http_fields(old), _http_fields(new), HTTP_KEYS),
        *_of_tables(_notify(old), _notify(new), NOTIFY_KEYS, "nobody is told there"),
        *_of_tables(_hosts(old), _hosts(new), OUR_KEYS, "nothing there is followed"),
        *_of_tables(before, after, POLICY_KEYS, "its clones are left running"),
    )


def effective(group: GroupSettings) -> tuple[tuple[str, str], ...]:
    """Return all keys of *group* that are set, as the file would say them."""
    fields = _group_fields(group)
    return tuple(
        (key, _show(key, value, POLICY_KEYS))
        for key, value in fields.items()
        if value is not None
    )


def _http_fields(settings: Settings) -> Mapping[str, Any]:
    http = settings.http
    return dict.fromkeys(HTTP_KEYS) if http is None else _fields(http)


def _notify(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    return {f"{NOTIFY} {each.name}": _fields(each) for each in settings.notify}


def _groups(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    return {
        f"{'managed ' if group.recipe else ''}group {group.id}": _group_fields(group)
        for group in settings.groups
    }


def _group_fields(group: GroupSettings) -> Mapping[str, Any]:
    """Return a group's keys as its table has them."""
    fields = {**_policy_fields(group.policy), **_traffic_fields(group.traffic)}
    if group.recipe is None:
        return fields
    names = {theirs: ours for ours, theirs in BOUNDS.items()}
    renamed = {names.get(key, key): value for key, value in fields.items()}
    return {**renamed, **_recipe_fields(group.recipe)}


def _traffic_fields(traffic: TrafficSettings | None) -> dict[str, Any]:
    """Return the keys of the tables that say how requests come, after these."""
    fields: dict[str, Any] = {}
    for table, keys in TRAFFIC_KEYS.items():
        own = None if traffic is None else getattr(traffic, table)
        values = dict.fromkeys(keys) if own is None else _fields(own)
        fields |= {f"{table}.{key}": value for key, value in values.items()}
    return fields


def _recipe_fields(recipe: Recipe) -> Mapping[str, Any]:
    bridges = tuple(f"{each.name}:{each.bridge}" for each in recipe.bridges)
    match recipe.fail_behaviour:
        case Quit():
            at_exit: object = "quit"
        case RestartOnExit(exit_codes):
            at_exit = tuple(sorted(exit_codes)) or "restart"
        case _:
            assert_never(recipe.fail_behaviour)
    fields = {**_fields(recipe), "bridges": bridges, "fail_behaviour": at_exit}
    # That is the host's key.
    del fields["architecture"]
    return fields


def _hosts(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    return {f"host {host.name}": _host_fields(host) for host in settings.hosts}


def _host_fields(host: HostSettings) -> Mapping[str, Any]:
    """Return a host's keys as its table has them."""
    fields = _fields(host.access)
    name, port = fields.pop("host"), fields.pop("port")
    fields["address"] = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    return {**fields, **{key: getattr(host, key) for key in OUR_KEYS}}


def _policy_fields(policy: Policy) -> dict[str, Any]:
    """Return a group's keys, those of its own tables named after these."""
    fields, requests = _fields(policy), policy.requests
    del fields[TABLE], fields["serving"]
    own = dict.fromkeys(REQUESTS) if requests is None else _fields(requests)
    return {**fields, **{f"{TABLE}.{key}": value for key, value in own.items()}}


def _fields(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any attrs class
    return {f.name: getattr(value, f.name) for f in attrs.fields(type(value))}


def _of_tables(
    old: Mapping[str, Mapping[str, Any]],
    new: Mapping[str, Mapping[str, Any]],
    keys: Mapping[str, Key],
    farewell: str,
) -> Iterator[Change]:
    for what in old:
        if what not in new:
            yield Change(what, None, f"removed: {farewell}")
    for what, fields in new.items():
        if what in old:
            yield from _of_table(what, old[what], fields, keys)
        else:
            yield Change(what, None, "added")


def _of_table(
    what: str, old: Mapping[str, Any], new: Mapping[str, Any], keys: Mapping[str, Key]
) -> Iterable[Change]:
    for key, value in new.items():
        if value != old[key]:
            says = f"{_show(key, old[key], keys)} -> {_show(key, value, keys)}"
            yield Change(what, key, says, (what, key) in NEED_RESTART)


def _show(key: str, value: object, keys: Mapping[str, Key]) -> str:
    is_duration = key in keys and keys[key].allowed.startswith(ALLOWED)
    if is_duration and isinstance(value, float):
        return format_duration(value)
    return NOT_SET if value is None else _plain(value)


def _plain(value: object) -> str:
    match value:
        case float():
            return f"{value:g}"
        case enum.Enum():
            return str(value.value)
        case bytes():
            return value.hex()
        case Path() | AddressPool() | Listening() | UnixSocket() | TcpSocket() | Url():
            return str(value)
        case tuple():
            return show(list(value))
        case Mapping() if all(isinstance(each, Path) for each in value.values()):
            return f"({'; '.join(f'{word} {path}' for word, path in value.items())})"
        case Mapping():
            limits = (f"{domain} {_limits(each)}" for domain, each in value.items())
            return f"({'; '.join(limits)})"
        case _:
            return show(value)


def _limits(policy: ResourcePolicy) -> str:
    cpuids = ",".join(map(str, sorted(policy.cpuids)))
    bridges = ",".join(sorted(policy.bridges))
    block = "no" if policy.block is None else f"{policy.block} MB of"
    return (
        f"{policy.unikernels} unikernels, {policy.memory} MB, {block} blocks, "
        f"cpuids {cpuids or 'none'}, bridges {bridges or 'none'}"
    )
