"""Times are read as leniently as hosts do, and written in one form."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given

from albatross_client.values import Timestamp
from albatross_client.wire.instants import read_time, rfc3339, write_time
from tests.client import strategies as some


def at(text, ms=0):
    return Timestamp.of(datetime.fromisoformat(text) + timedelta(milliseconds=ms))


@pytest.mark.parametrize(
    ("octets", "when"),
    [
        pytest.param(b"20260822101112Z", at("2026-08-22T10:11:12Z"), id="plain"),
        pytest.param(
            b"20260822101112.120Z", at("2026-08-22T10:11:12Z", ms=120), id="fraction"
        ),
        pytest.param(
            b"20260822101112.000Z", at("2026-08-22T10:11:12Z"), id="zero-fraction"
        ),
        pytest.param(
            b"20260822101112.5Z", at("2026-08-22T10:11:12Z", ms=5), id="one-digit"
        ),
        pytest.param(
            b"20260822101112.1234567Z",
            at("2026-08-22T10:11:12Z", ms=123),
            id="seven-digits",
        ),
        pytest.param(b"202608221011Z", at("2026-08-22T10:11:00Z"), id="no-seconds"),
        pytest.param(b"20260822101112", at("2026-08-22T10:11:12Z"), id="no-zone"),
        pytest.param(b"202608221011", at("2026-08-22T10:11:00Z"), id="neither"),
        pytest.param(
            b"20260822101112+0200", at("2026-08-22T08:11:12Z"), id="ahead-of-utc"
        ),
        pytest.param(
            b"20260822101112.5-0330", at("2026-08-22T13:41:12Z", ms=5), id="behind-utc"
        ),
        pytest.param(b"20161231235960Z", at("2017-01-01T00:00:00Z"), id="leap-second"),
        pytest.param(b"20240229000000Z", at("2024-02-29T00:00:00Z"), id="leap-day"),
        pytest.param(
            b"20000229000000Z", at("2000-02-29T00:00:00Z"), id="leap-day-of-2000"
        ),
        pytest.param(b"19691231235959.999Z", Timestamp(-1), id="before-1970"),
        pytest.param(b"00000101000000Z", Timestamp(-62_167_219_200_000), id="year-0"),
        pytest.param(
            b"99991231235959.999Z", Timestamp(253_402_300_799_999), id="year-9999"
        ),
    ],
)
def test_a_time_is_read(octets, when):
    assert read_time(octets) == when


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"20260822101112,5Z", id="comma"),
        pytest.param(b"20260822101112.Z", id="no-digits"),
        pytest.param(b"20260822101112.12345678Z", id="eight-digits"),
        pytest.param(b"202608221011.5Z", id="fraction-of-a-minute"),
        pytest.param(b"2026082210Z", id="no-minutes"),
        pytest.param(b"20260822101112z", id="lower-case-zone"),
        pytest.param(b"20260822101112+02", id="zone-without-minutes"),
        pytest.param(b"20260822101112Z\n", id="trailing-newline"),
        pytest.param(b" 0260822101112Z", id="leading-space"),
        pytest.param("\u0968\u0966260822101112Z".encode(), id="other-digits"),
        pytest.param(b"20261322101112Z", id="month-13"),
        pytest.param(b"20260022101112Z", id="month-0"),
        pytest.param(b"20260800101112Z", id="day-0"),
        pytest.param(b"20260431101112Z", id="april-31"),
        pytest.param(b"20230229101112Z", id="february-29"),
        pytest.param(b"19000229101112Z", id="february-29-of-1900"),
        pytest.param(b"20260822241112Z", id="hour-24"),
        pytest.param(b"20260822106012Z", id="minute-60"),
        pytest.param(b"20260822101161Z", id="second-61"),
        pytest.param(b"99991231235960Z", id="leap-second-into-year-10000"),
        pytest.param(b"99991231235959-0001", id="zone-into-year-10000"),
        pytest.param(b"00000101000000+0001", id="zone-into-year-minus-1"),
    ],
)
def test_what_is_no_time_is_refused(octets):
    with pytest.raises(ValueError, match=r"time|date|years"):
        read_time(octets)


@given(some.timestamps)
def test_a_time_comes_back_as_it_was_written(when):
    assert read_time(write_time(when)) == when


@given(some.timestamps.filter(lambda when: when.milliseconds > -62_135_596_800_000))
def test_the_calendar_is_that_of_the_standard_library(when):
    written = rfc3339(when)

    assert datetime.fromisoformat(written[:23] + "+00:00") == when.to_datetime()


def test_whole_seconds_are_written_without_a_fraction_and_others_with_three_digits():
    assert write_time(Timestamp(1000)) == b"19700101000001Z"
    assert write_time(Timestamp(1120)) == b"19700101000001.120Z"


def test_hosts_print_twelve_digits():
    assert rfc3339(Timestamp(1_005)) == "1970-01-01T00:00:01.005000000000Z"
