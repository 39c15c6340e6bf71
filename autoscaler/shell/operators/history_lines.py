"""What happened, as lines: who did what, why, for how long, what came of it.

Laws: no I/O; instants are seconds since 1970.
"""

from collections.abc import Iterable
from typing import assert_never

from attrs import frozen

from albatross_client.names import Name
from autoscaler.core.actions import asker
from autoscaler.core.decision import Reason
from autoscaler.core.deeds import describe_action
from autoscaler.core.describe import explain
from autoscaler.core.group import GroupId
from autoscaler.shell.operators.mortem_words import HOW
from autoscaler.shell.state.mortems import PostMortem
from autoscaler.shell.state.past import Event, PastAction, PastDecision, instant
from autoscaler.shell.state.rows import RequestRow

_RULE, _ROLLOUT, _ITSELF = "rule", "rollout", "itself"


@frozen(kw_only=True)
class Line:
    """One thing that happened.

    Attributes:
        at: When.
        kind: ``action``, ``decision``, ``request`` or ``death``.
        group: Which group it is about; None: all, or none.
        who: ``rule``, ``rollout``, ``itself`` or the operator's name.
        what: What was done, decided or asked.
        why: Why, or what was answered.
        took_s: How long it took; None: it takes no time, or isn't over.
        outcome: What came of it; None: nothing yet.
        is_of_all: Whether it is about all groups.
        decision_id: The decision that it is, or follows from; None: it has no
            name.
    """

    at: float
    kind: str
    group: GroupId | None
    who: str
    what: str
    why: str
    took_s: float | None = None
    outcome: str | None = None
    is_of_all: bool = False
    decision_id: str | None = None


def tell_past(
    events: Iterable[Event], known: Iterable[GroupId], group: GroupId | None
) -> tuple[Line, ...]:
    """Return *events* as lines, in their order.

    Arguments:
        events: What happened.
        known: All groups, for requests that name one.
        group: The only one to tell of; None: all.
    """
    groups = tuple(known)
    lines = (_line(event, groups) for event in events)
    return tuple(
        line for line in lines if group is None or line.is_of_all or line.group == group
    )


def _line(event: Event, known: tuple[GroupId, ...]) -> Line:
    match event:
        case PastAction():
            return _action_line(event)
        case PastDecision():
            return _decision_line(event)
        case RequestRow():
            return _request_line(event, known)
        case PostMortem():
            return _death_line(event)
        case _:
            assert_never(event)


def _rule(reason: Reason) -> str:
    return _ROLLOUT if reason is Reason.ROLLOUT else _RULE


def _action_line(event: PastAction) -> Line:
    reason = event.action.reason
    words = reason.value.replace("_", " ")
    return Line(
        at=event.at,
        kind="action",
        group=event.group,
        who=asker(event.action) or _rule(reason),
        what=describe_action(event.action),
        why=words if event.error is None else f"{words}; {event.error}",
        took_s=event.took_s,
        outcome=event.outcome,
        decision_id=event.action.decision_id,
    )


def _decision_line(event: PastDecision) -> Line:
    decision = event.decision
    return Line(
        at=event.at,
        kind="decision",
        group=event.group,
        who=decision.by or _rule(decision.reason),
        what=f"{decision.outcome.value} {decision.reason.value}",
        why=explain(decision),
        decision_id=decision.id,
    )


def _request_line(event: RequestRow, known: tuple[GroupId, ...]) -> Line:
    words = dict(event.words)
    about = words.pop("group", None) or words.pop("name", None)
    what = " ".join(filter(None, (event.verb, about, *words.values())))
    return Line(
        at=instant(event),
        kind="request",
        group=_meant(event, known),
        who=event.user,
        what=what,
        why="; ".join(event.said),
        outcome="done" if event.is_done else "refused",
        is_of_all=not {"group", "name"} & set(event.words),
    )


def _death_line(event: PostMortem) -> Line:
    return Line(
        at=event.at,
        kind="death",
        group=event.group,
        who=_ITSELF,
        what=f"{event.name} died",
        why=HOW,
    )


def _meant(event: RequestRow, known: tuple[GroupId, ...]) -> GroupId | None:
    """Return the group that a request is about, None where it names none."""
    group, name = event.words.get("group"), event.words.get("name")
    if group is not None:
        found = (g for g in known if group in {str(g), str(g.name)})
        return next(found, None)
    if name is None:
        return None
    host, _, text = name.rpartition("/")
    try:
        clone = Name.parse(text)
    except ValueError:
        return None
    mine = (g for g in known if g.number_of(clone) is not None)
    return next((g for g in mine if host in {"", g.host}), None)
