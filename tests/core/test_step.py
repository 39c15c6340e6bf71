"""Tests of how a group changes: one event, one new group."""

import pytest
from attrs import evolve

from autoscaler.core.actions import CreateClones, DestroyClone, ReplaceClone
from autoscaler.core.decision import MemberClass, Reason
from autoscaler.core.events import (
    Informed,
    Note,
    NoteKind,
    Reconfigured,
    Ticked,
)
from autoscaler.core.group import Group, Ticks
from autoscaler.core.ledger import Backoff, Ledger
from autoscaler.core.policy import Mode
from autoscaler.core.step import step
from autoscaler.core.view import View
from tests.core.builders import (
    GROUP,
    IMAGE,
    NOW,
    OTHER_IMAGE,
    clone_name,
    creating,
    make_feed,
    make_info,
    make_listing,
    make_policy,
    make_slot,
    make_world,
)

STALE, GIVEN_UP = MemberClass.STALE, MemberClass.GIVEN_UP
UNKNOWN, WARMING = MemberClass.UNKNOWN, MemberClass.WARMING


def ready(high: int = 2, low: int = 4) -> Ticks:
    return Ticks(high=high, low=low, last=NOW - 10, conclusive=NOW - 10)


def acting(action, *states, **ledger) -> Group:
    """Return a group with *action* in flight."""
    kept = Ledger(actions=(action,), next_number=9, next_action=2, **ledger)
    return make_world(*(states or (50.0, 50.0, 50.0)), ledger=kept)[0]


def after(group: Group, *events, now: float = NOW) -> Group:
    """Return *group* after *events*, which lead to no effects."""
    for event in events:
        group, effects = step(group, event, now)
        assert effects == ()
    return group


def listing_without(view: View, *numbers: int) -> View:
    assert view.listing is not None
    gone = {clone_name(number) for number in numbers}
    infos = {n: i for n, i in view.listing.infos.items() if n not in gone}
    return evolve(view, listing=make_listing(infos, asked=NOW + 1))


def test_a_third_high_tick_begins_an_action_with_reservations():
    group, view = make_world(
        99.0, 99.0, policy=make_policy(scale_up_step=2), ticks=ready()
    )

    group, effects = step(group, Ticked(view), NOW)

    slots = (make_slot(2, 2), make_slot(3, 3))
    action = CreateClones(id=1, reason=Reason.HIGH, slots=slots)
    assert effects == (action,)
    assert group.ledger.actions == (action,)
    assert (group.ledger.next_action, group.ledger.next_number) == (2, 4)
    assert (group.ticks.high, group.ticks.low) == (0, 0)
    assert (group.ticks.last, group.ticks.conclusive) == (NOW, NOW)
    assert group.decision is not None
    assert (group.decision.reason, group.decision.high) == (Reason.HIGH, 3)


def test_a_fifth_low_tick_begins_a_removal():
    group, view = make_world(10.0, 10.0, ticks=ready())

    group, effects = step(group, Ticked(view), NOW)

    action = DestroyClone(id=1, reason=Reason.LOW, victim=clone_name(1))
    assert effects == (action,)
    assert group.ledger.actions == (action,)
    assert group.ledger.next_number == 2


@pytest.mark.parametrize("max_clones", [2, 1])
def test_a_given_up_clone_begins_a_replacement(max_clones):
    policy = make_policy(max_clones=max_clones)
    group, view = make_world(60.0, GIVEN_UP, policy=policy)

    group, effects = step(group, Ticked(view), NOW)

    note, action = effects
    assert note == Note(NoteKind.GAVE_UP, clone_name(1))
    assert isinstance(action, ReplaceClone)
    assert (action.victim, action.create_first) == (clone_name(1), max_clones == 2)
    assert [slot.number for slot in action.slots] == [2]
    assert group.ledger.replaced == (NOW,)
    assert group.ledger.gave_up_at == NOW


def test_a_given_up_member_is_noted_once():
    group, view = make_world(GIVEN_UP, 60.0)

    group, first = step(group, Ticked(view), NOW)
    group, second = step(group, Ticked(view), NOW + 1)

    assert first == (Note(NoteKind.GAVE_UP, GROUP.name),)
    assert second == ()


def test_only_the_last_fifteen_replacements_are_remembered():
    old = tuple(float(at) for at in range(15))
    ledger = Ledger(next_number=2, replaced=old)
    group, view = make_world(60.0, GIVEN_UP, ledger=ledger)

    group, _ = step(group, Ticked(view), NOW)

    assert group.ledger.replaced == (*old[1:], NOW)


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        pytest.param((99.0, 99.0), Reason.HIGH, id="up"),
        pytest.param((9.0, 9.0), Reason.LOW, id="down"),
        pytest.param((60.0, GIVEN_UP), Reason.GIVEN_UP, id="replace"),
    ],
)
def test_in_observe_a_decision_changes_nothing(states, reason):
    policy = make_policy(mode=Mode.OBSERVE)
    group, view = make_world(*states, policy=policy, ticks=ready())

    once, first = step(group, Ticked(view), NOW)
    twice, second = step(once, Ticked(view), NOW)

    assert [e for e in (*first, *second) if not isinstance(e, Note)] == []
    assert once.decision is not None
    assert (once.decision.acts, once.decision.reason) == (True, reason)
    assert twice.decision is not None
    assert twice.decision.reason is reason
    assert evolve(twice.ledger, gave_up_at=None) == group.ledger
    assert min(twice.ticks.high, 3) == (2 if reason is Reason.GIVEN_UP else 0) + (
        3 if reason is Reason.HIGH else 0
    )


def test_an_observed_group_grows_once_it_may():
    policy = make_policy(mode=Mode.OBSERVE)
    group, view = make_world(99.0, policy=policy, ticks=ready())
    group, _ = step(group, Ticked(view), NOW)
    group = after(group, Reconfigured(make_policy()))

    _, effects = step(group, Ticked(view), NOW)

    assert [type(effect) for effect in effects] == [CreateClones]


def test_a_tick_while_an_action_is_in_flight_begins_no_other():
    group = acting(creating(3), 99.0, 99.0)
    view = make_world(99.0, 99.0)[1]

    group, effects = step(group, Ticked(view), NOW)

    assert effects == ()
    assert group.decision is not None
    assert group.decision.reason is Reason.BUSY
    assert group.ledger.actions == (creating(3),)


def test_missing_clones_are_made_after_an_answer_of_the_host():
    group, view = make_world(STALE, policy=make_policy(min_clones=2))

    group, effects = step(group, Informed(view), NOW)

    (action,) = effects
    assert isinstance(action, CreateClones)
    assert (action.reason, len(action.slots)) == (Reason.BELOW_MIN, 1)
    assert group.ticks.last == NOW - 10


def test_what_the_host_lists_is_known_before_anything_is_decided():
    group, view = make_world(50.0, 50.0, policy=make_policy(min_clones=1))
    group = evolve(group, clones=())

    group, effects = step(group, Informed(view), NOW)

    assert effects == (Note(NoteKind.ADOPTED, clone_name(1)),)
    assert len(group.clones) == 1


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        pytest.param(STALE, Reason.NO_DATA, id="silent"),
        pytest.param(WARMING, Reason.WARMING, id="warming"),
        pytest.param(60.0, Reason.STEADY, id="heard"),
    ],
)
def test_the_last_word_of_a_group_that_nobody_hears_does_not_stand(state, reason):
    heard, view = make_world(60.0)
    group, _ = step(heard, Ticked(view), NOW)
    silent = make_world(state)[1]

    group, effects = step(group, Informed(silent), NOW)

    assert effects == ()
    assert group.decision is not None
    assert (group.decision.reason, group.decision.acts) == (reason, False)


@pytest.mark.parametrize(
    ("created", "state", "failures"),
    [
        pytest.param(NOW - 61, 60.0, 0, id="a minute old"),
        pytest.param(NOW - 59, 60.0, 3, id="younger"),
        pytest.param(NOW - 101, 60.0, 3, id="older than the failure"),
        pytest.param(NOW - 61, GIVEN_UP, 3, id="given up"),
        pytest.param(None, 60.0, 3, id="adopted"),
    ],
)
def test_a_clone_that_outlives_its_warm_up_ends_the_back_off(created, state, failures):
    ledger = Ledger(
        next_number=2,
        changed_at=NOW,
        creating=Backoff(3, NOW - 100, 40.0, IMAGE),
    )
    group, view = make_world(60.0, state, ledger=ledger)
    group = evolve(group, clones=(evolve(group.clones[0], created=created),))

    group, _ = step(group, Ticked(view), NOW)

    assert group.ledger.creating.failures == failures


def test_a_clone_must_outlive_a_warm_up_that_is_longer_than_a_minute():
    ledger = Ledger(creating=Backoff(3, NOW - 200, 40.0, IMAGE))
    policy = make_policy(warmup=100.0)
    group, view = make_world(60.0, 60.0, ledger=ledger, policy=policy)
    group = evolve(group, clones=(evolve(group.clones[0], created=NOW - 99),))

    group, _ = step(group, Ticked(view), NOW)

    assert group.ledger.creating.failures == 3


@pytest.mark.parametrize(
    ("gave_up_at", "failures"),
    [
        pytest.param(NOW - 900, 5, id="not yet"),
        pytest.param(NOW - 900.1, 0, id="for death_timeout nothing was given up"),
    ],
)
def test_the_back_off_of_replacements_ends_when_nothing_is_given_up(
    gave_up_at, failures
):
    ledger = Ledger(replacing=Backoff(5, 0.0, 160.0), gave_up_at=gave_up_at)
    group, view = make_world(60.0, ledger=ledger)

    group, _ = step(group, Ticked(view), NOW)

    assert group.ledger.replacing.failures == failures


def test_a_reconfigured_group_wants_something_else_at_once():
    group, view = make_world(60.0, 60.0)
    group = after(group, Reconfigured(make_policy(max_clones=0)))

    _, effects = step(group, Informed(view), NOW)

    assert [type(effect) for effect in effects] == [DestroyClone]


def test_ticks_without_a_stream_decide_nothing():
    group, view = make_world(99.0, 99.0, ticks=ready())

    group, effects = step(
        group, Ticked(evolve(view, feed=make_feed(up_since=None))), NOW
    )

    assert effects == ()
    assert group.decision is not None
    assert group.decision.reason is Reason.NO_DATA


def test_a_foreign_unikernel_keeps_its_number_from_being_given():
    group, view = make_world(99.0, ticks=ready())
    assert view.listing is not None
    stranger = make_info(9, digest=OTHER_IMAGE)
    infos = {**view.listing.infos, clone_name(7): stranger}
    view = evolve(view, listing=make_listing(infos))
    group, _ = step(group, Informed(view), NOW)

    _, (action,) = step(group, Ticked(view), NOW)

    assert isinstance(action, CreateClones)
    assert [slot.number for slot in action.slots] == [8]
