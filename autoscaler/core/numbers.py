"""Decisions for programs: all their numbers, as fields of a line.

Whatever a host has named is cleaned where it becomes text.
"""

from autoscaler.core.calls import signal_fields
from autoscaler.core.decision import Decision
from autoscaler.core.shortages import Number, shortage_fields
from autoscaler.core.standby_words import standby_fields


def fields(decision: Decision) -> dict[str, Number]:
    """Return all numbers of *decision*, with units in their names.

    What doesn't apply to it is left out.
    """
    load = decision.load
    always: dict[str, Number] = {
        "outcome": decision.outcome.value,
        "reason": decision.reason.value,
        "mode": decision.mode.value,
        "mean_up_percent": _rounded(load.mean_up),
        "mean_down_percent": _rounded(load.mean_down),
        "up_percent": decision.up_threshold,
        "down_percent": decision.down_threshold,
        "high": decision.high,
        "high_needed": decision.high_needed,
        "low": decision.low,
        "low_needed": decision.low_needed,
        "fresh": load.fresh,
        "quorum": load.quorum,
        "capacity": load.capacity,
        "clones": decision.clones,
        "min_clones": decision.min_clones,
        "max_clones": decision.max_clones,
    }
    sometimes: dict[str, Number] = {
        "create": decision.count or None,
        "victim": None if decision.victim is None else str(decision.victim),
        "left_s": _rounded(decision.left_s),
        "missing": ",".join(map(str, load.missing)) or None,
        "replacement_held": (
            None
            if decision.replacement_held is None
            else decision.replacement_held.value
        ),
        "barred": None if decision.barred is None else decision.barred.value,
        "evidence_age_s": _rounded(decision.age_s),
        "evidence": decision.evidence,
        "by": decision.by,
        "outdated": decision.outdated or None,
        "more_victims": ",".join(map(str, decision.more_victims)) or None,
        **signal_fields(decision),
        **standby_fields(decision),
    }
    shortage = {} if decision.shortage is None else shortage_fields(decision.shortage)
    known = {k: v for k, v in {**sometimes, **shortage}.items() if v is not None}
    name = {} if decision.id is None else {"decision_id": decision.id}
    return {**name, **always, **known}


def members(decision: Decision) -> str:
    """Return every member with its class and usage, as one text."""
    return " ".join(
        f"{standing.name}={standing.counts_as.value}"
        + ("" if standing.usage is None else f":{standing.usage:.1f}")
        for standing in decision.load.standings
    )


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 2)
