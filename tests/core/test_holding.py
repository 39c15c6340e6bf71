"""Who is held, joined or refused, and when a wake is asked for."""

import pytest
from attrs import evolve

from autoscaler.core.activation import Refusal, Speech
from autoscaler.core.holding import (
    CHECK_S,
    LOOK_AGAIN_S,
    TRY_AGAIN_S,
    Caller,
    Confirm,
    Hold,
    Holding,
    Join,
    Refuse,
    Scene,
    arrive,
    end,
    judge,
    leave,
    miss,
    take,
)
from tests.core.holdings import ONE, SETTINGS, THREE, TWO

NOW = 100.0
SPOKEN = Caller(NOW, has_spoken=True)
ASLEEP = Scene(NOW)


def chosen(holding, scene, times, *, ends=False):
    """Return whom *times* callers are joined to, one after another.

    Their sessions end before the next one comes, or not at all.
    """
    servers = []
    for _ in range(times):
        holding, _, verdict = judge(holding, Caller(scene.now), scene)
        assert isinstance(verdict, Join)
        servers.append(verdict.target.server)
        if ends:
            holding = end(holding, verdict.target.server)
    return servers


def held(verdict):
    """Return *verdict*, which has to be that it is held."""
    assert isinstance(verdict, Hold)
    return verdict


def test_who_comes_while_a_member_serves_is_joined_to_it_at_once():
    holding, caller = arrive(Holding(SETTINGS), NOW)

    holding, caller, verdict = judge(holding, caller, Scene(NOW, (ONE,)))

    assert verdict == Join(ONE, until=NOW + 2)
    assert holding.sessions == {"web-1": 1}
    assert holding.arrived == 1
    assert holding.held == 0
    assert holding.woken == 0


@pytest.mark.parametrize("ends", [True, False], ids=["short", "long"])
def test_members_are_taken_in_turn_by_sessions_short_and_long(ends):
    scene = Scene(NOW, (ONE, TWO, THREE))

    servers = chosen(Holding(SETTINGS), scene, 6, ends=ends)

    assert servers == ["web-1", "web-2", "web-3"] * 2


def test_the_member_with_the_fewest_sessions_is_taken_first():
    busy = Holding(SETTINGS, sessions={"web-1": 3, "web-2": 5})

    servers = chosen(busy, Scene(NOW, (ONE, TWO)), 2)

    assert servers == ["web-1", "web-1"]


def test_who_comes_while_nobody_serves_is_held_and_wakes_the_group():
    holding, caller, verdict = judge(Holding(SETTINGS), SPOKEN, ASLEEP)

    assert verdict == Hold(NOW + LOOK_AGAIN_S, wakes=True)
    assert caller.is_held
    assert (holding.held, holding.woken, holding.asked_at) == (1, 1, NOW)


def test_a_second_one_waits_for_the_same_wake():
    holding, _, _ = judge(Holding(SETTINGS), SPOKEN, ASLEEP)

    soon = Scene(NOW + 1)
    holding, _, verdict = judge(holding, Caller(NOW + 1, has_spoken=True), soon)

    assert not held(verdict).wakes
    assert (holding.held, holding.woken) == (2, 1)


def test_while_a_member_is_on_its_way_no_other_is_asked_for():
    holding, _, verdict = judge(Holding(SETTINGS), SPOKEN, Scene(NOW, is_waking=True))

    assert not held(verdict).wakes
    assert holding.asked_at is None


@pytest.mark.parametrize(
    ("later", "wakes"),
    [
        pytest.param(2.9, False, id="within the pause"),
        pytest.param(3.0, True, id="after it"),
    ],
)
def test_after_a_wake_that_failed_another_is_asked_for_with_a_pause(later, wakes):
    holding, _, _ = judge(Holding(SETTINGS), SPOKEN, ASLEEP)

    at = NOW + later
    _, _, verdict = judge(holding, Caller(at, has_spoken=True), Scene(at))

    assert held(verdict).wakes is wakes


def test_after_a_wake_that_led_to_a_member_the_next_one_has_no_pause():
    """Who came soon after a group fell asleep again was held for a second."""
    holding, caller, _ = judge(Holding(SETTINGS), SPOKEN, ASLEEP)
    holding, caller, _ = judge(holding, caller, Scene(NOW + 0.5, (ONE,)))
    holding = take(holding, caller)

    at = NOW + 1
    _, _, verdict = judge(holding, Caller(at, has_spoken=True), Scene(at))

    assert held(verdict).wakes


def test_those_that_are_still_held_ask_again_too():
    holding, caller, _ = judge(Holding(SETTINGS), SPOKEN, ASLEEP)

    holding, _, verdict = judge(holding, caller, Scene(NOW + 3))

    assert held(verdict).wakes
    assert (holding.held, holding.woken) == (1, 2)


@pytest.mark.parametrize(
    ("mode", "until"),
    [
        pytest.param(Speech.HTTP, NOW + LOOK_AGAIN_S, id="who wants something speaks"),
        pytest.param(Speech.TCP, NOW + CHECK_S, id="a check hangs up"),
    ],
)
def test_who_says_nothing_may_be_a_health_check_and_wakes_nobody(mode, until):
    holding = Holding(evolve(SETTINGS, mode=mode))

    holding, caller, verdict = judge(holding, Caller(NOW), ASLEEP)

    assert caller.is_held
    assert verdict == Hold(until, wakes=False)


@pytest.mark.parametrize(
    ("mode", "wakes"), [(Speech.HTTP, False), (Speech.TCP, True)], ids=str
)
def test_who_stays_without_a_word_wants_something_where_servers_speak_first(
    mode, wakes
):
    holding = Holding(evolve(SETTINGS, mode=mode))
    holding, caller, _ = judge(holding, Caller(NOW), ASLEEP)

    _, _, verdict = judge(holding, caller, Scene(NOW + CHECK_S))

    assert held(verdict).wakes is wakes


def test_a_health_check_is_confirmed_and_wakes_nobody():
    holding, caller, _ = judge(Holding(SETTINGS), Caller(NOW), ASLEEP)

    check = evolve(caller, has_spoken=True, is_check=True)
    holding, caller, verdict = judge(holding, check, ASLEEP)

    assert verdict == Confirm()
    assert not caller.is_held
    assert (holding.held, holding.checked, holding.woken) == (0, 1, 0)


def test_a_health_check_hears_of_the_end():
    ending = Holding(SETTINGS, is_ending=True)
    check = Caller(NOW, has_spoken=True, is_check=True)

    _, _, verdict = judge(ending, check, ASLEEP)

    assert verdict == Refuse(Refusal.ENDING)


def test_at_the_limit_the_next_one_is_refused():
    full = Holding(SETTINGS, held=2)

    holding, caller, verdict = judge(full, SPOKEN, ASLEEP)

    assert verdict == Refuse(Refusal.FULL)
    assert not caller.is_held
    assert (holding.held, holding.woken) == (2, 0)
    assert holding.refused == {Refusal.FULL: 1}


def test_at_the_limit_whoever_is_held_stays_so():
    full = Holding(SETTINGS, held=2, asked_at=NOW)

    holding, _, verdict = judge(full, evolve(SPOKEN, is_held=True), ASLEEP)

    assert isinstance(verdict, Hold)
    assert holding.held == 2


def test_nobody_is_held_for_longer_than_may_be():
    holding, caller, _ = judge(Holding(SETTINGS), SPOKEN, ASLEEP)

    _, _, nearly = judge(holding, caller, Scene(NOW + 9.5))
    holding, caller, verdict = judge(holding, caller, Scene(NOW + 10, (ONE,)))

    assert held(nearly).until == NOW + 10
    assert verdict == Refuse(Refusal.LATE)
    assert holding.held == 0
    assert holding.refused == {Refusal.LATE: 1}


def test_a_member_gets_no_more_time_than_its_client_has_left():
    caller = evolve(SPOKEN, is_held=True)

    _, _, verdict = judge(Holding(SETTINGS, held=1), caller, Scene(NOW + 9, (ONE,)))

    assert verdict == Join(ONE, until=NOW + 10)


def test_a_place_is_kept_until_a_member_has_taken_the_connection():
    caller = evolve(SPOKEN, is_held=True)

    connecting, caller, _ = judge(Holding(SETTINGS, held=1), caller, Scene(NOW, (ONE,)))
    taken = take(connecting, caller)

    assert (connecting.held, connecting.sessions) == (1, {"web-1": 1})
    assert (taken.held, taken.sessions, taken.joined) == (0, {"web-1": 1}, 1)


def test_another_member_is_tried_where_one_refuses():
    scene = Scene(NOW, (ONE, TWO))
    holding, caller, _ = judge(Holding(SETTINGS), SPOKEN, scene)

    holding, caller = miss(holding, caller, "web-1", NOW)
    holding, caller, verdict = judge(holding, caller, scene)

    assert verdict == Join(TWO, until=NOW + 2)
    assert holding.sessions == {"web-2": 1}
    assert holding.missed == 1


def test_when_all_have_refused_it_is_held_for_a_moment_and_wakes_nobody():
    scene = Scene(NOW, (ONE,))
    holding, caller, _ = judge(Holding(SETTINGS), SPOKEN, scene)

    holding, caller = miss(holding, caller, "web-1", NOW)
    holding, caller, verdict = judge(holding, caller, scene)
    later = evolve(scene, now=NOW + TRY_AGAIN_S)
    _, again, second = judge(holding, caller, later)

    assert verdict == Hold(NOW + TRY_AGAIN_S, wakes=False)
    assert isinstance(second, Join)
    assert again.refused_by == frozenset()


def test_a_later_refusal_does_not_put_off_the_next_try():
    caller = SPOKEN
    holding = Holding(SETTINGS, sessions={"web-1": 1, "web-2": 1})

    holding, caller = miss(holding, caller, "web-1", NOW)
    holding, caller = miss(holding, caller, "web-2", NOW + 0.1)

    assert caller.again_at == NOW + TRY_AGAIN_S
    assert caller.refused_by == {"web-1", "web-2"}
    assert holding.sessions == {}


def test_who_goes_away_frees_its_place():
    holding, caller, _ = judge(Holding(SETTINGS), SPOKEN, ASLEEP)

    holding = leave(holding, caller)

    assert (holding.held, holding.left) == (0, 1)


def test_sessions_are_counted_until_they_end():
    holding = Holding(SETTINGS, sessions={"web-1": 2, "web-2": 1})

    holding = end(end(holding, "web-1"), "web-2")

    assert holding.sessions == {"web-1": 1}


def test_at_the_end_who_is_held_is_sent_away_and_who_can_be_served_is_not():
    ending = Holding(SETTINGS, held=2, is_ending=True)
    caller = evolve(SPOKEN, is_held=True)

    _, _, served = judge(ending, caller, Scene(NOW, (ONE,)))
    holding, _, verdict = judge(ending, caller, ASLEEP)

    assert isinstance(served, Join)
    assert verdict == Refuse(Refusal.ENDING)
    assert holding.held == 1
