"""What decisions say of standbys."""

import pytest
from attrs import evolve

from autoscaler.core.decision import Decision, Reason
from autoscaler.core.deeds import describe_action
from autoscaler.core.describe import explain
from autoscaler.core.group import Ticks
from autoscaler.core.numbers import fields
from tests.core.builders import NOW, creating
from tests.core.standing_by import NO_POOL, make_pool, tick

HIGH = Ticks(high=9, last=NOW - 10, conclusive=NOW - 10)


def decided(*states: float, ticks: Ticks | None = None, **changes) -> Decision:
    group, view = make_pool(*states, **changes)
    if ticks is not None:
        group = evolve(group, ticks=ticks)
    group, _ = tick(group, view)
    decision: Decision = group.decision
    return decision


def test_the_numbers_of_standbys_are_told_where_there_are_to_be_any():
    numbers = fields(decided(99.0, 99.0, standbys=1, ticks=HIGH))

    assert numbers["promote"] == 1
    assert numbers["standbys"] == numbers["standbys_ready"] == 1
    assert numbers["standbys_wanted"] == 2
    assert "standbys" not in fields(decided(50.0, standbys=0, standby=NO_POOL))


def test_what_holds_standbys_is_told():
    held = decided(50.0, standbys=1, max_clones=2)

    assert fields(held)["standby_held"] == "at_max"
    assert explain(held).endswith("; 1 of 2 standbys could serve (at max)")


@pytest.mark.parametrize(
    ("step", "standbys", "what"),
    [
        pytest.param(1, 2, "promote 1 standby", id="promotions alone"),
        pytest.param(3, 2, "promote 2 standbys and create 1 member", id="both"),
        pytest.param(1, 0, "create 1 member", id="creates alone"),
    ],
)
def test_how_a_group_grows_is_said(step, standbys, what):
    grows = decided(99.0, 99.0, standbys=standbys, ticks=HIGH, scale_up_step=step)

    assert explain(grows).endswith(f": {what}")


def test_too_many_are_told_with_their_standbys():
    over = decided(50.0, standbys=2, max_clones=2)

    assert explain(over).startswith(
        "there is 1 member and 2 standbys, and at most 2 are wanted"
    )


def test_those_that_go_have_no_age_where_nothing_is_known_of_it():
    surplus = evolve(decided(50.0, standbys=3), age_s=None)

    assert surplus.reason is Reason.SURPLUS
    assert explain(surplus).startswith("there are 3 standbys, and 2 are wanted: ")


def test_an_action_says_that_it_is_about_standbys():
    action = evolve(creating(4), as_standby=True)

    assert describe_action(action) == "create user:web-clone-4 to stand by"


def test_how_many_have_a_new_image_counts_standbys():
    held = evolve(decided(50.0, standbys=2), outdated=1)

    assert held.rollout == (2, 3)
