"""What the state file tells of a fleet whose daemon is down, in its form.

Laws: no I/O; ages are those of when the daemon last wrote, not of now: nothing
has happened since.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from autoscaler.core.deeds import describe_action
from autoscaler.core.describe import explain
from autoscaler.core.group import GroupId
from autoscaler.core.guards import SIDES
from autoscaler.core.numbers import fields
from autoscaler.core.record import Record
from autoscaler.core.record_form import sizes_form
from autoscaler.core.telling import describe_lack, tell_flip, tell_sizes
from autoscaler.shell.operators.status_form import Shown
from autoscaler.shell.operators.status_report import GroupLine, Said
from autoscaler.shell.state.reader import Standing

Series = Sequence[float | None]
_NOTHING, _WARNING = 0, 2


def told_at(shown: Shown) -> float | None:
    """Return when the daemon wrote last, seconds since 1970; None: never."""
    standings = (line.standing for line in shown.report.groups)
    return max((s.at for s in standings if s is not None), default=None)


def form_of_state(
    shown: Shown, at: float, hours: Mapping[GroupId, Series]
) -> dict[str, object]:
    """Return *shown* as the daemon would tell it in JSON.

    What only a daemon knows is left out: who is needed for what, but for groups
    that want more than they can have, and for how long guards have held.

    Arguments:
        shown: What the state has.
        at: When the daemon wrote it.
        hours: The mean of each minute of the last hour, by group, percent.
    """
    lines = shown.report.groups
    aged = shown.wall - at
    forms = (_group(line, at, aged, hours.get(line.id, ())) for line in lines)
    groups = sorted(forms, key=_rank)
    return {"at": _iso(at), "fleet": _fleet(shown, at), "groups": groups}


def _rank(form: dict[str, object]) -> tuple[int, str]:
    return (0 if form["needs"] else 1, str(form["group"]))


def _fleet(shown: Shown, at: float) -> dict[str, object]:
    lines, streams = shown.report.groups, shown.state.streams
    needs = [f"{line.id}: {need}" for line in lines for need in _needs(line.record)]
    return {
        "hosts": len({line.id.host for line in lines}),
        "groups": len(lines),
        "members": sum(len(line.members) for line in lines),
        "clones": sum(
            0 if line.record is None else line.record.sizes.has for line in lines
        ),
        "mode": None,
        # Who is down follows no stream.
        "streams": [
            {
                "host": stream.host,
                "domain": str(stream.domain),
                "up": False,
                "age_s": _age(at, stream.since),
            }
            for stream in streams
        ],
        "need": _WARNING if needs else _NOTHING,
        "needs": needs,
    }


def _group(line: GroupLine, at: float, aged: float, hour: Series) -> dict[str, object]:
    record, needs = line.record, _needs(line.record)
    mode = line.policy.mode
    return {
        "group": str(line.id),
        "mode": (mode if line.said is None else mode.limited_by(line.said.mode)).value,
        "said": _said(line.said, at),
        "need": _WARNING if needs else _NOTHING,
        "needs": needs,
        "decision": _decision(line.standing, at),
        "flip": record and _flip(record),
        "sizes": record and {**sizes_form(record), "told": tell_sizes(record)},
        "guards": _guards(record),
        "members": [
            {
                "name": str(member.name),
                "class": member.counts_as and member.counts_as.value,
                "usage_percent": _rounded(member.usage),
            }
            for member in line.members
        ],
        "load_percent": None
        if line.standing is None
        else _rounded(line.standing.decision.load.mean_up),
        "thresholds": {
            "up": line.policy.scale_up_threshold_percent,
            "down": line.policy.scale_down_threshold_percent,
        },
        "actions": [
            {
                "id": each.action.id,
                "what": describe_action(each.action),
                "reason": each.action.reason.value,
                "age_s": None if each.age_s is None else _age(each.age_s, aged),
            }
            for each in line.actions
        ],
        "hour_percent": [_rounded(mean) for mean in hour],
    }


def _needs(record: Record | None) -> list[str]:
    if record is None or record.sizes.wants is None:
        return []
    is_short = record.sizes.wants > record.sizes.can
    return [tell_sizes(record)] if is_short else []


def _said(said: Said | None, at: float) -> dict[str, object] | None:
    if said is None:
        return None
    since = said.since
    age_s = None if since is None else _age(at, since)
    return {"mode": said.mode.value, "user": said.user, "age_s": age_s}


def _decision(standing: Standing | None, at: float) -> dict[str, object] | None:
    if standing is None:
        return None
    decision = standing.decision
    return {
        **fields(decision),
        "why": explain(decision),
        "age_s": _age(at, standing.since),
    }


def _flip(record: Record) -> dict[str, object]:
    flip = record.flip
    return {
        "aim": flip.aim.value,
        "lacks": [describe_lack(guard, record) for guard in flip.lacks],
        "told": tell_flip(record),
    }


def _guards(record: Record | None) -> list[dict[str, object]]:
    if record is None:
        return []
    return [
        {
            "name": guard.kind.value,
            "of": side.value if (side := SIDES.get(guard.kind)) else "all",
            "verdict": "holds",
            "value": _rounded(guard.value),
            "limit": _rounded(guard.limit),
            "says": describe_lack(guard, record),
            "age_s": 0.0,
            "left_s": _rounded(guard.left_s),
        }
        for guard in record.guards
        if guard.holds
    ]


def _age(at: float, since: float) -> float:
    return round(max(0.0, at - since), 1)


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 2)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
