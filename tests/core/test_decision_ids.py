"""Names of decisions: short, in order, never used twice."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.core.actions import CreateClones
from autoscaler.core.decision_ids import (
    EPOCH_S,
    name_decision,
    next_number,
    read_id,
    write_id,
)
from autoscaler.core.events import Note, NoteKind, Ticked
from autoscaler.core.group import Ticks
from autoscaler.core.numbers import fields
from autoscaler.core.step import step
from tests.core.builders import NOW, PRIMARY, make_world, rule

NUMBERS = st.integers(0, 32**8 - 1)
ID = "3tq7-k29x"


@pytest.mark.parametrize(
    ("number", "written"),
    [
        pytest.param(0, "0000-0000", id="the first"),
        pytest.param(31, "0000-000z", id="the last digit"),
        pytest.param(32**8, "10000-0000", id="after the year 2054"),
    ],
)
def test_a_number_is_written_as_eight_digits_at_least(number, written):
    assert write_id(number) == written
    assert read_id(written) == number


def test_an_id_is_a_time():
    assert write_id(next_number(0, EPOCH_S + 33)) == "0000-1078"


@given(NUMBERS)
def test_what_is_written_reads_back(number):
    assert read_id(write_id(number)) == number


@given(NUMBERS, NUMBERS)
def test_ids_sort_as_their_numbers_do(one, other):
    assert (write_id(one) < write_id(other)) == (one < other)


@pytest.mark.parametrize("text", ["", "3tq7k29x", "3TQ7-K29X", "3tq7-k29l", "-", "x"])
def test_what_is_no_id_is_refused(text):
    with pytest.raises(ValueError, match=r"no id|substring"):
        read_id(text)


@given(st.lists(st.floats(0, 4e9), max_size=20))
def test_no_number_comes_twice_however_the_clock_is_set(walls):
    numbers = [0]
    for wall in walls:
        numbers.append(next_number(numbers[-1], wall))

    assert numbers == sorted(set(numbers))


def test_what_follows_from_a_decision_is_called_as_it_is():
    before, view = make_world(95.0, ticks=Ticks(high=2))
    after, effects = step(before, Ticked(view), NOW)

    named, told = name_decision(before, after, effects, ID)

    assert named.decision is not None
    assert evolve(named.decision, id=None) == after.decision
    assert named.decision.id == ID
    [action] = told
    assert isinstance(action, CreateClones)
    assert action.decision_id == ID
    assert named.ledger.actions == (action,)


def test_a_promotion_says_by_which_decision():
    before, view = make_world(50.0)
    after, _ = step(before, Ticked(view), NOW)
    promoted, died = Note(NoteKind.PROMOTED, PRIMARY), Note(NoteKind.DIED, PRIMARY)

    _, told = name_decision(before, after, (promoted, died), ID)

    assert told == (evolve(promoted, evidence=(("decision_id", ID),)), died)


def test_where_nothing_was_decided_nothing_is_named():
    group, _ = make_world(50.0)

    assert name_decision(group, group, (), ID) == (group, ())


def test_a_line_begins_with_what_its_decision_is_called():
    group, view = make_world(50.0)
    decision = evolve(rule(group, view).decision, id=ID)

    assert next(iter(fields(decision).items())) == ("decision_id", ID)
    assert "decision_id" not in fields(evolve(decision, id=None))
