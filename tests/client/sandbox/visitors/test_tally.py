"""How requests ended, in numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albatross_client.sandbox.visitors.tally import (
    MEANINGS,
    Count,
    Outcome,
    Second,
    Tally,
    total,
)

ENDS = st.lists(
    st.tuples(st.sampled_from(Outcome), st.floats(1e-4, 60), st.booleans()),
    max_size=30,
)


def counted(ends):
    count = Count()
    for outcome, seconds, is_retried in ends:
        count.add(outcome, seconds, is_retried=is_retried)
    return count.take()


def answered(*seconds):
    return counted([(Outcome.ANSWERED, each, False) for each in seconds])


def test_answers_and_failures_are_told_apart():
    tally = counted(
        [
            (Outcome.ANSWERED, 0.1, True),
            (Outcome.RESET, 9.0, False),
            (Outcome.RESET, 9.0, True),
            (Outcome.TIMEOUT, 9.0, False),
        ]
    )

    assert (tally.requests, tally.answered, tally.failed) == (4, 1, 3)
    assert tally.failures == {Outcome.RESET: 2, Outcome.TIMEOUT: 1}
    assert tally.retried == 2
    assert tally.worst == 0.1


def test_percentiles_are_those_of_the_answers_to_a_twentieth():
    tally = answered(*[each / 1000 for each in range(1, 101)])

    assert tally.percentile(50) == pytest.approx(0.050, rel=0.06)
    assert tally.percentile(95) == pytest.approx(0.095, rel=0.06)
    assert tally.percentile(100) == 0.1


@given(st.floats(1e-4, 60))
def test_one_answer_is_every_percentile(seconds):
    assert answered(seconds).percentile(1) == pytest.approx(seconds, rel=0.06)
    assert answered(seconds).percentile(100) <= seconds


def test_an_answer_at_once_has_a_latency_too():
    assert answered(0.0).percentile(50) == 0.0


def test_without_an_answer_there_is_no_percentile():
    assert Tally().percentile(50) is None
    assert counted([(Outcome.REFUSED, 0.1, False)]).percentile(50) is None


@given(ENDS, ENDS)
def test_tallies_add_up(first, second):
    assert total([counted(first), counted(second)]) == counted(first + second)


@given(ENDS, st.integers(0), st.integers(0))
def test_a_second_is_read_as_it_was_written(ends, number, waiting):
    second = Second(number=number, tally=counted(ends), waiting=waiting)

    line = second.line()

    assert "\n" not in line
    assert Second.of_line(line) == second


def test_what_was_taken_is_not_counted_again():
    count = Count()
    count.add(Outcome.ANSWERED, 1.0, is_retried=True)
    first = count.take()

    assert first.requests == 1
    assert count.take() == Tally()


def test_every_outcome_has_a_meaning():
    assert set(MEANINGS) == set(Outcome)
