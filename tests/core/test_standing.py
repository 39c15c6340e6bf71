"""Tests of what each member counts as, and what they say together."""

from typing import Any

import pytest
from attrs import evolve

from autoscaler.core.decision import MemberClass
from autoscaler.core.group import Group, Member
from autoscaler.core.ledger import Ledger
from autoscaler.core.standing import assess, classify, silence
from autoscaler.core.track import Track
from autoscaler.core.view import View
from tests.core.builders import (
    NEIGHBOUR,
    NOW,
    PRIMARY,
    clone_name,
    creating,
    destroying,
    fresh_track,
    make_feed,
    make_moment,
    make_policy,
    make_world,
    replacing,
)

CLONE = clone_name(1)
Changes = dict[str, Any] | None


def counts_as(group: Group, view: View) -> MemberClass:
    return classify(group, group.clones[0], view, NOW)


def changed(
    *, member: Changes = None, track: Changes = None, feed: Changes = None
) -> tuple[Group, View]:
    """Return a group of a fresh primary and a clone that is changed so."""
    group, view = make_world(50.0, 50.0)
    clone = evolve(group.clones[0], **(member or {}))
    tracks = {**view.tracks, CLONE: evolve(view.tracks[CLONE], **(track or {}))}
    view = evolve(view, tracks=tracks, feed=evolve(view.feed, **(feed or {})))
    return evolve(group, clones=(clone,)), view


@pytest.mark.parametrize(
    "state",
    [c for c in MemberClass if c.value in {"given_up", "unknown", "warming", "stale"}],
)
def test_the_builders_make_what_they_say(state):
    assert counts_as(*make_world(50.0, state)) is state


@pytest.mark.parametrize(
    ("usage_at", "expected"),
    [
        pytest.param(NOW - 34.9, MemberClass.FRESH, id="young"),
        pytest.param(NOW - 35, MemberClass.STALE, id="3.5 intervals old"),
    ],
)
def test_a_usage_is_fresh_for_three_and_a_half_intervals(usage_at, expected):
    assert counts_as(*changed(track={"usage_at": usage_at})) is expected


@pytest.mark.parametrize(
    ("began", "expected"),
    [
        pytest.param(NOW - 29.9, MemberClass.WARMING, id="young"),
        pytest.param(NOW - 30, MemberClass.FRESH, id="old enough"),
    ],
)
@pytest.mark.parametrize("where", ["our create", "frames or info"])
def test_a_member_warms_up_after_its_create_or_its_start(where, began, expected):
    if where == "our create":
        group, view = changed(member={"created": began})
    else:
        group, view = changed(track={"began": began})

    assert counts_as(group, view) is expected


def test_the_later_of_create_and_restart_counts_for_the_warm_up():
    member, track = {"created": NOW - 500}, {"began": NOW - 10}

    assert counts_as(*changed(member=member, track=track)) is MemberClass.WARMING


@pytest.mark.parametrize(
    ("began", "expected"),
    [
        pytest.param(NOW - 35, MemberClass.UNKNOWN, id="for stale_after"),
        pytest.param(NOW - 35.1, MemberClass.STALE, id="not for longer"),
    ],
)
def test_a_new_member_without_a_usage_is_unknown_for_stale_after(began, expected):
    group, view = changed(
        member={"created": began, "usage": None},
        track={"usage_at": None, "usage": None},
    )

    assert counts_as(group, view) is expected


@pytest.mark.parametrize(
    ("up_since", "expected"),
    [
        pytest.param(NOW - 35, MemberClass.UNKNOWN, id="for stale_after"),
        pytest.param(NOW - 35.1, MemberClass.STALE, id="not for longer"),
    ],
)
def test_a_usage_of_an_earlier_stream_says_nothing(up_since, expected):
    group, view = changed(track={"usage_at": up_since - 1}, feed={"up_since": up_since})

    assert counts_as(group, view) is expected


def test_a_new_member_is_unknown_before_it_is_warming():
    group, view = changed(
        member={"created": NOW - 5, "usage": None}, track={"usage_at": None}
    )

    assert counts_as(group, view) is MemberClass.UNKNOWN


def test_a_usage_that_no_tick_has_taken_is_none_yet():
    """It counted for no pair since the tick before; only a bunch does that."""
    assert counts_as(*changed(member={"usage": None})) is MemberClass.UNKNOWN


def test_everybody_is_unknown_while_the_stream_is_down():
    assert counts_as(*changed(feed={"up_since": None})) is MemberClass.UNKNOWN


def silent_for(seconds: float, *, neighbour_at: float) -> tuple[Group, View]:
    group, view = changed(
        track={"heard": make_moment(NOW - seconds), "usage_at": NOW - seconds}
    )
    neighbour = fresh_track(at=neighbour_at)
    quiet = {NEIGHBOUR: neighbour, PRIMARY: fresh_track(at=NOW - 2000)}
    return group, evolve(view, tracks={**view.tracks, **quiet})


@pytest.mark.parametrize(
    ("seconds", "neighbour_at", "expected"),
    [
        pytest.param(900, NOW, MemberClass.STALE, id="not long enough"),
        pytest.param(900.1, NOW, MemberClass.GIVEN_UP, id="longer"),
        pytest.param(900.1, NOW - 35, MemberClass.GIVEN_UP, id="another reports"),
        pytest.param(900.1, NOW - 35.1, MemberClass.STALE, id="nobody reports"),
    ],
)
def test_a_listed_member_is_given_up_when_silent_for_death_timeout(
    seconds, neighbour_at, expected
):
    assert counts_as(*silent_for(seconds, neighbour_at=neighbour_at)) is expected


def test_a_member_that_is_not_listed_is_not_given_up():
    group, view = silent_for(2000, neighbour_at=NOW)
    assert view.listing is not None
    infos = {n: i for n, i in view.listing.infos.items() if n != CLONE}
    view = evolve(view, listing=evolve(view.listing, infos=infos))

    assert counts_as(group, view) is MemberClass.STALE


@pytest.mark.parametrize(
    ("restarts", "expected"),
    [
        pytest.param((NOW - 900, NOW - 9, NOW - 8), MemberClass.GIVEN_UP, id="three"),
        pytest.param((NOW - 9, NOW - 8), MemberClass.FRESH, id="two"),
        pytest.param((NOW - 901, NOW - 9, NOW - 8), MemberClass.FRESH, id="slow"),
    ],
)
def test_a_member_is_given_up_for_three_restarts_in_death_timeout(restarts, expected):
    assert counts_as(*changed(track={"restarts": restarts})) is expected


def test_silence_clocks_stand_still_while_the_stream_is_down():
    member = Member(name=CLONE, listening_since=50.0)
    group, view = changed(feed={"up_since": NOW - 10, "listened": 100.0})
    del group

    never_heard = evolve(view, tracks={})
    heard = evolve(view, tracks={CLONE: Track(heard=make_moment(9.0, listened=80.0))})

    assert silence(member, never_heard, NOW) == 60
    assert silence(member, heard, NOW) == 30
    down = evolve(heard, feed=evolve(view.feed, up_since=None))
    assert silence(member, down, NOW + 1000) == 20


def test_a_dead_member_is_dead_whatever_else_it_is():
    group, view = changed(member={"is_dead": True}, feed={"up_since": None})

    assert counts_as(group, view) is MemberClass.DEAD


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        pytest.param(destroying(1), MemberClass.DRAINING, id="destroyed"),
        pytest.param(destroying(2), MemberClass.FRESH, id="another is destroyed"),
        pytest.param(creating(2), MemberClass.FRESH, id="another is created"),
        pytest.param(replacing(2, 1), MemberClass.FRESH, id="serves until replaced"),
        pytest.param(
            evolve(replacing(2, 1), slots=()), MemberClass.DRAINING, id="replaced"
        ),
        pytest.param(
            replacing(2, 1, create_first=False), MemberClass.DRAINING, id="goes first"
        ),
        pytest.param(replacing(3, 2), MemberClass.FRESH, id="another is replaced"),
    ],
)
def test_a_member_is_draining_while_it_is_being_removed(action, expected):
    group, view = changed()
    group = evolve(group, ledger=Ledger(actions=(action,)))

    assert counts_as(group, view) is expected


def test_draining_comes_before_given_up():
    group, view = make_world(
        50.0, MemberClass.GIVEN_UP, ledger=Ledger(actions=(destroying(1),))
    )

    assert counts_as(group, view) is MemberClass.DRAINING


def test_reservations_are_members_and_count_as_busy_for_a_removal():
    group, view = make_world(20.0, 40.0, ledger=Ledger(actions=(creating(2, 3),)))

    load = assess(group, view, NOW)

    assert load.names(MemberClass.RESERVED) == (clone_name(2), clone_name(3))
    assert load.mean_up == 30.0
    assert load.mean_down == (20 + 40 + 100 + 100) / 4
    assert load.capacity == 4


@pytest.mark.parametrize(
    ("state", "mean_up", "mean_down", "capacity"),
    [
        pytest.param(50.0, 40.0, 40.0, 2, id="fresh"),
        pytest.param(MemberClass.STALE, 30.0, 65.0, 2, id="stale"),
        pytest.param(MemberClass.UNKNOWN, 30.0, 65.0, 2, id="unknown"),
        pytest.param(MemberClass.WARMING, 30.0, 65.0, 2, id="warming"),
        pytest.param(MemberClass.GIVEN_UP, 30.0, 30.0, 1, id="given up"),
    ],
)
def test_missing_is_neither_zero_load_nor_full_load(
    state, mean_up, mean_down, capacity
):
    group, view = make_world(30.0, state)

    load = assess(group, view, NOW)

    assert (load.mean_up, load.mean_down) == (mean_up, mean_down)
    assert load.capacity == capacity
    assert load.missing == ((CLONE,) if capacity == 2 and mean_down > 50 else ())


def test_a_draining_member_serves_nobody():
    group, view = make_world(30.0, 90.0, ledger=Ledger(actions=(destroying(1),)))

    load = assess(group, view, NOW)

    assert (load.mean_up, load.mean_down, load.capacity) == (30.0, 30.0, 1)


def test_there_is_never_a_mean_of_nothing():
    group, view = make_world(MemberClass.DEAD)

    load = assess(group, view, NOW)

    assert (load.mean_up, load.mean_down, load.is_conclusive) == (None, None, False)


@pytest.mark.parametrize(
    ("fresh", "silent", "quorum", "expected"),
    [
        pytest.param(0, 1, 0.5, False, id="0 of 1"),
        pytest.param(1, 0, 0.5, True, id="1 of 1"),
        pytest.param(1, 1, 0.5, True, id="1 of 2"),
        pytest.param(0, 2, 0.5, False, id="0 of 2"),
        pytest.param(1, 2, 0.5, False, id="1 of 3"),
        pytest.param(2, 1, 0.5, True, id="2 of 3"),
        pytest.param(3, 0, 0.5, True, id="3 of 3"),
        pytest.param(2, 2, 0.5, True, id="2 of 4"),
        pytest.param(1, 3, 0.5, False, id="1 of 4"),
        pytest.param(1, 2, 0.33, True, id="1 of 3 by a rounded third"),
        pytest.param(2, 1, 0.67, True, id="2 of 3 by a rounded up two thirds"),
        pytest.param(2, 1, 1.0, False, id="2 of 3 when all are needed"),
        pytest.param(1, 9, 0.01, True, id="one at least"),
        pytest.param(0, 9, 0.01, False, id="never by nobody"),
    ],
)
def test_a_quorum_is_a_share_of_those_that_should_report(
    fresh, silent, quorum, expected
):
    states = [50.0] * fresh + [MemberClass.STALE] * silent
    group, view = make_world(*states, policy=make_policy(quorum=quorum))

    assert assess(group, view, NOW).is_conclusive is expected


def test_warming_and_given_up_members_do_not_vote():
    group, view = make_world(
        50.0, *[MemberClass.WARMING] * 4, *[MemberClass.GIVEN_UP] * 4
    )

    load = assess(group, view, NOW)

    assert (load.quorum, load.is_conclusive) == (1, True)


def test_the_stale_limit_follows_the_interval():
    group, view = make_world(50.0, 50.0)
    view = evolve(view, feed=make_feed(0.2))

    assert counts_as(group, view) is MemberClass.STALE
