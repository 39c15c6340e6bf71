"""What actions leave behind: as they go on, when they end, after a restart."""

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
from autoscaler.core.budget import account
from autoscaler.core.decision import Reason
from autoscaler.core.doubts import Doubt
from autoscaler.core.events import (
    ActionEnded,
    CloneCreated,
    Interrupted,
)
from autoscaler.core.group import Group, Member
from autoscaler.core.ledger import Backoff, Ledger


def admit(group: Group, event: CloneCreated) -> Group:
    """Return *group* with a clone that an action has made."""
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
        is_standby=action.as_standby,
    )
    clones = sorted([*group.clones, clone], key=lambda m: m.number or 0)
    surge = ledger.surge
    if action.reason is Reason.ROLLOUT and victim_of(action) is not None:
        surge = event.name
    ledger = _changed_by(ledger, action).with_action(without_slot(action, event.name))
    return evolve(group, clones=tuple(clones), ledger=evolve(ledger, surge=surge))


def dismiss(group: Group, name: Name) -> Group:
    """Return *group* without the clone *name*, which is gone."""
    clones = tuple(clone for clone in group.clones if clone.name != name)
    stood_by = any(clone.name == name for clone in group.standbys)
    group = evolve(group, clones=clones, ledger=group.ledger.with_parting(name, None))
    action = _remover(group.ledger, name, stood_by=stood_by)
    if action is None:
        return group
    ledger = _changed_by(group.ledger, action)
    if action.reason is Reason.ROLLOUT and name in {victim_of(action), ledger.surge}:
        # The old one is gone, or the new one is again: none is left over.
        ledger = evolve(ledger, surge=None)
    if isinstance(action, ReplaceClone) and action.victim == name:
        ledger = ledger.with_action(evolve(action, victim=None))
    return evolve(group, ledger=ledger)


def end(group: Group, event: ActionEnded, now: float) -> Group:
    """Return *group* after an action has ended."""
    ledger = group.ledger
    action = ledger.action(event.action)
    if action is None:
        return group
    if action.as_standby:
        ledger = _with_refilling(ledger, action, event, now)
    elif event.failure is None or action.id >= ledger.failed_upto:
        ledger = _accounted(ledger, action, event, now)
    victim = victim_of(action)
    if victim is not None:
        # If it is still there it serves again.
        ledger = ledger.with_parting(victim, None)
    ledger = evolve(
        ledger.without_action(action.id),
        changed_at=now if _cools_down(ledger, action) else ledger.changed_at,
        settled_at=now,
        doubts=_doubts(group, action, event.doubtful, event.digest, now),
        useless_at=now if action.reason is Reason.USELESS else ledger.useless_at,
    )
    if not ledger.actions:
        # Whoever was to be removed again and could not be, serves again.
        ledger = evolve(ledger, parting={})
    # Ticks tell of those that serve, and nothing of standbys.
    ticks = group.ticks if action.as_standby else group.ticks.counted(0, 0)
    return evolve(group, ledger=ledger, ticks=ticks)


def settle(group: Group, event: Interrupted, now: float) -> Group:
    """End the action of an earlier run by what the host lists."""
    action, view = group.ledger.action(event.action), event.view
    if action is None:
        return group
    for slot in action.slots:
        if view.lists(slot.name) and slot.name not in event.unsent:
            listening_since = view.feed_of(slot.name).listened_by(now)
            group = admit(group, CloneCreated(slot.name, now, listening_since))
    victim = victim_of(action)
    if victim is not None and not view.lists(victim):
        group = dismiss(group, victim)
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
    doubts = _doubts(group, action, sent, b"", now)
    return end(evolve(group, ledger=evolve(group.ledger, doubts=doubts)), ended, now)


def _remover(ledger: Ledger, name: Name, *, stood_by: bool) -> Action | None:
    """Return the action by which the clone *name* goes."""
    removers = [a for a in ledger.actions if not isinstance(a, CreateClones)]
    # A replacement also removes its new clone again, where that doesn't live.
    replacements = [
        a for a in removers if isinstance(a, ReplaceClone) and a.as_standby == stood_by
    ]
    replacement = next(iter(replacements), None)
    return next((a for a in removers if victim_of(a) == name), replacement)


def _changed_by(ledger: Ledger, action: Action) -> Ledger:
    return evolve(ledger, changed_by=ledger.changed_by | {action.id})


def _doubts(
    group: Group, action: Action, names: tuple[Name, ...], digest: bytes, now: float
) -> tuple[Doubt, ...]:
    """Return the doubts of *group*, with those about *names* of *action*."""
    numbers = [group.id.number_of(name) for name in names]
    new = (
        Doubt(number, now, digest, action.as_standby)
        for number in numbers
        if number is not None
    )
    return (*(d for d in group.ledger.doubts if d.is_open(now)), *new)


def _cools_down(ledger: Ledger, action: Action) -> bool:
    # A group of another image is as large as it was.
    has_changed = action.id in ledger.changed_by
    is_as_large = action.as_standby or action.reason is Reason.ROLLOUT
    return has_changed and not is_as_large


def _accounted(
    ledger: Ledger, action: Action, event: ActionEnded, now: float
) -> Ledger:
    has_failed, budget = event.failure is not None, ledger.budget
    if event.has_begun:
        budget = account(budget, action, has_failed=has_failed)
    ledger = evolve(_with_backoff(ledger, action, event, now), budget=budget)
    return evolve(ledger, failed_upto=ledger.next_action) if has_failed else ledger


def _with_refilling(
    ledger: Ledger, action: Action, event: ActionEnded, now: float
) -> Ledger:
    """Return *ledger* with the pauses after an action about standbys."""
    if isinstance(action, DestroyClone) or action.reason is Reason.ROLLOUT:
        # A new image that fails as a standby is not spread to those that serve.
        return _with_backoff(ledger, action, event, now)
    if event.failure is None and isinstance(action, CreateClones):
        return ledger
    # Of those that fail together the first tells all.
    if ledger.refilling.left(now):
        return ledger
    paused = ledger.refilling.after_failure(event.digest, event.jitter, now)
    return evolve(ledger, refilling=paused)


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
