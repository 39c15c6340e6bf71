"""What the state file tells of a fleet whose daemon is down, in its form.

Laws: no I/O; ages are those of when the daemon last wrote, not of now: nothing
has happened since.
"""

from datetime import UTC, datetime

from autoscaler.core.deeds import describe_action
from autoscaler.core.describe import explain
from autoscaler.core.guards import SIDES
from autoscaler.core.record import Record
from autoscaler.core.telling import describe_lack, tell_flip, tell_sizes
from autoscaler.shell.operators.status_form import Shown
from autoscaler.shell.operators.status_report import GroupLine, Said
from autoscaler.shell.state.reader import Standing

_NOTHING, _WARNING = 0, 2


def form_of_state(shown: Shown) -> dict[str, object] | None:
    """Return *shown* as the daemon would tell it in JSON; None: there is none.

    What only a daemon knows is left out: who is needed for what, but for groups
    that want more than they can have.
    """
    lines = shown.report.groups
    at = max((s.standing.at for s in lines if s.standing is not None), default=None)
    if at is None:
        return None
    groups = sorted((_group(line, at) for line in lines), key=_rank)
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


def _group(line: GroupLine, at: float) -> dict[str, object]:
    record, needs = line.record, _needs(line.record)
    mode = line.policy.mode
    return {
        "group": str(line.id),
        "mode": (mode if line.said is None else mode.limited_by(line.said.mode)).value,
        "said": _said(line.said, at),
        "need": _WARNING if needs else _NOTHING,
        "needs": needs,
        "decision": _decision(line.standing, at),
        "flip": record and {"aim": record.flip.aim.value, "told": tell_flip(record)},
        "sizes": record and _sizes(record),
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
            {"what": describe_action(each.action), "age_s": _rounded(each.age_s)}
            for each in line.actions
        ],
        "hour_percent": [],
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
        "outcome": decision.outcome.value,
        "reason": decision.reason.value,
        "why": explain(decision),
        "age_s": _age(at, standing.since),
    }


def _sizes(record: Record) -> dict[str, object]:
    sizes = record.sizes
    return {
        "wants": sizes.wants,
        "can": sizes.can,
        "has": sizes.has,
        "told": tell_sizes(record),
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
            "age_s": None,
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
