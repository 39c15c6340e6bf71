"""Tests of instants that outlive the process."""

import pytest

from autoscaler.core.moments import Clocks, revive, stamp

BEFORE = Clocks(now=100.0, boot_id="a", boot=5000.0, wall=1_000_000.0)
KEPT = stamp(90.0, BEFORE)


def test_in_the_same_boot_the_boot_clock_counts():
    after = Clocks(now=7.0, boot_id="a", boot=5020.0, wall=9_000_000.0)

    assert revive(KEPT, after, 300) == 7 - 30


def test_after_another_boot_the_wall_clock_counts():
    after = Clocks(now=7.0, boot_id="b", boot=5.0, wall=1_000_040.0)

    assert revive(KEPT, after, 300) == 7 - 50


@pytest.mark.parametrize(
    ("wall", "age"),
    [
        pytest.param(0.0, 0.0, id="stepped back"),
        pytest.param(9_000_000.0, 300.0, id="stepped forward"),
    ],
)
def test_a_stepped_wall_clock_can_neither_pin_nor_skip_a_cooldown(wall, age):
    after = Clocks(now=7.0, boot_id="b", boot=5.0, wall=wall)

    assert revive(KEPT, after, 300) == 7 - age


def test_an_instant_is_what_it_was_when_no_time_has_passed():
    assert revive(KEPT, BEFORE, 300) == 90.0
