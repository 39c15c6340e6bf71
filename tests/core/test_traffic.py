"""Tests of packets: what is usual, and what is a collapse."""

import pytest

from autoscaler.core.traffic import NO_TRAFFIC, carry


def carried(*rates, interval=10.0, start=NO_TRAFFIC, at=0.0, packets=0):
    """Return the traffic after one interval at each of *rates*."""
    traffic = carry(start, at, packets)
    for rate in rates:
        at, packets = at + interval, packets + round(rate * interval)
        traffic = carry(traffic, at, packets)
    return traffic


def test_steady_packets_are_no_collapse():
    traffic = carried(*[100] * 30)

    assert traffic.mean == 100
    assert traffic.rate == 100
    assert traffic.collapsed_since is None


@pytest.mark.parametrize(
    ("rate", "has_collapsed"), [(0, True), (9, True), (10, False), (50, False)]
)
def test_less_than_a_tenth_of_the_mean_is_a_collapse(rate, has_collapsed):
    traffic = carried(*[100] * 30, rate)

    assert (traffic.collapsed_since is not None) == has_collapsed


def test_a_collapse_began_with_its_first_interval_and_stays_measured_by_what_was():
    traffic = carried(*[100] * 30, *[5] * 100)

    assert traffic.collapsed_since == 300
    assert traffic.mean == 100


def test_packets_that_return_end_a_collapse():
    traffic = carried(*[100] * 30, *[0] * 10, *[100] * 2)

    assert traffic.collapsed_since is None
    assert traffic.mean is None


def test_a_decline_over_minutes_is_no_collapse():
    rates = [1000 * 0.96**k for k in range(80)]

    traffic = carried(*[1000] * 60, *rates)

    assert traffic.collapsed_since is None


def test_so_few_packets_that_none_may_come_by_chance_tell_nothing():
    traffic = carried(*[0.9] * 30, 0)

    assert traffic.mean is None
    assert traffic.collapsed_since is None


def test_a_mean_over_four_intervals_is_none():
    assert carried(*[100] * 4, 0).collapsed_since is None
    assert carried(*[100] * 5, 0).collapsed_since == 50


def test_a_counter_that_went_down_begins_anew():
    traffic = carry(carried(*[100] * 30), 310.0, 5)

    assert traffic.marks == ((310.0, 5),)
    assert traffic.rate is None


def test_the_mean_looks_back_ten_minutes_and_not_further():
    traffic = carried(*[1000] * 60, *[100] * 70)

    assert traffic.mean == pytest.approx(100)
    assert len(traffic.marks) <= 12
