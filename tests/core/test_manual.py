"""Sizes that operators ask for by hand."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.core.actions import CreateClones, DestroyClone, asker
from autoscaler.core.budget import Budget
from autoscaler.core.decision import MemberClass, Outcome, Reason
from autoscaler.core.demand import RequestPolicy
from autoscaler.core.describe import explain
from autoscaler.core.events import ActionEnded, CloneCreated, ScaleAsked, Ticked
from autoscaler.core.group import Ticks, Watched
from autoscaler.core.ledger import Backoff, Ledger
from autoscaler.core.manual import decide_scale
from autoscaler.core.numbers import fields
from autoscaler.core.policy import Mode
from autoscaler.core.standing import assess
from tests.core.builders import (
    NOW,
    clone_name,
    creating,
    happens,
    make_managed,
    make_policy,
    make_rules,
    make_world,
    replacing,
)
from tests.core.policies import POLICIES

DEAD, GIVEN_UP = MemberClass.DEAD, MemberClass.GIVEN_UP


def world(*states, ledger=None, **policy):
    return make_world(*states, policy=make_policy(**policy), ledger=ledger)


def asked(group, view, clones):
    """Return the group after ann has asked for *clones*, and what begins."""
    return happens(group, ScaleAsked(view, clones, "ann"))


def answer(group, view, clones):
    event = ScaleAsked(view, clones, "ann")
    return decide_scale(group, event, assess(group, view, NOW), NOW).decision


def test_more_clones_are_made_whatever_the_load_and_the_cooldown():
    ledger = Ledger(changed_at=NOW - 1, next_number=2)
    group, view = world(5.0, 5.0, ledger=ledger)

    after, [action] = asked(group, view, 3)

    assert isinstance(action, CreateClones)
    assert [slot.name for slot in action.slots] == [clone_name(2), clone_name(3)]
    assert (action.reason, asker(action)) == (Reason.OPERATOR, "ann")
    assert after.ledger.actions == (action,)
    assert explain(after.decision) == "ann asks for 3 clones: create 2 clones"
    assert fields(after.decision)["by"] == "ann"


def test_fewer_are_left_given_up_ones_go_first():
    group, view = world(50.0, 10.0, GIVEN_UP, 80.0)

    after, actions = asked(group, view, 1)

    assert all(isinstance(action, DestroyClone) for action in actions)
    assert [a.victim for a in actions] == [clone_name(2), clone_name(1)]
    assert {asker(action) for action in actions} == {"ann"}
    assert len({action.id for action in actions}) == 2
    assert explain(after.decision).startswith("ann asks for 1 clone: destroy")


def test_members_of_a_managed_group_are_asked_for_likewise():
    group, view = make_managed(50.0)

    assert explain(asked(group, view, 2)[0].decision) == (
        "ann asks for 2 members: create 1 member"
    )


def test_only_as_many_as_fit_are_made():
    group, view = world(50.0)
    view = evolve(view, rules=make_rules(unikernels=4))

    assert answer(group, view, 5).count == 2


def test_its_end_starts_the_cooldown_and_spends_the_budget():
    group, view = world(5.0, scale_down_trigger_ticks=1)
    group, [action] = asked(group, view, 1)
    [slot] = action.slots
    group, _ = happens(group, CloneCreated(slot.name, NOW, 0.0))

    group, _ = happens(group, ActionEnded(action.id))

    assert group.ledger.changed_at == NOW
    assert group.ledger.budget.acted == (NOW,)
    assert group.ledger.budget.turns == ()


def test_who_asks_counts_for_no_replacement():
    assert asker(replacing(2, 1)) is None


@pytest.mark.parametrize(
    ("made", "clones", "reason"),
    [
        pytest.param(world(50.0), 10, Reason.AT_MAX, id="too many"),
        pytest.param(world(50.0, 50.0, min_clones=1), 0, Reason.AT_MIN, id="too few"),
        pytest.param(world(50.0, 50.0), 1, Reason.STEADY, id="just as many"),
        pytest.param(world(50.0, mode=Mode.PAUSED), 1, Reason.PAUSED, id="paused"),
        pytest.param(
            world(50.0, ledger=Ledger(actions=(creating(1),), next_number=2)),
            3,
            Reason.BUSY,
            id="an action is in flight",
        ),
        pytest.param(world(DEAD, 50.0), 3, Reason.ORPHANED, id="no primary"),
        pytest.param(
            world(50.0, ledger=Ledger(creating=Backoff(1, NOW - 1, 10.0))),
            3,
            Reason.BACKOFF,
            id="the last try failed",
        ),
        pytest.param(
            world(50.0, scale_up=False), 3, Reason.SWITCHED_OFF, id="switched off"
        ),
        pytest.param(
            world(50.0, ledger=Ledger(budget=Budget(stood_down_at=NOW - 1))),
            3,
            Reason.STOOD_DOWN,
            id="stood down",
        ),
    ],
)
def test_what_can_not_be_is_refused_and_leaves_no_trace(made, clones, reason):
    group, view = made

    assert answer(group, view, clones).reason is reason
    assert asked(group, view, clones) == (group, ())


def test_old_answers_of_the_host_are_no_ground_to_act_on():
    group, view = world(50.0)

    assert answer(group, evolve(view, rules=None), 1).reason is Reason.NO_DATA


def test_a_group_that_somebody_else_changes_is_not_made_smaller():
    group, view = world(50.0, 50.0)
    group = evolve(group, watched=Watched(signs=(NOW - 300, NOW - 100)))

    assert answer(group, view, 0).reason is Reason.CONTESTED
    assert answer(group, view, 2).acts


def test_a_group_that_is_only_observed_does_nothing():
    group, view = world(50.0, mode=Mode.OBSERVE)

    assert answer(group, view, 1).acts
    assert asked(group, view, 1) == (group, ())


def test_one_action_too_many_stands_the_group_down():
    ledger = Ledger(budget=Budget(acted=(NOW - 60,)), next_number=1)
    group, view = world(50.0, max_actions_per_hour=1, ledger=ledger)

    after, [note] = asked(group, view, 1)

    assert note.kind.value == "group_stood_down"
    assert after.decision.reason is Reason.STOOD_DOWN
    assert after.ledger.actions == ()


def test_a_stand_down_that_is_over_ends_with_it():
    ledger = Ledger(budget=Budget(stood_down_at=NOW - 3600), next_number=1)

    group, view = world(50.0, ledger=ledger)

    after, effects = asked(group, view, 1)

    assert [type(effect).__name__ for effect in effects] == ["Note", "CreateClones"]
    assert after.ledger.budget.stood_down_at is None


def test_after_it_the_load_decides_again():
    ticks = Ticks(low=4, last=NOW - 10, conclusive=NOW - 10)
    group, view = make_world(5.0, 5.0, policy=make_policy(), ticks=ticks)

    begun, _ = asked(group, view, 2)

    assert begun.ticks.low == 0
    assert happens(begun, Ticked(view))[0].decision.reason is Reason.BUSY


STATES = st.sampled_from(
    [5.0, 50.0, 99.0, MemberClass.STALE, MemberClass.WARMING, GIVEN_UP]
)


@given(
    states=st.lists(STATES, min_size=1, max_size=6),
    policy=POLICIES,
    clones=st.integers(0, 9),
    unikernels=st.sampled_from([2, 5, 100]),
    is_driven=st.booleans(),
)
def test_no_size_is_ever_beyond_the_bounds(
    states, policy, clones, unikernels, is_driven
):
    requests = RequestPolicy(target_in_flight=3) if is_driven else None
    group, view = make_world(*states, policy=evolve(policy, requests=requests))
    view = evolve(view, rules=make_rules(unikernels=unikernels))
    before = group.clones_and_slots

    after, effects = asked(group, view, clones)

    actions = [e for e in effects if isinstance(e, CreateClones | DestroyClone)]
    gone = sum(isinstance(action, DestroyClone) for action in actions)
    size = after.clones_and_slots - gone
    assert after.ledger.actions == tuple(actions)
    if actions:
        assert policy.min_clones <= size <= policy.max_clones
        assert min(before, clones) <= size <= max(before, clones)
        assert size != before
        assert after.decision is not None
        assert after.decision.outcome is (Outcome.DOWN if gone else Outcome.UP)
    else:
        assert size == before
