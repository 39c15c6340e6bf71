"""Members of managed groups are replaced: for an image, or given up."""

import pytest
from attrs import evolve

from autoscaler.core.decide import decide_bounds
from autoscaler.core.decision import MemberClass, Outcome, Reason
from autoscaler.core.describe import explain
from autoscaler.core.events import (
    Informed,
    Note,
    NoteKind,
    Redrawn,
    Ticked,
)
from autoscaler.core.ledger import Backoff, Ledger
from autoscaler.core.observe import observe
from autoscaler.core.standing import assess
from tests.core.builders import (
    NOW,
    OTHER_IMAGE,
    happens,
    make_managed,
    make_policy,
    make_rules,
    make_template,
    rule,
)
from tests.core.managing import GIVEN_UP, named, outcome

# A new image


def test_another_image_replaces_members_one_by_one():
    group, view = make_managed(60.0, 60.0)
    group, _ = happens(group, Redrawn(make_template(digest=OTHER_IMAGE)))
    group, _ = observe(group, view, NOW)

    decision = rule(group, view).decision

    assert (decision.outcome, decision.reason) == (Outcome.REPLACE, Reason.ROLLOUT)
    assert decision.victim == named(1)
    assert decision.rollout == (0, 2)
    assert "there is a new image" in explain(decision)
    assert explain(decision).endswith("0 of 2 members have the new image")


def test_a_group_of_one_at_most_is_replaced_where_it_stands():
    group, view = make_managed(60.0, policy=make_policy(max_clones=1))
    group, _ = happens(group, Redrawn(make_template(digest=OTHER_IMAGE)))
    group, _ = observe(group, view, NOW)

    _, [action] = happens(group, Ticked(view))

    assert action.reason is Reason.ROLLOUT
    assert not action.create_first


def test_an_image_that_failed_is_not_tried_where_nothing_would_be_left():
    failed = Backoff(1, NOW - 100, 10.0, OTHER_IMAGE)
    ledger = Ledger(next_number=2, rolling=failed)
    policy = make_policy(max_clones=1)
    group, view = make_managed(60.0, policy=policy, ledger=ledger)
    group, _ = happens(group, Redrawn(make_template(digest=OTHER_IMAGE)))
    group, _ = observe(group, view, NOW)

    decision = rule(group, view).decision

    assert decision.reason is Reason.IMAGE_UNHEALTHY
    assert "the last member of the new image failed" in explain(decision)


def test_a_back_off_holds_for_the_image_that_failed_and_for_no_other():
    ledger = Ledger(creating=Backoff(1, NOW - 1, 10.0, OTHER_IMAGE))
    group, view = make_managed(policy=make_policy(min_clones=1), ledger=ledger)

    assert outcome(group, view) == (Outcome.UP, Reason.BELOW_MIN)
    group, _ = happens(group, Redrawn(make_template(digest=OTHER_IMAGE)))
    assert outcome(group, view) == (Outcome.HOLD, Reason.BACKOFF)


# Nobody left to report


def test_a_group_of_which_all_are_given_up_gets_one_new_member_without_data():
    group, view = make_managed(GIVEN_UP)

    _, effects = happens(group, Informed(view))

    note, action = effects
    assert note == Note(NoteKind.GAVE_UP, named(1))
    assert (action.reason, action.victim) == (Reason.GIVEN_UP, named(1))
    assert [slot.name for slot in action.slots] == [named(2)]


def test_a_group_of_which_all_are_given_up_waits_between_replacements():
    ledger = Ledger(next_number=2, replacing=Backoff(1, NOW - 1, 10.0))
    group, view = make_managed(GIVEN_UP, ledger=ledger)

    group, effects = happens(group, Informed(view))
    group, again = happens(group, Informed(view), NOW + 1)

    assert effects == (Note(NoteKind.GAVE_UP, named(1)),)
    assert again == ()
    assert group.decision.reason is Reason.NO_DATA
    assert group.decision.replacement_held is Reason.BACKOFF


@pytest.mark.parametrize(
    "states", [(GIVEN_UP, 50.0), (GIVEN_UP, MemberClass.UNKNOWN)], ids=["heard", "new"]
)
def test_while_somebody_may_report_the_usual_rules_are_enough(states):
    group, view = make_managed(*states)

    bounds = decide_bounds(group, view, assess(group, view, NOW), NOW)

    assert bounds is None or bounds.decision.reason is Reason.NO_DATA


def test_nobody_is_replaced_by_old_answers():
    group, view = make_managed(GIVEN_UP)
    view = evolve(view, rules=make_rules(NOW - 1000))

    assert outcome(group, view) == (Outcome.HOLD, Reason.NO_DATA)
