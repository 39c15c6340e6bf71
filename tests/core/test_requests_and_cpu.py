"""The CPU as one of the signals of a group that requests drive."""

import pytest
from attrs import evolve

from autoscaler.core.decision import Outcome, Reason
from autoscaler.core.demand import (
    NO_DEMAND,
    Signal,
    SignalKind,
)
from autoscaler.core.ledger import Ledger
from tests.core.builders import (
    NOW,
    State,
    creating,
)
from tests.core.requesting import BUSY, IDLE, called, ruled, world

# The CPU as one of the signals


def counting(*states: State, high: int = 0, low: int = 0, **more: object):
    group, view = world(*states, **more)  # type: ignore[arg-type]
    return evolve(group, ticks=evolve(group.ticks, high=high, low=low)), view


@pytest.mark.parametrize("demand", [NO_DEMAND, called(1)], ids=["silent", "told"])
def test_a_cpu_that_is_busy_for_long_calls_for_one_more(demand):
    made = counting(BUSY, BUSY, high=2, demand=demand)

    decision = ruled(*made, has_usage=True).decision

    assert (decision.outcome, decision.count) == (Outcome.UP, 1)
    assert decision.signal == Signal(SignalKind.CPU, BUSY, 90.0, 3)


def test_a_busy_cpu_at_the_most_is_at_max():
    made = counting(BUSY, BUSY, high=2, demand=called(1), max_clones=1)

    assert ruled(*made, has_usage=True).decision.reason is Reason.AT_MAX


def test_ticks_without_a_new_usage_count_nothing():
    group, view = counting(BUSY, BUSY, high=2, demand=called(1))

    ruling = ruled(group, view, has_usage=False)

    assert ruling.decision.reason is Reason.WOULD_FLAP
    assert (ruling.ticks.high, ruling.ticks.conclusive) == (2, NOW - 10)


def test_ticks_while_members_come_count_nothing():
    ledger = Ledger(actions=(creating(2),), next_number=3, next_action=2)
    group, view = counting(BUSY, BUSY, high=2, demand=called(1), ledger=ledger)

    ruling = ruled(group, view, has_usage=True)

    assert (ruling.decision.outcome, ruling.ticks.high) == (Outcome.HOLD, 2)


def test_the_one_to_spare_goes_when_the_cpu_is_idle_too():
    idle = counting(IDLE, IDLE, IDLE, low=4, demand=called(2))
    busy = counting(50.0, 50.0, 50.0, low=4, demand=called(2))

    decision = ruled(*idle, has_usage=True).decision

    assert (decision.outcome, decision.wanted) == (Outcome.DOWN, 2)
    assert decision.signals[-1] == Signal(SignalKind.CPU, IDLE, 40.0, 2)
    assert ruled(*busy, has_usage=True).decision.reason is Reason.STEADY


def test_an_idle_cpu_alone_removes_nobody():
    silent = counting(IDLE, IDLE, IDLE, low=4)
    wanted = counting(IDLE, IDLE, IDLE, low=4, demand=called(3))

    assert ruled(*silent, has_usage=True).decision.reason is Reason.NO_SIGNAL
    assert ruled(*wanted, has_usage=True).decision.reason is Reason.STEADY


def test_what_the_cpu_called_for_is_remembered_like_the_rest():
    ticks = ruled(*world(*[85.0] * 4, demand=called(2))).ticks

    assert ticks.demand.peaks == ((NOW, 4),)
