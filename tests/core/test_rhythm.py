"""Tests of the interval that a host never tells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.core.rhythm import Rhythm, beat

# The first of two frames; those before it are far enough away.
BEGAN = 1000.0


def after(*distances: float, rhythm: Rhythm | None = None) -> Rhythm:
    """Return the rhythm after *distances* of samplings one after another."""
    rhythm, at = rhythm or Rhythm(), BEGAN
    for distance in distances:
        at += distance
        rhythm = beat(rhythm, (distance,), at)
    return rhythm


def after_row(rhythm: Rhythm, *distances: float) -> Rhythm:
    """Return the rhythm after *distances* of one unikernel."""
    row: tuple[float, ...] = ()
    at = 2 * BEGAN
    for distance in distances:
        row, at = (*row[-3:], distance), at + distance
        rhythm = beat(rhythm, row, at)
    return rhythm


def after_sampling(
    rhythm: Rhythm, at: float, *distances: float, spread: float = 0.001
) -> Rhythm:
    """Return the rhythm after one sampling of as many unikernels at *at*."""
    for place, distance in enumerate(distances):
        rhythm = beat(rhythm, (distance,), at + place * spread)
    return rhythm


def test_three_distances_are_not_enough_for_an_interval():
    rhythm = after(10.0, 10.0, 10.0)

    assert rhythm.interval is None
    assert rhythm.reckoned == 10.0


def test_four_distances_of_different_unikernels_make_the_interval_known():
    rhythm = after_sampling(Rhythm(), BEGAN, 9.0, 10.0, 11.0, 30.0)

    assert rhythm.interval == 10.5


@pytest.mark.parametrize("unikernels", [1, 4, 5, 40, 100])
@pytest.mark.parametrize("late", [3.0, 5.0, 25.0])
def test_a_sampling_that_comes_late_is_one_whatever_it_tells_of(unikernels, late):
    """A hundred distances of 15 s, all of one stall, made 15 s the median."""
    rhythm = Rhythm()
    for sampling in range(1, 9):
        rhythm = after_sampling(rhythm, 10.0 * sampling, *[10.0] * unikernels)

    rhythm = after_sampling(rhythm, 90.0 + late, *[10.0 + late] * unikernels)
    assert rhythm.interval == 10.0
    rhythm = after_sampling(rhythm, 101.0 + late, *[11.0 - late] * unikernels)
    assert rhythm.interval == 10.0


def test_of_one_sampling_four_distances_count():
    rhythm = after_sampling(Rhythm(), BEGAN, *[10.0] * 7)
    assert rhythm.distances == (10.0,) * 4

    rhythm = after_sampling(rhythm, BEGAN + 8.0, *[8.0] * 7)
    assert rhythm.distances == (10.0,) * 4 + (8.0,) * 4


@pytest.mark.parametrize(
    ("spread", "counted"),
    [
        pytest.param(0.5, 4, id="within half of the interval"),
        pytest.param(2.5, 6, id="over all of it"),
    ],
)
def test_unikernels_that_are_read_apart_are_of_other_samplings(spread, counted):
    rhythm = after_sampling(Rhythm(), BEGAN, *[10.0] * 6, spread=spread)

    assert len(rhythm.distances) == counted


def test_many_unikernels_with_another_interval_are_followed_after_four():
    rhythm = Rhythm()
    for sampling in range(1, 20):
        rhythm = after_sampling(rhythm, 10.0 * sampling, *[10.0] * 50)
    for sampling in range(1, 5):
        assert rhythm.interval == 10.0
        for place in range(50):
            at = 190.0 + 5.0 * sampling + place / 1000
            rhythm = beat(rhythm, (5.0,) * sampling, at)

    assert rhythm.interval == 5.0


def test_the_interval_is_the_median_of_the_last_32_distances():
    rhythm = after(*[8.0] * 40, *[9.0] * 17, *[8.0] * 15)

    assert len(rhythm.distances) == 32
    assert rhythm.interval == 9.0


@pytest.mark.parametrize(
    ("distance", "counts"),
    [pytest.param(0.199, False, id="below"), pytest.param(0.2, True, id="at")],
)
def test_distances_below_a_fifth_of_a_second_tell_nothing(distance, counts):
    rhythm = after(1.0, 1.0, 1.0, distance)

    assert (rhythm.interval is not None) is counts


def test_a_remembered_interval_holds_until_four_new_distances_are_there():
    remembered = Rhythm(remembered=30.0)

    assert after(10.0, 10.0, 10.0, rhythm=remembered).interval == 30.0
    assert after(10.0, 10.0, 10.0, 10.0, rhythm=remembered).interval == 10.0


def test_a_configured_interval_wins_over_what_is_measured():
    rhythm = after(*[10.0] * 8, rhythm=Rhythm(configured=9.0))

    assert rhythm.interval == 9.0


@pytest.mark.parametrize(
    ("measured", "contradiction"),
    [
        pytest.param(11.9, None, id="19 % more"),
        pytest.param(12.0, 12.0, id="20 % more"),
        pytest.param(8.1, None, id="19 % less"),
        pytest.param(8.0, 8.0, id="20 % less"),
    ],
)
def test_a_median_20_percent_off_what_is_configured_is_a_contradiction(
    measured, contradiction
):
    rhythm = after(*[measured] * 4, rhythm=Rhythm(configured=10.0))

    assert rhythm.contradiction == contradiction


def test_nothing_contradicts_while_nothing_is_configured_or_measured():
    assert after(*[10.0] * 4).contradiction is None
    assert Rhythm(configured=10.0).contradiction is None


def test_four_regular_distances_of_one_unikernel_replace_all_history():
    rhythm = after_row(after(*[10.0] * 32), 5.0, 5.0, 5.0, 5.0)

    assert rhythm.distances == (5.0,) * 4
    assert rhythm.interval == 5.0


@pytest.mark.parametrize(
    "row",
    [
        pytest.param((5.0, 5.0, 5.0), id="only three"),
        pytest.param((5.0, 5.0, 5.0, 6.1), id="they disagree by more than 20 %"),
        pytest.param((12.5, 12.5, 12.5, 12.5), id="no more than a quarter longer"),
        pytest.param((7.5, 7.5, 7.5, 7.5), id="no more than a quarter shorter"),
        pytest.param((7.4, 7.4, 7.4, 7.6), id="one of them is near the median"),
        pytest.param((7.6, 7.4, 7.4, 7.4), id="the first is near the median"),
    ],
)
def test_history_stands_while_one_unikernel_is_not_regular_in_a_new_way(row):
    rhythm = after_row(after(*[10.0] * 20), *row)

    assert len(rhythm.distances) == 20 + len(row)
    assert rhythm.interval == 10.0


def test_a_row_with_a_bunch_in_it_is_not_regular():
    rhythm = beat(after(*[1.0] * 20), (0.19, 0.2, 0.2, 0.2), 2 * BEGAN)

    assert rhythm.interval == 1.0


@pytest.mark.parametrize("new", [7.4, 12.6], ids=["shorter", "longer"])
def test_distances_that_differ_by_more_than_a_quarter_replace_history(new):
    rhythm = after_row(after(*[10.0] * 32), new, new, new * 1.01, new)

    assert rhythm.interval == new


@given(st.lists(st.floats(0.2, 100), min_size=4, max_size=60))
def test_the_interval_lies_within_the_distances_it_is_made_of(distances):
    rhythm = after(*distances)

    assert rhythm.interval is not None
    assert min(rhythm.distances) <= rhythm.interval <= max(rhythm.distances)
