"""When somebody is tried again, and when no more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.shell.notifying.schedule import (
    LEAST_JITTER,
    LONGEST_PAUSE_S,
    MOST_JITTER,
    MOST_TRIES,
    Failure,
    judge,
    pause_after,
)

LATER = Failure("no answer")


def test_pauses_double_up_to_five_minutes_and_then_it_is_given_up():
    pauses = [pause_after(tries, LATER, 1.0) for tries in range(1, MOST_TRIES + 1)]

    doubled = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0]
    assert pauses == [*doubled, 300.0, 300.0, None]


def test_what_is_final_is_not_tried_again():
    assert pause_after(1, Failure("refused", is_final=True), 1.0) is None


def test_whoever_asks_for_time_gets_it_but_not_for_ever():
    assert pause_after(1, Failure("busy", asked_s=30.0), 1.0) == 30.0
    assert pause_after(1, Failure("busy", asked_s=999_999.0), 1.0) == LONGEST_PAUSE_S
    assert pause_after(9, Failure("busy", asked_s=1.0), 1.0) == 256.0


@given(
    st.integers(1, MOST_TRIES - 1),
    st.floats(LEAST_JITTER, MOST_JITTER),
    st.none() | st.floats(0, 1e6),
)
def test_no_pause_is_nothing_and_none_is_much_longer_than_the_longest(
    tries, jitter, asked
):
    pause = pause_after(tries, Failure("x", asked_s=asked), jitter)

    assert pause is not None
    assert 0 < pause <= LONGEST_PAUSE_S * MOST_JITTER


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        pytest.param(200, None, id="ok"),
        pytest.param(204, None, id="no content"),
        pytest.param(
            302,
            Failure("it answers 302, and no redirects are followed", is_final=True),
            id="a redirect",
        ),
        pytest.param(404, Failure("it answers 404: x", is_final=True), id="not found"),
        pytest.param(429, Failure("it answers 429: x", asked_s=7.0), id="too many"),
        pytest.param(503, Failure("it answers 503: x", asked_s=7.0), id="unavailable"),
    ],
)
def test_an_answer_is_done_final_or_worth_another_try(status, failure):
    assert judge(status, "x", 7.0) == failure
