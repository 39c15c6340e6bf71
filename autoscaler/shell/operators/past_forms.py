"""What was, for programs: plain values as in JSON, units in their names."""

from collections.abc import Iterable

from autoscaler.core.group import GroupId
from autoscaler.core.record import Record
from autoscaler.core.record_form import record_form
from autoscaler.shell.operators.history_lines import Line
from autoscaler.shell.state.mortems import PostMortem


def history_form(lines: Iterable[Line]) -> list[dict[str, object]]:
    """Return *lines* in their order."""
    return [_line_form(line) for line in lines]


def explain_form(
    group: GroupId, record: Record, source: str, mortems: Iterable[PostMortem]
) -> dict[str, object]:
    """Return how a decision came about.

    Arguments:
        group: Whose.
        record: The decision's.
        source: Who told it: ``daemon`` or ``state``.
        mortems: What is kept of clones that are gone, oldest first.
    """
    gone = [str(mortem.name) for mortem in mortems]
    source_form = {"group": str(group), "source": source, "post_mortems": gone}
    return {**source_form, **record_form(record)}


def mortem_form(mortem: PostMortem) -> dict[str, object]:
    """Return all that is kept of a clone that is gone."""
    return {
        **mortem_line(mortem),
        "failure": mortem.failure,
        "usage_percent": mortem.usage,
        "stats": mortem.stats,
        "info": mortem.facts or None,
        "console": [{"at": line.at, "text": line.text} for line in mortem.console],
    }


def mortem_line(mortem: PostMortem) -> dict[str, object]:
    """Return which clone is gone, when and why."""
    return {
        "host": mortem.group.host,
        "group": str(mortem.group),
        "name": str(mortem.name),
        "at": round(mortem.at, 3),
        "why": mortem.why,
        "decision_id": mortem.decision_id,
    }


def _line_form(line: Line) -> dict[str, object]:
    return {
        "at": round(line.at, 3),
        "kind": line.kind,
        "group": None if line.group is None else str(line.group),
        "who": line.who,
        "what": line.what,
        "why": line.why,
        "took_s": None if line.took_s is None else round(line.took_s, 3),
        "outcome": line.outcome,
        "decision_id": line.decision_id,
    }
