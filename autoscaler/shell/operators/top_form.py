"""The fleet in one look, for a view that follows it: what needs a person first.

Laws: no I/O; the form of one group at a time can be made, so that whoever tells
of a thousand lets others have their turn in between.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from autoscaler.core.deeds import describe_action
from autoscaler.core.describe import explain
from autoscaler.core.group import Group, GroupId
from autoscaler.core.guards import SIDES, Guard, Kind
from autoscaler.core.numbers import fields
from autoscaler.core.record import Instant, Record
from autoscaler.core.record_form import sizes_form
from autoscaler.core.telling import describe_lack, tell_flip, tell_sizes
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.hosts.watch import Watch
from autoscaler.shell.operators.attention import Urgency, most_urgent
from autoscaler.shell.operators.outlook import (
    NO_ASIDE,
    Aside,
    Look,
    look_at,
    needs_of_fleet,
    ranked_looks,
)

# Of so many groups the fleet's line tells what they need.
MOST_NEEDS = 20


def top_form(fleet: Fleet, at: Instant, aside: Aside = NO_ASIDE) -> dict[str, object]:
    """Return all of *fleet* as values that JSON has, see `docs/http-api.md`."""
    looks = ranked_looks(look_at(fleet, g, at, aside) for g in fleet.groups)
    return {
        **fleet_form(fleet, looks, at, aside),
        "groups": [group_form(fleet, look, aside) for look in looks],
    }


def fleet_form(
    fleet: Fleet, looks: Sequence[Look], at: Instant, aside: Aside
) -> dict[str, object]:
    """Return what is told of *fleet* as a whole, beside its groups."""
    own = needs_of_fleet(fleet, at, aside)
    groups = fleet.groups.values()
    needs = [need.says for need in own]
    # Of a stream that is down is told once, and not for each of its groups.
    told = ((look, _first(look)) for look in looks)
    loud = [f"{look.group.id}: {says}" for look, says in told if says is not None]
    needs += loud[:MOST_NEEDS]
    if len(loud) > MOST_NEEDS:
        needs.append(f"and {len(loud) - MOST_NEEDS} more groups")
    return {
        "at": _iso(at.wall),
        "fleet": {
            "hosts": len({watch.host for watch in fleet.watches.values()}),
            "groups": len(fleet.groups),
            "members": sum(len(group.members) for group in groups),
            "clones": sum(len(group.serving) for group in groups),
            "mode": None if fleet.word is None else fleet.word.value,
            "streams": [_stream(watch, at.now) for watch in fleet.watches.values()],
            "need": max(
                most_urgent(own),
                max((look.urgency for look in looks), default=Urgency.NOTHING),
            ).value,
            "needs": needs,
        },
    }


def _first(look: Look) -> str | None:
    """Return the first thing that the group itself needs; None: nothing."""
    own = (need for need in look.needs if not need.is_of_stream)
    return next((n.says for n in own if n.urgency >= Urgency.WARNING), None)


def group_form(fleet: Fleet, look: Look, aside: Aside) -> dict[str, object]:
    """Return what is told of one group."""
    group, record, now = look.group, look.record, look.at.now
    said = look.said
    decision = group.decision
    return {
        "group": str(group.id),
        "mode": group.mode.value,
        "said": said
        and {
            "mode": said.mode.value,
            "user": said.user,
            "age_s": None if said.since is None else _whole(look.at.wall - said.since),
        },
        "need": look.urgency.value,
        "needs": [need.says for need in look.needs],
        "decision": decision
        and {
            **fields(decision),
            "why": explain(decision),
            "age_s": _whole(now - fleet.since.get(group.id, now)),
        },
        "flip": _flip(record),
        "sizes": record and {**sizes_form(record), "told": tell_sizes(record)},
        "guards": _guards(fleet, group.id, record, look.at),
        "members": _members(group),
        "load_percent": None if decision is None else _rounded(decision.load.mean_up),
        "thresholds": {
            "up": group.policy.scale_up_threshold_percent,
            "down": group.policy.scale_down_threshold_percent,
        },
        "actions": [
            {
                "id": action.id,
                "what": describe_action(action),
                "reason": action.reason.value,
                "age_s": _whole(now - began)
                if (began := fleet.began.get((group.id, action.id))) is not None
                else None,
            }
            for action in group.ledger.actions
        ],
        "hour_percent": [_rounded(mean) for mean in aside.hours.get(group.id, ())],
    }


def _stream(watch: Watch, now: float) -> dict[str, object]:
    return {
        "host": watch.host,
        "domain": str(watch.domain),
        "up": watch.feed.up_since is not None,
        "age_s": _whole(now - watch.changed_at),
    }


def _members(group: Group) -> list[dict[str, object]]:
    if group.decision is None:
        return [
            {"name": str(member.name), "class": None, "usage_percent": None}
            for member in group.members
        ]
    return [
        {
            "name": str(standing.name),
            "class": standing.counts_as.value,
            "usage_percent": _rounded(standing.usage),
        }
        for standing in group.decision.load.standings
    ]


def _flip(record: Record | None) -> dict[str, object] | None:
    if record is None:
        return None
    flip = record.flip
    return {
        "aim": flip.aim.value,
        "lacks": [describe_lack(guard, record) for guard in flip.lacks],
        "told": tell_flip(record),
    }


def _guards(
    fleet: Fleet, group_id: GroupId, record: Record | None, at: Instant
) -> list[dict[str, object]]:
    """Return the guards that hold, each with for how long it has, at least."""
    if record is None:
        return []
    holding = [guard for guard in record.guards if guard.holds]
    since = _held_since(fleet, group_id, holding)
    return [
        {
            "name": guard.kind.value,
            "of": side.value if (side := SIDES.get(guard.kind)) else "all",
            "verdict": "holds",
            "value": _rounded(guard.value),
            "limit": _rounded(guard.limit),
            "left_s": _rounded(guard.left_s),
            "says": describe_lack(guard, record),
            "age_s": _whole(at.wall - since.get(guard.kind, record.at)),
        }
        for guard in holding
    ]


def _held_since(
    fleet: Fleet, group_id: GroupId, holding: Iterable[Guard]
) -> Mapping[Kind, float]:
    """Return since when each has held, as far back as records are kept."""
    open_ones = {guard.kind for guard in holding}
    since: dict[Kind, float] = {}
    for record in reversed(fleet.records.get(group_id, ())):
        held = {guard.kind for guard in record.guards if guard.holds}
        open_ones &= held
        if not open_ones:
            break
        since.update(dict.fromkeys(open_ones, record.at))
    return since


def _iso(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 2)


def _whole(seconds: float) -> float:
    """Return an age; clocks that were stepped make none of them negative."""
    return round(max(0.0, seconds), 1)
