"""Tests of the usage of a group over a minute."""

from autoscaler.core.decision import Load
from autoscaler.core.usage import Minute


def test_a_minute_is_the_mean_the_least_and_the_most_of_its_ticks():
    minute = Minute()
    for mean, capacity in ((30.0, 2), (None, 1), (60.0, 3)):
        minute = minute.with_tick(Load(mean_up=mean, capacity=capacity))

    assert (minute.mean, minute.least, minute.most) == (45.0, 30.0, 60.0)
    assert (minute.smallest, minute.largest) == (1, 3)


def test_a_minute_that_nobody_reported_in_has_no_mean():
    minute = Minute().with_tick(Load(capacity=2))

    assert (minute.mean, minute.least, minute.most) == (None, None, None)
    assert (minute.smallest, minute.largest) == (2, 2)


def test_a_minute_without_ticks_has_no_size():
    assert (Minute().mean, Minute().smallest, Minute().largest) == (None, 0, 0)
