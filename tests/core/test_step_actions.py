"""Tests of how a group changes while an action is in flight, and at its end."""

import pytest
from attrs import evolve

from autoscaler.core.actions import ReplaceClone
from autoscaler.core.doubts import DOUBT_S, Doubt
from autoscaler.core.events import (
    ActionEnded,
    CloneCreated,
    CloneDestroyed,
    Interrupted,
)
from autoscaler.core.group import Group, Ticks
from autoscaler.core.ledger import Backoff, Ledger
from autoscaler.core.step import step
from autoscaler.core.view import View
from tests.core.builders import (
    IMAGE,
    NOW,
    OTHER_IMAGE,
    clone_name,
    creating,
    destroying,
    make_listing,
    make_slot,
    make_world,
    replacing,
)


def acting(action, *states, **ledger) -> Group:
    """Return a group with *action* in flight."""
    actions = () if action is None else (action,)
    kept = Ledger(actions=actions, next_number=9, next_action=2, **ledger)
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


def test_a_created_clone_takes_the_place_of_its_reservation():
    group = acting(creating(3, 4))

    group = after(group, CloneCreated(clone_name(3), NOW - 7, 4321.0))

    clone = group.clones[-1]
    assert (clone.name, clone.number, clone.created) == (clone_name(3), 3, NOW - 7)
    assert clone.listening_since == 4321.0
    assert group.ledger.actions == (evolve(creating(3, 4), slots=(make_slot(4, 12),)),)
    assert group.clones_and_slots == 4
    assert group.ledger.changed_by == {1}


def test_a_created_clone_keeps_its_address():
    slot = make_slot(3, address="10.0.0.8")
    group = acting(evolve(creating(), slots=(slot,)))

    group = after(group, CloneCreated(slot.name, NOW, 0.0))

    assert group.clones[-1].address == "10.0.0.8"


@pytest.mark.parametrize("action", [None, destroying(1), creating(4)])
def test_a_clone_that_nobody_reserved_is_not_admitted(action):
    group = acting(action)

    assert after(group, CloneCreated(clone_name(3), NOW, 0.0)) == group


@pytest.mark.parametrize(
    "action", [destroying(1), replacing(3, 1)], ids=["destroy", "replace"]
)
def test_a_destroyed_clone_is_no_member(action):
    group = after(acting(action), CloneDestroyed(clone_name(1)))

    assert [clone.number for clone in group.clones] == [2]
    assert group.ledger.changed_by == {1}


def test_a_clone_that_goes_without_an_action_is_no_member_either():
    group = after(acting(None), CloneDestroyed(clone_name(1)))

    assert [clone.number for clone in group.clones] == [2]
    assert group.ledger.changed_by == frozenset()


def test_a_replacement_goes_on_without_the_clone_it_destroyed():
    group = after(
        acting(replacing(3, 1, create_first=False)), CloneDestroyed(clone_name(1))
    )

    (action,) = group.ledger.actions
    assert isinstance(action, ReplaceClone)
    assert (action.victim, len(action.slots)) == (None, 1)


def test_both_cooldowns_begin_at_the_end_of_an_action_that_changed_something():
    group = evolve(acting(creating(3)), ticks=Ticks(2, 4))

    created = after(group, CloneCreated(clone_name(3), NOW, 0.0), now=NOW)
    ended = after(created, ActionEnded(1), now=NOW + 30)

    assert created.ledger.changed_at is None
    assert ended.ledger.changed_at == NOW + 30
    assert ended.ledger.settled_at == NOW + 30
    assert (ended.ledger.actions, ended.ledger.changed_by) == ((), frozenset())
    assert (ended.ticks.high, ended.ticks.low) == (0, 0)


def test_a_failed_action_starts_a_back_off_and_no_cooldown():
    group = acting(creating(3), changed_at=17.0)

    group = after(group, ActionEnded(1, "refused", 1.1, digest=IMAGE))

    assert group.ledger.changed_at == 17.0
    assert group.ledger.settled_at == NOW
    assert group.ledger.creating == Backoff(1, NOW, 11.0, IMAGE)


def test_clones_that_came_before_a_failure_stay_and_start_the_cooldown():
    group = after(
        acting(creating(3, 4)),
        CloneCreated(clone_name(3), NOW, 0.0),
        ActionEnded(1, "full", digest=IMAGE),
    )

    assert [clone.number for clone in group.clones] == [1, 2, 3]
    assert group.ledger.changed_at == NOW
    assert group.ledger.creating.failures == 1


@pytest.mark.parametrize(
    ("action", "failure", "creates", "destroys", "replaces"),
    [
        pytest.param(creating(3), "no", 3, 4, 5, id="create failed"),
        pytest.param(creating(3), None, 2, 4, 5, id="create worked"),
        pytest.param(destroying(1), "no", 2, 5, 5, id="destroy failed"),
        pytest.param(destroying(1), None, 2, 0, 5, id="destroy worked"),
        pytest.param(replacing(3, 1), "no", 2, 4, 6, id="replacement failed"),
        pytest.param(replacing(3, 1), None, 2, 4, 6, id="replacement worked"),
    ],
)
def test_each_kind_of_action_has_a_back_off_of_its_own(
    action, failure, creates, destroys, replaces
):
    group = acting(
        action,
        creating=Backoff(2, 0.0, 20.0, IMAGE),
        destroying=Backoff(4, 0.0, 80.0),
        replacing=Backoff(5, 0.0, 160.0),
    )

    ledger = after(group, ActionEnded(1, failure, digest=IMAGE)).ledger

    assert ledger.creating.failures == creates
    assert ledger.destroying.failures == destroys
    assert ledger.replacing.failures == replaces


def test_a_failure_of_another_image_starts_its_back_off_afresh():
    group = acting(creating(3), creating=Backoff(5, 0.0, 160.0, IMAGE))

    group = after(group, ActionEnded(1, "no", digest=OTHER_IMAGE))

    assert group.ledger.creating == Backoff(1, NOW, 10.0, OTHER_IMAGE)


def test_each_of_several_actions_ends_by_itself():
    group = acting(creating(3))
    second = evolve(creating(4), id=2)
    going = evolve(destroying(1), id=3)
    group = evolve(
        group, ledger=evolve(group.ledger, actions=(creating(3), second, going))
    )

    created = after(group, CloneCreated(clone_name(4), NOW, 0.0))
    gone = after(created, CloneDestroyed(clone_name(1)))
    failed = after(gone, ActionEnded(1, "no"))
    ended = after(failed, ActionEnded(2), now=NOW + 5)

    assert [clone.number for clone in ended.clones] == [2, 4]
    assert gone.ledger.changed_by == {2, 3}
    assert failed.ledger.actions == (evolve(second, slots=()), going)
    assert failed.ledger.changed_at is None
    assert failed.ledger.changed_by == {2, 3}
    assert ended.ledger.changed_at == NOW + 5
    assert ended.ledger.changed_by == {3}


def test_each_of_several_interrupted_actions_is_settled_by_itself():
    view = make_world(50.0, 50.0, 50.0, 50.0)[1]
    group = acting(creating(3))
    actions = (creating(3), evolve(creating(4), id=2))
    group = evolve(group, ledger=evolve(group.ledger, actions=actions))

    group = after(group, Interrupted(2, view))

    assert [clone.number for clone in group.clones] == [1, 2]
    assert group.ledger.actions == (creating(3),)
    assert group.ledger.doubts == (Doubt(4, NOW),)


def test_the_end_of_nothing_changes_nothing():
    group, _ = make_world(50.0)

    assert after(group, ActionEnded(1, "no")) == group


def test_clones_that_may_have_come_are_remembered():
    known, old = Doubt(1, NOW - 60), Doubt(2, NOW - DOUBT_S)
    group = acting(creating(3, 4), doubts=(known, old))
    doubtful = (clone_name(3), group.id.name)

    group = after(group, ActionEnded(1, "lost", doubtful=doubtful, digest=IMAGE))

    assert group.ledger.doubts == (known, Doubt(3, NOW, IMAGE))


def test_an_interrupted_create_whose_clone_runs_has_worked():
    view = make_world(50.0, 50.0, 50.0, 50.0)[1]

    group = after(acting(creating(3)), Interrupted(1, view))

    assert [clone.number for clone in group.clones] == [1, 2, 3]
    assert group.clones[-1].listening_since == NOW
    assert not group.ledger.actions
    assert group.ledger.changed_at == NOW
    assert group.ledger.creating.failures == 0


def test_an_interrupted_create_whose_clone_does_not_run_has_failed():
    view = make_world(50.0, 50.0, 50.0)[1]

    group = after(acting(creating(3)), Interrupted(1, view, 1.1))

    assert not group.ledger.actions
    assert group.ledger.changed_at is None
    assert group.ledger.creating == Backoff(1, NOW, 11.0, IMAGE)
    assert group.ledger.doubts == (Doubt(3, NOW),)


@pytest.mark.parametrize("listed", [3, 4])
def test_what_was_never_sent_was_never_made_by_us(listed):
    view = make_world(*[50.0] * listed)[1]
    unsent = frozenset({clone_name(3)})

    group = after(acting(creating(3)), Interrupted(1, view, unsent=unsent))

    assert [clone.number for clone in group.clones] == [1, 2]
    assert not group.ledger.actions
    assert group.ledger.changed_at is None
    assert group.ledger.doubts == ()
    assert group.ledger.creating.failures == 1


def test_a_clone_made_before_an_interruption_starts_the_cooldown():
    group = after(acting(creating(3, 4)), CloneCreated(clone_name(3), NOW, 0.0))
    view = make_world(50.0, 50.0, 50.0, 50.0)[1]

    group = after(group, Interrupted(1, view))

    assert group.ledger.changed_at == NOW
    assert group.ledger.doubts == (Doubt(4, NOW),)


@pytest.mark.parametrize(
    ("gone", "clones", "failures", "changed_at"),
    [
        pytest.param((1,), [2], 0, NOW, id="worked"),
        pytest.param((), [1, 2], 1, None, id="failed"),
    ],
)
def test_an_interrupted_destroy_is_settled_by_what_is_listed(
    gone, clones, failures, changed_at
):
    view = listing_without(make_world(50.0, 50.0, 50.0)[1], *gone)

    group = after(acting(destroying(1)), Interrupted(1, view))

    assert [clone.number for clone in group.clones] == clones
    assert group.ledger.destroying.failures == failures
    assert group.ledger.changed_at == changed_at


@pytest.mark.parametrize(
    ("listed", "gone", "clones"),
    [
        pytest.param(4, (1,), [2, 3], id="both done"),
        pytest.param(4, (), [1, 2, 3], id="only created"),
        pytest.param(3, (1,), [2], id="only destroyed"),
        pytest.param(3, (), [1, 2], id="nothing done"),
    ],
)
def test_an_interrupted_replacement_is_settled_by_what_is_listed(listed, gone, clones):
    view = listing_without(make_world(*[50.0] * listed)[1], *gone)

    group = after(acting(replacing(3, 1)), Interrupted(1, view))

    assert [clone.number for clone in group.clones] == clones
    assert not group.ledger.actions
    assert group.ledger.replacing.failures == 1
    assert group.ledger.doubts == (() if listed == 4 else (Doubt(3, NOW),))


def test_a_replacement_interrupted_after_its_destroy_is_settled():
    half = evolve(replacing(3, 1, create_first=False), victim=None)
    view = listing_without(make_world(50.0, 50.0, 50.0)[1], 1)

    group = after(acting(half), Interrupted(1, view))

    assert not group.ledger.actions
    assert group.ledger.doubts == (Doubt(3, NOW),)


def test_an_interruption_of_nothing_changes_nothing():
    group, view = make_world(50.0)

    assert after(group, Interrupted(1, view)) == group


def test_without_its_primary_an_interrupted_create_counts_for_every_image():
    group = acting(creating(3))
    view = make_world(50.0)[1]

    group = after(group, Interrupted(1, evolve(view, listing=make_listing({}))))

    assert group.ledger.creating.digest == b""
