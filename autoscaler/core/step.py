"""The only way in which a group changes: one event, one new group.

What is to be done about it comes back as data; the shell does it and tells the
outcome as another event.
"""

from typing import assert_never

from attrs import evolve

from autoscaler.core.actions import Action
from autoscaler.core.balancing import follow_balancer, with_services
from autoscaler.core.beginning import begin
from autoscaler.core.budget import (
    failing,
    find_excess,
)
from autoscaler.core.case import Ruling
from autoscaler.core.decide import (
    decide,
    decide_bounds,
    decide_prewarm,
    decide_wake,
)
from autoscaler.core.decision import Load
from autoscaler.core.demand import hear, patience
from autoscaler.core.events import (
    ActionEnded,
    AddressFound,
    AdoptAsked,
    AtBalancer,
    Balanced,
    CloneCreated,
    CloneDestroyed,
    DisownAsked,
    Event,
    Informed,
    Interrupted,
    MemberLingers,
    MemberParts,
    ModeSet,
    Note,
    OwnershipConfirmed,
    OwnershipLost,
    PrewarmAsked,
    Reconfigured,
    Redrawn,
    Resumed,
    ScaleAsked,
    Ticked,
    WakeAsked,
    Word,
)
from autoscaler.core.group import Group
from autoscaler.core.ledger import Prewarm
from autoscaler.core.manual import decide_scale
from autoscaler.core.observe import observe
from autoscaler.core.outcomes import admit, dismiss, end, settle
from autoscaler.core.ownership import adopt, disown
from autoscaler.core.policy import Mode, Policy
from autoscaler.core.quarantine import let_rest
from autoscaler.core.remembering import remember
from autoscaler.core.standbys import mourn
from autoscaler.core.standdown import stand_down, stand_down_left, stand_up
from autoscaler.core.standing import assess
from autoscaler.core.ticking import is_usage_due, take_usage
from autoscaler.core.view import View

Effect = Action | Note


def step(group: Group, event: Event, now: float) -> tuple[Group, tuple[Effect, ...]]:
    """Return what *group* becomes after *event* at *now*, and what to do.

    Of the effects those that are actions are in flight in the new group; each
    has to be on disk before it begins.
    """
    # What has rested enough may be given out at once.
    group = let_rest(group, group, now)
    after, effects = _step(group, event, now)
    return let_rest(group, after, now), effects


def _step(group: Group, event: Event, now: float) -> tuple[Group, tuple[Effect, ...]]:
    match event:
        case Ticked() | Informed() | WakeAsked() | ScaleAsked() | PrewarmAsked():
            return _look(group, event, now)
        case CloneCreated():
            return admit(group, event), ()
        case CloneDestroyed(name):
            return dismiss(group, name), ()
        case ActionEnded():
            return _give_in(end(group, event, now), now)
        case Interrupted():
            return _give_in(settle(group, event, now), now)
        case (
            Reconfigured()
            | Redrawn()
            | MemberParts()
            | MemberLingers()
            | Balanced()
            | AddressFound()
        ):
            return _changed(group, event, now), ()
        case _:
            return _obey(group, event)


def _look(
    group: Group,
    event: Ticked | Informed | WakeAsked | ScaleAsked | PrewarmAsked,
    now: float,
) -> tuple[Group, tuple[Effect, ...]]:
    """Look at all that is known, and decide."""
    match event:
        case Ticked(view):
            return _tick(group, view, now)
        case Informed(view):
            return _inform(group, view, now)
        case WakeAsked(view):
            return _awaken(group, view, now)
        case ScaleAsked():
            return _scale(group, event, now)
        case PrewarmAsked(view, count):
            return _prewarm(group, view, count, now)
        case _:
            assert_never(event)


def _changed(
    group: Group, event: Reconfigured | Redrawn | AtBalancer, now: float
) -> Group:
    """Follow another configuration, or the balancer."""
    match event:
        case Reconfigured(policy):
            return _reconfigured(group, policy)
        case Redrawn(template):
            return evolve(group, template=template)
        case MemberParts() | MemberLingers() | Balanced() | AddressFound():
            return follow_balancer(group, event, now)
        case _:
            assert_never(event)


def _reconfigured(group: Group, policy: Policy) -> Group:
    before, after = group.policy.serving, policy.serving
    if (before and before.standby) != (after and after.standby):
        # Whatever was needed before, as many as are wanted now stand by.
        group = evolve(group, ledger=evolve(group.ledger, needed_at=None))
    return evolve(group, policy=policy)


def _obey(group: Group, event: Word) -> tuple[Group, tuple[Effect, ...]]:
    """Do what the operator says about this one group."""
    ledger = group.ledger
    match event:
        case ModeSet(mode):
            return evolve(group, ledger=evolve(ledger, mode=mode)), ()
        case Resumed():
            return stand_up(group)
        case AdoptAsked(name):
            return adopt(group, name), ()
        case DisownAsked(name):
            return disown(group, name)
        case OwnershipLost():
            return evolve(group, ledger=evolve(ledger, is_ownership_lost=True)), ()
        case OwnershipConfirmed():
            return evolve(group, ledger=evolve(ledger, is_ownership_lost=False)), ()
        case _:
            assert_never(event)


def _tick(group: Group, view: View, now: float) -> tuple[Group, tuple[Effect, ...]]:
    group, has_usage = _heard(group, view, now)
    load = _assessed(group, view, now)
    group, notes = remember(group, load, now)
    group, up = _stood_up_in_time(group, now)
    ruling = decide(group, view, load, now, has_usage=has_usage)
    group, down = _within_budget(group, ruling, now)
    if down:
        ruling = decide(group, view, load, now, has_usage=has_usage)
    ticks = ruling.ticks.at_tick(now) if has_usage else ruling.ticks
    group = evolve(group, decision=ruling.decision, ticks=ticks)
    group, effects = begin(group, ruling, view, now)
    return group, (*notes, *up, *down, *effects)


def _heard(group: Group, view: View, now: float) -> tuple[Group, bool]:
    """Return *group* with all that is new, and whether a usage is."""
    policy, ticks = group.policy, group.ticks
    has_usage = policy.requests is None
    if policy.requests is not None:
        has_usage = is_usage_due(group, view, now)
        longest = patience(policy.poll_interval)
        demand = hear(ticks.demand, view.backend, policy.requests, now, longest)
        group = evolve(group, ticks=evolve(ticks, demand=demand, polled=now))
    if has_usage:
        primary = group.primary
        group = evolve(
            group,
            primary=None if primary is None else take_usage(primary, view),
            clones=tuple(take_usage(clone, view) for clone in group.clones),
        )
    return group, has_usage


def _inform(group: Group, view: View, now: float) -> tuple[Group, tuple[Effect, ...]]:
    observed, notes = observe(group, view, now)
    observed = mourn(observed, group, now)
    # Before anything is decided: who died leaves its address to nobody yet.
    group = let_rest(group, observed, now)
    group, up = _stood_up_in_time(group, now)
    load = _assessed(group, view, now)
    # What is decided knows all that is remembered with it.
    remembered, gave_up = remember(group, load, now)
    ruling = decide_bounds(remembered, view, load, now)
    if ruling is None:
        return group, (*notes, *up)
    group, notes = remembered, (*notes, *gave_up)
    group, down = _within_budget(group, ruling, now)
    if down:
        ruling = decide_bounds(group, view, load, now) or ruling
    group = evolve(group, decision=ruling.decision)
    group, effects = begin(group, ruling, view, now)
    return group, (*notes, *up, *down, *effects)


def _awaken(group: Group, view: View, now: float) -> tuple[Group, tuple[Effect, ...]]:
    group, up = _stood_up_in_time(group, now)
    load = _assessed(group, view, now)
    ruling = decide_wake(group, view, load, now)
    if ruling is None:
        return group, up
    group, down = _within_budget(group, ruling, now)
    if down:
        ruling = decide_wake(group, view, load, now) or ruling
    group = evolve(group, decision=ruling.decision)
    group, effects = begin(group, ruling, view, now)
    return group, (*up, *down, *effects)


def _prewarm(
    group: Group, view: View, count: int, now: float
) -> tuple[Group, tuple[Effect, ...]]:
    """Let *count* members stand by for a while, beside what else is done."""
    asked = Prewarm(count, now) if count else None
    group = evolve(group, ledger=evolve(group.ledger, prewarm=asked))
    ruling = decide_prewarm(group, view, assess(group, view, now), now)
    if ruling is None:
        return group, ()
    return begin(evolve(group, decision=ruling.decision), ruling, view, now)


def _scale(
    group: Group, asked: ScaleAsked, now: float
) -> tuple[Group, tuple[Effect, ...]]:
    group, up = _stood_up_in_time(group, now)
    load = _assessed(group, asked.view, now)
    ruling = decide_scale(group, asked, load, now)
    if not ruling.decision.acts or group.mode is not Mode.ACTIVE:
        return group, up
    group, down = _within_budget(group, ruling, now)
    if down:
        ruling = decide_scale(group, asked, load, now)
    group = evolve(group, decision=ruling.decision)
    group, effects = begin(group, ruling, asked.view, now)
    return group, (*up, *down, *effects)


def _assessed(group: Group, view: View, now: float) -> Load:
    return with_services(assess(group, view, now), group, view)


def _stood_up_in_time(group: Group, now: float) -> tuple[Group, tuple[Note, ...]]:
    """Return *group* with its stand-down ended, where it lasted enough."""
    return stand_up(group) if stand_down_left(group, now) == 0 else (group, ())


def _within_budget(
    group: Group, ruling: Ruling, now: float
) -> tuple[Group, tuple[Note, ...]]:
    """Return *group* stood down, where what *ruling* decides is too much."""
    decision, ledger = ruling.decision, group.ledger
    if not decision.acts or group.mode is not Mode.ACTIVE:
        return group, ()
    excess = find_excess(ledger.budget, group.policy, decision.reason, now)
    return (group, ()) if excess is None else stand_down(group, excess, now)


def _give_in(group: Group, now: float) -> tuple[Group, tuple[Note, ...]]:
    """Return *group* stood down, where too many actions in a row failed."""
    excess = failing(group.ledger.budget, group.policy)
    if excess is None or group.mode is not Mode.ACTIVE:
        return group, ()
    return stand_down(group, excess, now)
