"""Records for programs: plain values as in JSON, with units in their names."""

from autoscaler.core.describe import explain
from autoscaler.core.guards import SIDES, Guard
from autoscaler.core.numbers import fields
from autoscaler.core.record import Record
from autoscaler.core.telling import describe_lack, tell_flip, tell_sizes


def record_form(record: Record) -> dict[str, object]:
    """Return all of *record*."""
    flip = record.flip
    standings = zip(record.decision.load.standings, record.ages, strict=True)
    return {
        "at": round(record.at, 3),
        "decision": {**fields(record.decision), "why": explain(record.decision)},
        "sizes": {**sizes_form(record), "told": tell_sizes(record)},
        "flip": {
            "aim": flip.aim.value,
            "lacks": [describe_lack(guard, record) for guard in flip.lacks],
            "told": tell_flip(record),
        },
        "members": [
            {
                "name": str(standing.name),
                "class": standing.counts_as.value,
                "usage_percent": _rounded(standing.usage),
                "age_s": _rounded(age),
            }
            for standing, age in standings
        ],
        "guards": [_guard_form(guard) for guard in record.guards],
    }


def sizes_form(record: Record) -> dict[str, object]:
    """Return what the group wants, can have and has, in clones."""
    sizes = record.sizes
    return {
        "wants": sizes.wants,
        "can": sizes.can,
        "has": sizes.has,
        "coming": sizes.coming,
        "blocked_by": None if record.blocked is None else record.blocked.value,
    }


def _guard_form(guard: Guard) -> dict[str, object]:
    side = SIDES.get(guard.kind)
    return {
        "guard": guard.kind.value,
        "of": "all" if side is None else side.value,
        "holds": guard.holds,
        "value": _rounded(guard.value),
        "limit": _rounded(guard.limit),
        "left_s": _rounded(guard.left_s),
        "note": guard.note,
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 3)
