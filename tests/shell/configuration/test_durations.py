import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.shell.configuration.durations import (
    format_age,
    format_duration,
    parse_duration,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("10ms", 0.01, id="the shortest"),
        pytest.param("90ms", 0.09, id="milliseconds"),
        pytest.param("90s", 90, id="seconds"),
        pytest.param("10m", 600, id="minutes"),
        pytest.param("1.5h", 5400, id="a fraction"),
        pytest.param("7d", 604_800, id="days"),
        pytest.param("0s", 0, id="none at all"),
        pytest.param("0ms", 0, id="none in a small unit"),
        pytest.param("2 s", 2, id="a space before the unit"),
        pytest.param("3660d", 3660 * 86_400, id="the longest"),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("90", id="no unit"),
        pytest.param("s", id="no number"),
        pytest.param("-1s", id="negative"),
        pytest.param("+1s", id="a sign"),
        pytest.param(".5s", id="no digit before the point"),
        pytest.param("1.s", id="no digit after the point"),
        pytest.param("1e3s", id="an exponent"),
        pytest.param("1w", id="an unknown unit"),
        pytest.param("1S", id="a capital unit"),
        pytest.param("1h30m", id="two of them"),
        pytest.param(" 1s", id="a space before"),
        pytest.param("1s\n", id="a line end after"),
        pytest.param("\u0661s", id="another digit"),
        pytest.param("9ms", id="too short"),
        pytest.param("3661d", id="too long"),
        pytest.param("9" * 400 + "d", id="absurdly long"),
        pytest.param("nans", id="not a number"),
    ],
)
def test_anything_else_is_no_duration(text):
    with pytest.raises(ValueError, match="is not"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0, "0s", id="none"),
        pytest.param(-3, "0s", id="a clock that was stepped back"),
        pytest.param(8.4, "8s", id="seconds"),
        pytest.param(90, "1.5m", id="a few minutes"),
        pytest.param(597, "10m", id="nearly ten minutes"),
        pytest.param(5400, "1.5h", id="hours"),
        pytest.param(86_401, "1.0d", id="a day"),
        pytest.param(40 * 86_400, "40d", id="many days"),
    ],
)
def test_an_age_is_shown_with_two_digits_or_so(seconds, text):
    assert format_age(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0s"), (0.01, "0.01s"), (90.0, "90s"), (600.0, "10m"), (604_800.0, "7d")],
)
def test_a_duration_is_written_in_the_largest_unit_that_fits(seconds, text):
    assert format_duration(seconds) == text


@given(st.integers(10, 3660 * 86_400_000))
def test_a_duration_that_is_written_reads_back_as_it_was(milliseconds):
    seconds = milliseconds / 1000

    assert parse_duration(format_duration(seconds)) == seconds
