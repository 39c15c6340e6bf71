"""Tests of what is known of a host, and how old that is."""

import pytest
from attrs import evolve

from autoscaler.core.rhythm import Rhythm
from autoscaler.core.view import Feed, Listing, Rules, View, closed, opened, stall_limit
from tests.core.builders import (
    DOMAIN,
    NOW,
    PRIMARY,
    make_feed,
    make_info,
    make_listing,
    make_rhythm,
    make_rules,
)


def test_the_listening_clock_stands_still_while_the_stream_is_down():
    feed = closed(opened(Feed(), 100), 130)

    assert feed.listened_by(1000) == 30
    assert opened(feed, 1000).listened_by(1005) == 35


def test_every_subscription_has_a_number_of_its_own():
    first = opened(Feed(), 0)
    second = opened(first, 50)

    assert (first.stream, second.stream) == (1, 2)
    assert (second.up_since, second.listened) == (50, 50)


def test_a_stream_that_was_closed_twice_listened_only_once():
    assert closed(closed(opened(Feed(), 0), 10), 20).listened == 10


def test_stale_means_three_and_a_half_intervals_of_ten_seconds_unless_known():
    assert Feed().stale_after == 35.0
    assert make_feed(2.0).stale_after == 7.0


def test_the_rhythm_is_kept_over_a_reconnect():
    feed = make_feed(4.0)

    assert opened(closed(feed, 10), 20).rhythm == feed.rhythm


@pytest.mark.parametrize(
    ("interval", "longest", "limit"),
    [
        pytest.param(10.0, None, 200.0, id="no two frames of one unikernel yet"),
        pytest.param(1.0, 1.0, 30.0, id="at least half a minute"),
        pytest.param(10.0, 10.0, 30.0, id="three intervals"),
        pytest.param(10.0, 40.0, 120.0, id="three of the longest distances"),
        pytest.param(60.0, 10.0, 180.0, id="the interval is longer"),
    ],
)
def test_a_stream_has_stalled_after_three_intervals_or_distances(
    interval, longest, limit
):
    feed = Feed(rhythm=make_rhythm(interval))

    assert stall_limit(feed, longest) == limit


def test_a_stream_of_unknown_interval_is_reckoned_with_ten_seconds():
    assert stall_limit(Feed(rhythm=Rhythm()), 2.0) == 30.0


@pytest.mark.parametrize(
    ("rhythm", "limit"),
    [
        pytest.param(Rhythm(), 200.0, id="not known"),
        pytest.param(Rhythm(remembered=10.0), 200.0, id="often"),
        pytest.param(Rhythm(remembered=100.0), 300.0, id="seldom, as remembered"),
        pytest.param(Rhythm(configured=300.0), 900.0, id="seldom, as configured"),
    ],
)
def test_the_first_two_frames_are_waited_for_as_long_as_they_take(rhythm, limit):
    """Of a frame in five minutes there were never two: it was begun anew."""
    assert stall_limit(Feed(rhythm=rhythm), None) == limit


def test_nothing_is_listed_before_the_first_answer():
    view = View(feed=Feed(), tracks={})

    assert not view.lists(PRIMARY)
    assert view.info(PRIMARY) is None


def test_what_the_newest_answer_shows_is_listed():
    info = make_info()
    view = View(feed=Feed(), tracks={}, listing=make_listing({PRIMARY: info}))

    assert view.lists(PRIMARY)
    assert view.info(PRIMARY) == info
    assert not view.lists(DOMAIN)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, True, id="both young"),
        pytest.param({"listing": None}, False, id="no info"),
        pytest.param({"rules": None}, False, id="no policies"),
        pytest.param(
            {"listing": Listing({}, NOW - 120, NOW - 119.9)}, True, id="info young"
        ),
        pytest.param(
            {"listing": Listing({}, NOW - 121, NOW - 120)}, False, id="info old"
        ),
        pytest.param({"rules": Rules({}, NOW - 119.9)}, True, id="policies young"),
        pytest.param({"rules": Rules({}, NOW - 120)}, False, id="policies old"),
        pytest.param(
            {"rules": Rules({}, NOW - 120), "reconcile_interval": 90.0},
            True,
            id="a longer reconcile_interval",
        ),
    ],
)
def test_answers_are_current_for_two_reconcile_intervals(changes, expected):
    view = View(feed=Feed(), tracks={}, listing=make_listing({}), rules=make_rules())

    assert evolve(view, **changes).is_current(NOW) is expected
