"""The configuration as a JSON Schema, by which editors complete and check it.

It is made from the same tables of keys that files are read by; what each key
means, and its default, comes from `config/example.toml`:

    python -m autoscaler.shell.configuration.schema config/example.toml

Law: what a file may say, the schema allows; it can't say all that is wrong.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import frozen

from autoscaler.core.activation import ActivatorSettings
from autoscaler.core.demand import RequestPolicy
from autoscaler.core.idle import IdlePolicy
from autoscaler.core.policy import Policy
from autoscaler.core.serving import StandbyPolicy, WeightPolicy
from autoscaler.shell.configuration import forms
from autoscaler.shell.configuration.group_tables import (
    BOUNDS,
    OF_MANAGED,
    OF_PRIMARIES,
    PERIOD,
)
from autoscaler.shell.configuration.host_tables import (
    CLIENT_FORMS,
    CLIENT_NEEDS,
    OUR_KEYS,
    HostSettings,
)
from autoscaler.shell.configuration.http_table import HttpSettings, http_keys
from autoscaler.shell.configuration.keys import (
    POLICY,
    PRIMARY,
    WORD,
    Key,
    a_duration,
    deployment_keys,
)
from autoscaler.shell.configuration.notify_table import NotifySettings, notify_keys
from autoscaler.shell.configuration.recipes import Recipe, recipe_keys
from autoscaler.shell.configuration.request_tables import REQUESTS, TABLE
from autoscaler.shell.configuration.settings import Deployment
from autoscaler.shell.configuration.traffic_tables import (
    ACTIVATOR,
    BALANCER,
    IDLE,
    STANDBY,
    TRAFFIC_KEYS,
    WEIGHTS,
    BalancerSettings,
)

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Object = dict[str, object]

_HERE = Path()
_LINE = re.compile(r"(#?)(\w+) = (.*?)(?: +# (.*))?")
_HEAD = re.compile(r"\[+([\w.]+)\]+(?:\s+#.*)?")
_NEEDED = re.compile(r"required(?:, [\w ]+)?: ")
_OF_GROUPS: Mapping[str, type[attrs.AttrsInstance]] = {
    BALANCER: BalancerSettings,
    ACTIVATOR: ActivatorSettings,
    IDLE: IdlePolicy,
    WEIGHTS: WeightPolicy,
    STANDBY: StandbyPolicy,
}


@frozen
class Shown:
    """What an example shows of one key.

    Attributes:
        value: What stands there.
        says: What it means.
    """

    value: object
    says: str | None


# What an example shows of each key, by table and key.
Example = Mapping[tuple[str, str], Shown]


def make_schema(example: str) -> Object:
    """Return the schema of configurations, described as *example* does."""
    shown = read_example(example)
    tables: Object = {
        "deployment": _table(_of_class("deployment", deployment_keys(_HERE), shown)),
        "http": _table(_of_class("http", http_keys(_HERE), shown)),
        "notify": {
            "type": "array",
            "items": _table(_of_class("notify", notify_keys(_HERE), shown)),
        },
        "hosts": {"type": "array", "items": _table(_hosts(shown))},
        "defaults": _table(_defaults(shown)),
        "groups": {"type": "array", "items": _groups(shown)},
    }
    return {
        "$schema": DRAFT,
        "title": "Configuration of the autoscaler",
        "type": "object",
        "properties": tables,
        "required": ["deployment"],
        "additionalProperties": False,
    }


def read_example(text: str) -> Example:
    """Return what the example *text* shows of each key, where it is first."""
    found: dict[tuple[str, str], Shown] = {}
    table = ""
    for line in text.splitlines():
        if head := _HEAD.fullmatch(line):
            table = head[1]
        elif (row := _LINE.fullmatch(line)) and (table, row[2]) not in found:
            value = tomllib.loads(f"{row[2]} = {row[3]}")[row[2]]
            says = None if row[4] is None else _NEEDED.sub("", row[4])
            found[table, row[2]] = Shown(value, says)
    return found


@frozen
class Property:
    """One key of a table.

    Attributes:
        name: The key.
        form: What its value looks like.
        is_needed: Whether it may not be left out.
    """

    name: str
    form: forms.Form
    is_needed: bool = False


_CLASSES: Mapping[str, type[attrs.AttrsInstance]] = {
    "deployment": Deployment,
    "http": HttpSettings,
    "notify": NotifySettings,
    "hosts": HostSettings,
    "defaults": Policy,
    "groups": Recipe,
    f"groups.{TABLE}": RequestPolicy,
    **{f"groups.{name}": into for name, into in _OF_GROUPS.items()},
}


def _of_class(
    table: str, keys: Mapping[str, Key], shown: Example
) -> Iterator[Property]:
    """Yield the keys of a table that becomes one value of its class."""
    fields = attrs.fields_dict(_CLASSES[table])
    for name, key in keys.items():
        field = fields.get(name)
        default = attrs.NOTHING if field is None else field.default
        needed = field is not None and default is attrs.NOTHING
        form = _described(key.form, shown.get((table, name)), key.allowed)
        at = shown.get((table, name))
        if at is not None and _is_default(key, at.value, default):
            form = {**form, "default": at.value}
        yield Property(name, form, needed)


def _hosts(shown: Example) -> Iterator[Property]:
    for name, form in CLIENT_FORMS.items():
        told = _described(form, shown.get(("hosts", name)))
        yield Property(name, told, name in CLIENT_NEEDS)
    yield from _of_class("hosts", OUR_KEYS, shown)


def _defaults(shown: Example) -> Iterator[Property]:
    keys = {name: key for name, key in POLICY.items() if name != TABLE}
    for each in _of_class("defaults", {**keys, PERIOD: a_duration()}, shown):
        # What it doesn't say, each group has to.
        yield Property(each.name, each.form)


def _groups(shown: Example) -> Object:
    """Return the form of a group: one with a primary, or a managed one."""
    table = _table(_of_group(shown))
    managed = {
        "required": ["image"],
        "properties": dict.fromkeys(sorted(OF_PRIMARIES), False),
    }
    plain = {
        "required": ["primary"],
        "properties": dict.fromkeys(sorted(OF_MANAGED), False),
    }
    return {
        **table,
        "if": {"required": ["name"]},
        "then": {**managed, "not": {"required": ["primary"]}},
        "else": plain,
    }


def _of_group(shown: Example) -> Iterator[Property]:
    host = _described(WORD.form, shown.get(("groups", "host")))
    yield Property("host", host, is_needed=True)
    for name in ("primary", "name"):
        says = shown.get(("groups", name))
        yield Property(name, _described(PRIMARY.form, says, PRIMARY.allowed))
    bounds = {ours: POLICY[theirs] for ours, theirs in BOUNDS.items()}
    keys = {**POLICY, PERIOD: a_duration(), **bounds}
    for name, key in keys.items():
        at = shown.get(("defaults", name)) or shown.get(("groups", name))
        if name != TABLE:
            yield Property(name, _described(key.form, at, key.allowed))
    for each in _of_class("groups", recipe_keys(_HERE, None), shown):
        yield Property(each.name, each.form)
    tables = {TABLE: REQUESTS, **TRAFFIC_KEYS}
    for name, keys_of_it in tables.items():
        form = _table(_of_class(f"groups.{name}", keys_of_it, shown))
        yield Property(name, form)


def _table(properties: Iterable[Property]) -> Object:
    found = tuple(properties)
    return {
        "type": "object",
        "properties": {each.name: dict(each.form) for each in found},
        "required": [each.name for each in found if each.is_needed],
        "additionalProperties": False,
    }


def _described(form: forms.Form, at: Shown | None, allowed: str = "") -> forms.Form:
    """Return *form* with what it means, and what may stand there."""
    says = at.says if at is not None else None
    parts = (says, allowed and f"must be {allowed}")
    words = "; ".join(part for part in parts if part)
    return {"description": words, **form} if words else form


def _is_default(key: Key, value: object, default: Any) -> bool:  # noqa: ANN401 - attrs'
    """Tell whether *value* is what holds without the key."""
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        if default.takes_self:
            return False
        default = default.factory()
    try:
        return bool(key.read(value) == default)
    except ValueError:
        return False


def main() -> None:
    """Print the schema, described by the example that is named."""
    text = Path(sys.argv[1]).read_text("utf-8")
    sys.stdout.write(f"{json.dumps(make_schema(text), indent=2)}\n")


if __name__ == "__main__":
    main()
