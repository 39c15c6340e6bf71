"""Instants as operators write them, in a zone half an hour off the hours."""

import time

import pytest

from autoscaler.shell.operators.times import format_time, parse_time

# 2026-03-01 14:30:05 in Kolkata.
WALL = 1_772_355_605.0


@pytest.fixture(autouse=True)
def zone(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "time"),
    [
        pytest.param("10m", "2026-03-01 14:20:05", id="so long ago"),
        pytest.param("14:30", "2026-03-01 14:30:00", id="today"),
        pytest.param("9:05", "2026-03-01 09:05:00", id="in the morning"),
        pytest.param("9:05:59", "2026-03-01 09:05:59", id="to the second"),
        pytest.param("14:31", "2026-02-28 14:31:00", id="yesterday"),
        pytest.param("2026-02-01", "2026-02-01 00:00:00", id="a day"),
        pytest.param("2026-02-01 10:00", "2026-02-01 10:00:00", id="day and time"),
        pytest.param("2026-02-01T10:00:01", "2026-02-01 10:00:01", id="ISO"),
        pytest.param("2026-02-01T10:00:00Z", "2026-02-01 15:30:00", id="in UTC"),
    ],
)
def test_a_time_is_read_as_it_is_written(text, time):
    assert format_time(parse_time(text, WALL)) == time


@pytest.mark.parametrize("text", ["", "soon", "25:00", "10", "2026-13-01", "9" * 99])
def test_what_is_no_time_is_told_with_what_is(text):
    with pytest.raises(ValueError, match="is not a time such as"):
        parse_time(text, WALL)
