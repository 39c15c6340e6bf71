"""How long nobody has asked for a group."""

import pytest
from attrs import evolve

from autoscaler.core.backend import Backend
from autoscaler.core.idle import IdlePolicy, Quiet, idle_for, listen

CALM = Backend(at=10.0, epoch="a", ended=7)


def heard(*backends):
    quiet = Quiet()
    for backend in backends:
        quiet = listen(quiet, backend)
    return quiet


def test_the_clock_begins_with_the_first_answer():
    assert heard(CALM).since == 10.0


def test_it_goes_on_while_nothing_ends():
    assert heard(CALM, evolve(CALM, at=20.0), evolve(CALM, at=30.0)).since == 10.0


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"ended": 8}, id="a request came and ended in between"),
        pytest.param({"epoch": "b"}, id="the balancer was restarted"),
    ],
)
def test_it_begins_anew_where_something_may_have_been_asked(change):
    assert heard(CALM, evolve(CALM, at=20.0, **change)).since == 20.0


@pytest.mark.parametrize("change", [{"in_flight": 1}, {"queued": 1}])
def test_who_is_asked_now_is_not_idle(change):
    busy = heard(CALM, evolve(CALM, at=20.0, **change))

    assert busy.since is None
    assert listen(busy, evolve(CALM, at=30.0)).since == 30.0


def test_a_silent_balancer_is_no_idleness():
    assert heard(CALM, None) == Quiet()
    assert heard(CALM, None, evolve(CALM, at=60.0)).since == 60.0


@pytest.mark.parametrize(
    ("since", "ready_at", "expected"),
    [
        pytest.param(10.0, 0.0, 90.0, id="since the last request"),
        pytest.param(10.0, 60.0, 40.0, id="since somebody could be asked"),
        pytest.param(None, 60.0, None, id="somebody asks"),
        pytest.param(10.0, None, None, id="nobody can be asked"),
        pytest.param(10.0, 101.0, 0.0, id="ready in this very moment"),
    ],
)
def test_idleness_counts_from_when_somebody_could_be_asked(since, ready_at, expected):
    assert idle_for(Quiet(since, 7, "a"), ready_at, 100.0) == expected


def test_zero_does_not_come_before_the_least():
    with pytest.raises(ValueError, match="must not be shorter than"):
        IdlePolicy(idle_to_min=60.0, idle_to_zero=30.0)
