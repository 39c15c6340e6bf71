"""What a balancer tells becomes signals, and what is not known becomes none."""

from typing import Any

import pytest
from attrs import evolve

from autoscaler.core.backend import Backend, Duty, Health, Server
from autoscaler.core.demand import (
    NO_DEMAND,
    Demand,
    RequestPolicy,
    Signal,
    SignalKind,
    hear,
    patience,
    remember,
)

ALL = RequestPolicy(target_in_flight=3, target_rps=10, max_queue_ms=100)


def answer(at: float, ended: int = 0, **changes: Any) -> Backend:
    return evolve(Backend(at=at, epoch="first", ended=ended), **changes)


def heard(*answers: Backend | None, policy: RequestPolicy = ALL) -> Demand:
    """Return what is known after *answers*, each looked at when it came."""
    demand, now = NO_DEMAND, 100.0
    for each in answers:
        now = now + 1 if each is None else each.at
        demand = hear(demand, each, policy, now, 3.0)
    return demand


def servers(serving: int, **others: Server) -> dict[str, Server]:
    made = {
        f"web-{n}": Server(
            name=f"web-{n}",
            address="10.0.0.1",
            port=80,
            duty=Duty.READY,
            health=Health.PASSED,
        )
        for n in range(serving)
    }
    return made | others


def kinds(demand: Demand) -> list[SignalKind]:
    return [signal.kind for signal in demand.signals]


def test_what_is_in_flight_or_waits_is_told_at_once():
    demand = heard(answer(100, in_flight=5, queued=2))

    assert demand.signals[0] == Signal(SignalKind.IN_FLIGHT, 7.0, 3, 3)


def test_a_rate_takes_two_answers():
    once = heard(answer(100, 1000))
    twice = heard(answer(100, 1000), answer(102, 1045))

    assert SignalKind.RPS not in kinds(once)
    assert once.told_since is None
    assert twice.signals[1] == Signal(SignalKind.RPS, 22.5, 10, 3)
    assert twice.told_since == 102


def test_a_rate_that_is_not_asked_for_is_no_signal():
    policy = RequestPolicy(max_queue_ms=100)

    demand = heard(answer(100, 1000), answer(102, 1045), policy=policy)

    assert kinds(demand) == [SignalKind.QUEUE_MS]


def test_the_same_answer_again_tells_the_same():
    demand = heard(answer(100, 1000), answer(101, 1020))
    again = hear(demand, answer(101, 1020), ALL, 102.5, 3.0)

    assert again == demand


@pytest.mark.parametrize(
    "anew",
    [
        pytest.param(answer(102, 5000, epoch="second"), id="another epoch"),
        pytest.param(answer(102, 3), id="a counter that went down"),
    ],
)
def test_counters_that_began_anew_tell_nothing_until_the_next_answer(anew):
    policy = RequestPolicy(target_in_flight=3)
    before = heard(answer(100, 1000), answer(101, 1020), policy=policy)
    before = evolve(before, grew_at=99.0, peaks=((101.0, 4),))

    after = hear(before, anew, policy, 102, 3.0)
    again = hear(after, anew, policy, 103, 3.0)
    then = hear(again, evolve(anew, at=104.0, in_flight=1), policy, 104, 3.0)

    assert after == again == Demand(newest=anew, grew_at=99.0)
    assert (kinds(then), then.told_since) == ([SignalKind.IN_FLIGHT], 104)


@pytest.mark.parametrize(
    "silence", [None, answer(100, in_flight=9)], ids=["none", "an old one"]
)
def test_an_answer_that_is_missing_or_old_is_no_zero(silence):
    before = evolve(heard(answer(100), answer(101)), grew_at=99.0)

    after = hear(before, silence, ALL, 104, 3.0)

    assert after == Demand(grew_at=99.0)


def test_an_answer_is_old_after_three_polls():
    assert patience(10.0) == 30
    assert patience(0.1) == 3


def test_a_queue_calls_for_as_many_times_more_of_those_that_serve():
    backup = evolve(servers(1)["web-0"], name="activator", is_backup=True)
    ill = evolve(servers(1)["web-0"], name="ill", health=Health.FAILED)
    known = servers(2, activator=backup, ill=ill)

    demand = heard(answer(100, queued=1, queue_ms=250.0, servers=known))

    assert demand.signals[-1] == Signal(SignalKind.QUEUE_MS, 250.0, 100, 5)


def test_a_queue_where_nobody_serves_is_told_as_if_one_did():
    demand = heard(answer(100, queued=1, queue_ms=150.0))

    assert demand.signals[-1].wanted == 2


def test_the_mean_of_an_earlier_queue_is_none_where_nobody_waits():
    demand = heard(answer(100, queue_ms=250.0, servers=servers(4)))

    assert demand.signals[-1] == Signal(SignalKind.QUEUE_MS, 0.0, 100, 0)


def test_a_queue_whose_length_is_not_told_is_no_signal():
    demand = heard(answer(100), answer(101, queued=2))

    assert kinds(demand) == [SignalKind.IN_FLIGHT, SignalKind.RPS]
    assert demand.told_since is None


def test_only_peaks_are_remembered_and_not_for_longer_than_asked():
    demand = NO_DEMAND
    for at, wanted in enumerate((4, 9, 2, 6, 6, 1)):
        demand = remember(demand, wanted, float(at), 60.0)

    assert demand.peaks == ((1.0, 9), (4.0, 6), (5.0, 1))
    assert demand.lately(61.0, 60.0) == ((4.0, 6), (5.0, 1))
    assert remember(demand, 0, 64.0, 60.0).peaks == ((5.0, 1), (64.0, 0))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        pytest.param({}, "one of target_in_flight, target_rps and", id="no target"),
        pytest.param({"target_rps": 0}, "'target_rps' must be > 0", id="zero"),
        pytest.param({"cooldown_up": -1.0}, "cooldown_up must be 0 s", id="cooldown"),
        pytest.param({"max_step_up": 0}, "'max_step_up' must be >= 1", id="step"),
    ],
)
def test_a_policy_of_requests_can_not_be_senseless(wrong, sentence):
    values = {} if not wrong else {"target_in_flight": 3, **wrong}

    with pytest.raises(ValueError, match=sentence):
        RequestPolicy(**values)
