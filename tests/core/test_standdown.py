"""Tests of groups that did or failed too much, and of the operator's word."""

import pytest
from attrs import evolve

from autoscaler.core.actions import CreateClones
from autoscaler.core.budget import Budget
from autoscaler.core.decision import MemberClass, Outcome, Reason
from autoscaler.core.events import (
    ActionEnded,
    Informed,
    ModeSet,
    Note,
    NoteKind,
    Resumed,
    Ticked,
)
from autoscaler.core.group import Ticks
from autoscaler.core.ledger import Ledger
from autoscaler.core.policy import Mode, OnPrimaryLoss
from tests.core.builders import (
    NOW,
    creating,
    happens,
    make_policy,
    make_rules,
    make_world,
)

HIGH = Ticks(high=2, last=NOW - 10, conclusive=NOW - 10)
DEAD, UNUSED = MemberClass.DEAD, Budget()


def busy_world(budget=UNUSED, **policy):
    """Return a group that is about to grow."""
    ledger = Ledger(next_number=2, budget=budget)
    return make_world(
        95.0, 95.0, ticks=HIGH, ledger=ledger, policy=make_policy(**policy)
    )


def with_budget(budget):
    group, view = busy_world(budget)
    return happens(group, Ticked(view))


def test_a_group_that_did_too_much_stands_down_with_one_note():
    group, effects = with_budget(Budget(acted=(NOW - 60,) * 40))

    [note] = effects
    assert note.kind is NoteKind.STOOD_DOWN
    assert dict(note.evidence) == {
        "limit": "max_actions_per_hour",
        "count": 40,
        "most": 40,
        "within_s": 3600.0,
        "stand_down_s": 3600.0,
    }
    assert group.decision.reason is Reason.STOOD_DOWN
    assert group.mode is Mode.OBSERVE


def test_a_group_that_has_stood_down_says_so_once():
    group, view = busy_world(Budget(stood_down_at=NOW - 10))

    group, effects = happens(group, Ticked(view))

    assert effects == ()


def test_a_stand_down_ends_by_itself_with_a_fresh_budget():
    group, effects = with_budget(Budget(acted=(NOW,) * 40, stood_down_at=NOW - 3600))

    note, action = effects
    assert note == Note(NoteKind.STOOD_UP, group.id.name)
    assert isinstance(action, CreateClones)
    assert group.ledger.budget.acted == (NOW,)


def test_a_stand_down_ends_by_the_operators_word():
    group, _ = busy_world(Budget(stood_down_at=NOW - 10))

    group, effects = happens(group, Resumed())

    assert [note.kind for note in effects] == [NoteKind.STOOD_UP]
    assert group.mode is Mode.ACTIVE
    assert happens(group, Resumed()) == (group, ())


def failing(times, policy=None, **ended):
    group, _ = make_world(50.0, policy=policy)
    notes: tuple[Note, ...] = ()
    for _ in range(times):
        ledger = evolve(group.ledger, actions=(creating(1),))
        group = evolve(group, ledger=ledger)
        group, notes = happens(group, ActionEnded(1, "refused", **ended))
    return group, [note.kind for note in notes]


def test_a_group_whose_actions_fail_in_a_row_stands_down():
    assert failing(4)[1] == []
    group, notes = failing(5)
    assert notes == [NoteKind.STOOD_DOWN]
    assert group.ledger.budget.stood_down_at == NOW


def test_an_action_that_never_began_is_no_failure_of_the_group():
    assert failing(5, has_begun=False)[1] == []


def test_a_group_that_only_observes_has_nothing_to_stand_down_from():
    assert failing(5, make_policy(mode=Mode.OBSERVE))[1] == []


def test_a_missing_clone_is_not_made_by_a_group_that_did_too_much():
    policy = make_policy(min_clones=1, max_clones=1)
    budget = Budget(mended=(NOW - 60,) * 41)
    group, view = make_world(50.0, policy=policy, ledger=Ledger(budget=budget))

    group, effects = happens(group, Informed(view))

    assert [note.kind for note in effects] == [NoteKind.STOOD_DOWN]
    assert group.decision.barred is Reason.BELOW_MIN


@pytest.mark.parametrize(
    ("policy", "word", "mode"),
    [
        (Mode.ACTIVE, Mode.OBSERVE, Mode.OBSERVE),
        (Mode.ACTIVE, None, Mode.ACTIVE),
        (Mode.OBSERVE, Mode.ACTIVE, Mode.OBSERVE),
        (Mode.OBSERVE, Mode.PAUSED, Mode.PAUSED),
    ],
)
def test_the_more_careful_word_counts(policy, word, mode):
    group, _ = make_world(50.0, policy=make_policy(mode=policy))

    group, effects = happens(group, ModeSet(word))

    assert (group.mode, effects) == (mode, ())


def test_a_paused_group_that_stood_down_stays_paused():
    group, _ = busy_world(Budget(stood_down_at=NOW), mode=Mode.PAUSED)

    assert group.mode is Mode.PAUSED


# A primary that is gone


def orphans(*states, **policy):
    wish = make_policy(on_primary_loss=OnPrimaryLoss.DESTROY_CLONES, **policy)
    return make_world(DEAD, *states, policy=wish)


def test_clones_of_a_lost_primary_go_one_by_one_where_that_is_wanted():
    group, view = orphans(50.0, 50.0)

    group, [action] = happens(group, Informed(view))

    assert (group.decision.outcome, action.reason) == (
        Outcome.DOWN,
        Reason.PRIMARY_LOST,
    )


def test_a_lost_primary_without_clones_is_waited_for():
    group, view = orphans()

    assert happens(group, Informed(view))[0].decision.reason is Reason.NO_PRIMARY


def test_old_answers_destroy_no_orphans():
    group, view = orphans(50.0)
    group, effects = happens(group, Ticked(evolve(view, rules=make_rules(NOW - 500))))

    assert (group.decision.reason, effects) == (Reason.NO_DATA, ())


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.PAUSED])
def test_only_an_active_group_destroys_orphans(mode):
    group, view = orphans(50.0, mode=mode)

    assert happens(group, Informed(view))[1] == ()
