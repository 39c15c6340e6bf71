"""Tests of what a group can have done."""

import pytest
from attrs import evolve

from autoscaler.core.actions import names_of, victim_of, without_slot
from tests.core.builders import clone_name, creating, destroying, replacing


@pytest.mark.parametrize(
    ("action", "left"),
    [
        pytest.param(creating(1, 2), [2], id="one of two"),
        pytest.param(creating(2), [2], id="another"),
        pytest.param(replacing(1, 5), [], id="of a replacement"),
        pytest.param(destroying(1), [], id="a destroy makes none"),
    ],
)
def test_a_clone_that_is_made_is_no_longer_to_be_made(action, left):
    after = without_slot(action, clone_name(1))

    assert [slot.number for slot in after.slots] == left
    assert after.id == action.id


@pytest.mark.parametrize(
    ("action", "victim"),
    [
        pytest.param(creating(1), None, id="create"),
        pytest.param(destroying(1), clone_name(1), id="destroy"),
        pytest.param(replacing(2, 1), clone_name(1), id="replace"),
        pytest.param(evolve(replacing(2, 1), victim=None), None, id="already gone"),
    ],
)
def test_the_victim_is_the_clone_that_is_to_go(action, victim):
    assert victim_of(action) == victim


@pytest.mark.parametrize(
    ("action", "numbers"),
    [
        pytest.param(creating(1, 2), [1, 2], id="create"),
        pytest.param(destroying(1), [1], id="destroy"),
        pytest.param(replacing(2, 1), [2, 1], id="replace"),
    ],
)
def test_an_action_is_about_those_it_makes_and_the_one_that_goes(action, numbers):
    assert names_of(action) == tuple(map(clone_name, numbers))
