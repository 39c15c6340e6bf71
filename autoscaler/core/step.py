"""The only way in which a group changes: one event, one new group.

What is to be done about it comes back as data; the shell does it and tells the
outcome as another event.
"""

from typing import assert_never

from attrs import evolve

from albatross_client.names import Name
from autoscaler.core.actions import (
    Action,
    CreateClones,
    DestroyClone,
    ReplaceClone,
    victim_of,
    without_slot,
)
from autoscaler.core.beginning import begin
from autoscaler.core.budget import (
    account,
    failing,
    find_excess,
)
from autoscaler.core.case import Ruling
from autoscaler.core.decide import decide, decide_bounds
from autoscaler.core.decision import Load, MemberClass, Reason
from autoscaler.core.demand import hear, patience
from autoscaler.core.events import (
    ActionEnded,
    AdoptAsked,
    CloneCreated,
    CloneDestroyed,
    DisownAsked,
    Event,
    Informed,
    Interrupted,
    ModeSet,
    Note,
    NoteKind,
    OwnershipConfirmed,
    OwnershipLost,
    Reconfigured,
    Redrawn,
    Resumed,
    Ticked,
    Word,
)
from autoscaler.core.group import Backoff, Doubt, Group, Ledger, Member
from autoscaler.core.observe import observe
from autoscaler.core.ownership import adopt, disown
from autoscaler.core.policy import Mode
from autoscaler.core.standdown import stand_down, stand_down_left, stand_up
from autoscaler.core.standing import assess
from autoscaler.core.ticking import next_usage, take_usage
from autoscaler.core.view import View

Effect = Action | Note

# A clone that has lived so long, and through its warm-up, proves its image.
PROVEN_S = 60.0


def step(group: Group, event: Event, now: float) -> tuple[Group, tuple[Effect, ...]]:
    """Return what *group* becomes after *event* at *now*, and what to do.

    Of the effects those that are actions are in flight in the new group; each
    has to be on disk before it begins.
    """
    match event:
        case Ticked(view):
            return _tick(group, view, now)
        case Informed(view):
            return _inform(group, view, now)
        case CloneCreated():
            return _admit(group, event), ()
        case CloneDestroyed(name):
            return _dismiss(group, name), ()
        case ActionEnded():
            return _give_in(_end(group, event, now), now)
        case Interrupted():
            return _give_in(_settle(group, event, now), now)
        case Reconfigured() | Redrawn():
            return _changed(group, event), ()
        case _:
            return _obey(group, event)


def _changed(group: Group, event: Reconfigured | Redrawn) -> Group:
    """Follow another configuration."""
    match event:
        case Reconfigured(policy):
            return evolve(group, policy=policy)
        case Redrawn(template):
            return evolve(group, template=template)
        case _:
            assert_never(event)


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
    load = assess(group, view, now)
    group, notes = _remembered(group, load, now)
    group, up = _stood_up_in_time(group, now)
    ruling = decide(group, view, load, now, has_usage=has_usage)
    group, down = _within_budget(group, ruling, now)
    if down:
        ruling = decide(group, view, load, now, has_usage=has_usage)
    ticks = ruling.ticks.at_tick(now) if has_usage else ruling.ticks
    group = evolve(group, decision=ruling.decision, ticks=ticks)
    group, actions = begin(group, ruling, now)
    return group, (*notes, *up, *down, *actions)


def _heard(group: Group, view: View, now: float) -> tuple[Group, bool]:
    """Return *group* with all that is new, and whether a usage is."""
    policy, ticks = group.policy, group.ticks
    has_usage = policy.requests is None
    if policy.requests is not None:
        due = next_usage(group, view, now)
        has_usage = due is not None and due <= now
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
    group, notes = observe(group, view, now)
    group, up = _stood_up_in_time(group, now)
    load = assess(group, view, now)
    ruling = decide_bounds(group, view, load, now)
    if ruling is None:
        return group, (*notes, *up)
    group, gave_up = _remembered(group, load, now)
    notes = (*notes, *gave_up)
    group, down = _within_budget(group, ruling, now)
    if down:
        ruling = decide_bounds(group, view, load, now) or ruling
    group = evolve(group, decision=ruling.decision)
    group, actions = begin(group, ruling, now)
    return group, (*notes, *up, *down, *actions)


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


def _admit(group: Group, event: CloneCreated) -> Group:
    ledger = group.ledger
    found = next(
        ((a, s) for a in ledger.actions for s in a.slots if s.name == event.name), None
    )
    if found is None:
        return group
    action, slot = found
    clone = Member(
        name=event.name,
        number=slot.number,
        created=event.created,
        listening_since=event.listening_since,
        address=slot.address,
    )
    clones = sorted([*group.clones, clone], key=lambda m: m.number or 0)
    surge = ledger.surge
    if action.reason is Reason.ROLLOUT and victim_of(action) is not None:
        surge = event.name
    ledger = _changed_by(ledger, action).with_action(without_slot(action, event.name))
    return evolve(group, clones=tuple(clones), ledger=evolve(ledger, surge=surge))


def _dismiss(group: Group, name: Name) -> Group:
    clones = tuple(clone for clone in group.clones if clone.name != name)
    group = evolve(group, clones=clones)
    action = _remover(group.ledger, name)
    if action is None:
        return group
    ledger = _changed_by(group.ledger, action)
    if action.reason is Reason.ROLLOUT:
        # The old one is gone, or the new one is again: none is left over.
        ledger = evolve(ledger, surge=None)
    if isinstance(action, ReplaceClone) and action.victim == name:
        ledger = ledger.with_action(evolve(action, victim=None))
    return evolve(group, ledger=ledger)


def _remover(ledger: Ledger, name: Name) -> Action | None:
    """Return the action by which the clone *name* goes."""
    removers = [a for a in ledger.actions if not isinstance(a, CreateClones)]
    # A replacement also removes its new clone again, where that doesn't live.
    replacement = next((a for a in removers if isinstance(a, ReplaceClone)), None)
    return next((a for a in removers if victim_of(a) == name), replacement)


def _changed_by(ledger: Ledger, action: Action) -> Ledger:
    return evolve(ledger, changed_by=ledger.changed_by | {action.id})


def _end(group: Group, event: ActionEnded, now: float) -> Group:
    ledger = group.ledger
    action = ledger.action(event.action)
    if action is None:
        return group
    if event.failure is None or action.id >= ledger.failed_upto:
        ledger = _accounted(ledger, action, event, now)
    ledger = evolve(
        ledger.without_action(action.id),
        changed_at=now if _cools_down(ledger, action) else ledger.changed_at,
        settled_at=now,
        doubts=_doubts(group, event.doubtful, event.digest, now),
        useless_at=now if action.reason is Reason.USELESS else ledger.useless_at,
    )
    return evolve(group, ledger=ledger, ticks=group.ticks.counted(0, 0))


def _doubts(
    group: Group, names: tuple[Name, ...], digest: bytes, now: float
) -> tuple[Doubt, ...]:
    """Return the doubts of *group*, with those about *names*."""
    numbers = [group.id.number_of(name) for name in names]
    new = (Doubt(number, now, digest) for number in numbers if number is not None)
    return (*(d for d in group.ledger.doubts if d.is_open(now)), *new)


def _give_in(group: Group, now: float) -> tuple[Group, tuple[Note, ...]]:
    """Return *group* stood down, where too many actions in a row failed."""
    excess = failing(group.ledger.budget, group.policy)
    if excess is None or group.mode is not Mode.ACTIVE:
        return group, ()
    return stand_down(group, excess, now)


def _cools_down(ledger: Ledger, action: Action) -> bool:
    # A group of another image is as large as it was.
    has_changed = action.id in ledger.changed_by
    return has_changed and action.reason is not Reason.ROLLOUT


def _accounted(
    ledger: Ledger, action: Action, event: ActionEnded, now: float
) -> Ledger:
    has_failed, budget = event.failure is not None, ledger.budget
    if event.has_begun:
        budget = account(budget, action, has_failed=has_failed)
    ledger = evolve(_with_backoff(ledger, action, event, now), budget=budget)
    return evolve(ledger, failed_upto=ledger.next_action) if has_failed else ledger


def _with_backoff(
    ledger: Ledger, action: Action, event: ActionEnded, now: float
) -> Ledger:
    match action:
        case ReplaceClone() if action.reason is Reason.ROLLOUT:
            if event.failure is None:
                return evolve(ledger, rolling=Backoff())
            paused = ledger.rolling.after_failure(event.digest, event.jitter, now)
            return evolve(ledger, rolling=paused)
        case ReplaceClone():
            # A pause of its own, also when it went well: a clone that is given
            # up again and again would otherwise be replaced without end.
            paused = ledger.replacing.after_failure(b"", event.jitter, now)
            return evolve(ledger, replacing=paused)
        case CreateClones() if event.failure is not None:
            paused = ledger.creating.after_failure(event.digest, event.jitter, now)
            return evolve(ledger, creating=paused)
        case DestroyClone() if event.failure is not None:
            paused = ledger.destroying.after_failure(b"", event.jitter, now)
            return evolve(ledger, destroying=paused)
        case DestroyClone():
            return evolve(ledger, destroying=Backoff())
        case CreateClones():
            return ledger
        case _:
            assert_never(action)


def _settle(group: Group, event: Interrupted, now: float) -> Group:
    """End the action of an earlier run by what the host lists."""
    action, view = group.ledger.action(event.action), event.view
    if action is None:
        return group
    for slot in action.slots:
        if view.lists(slot.name) and slot.name not in event.unsent:
            listening_since = view.feed_of(slot.name).listened_by(now)
            group = _admit(group, CloneCreated(slot.name, now, listening_since))
    victim = victim_of(action)
    if victim is not None and not view.lists(victim):
        group = _dismiss(group, victim)
    missing = tuple(s.name for s in group.ledger.slots if s in action.slots)
    unfinished = bool(missing) or (victim is not None and view.lists(victim))
    made_from = group.blueprint(view)
    if action.reason is Reason.ROLLOUT:
        # The end of the daemon says nothing against the image.
        made_from = None
    ended = ActionEnded(
        action.id,
        failure="interrupted by the end of the daemon" if unfinished else None,
        jitter=event.jitter,
        digest=made_from.digest if made_from is not None else b"",
    )
    # The primary may run another image by now than the one that was sent.
    sent = tuple(name for name in missing if name not in event.unsent)
    doubts = _doubts(group, sent, b"", now)
    return _end(evolve(group, ledger=evolve(group.ledger, doubts=doubts)), ended, now)


def _remembered(group: Group, load: Load, now: float) -> tuple[Group, tuple[Note, ...]]:
    """Return *group* after a look at *load*, and who is newly given up."""
    notes = _given_up_notes(group, load)
    ledger = _refreshed(group, load, now)
    if ledger is not group.ledger:
        group = evolve(group, ledger=ledger)
    return group, notes


def _refreshed(group: Group, load: Load, now: float) -> Ledger:
    """Return the ledger without the pauses that time has made pointless."""
    ledger, policy = group.ledger, group.policy
    given_up = load.names(MemberClass.GIVEN_UP)
    if given_up:
        ledger = evolve(ledger, gave_up_at=now)
    elif (
        ledger.replacing.failures
        and ledger.gave_up_at is not None
        and now - ledger.gave_up_at > policy.death_timeout
    ):
        ledger = evolve(ledger, replacing=Backoff())
    proven = max(policy.warmup, PROVEN_S)
    if ledger.creating.failures and any(
        clone.created is not None
        and clone.created >= ledger.creating.since
        and now - clone.created >= proven
        and clone.name not in given_up
        for clone in group.clones
    ):
        ledger = evolve(ledger, creating=Backoff())
    return ledger


def _given_up_notes(group: Group, load: Load) -> tuple[Note, ...]:
    given_up = load.names(MemberClass.GIVEN_UP)
    if not given_up:
        return ()
    before = group.decision
    known = before.load.names(MemberClass.GIVEN_UP) if before is not None else ()
    return tuple(Note(NoteKind.GAVE_UP, name) for name in given_up if name not in known)
