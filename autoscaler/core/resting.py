"""A group that nobody asks for rests, and wakes with the first who does.

It rests in two steps: first with its fewest members, but one; then, where its
operator wants none, with none.  Standbys stay, and are what wakes first.  Laws:
whoever is young or works on anything stays; the last member goes only while the
balancer shows that what wakes the group stands behind it; from zero no cooldown
counts.
"""

from attrs import evolve

from autoscaler.core.backend import Backend
from autoscaler.core.case import Case, Ruling
from autoscaler.core.decision import Outcome, Reason
from autoscaler.core.group import Group, Member
from autoscaler.core.idle import IdlePolicy, idle_for
from autoscaler.core.places import server_of
from autoscaler.core.scaling import grow, promote
from autoscaler.core.serving import ServePolicy
from autoscaler.core.standin import find_detour
from autoscaler.core.standing import is_draining


def rest(case: Case) -> Ruling | None:
    """Return what becomes of an idle group; None: it isn't known to be one."""
    group, backend = case.group, case.view.backend
    serving = group.policy.serving
    if serving is None or serving.idle is None or backend is None:
        return None
    idle = _idle_for(group, case.now)
    surplus = 0 if idle is None else len(group.serving) - _floor(group, idle)
    if idle is None or surplus <= 0 or group.ledger.busy:
        return None
    leaving = _who_may_go(case, backend, serving, serving.idle)[:surplus]
    if not leaving or group.ledger.destroying.left(case.now):
        return None
    if len(leaving) == len(group.serving_members) and not _wakes(backend, serving):
        ruling = case.hold(Reason.NO_ACTIVATOR)
        if len(leaving) == 1:
            return ruling
        leaving = leaving[:-1]
    victims = tuple(member.name for member in leaving)
    ruling = case.act(Outcome.DOWN, Reason.IDLE, case.ticks, victims=victims)
    decision = evolve(ruling.decision, age_s=idle)
    return evolve(ruling, decision=decision)


def wake(case: Case) -> Ruling | None:
    """Return what becomes of a group that somebody asks for.

    Whoever goes counts no more: what it still works on may take long.

    None: a member serves, or is on its way.
    """
    group = case.group
    serving = group.serving_members
    stays = any(not is_draining(group, member.name) for member in serving)
    if stays or any(action.slots for action in group.ledger.busy):
        return None
    if group.serving_and_slots >= group.policy.max_clones:
        return case.hold(Reason.AT_MAX)
    if case.view.is_current(case.now):
        return grow(case, Reason.WAKE, 1, case.ticks)
    promotion = promote(case, Reason.WAKE, 1, case.ticks)
    return promotion or case.hold(Reason.NO_DATA)


def is_coming(group: Group) -> bool:
    """Tell whether a member is on its way: decided, created or booting."""
    return any(action.slots for action in group.ledger.busy) or any(
        clone.ready_at is None and not is_draining(group, clone.name)
        for clone in group.serving
    )


def _idle_for(group: Group, now: float) -> float | None:
    """Return for how long nobody asks, where somebody could be asked."""
    ready = [clone.ready_at for clone in group.serving]
    known = [at for at in ready if at is not None]
    # One that is not ready yet was made for somebody who asks.
    newest = max(known) if known and len(known) == len(ready) else None
    return idle_for(group.quiet, newest, now)


def _floor(group: Group, idle: float) -> int:
    policy = group.policy
    serving = policy.serving
    rules = None if serving is None else serving.idle
    if rules is None or idle < rules.idle_to_min:
        return len(group.serving)
    if not group.id.is_managed or policy.min_clones:
        return policy.min_clones
    return 0 if idle >= rules.idle_to_zero else 1


def _who_may_go(
    case: Case, backend: Backend, serving: ServePolicy, rules: IdlePolicy
) -> list[Member]:
    """Return those that are old enough and do nothing, the newest first."""
    return [
        clone
        for clone in reversed(case.group.serving)
        if _age(clone, case.now) >= rules.min_age
        and (server := server_of(clone, backend, serving)) is not None
        and not server.sessions
    ]


def _age(member: Member, now: float) -> float:
    return float("inf") if member.created is None else now - member.created


def _wakes(backend: Backend, serving: ServePolicy) -> bool:
    place = serving.activator
    return place is not None and find_detour(backend, place) is None
