"""One CPU, many requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albatross_client.sandbox.web.turns import MOST_BEHIND_SECONDS, Turns


def played(arrivals, step=0.001):
    """Return (second done by number, seconds burned) of *arrivals*."""
    turns, now, burned = Turns(), 0.0, 0.0
    finished: dict[int, float] = {}
    waiting = list(enumerate(arrivals))
    while len(finished) < len(arrivals):
        while waiting and waiting[0][1][0] <= now:
            number, (_, seconds) = waiting.pop(0)
            turns.enter(number, seconds, now)
        done, piece = turns.advance(now)
        burned += piece
        finished.update(dict.fromkeys(done, now))
        if not piece:
            now += step
    return finished, burned


def test_an_idle_cpu_waits_for_ever():
    assert Turns().pause(0.0) is None
    assert Turns().advance(0.0) == ([], 0.0)


def test_a_request_keeps_the_cpu_for_as_long_as_it_takes():
    turns = Turns()
    turns.enter(1, 0.002, now=10.0)

    assert turns.pause(10.0) == 0
    assert turns.advance(10.0) == ([], 0.002)
    assert turns.pause(10.0) == pytest.approx(0.002)
    assert turns.advance(10.001) == ([], 0.0)
    assert turns.advance(10.003) == ([1], 0.0)
    assert turns.pause(10.003) is None


def test_a_request_that_takes_nothing_is_done_at_once():
    turns = Turns()
    turns.enter(1, 0.0, now=1.0)
    turns.enter(2, 0.0, now=1.0)

    assert turns.advance(1.0) == ([1, 2], 0.0)


def test_requests_wait_for_each_other():
    finished, _ = played([(0.0, 0.1), (0.0, 0.1), (0.0, 0.1)])

    assert [finished[number] for number in range(3)] == pytest.approx(
        [0.1, 0.2, 0.3], abs=0.002
    )


def test_a_long_request_is_burned_in_slices():
    turns = Turns()
    turns.enter(1, 0.05, now=0.0)

    pieces = [turns.advance(now)[1] for now in (0.0, 0.02, 0.04)]

    assert pieces == pytest.approx([0.02, 0.02, 0.01])
    assert turns.advance(0.051) == ([1], 0.0)


def test_who_slept_too_long_makes_up_for_a_little():
    turns = Turns()
    for number in range(100):
        turns.enter(number, 0.01, now=0.0)

    now, done = 5.0, 0
    while turns.pause(now) == 0:
        done += len(turns.advance(now)[0])

    assert done == round(MOST_BEHIND_SECONDS / 0.01)


@given(
    st.lists(
        st.tuples(st.floats(0, 0.5), st.floats(0, 0.1)), min_size=1, max_size=20
    ).map(sorted)
)
def test_all_is_burned_in_turn_and_nothing_done_before_its_time(arrivals):
    finished, burned = played(arrivals)

    assert burned == pytest.approx(sum(seconds for _, seconds in arrivals))
    assert list(finished) == list(range(len(arrivals)))
    for number, (at, seconds) in enumerate(arrivals):
        assert finished[number] >= at + seconds - 1e-9
