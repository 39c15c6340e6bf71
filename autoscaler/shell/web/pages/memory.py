"""What charts need of an earlier run, read from records in the state."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autoscaler.core.actions import CreateClones, DestroyClone, ReplaceClone
from autoscaler.core.deeds import describe_action
from autoscaler.core.group import GroupId
from autoscaler.core.guards import Kind as Guarded
from autoscaler.shell.state.past import PastAction, read_actions, read_records_as
from autoscaler.shell.web.pages.hour import Deed, Glimpse, Kind

DONE = "done"
# What was withdrawn was never begun.
_ENDS = frozenset({DONE, "failed"})


def read_glimpses(
    directory: Path, groups: Iterable[GroupId], since: float
) -> Mapping[GroupId, tuple[Glimpse, ...]]:
    """Return what is kept of *groups* from *since* on, oldest first.

    Blocks while it reads.

    Raises:
        StoreError: The state can't be read.
    """
    return read_records_as(directory, groups, since, glimpse_of)


def glimpse_of(text: str) -> Glimpse:
    """Return what charts need of the record that is *text* as JSON.

    Raises:
        ValueError: It is none.
    """
    try:
        return _glimpse(json.loads(text))
    except (LookupError, TypeError, AttributeError) as error:
        msg = f"it is no record: {error!r}"
        raise ValueError(msg) from error


def _glimpse(record: Mapping[str, Any]) -> Glimpse:
    load = record["decision"]["load"]
    return Glimpse(
        at=float(record["at"]),
        usages={
            str(standing["name"]): float(standing["usage"])
            for standing in load["standings"]
            if standing["usage"] is not None
        },
        size=int(load["capacity"]),
        holding=frozenset(
            Guarded(guard["kind"]) for guard in record["guards"] if guard["holds"]
        ),
    )


def read_deeds(directory: Path, since: float) -> tuple[tuple[GroupId, Deed], ...]:
    """Return the actions that have ended since *since*, oldest first.

    Blocks while it reads.

    Raises:
        StoreError: The state can't be read.
    """
    actions = read_actions(directory, since)
    found = [(each.group, _deed(each)) for each in actions if each.outcome in _ENDS]
    return tuple(sorted(found, key=lambda pair: pair[1].at))


_KINDS = {
    CreateClones: Kind.CREATE,
    DestroyClone: Kind.DESTROY,
    ReplaceClone: Kind.REPLACE,
}


def _deed(past: PastAction) -> Deed:
    action = past.action
    return Deed(
        at=past.at + (past.took_s or 0.0),
        kind=_KINDS[type(action)],
        says=describe_action(action),
        has_failed=past.outcome != DONE,
    )


def heard_deed(at: float, fields: Mapping[str, object], before: str | None) -> Deed:
    """Return the action that an ``action_finished`` of *fields* tells of.

    Arguments:
        at: When it ended, seconds since 1970.
        fields: Of the event.
        before: What `begun` has said of its begin; None: that was not heard.
    """
    kind = {each.__name__: kind for each, kind in _KINDS.items()}[str(fields["action"])]
    return Deed(at, kind, before or begun(fields), fields["outcome"] != DONE)


def begun(fields: Mapping[str, object]) -> str:
    """Return in words what an event of *fields* is about.

    At the end of an action its event no longer names what was made.
    """
    made, victim = fields.get("creates"), fields.get("victim")
    steps = [f"create {made}".replace(",", ", ")] * bool(made)
    steps += [f"destroy {victim}"] * bool(victim)
    return ", ".join(steps) or "create clones"
