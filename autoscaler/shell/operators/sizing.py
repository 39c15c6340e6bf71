"""A size that an operator asks for by hand."""

import trio

from autoscaler.core.decision import Decision
from autoscaler.core.describe import explain
from autoscaler.core.events import ScaleAsked
from autoscaler.core.group import Group, GroupId
from autoscaler.core.manual import decide_scale
from autoscaler.core.policy import Mode
from autoscaler.core.shortages import counted
from autoscaler.core.standing import assess
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.operators.requests import Reply, RequestError


def scale_group(fleet: Fleet, group_id: GroupId, clones: int, user: str) -> Reply:
    """Have the group become as large as *user* asks; returns what is begun.

    Raises:
        RequestError: It isn't done, and why.
    """
    group, view = fleet.groups[group_id], fleet.view(group_id)
    _check(group, clones)
    if clones == group.serving_and_slots:
        return Reply((f"{group_id} has {_clones(group, clones)} already",))
    asked, now = ScaleAsked(view, clones, user), trio.current_time()
    decision = decide_scale(group, asked, assess(group, view, now), now).decision
    if not decision.acts or group.mode is not Mode.ACTIVE:
        raise _refusal(group_id, decision)
    fleet.tell(group_id, asked)
    after = fleet.groups[group_id]
    has_begun = after.ledger.next_action > group.ledger.next_action
    # A promotion takes no action: it is done already.
    if not (has_begun or len(after.standbys) < len(group.standbys)):
        raise _refusal(group_id, after.decision or decision)
    return Reply((f"{group_id}: {explain(decision)}",))


def _check(group: Group, clones: int) -> None:
    policy = group.policy
    if not policy.min_clones <= clones <= policy.max_clones:
        msg = (
            f"{group.id}: {_clones(group, clones)} can't be: the configuration allows "
            f"{policy.min_clones} to {policy.max_clones}"
        )
        raise RequestError(msg)
    if group.mode is Mode.OBSERVE:
        msg = f"{group.id} is only observed: resume it first"
        raise RequestError(msg)


def _refusal(group_id: GroupId, decision: Decision) -> RequestError:
    return RequestError(f"{group_id}: {explain(decision)}")


def _clones(group: Group, count: int) -> str:
    return counted(count, "member" if group.id.is_managed else "clone")
