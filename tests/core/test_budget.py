"""Tests of budgets: what is too much, and what doesn't count."""

import pytest
from attrs import evolve

from autoscaler.core.budget import Budget, account, failing, find_excess, spend
from autoscaler.core.decision import Reason
from tests.core.builders import creating, destroying, make_policy, replacing

POLICY = make_policy(
    max_clones=3,
    max_actions_per_hour=4,
    max_reversals_per_6h=3,
    max_failures_in_row=2,
)
HIGH, LOW = Reason.HIGH, Reason.LOW


def spent(*reasons, every=60.0):
    budget = Budget()
    for place, reason in enumerate(reasons):
        budget = spend(budget, POLICY, reason, place * every)
    return budget


def excess(budget, reason, now):
    found = find_excess(budget, POLICY, reason, now)
    return found and (found.what, found.count, found.limit)


def test_more_actions_than_an_hour_may_have_are_too_many():
    budget = spent(HIGH, HIGH, HIGH)

    assert excess(budget, HIGH, 200) is None
    assert excess(spent(*[HIGH] * 4), HIGH, 300) == ("max_actions_per_hour", 4, 4)


def test_actions_older_than_an_hour_no_longer_count():
    assert excess(spent(*[HIGH] * 4), HIGH, 3600) is None


def test_clones_that_are_missing_are_made_again_once_without_a_count():
    below = Reason.BELOW_MIN

    assert excess(spent(*[below] * 6), below, 400) is None
    assert excess(spent(*[below] * 7), below, 500) == ("max_actions_per_hour", 4, 4)


def test_of_actions_that_mend_no_more_is_remembered_than_can_matter():
    assert len(spent(*[Reason.ABOVE_MAX] * 50, every=1.0).mended) == 7


@pytest.mark.parametrize("reason", [Reason.ROLLOUT, Reason.PRIMARY_LOST])
def test_what_ends_by_itself_counts_for_nothing(reason):
    budget = spent(*[reason] * 50, every=1.0)

    assert budget == Budget()
    assert excess(spent(*[HIGH] * 4), reason, 300) is None


def test_turns_between_growing_and_shrinking_are_counted_over_six_hours():
    turning = spent(HIGH, LOW, HIGH, LOW, every=1800.0)

    assert len(turning.turns) == 3
    assert excess(turning, HIGH, 6000) == ("max_reversals_per_6h", 3, 3)
    assert excess(turning, LOW, 6000) is None
    assert excess(turning, HIGH, 1800 + 6 * 3600) is None


def test_a_replacement_between_is_no_turn():
    budget = spent(HIGH, Reason.GIVEN_UP, Reason.ROLLOUT, Reason.BELOW_MIN, HIGH)

    assert budget.turns == ()


def test_failures_count_in_a_row():
    once = account(Budget(), creating(1), has_failed=True)
    twice = account(once, destroying(1), has_failed=True)

    assert failing(once, POLICY) is None
    assert failing(twice, POLICY) is not None
    assert account(twice, creating(1), has_failed=False).failures == 0


def test_a_limit_that_was_lowered_below_the_failures_holds_at_once():
    assert excess(Budget(failures=2), HIGH, 0.0) == ("max_failures_in_row", 2, 2)
    assert excess(Budget(failures=1), HIGH, 0.0) is None


def test_a_new_image_that_fails_is_no_failure_of_the_group():
    rollout = evolve(replacing(2, 1), reason=Reason.ROLLOUT)

    assert account(Budget(failures=1), rollout, has_failed=True).failures == 1
