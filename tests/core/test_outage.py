"""Tests of which members of a host were lost lately."""

from attrs import evolve

from autoscaler.core.outage import find_lost
from autoscaler.core.track import Track
from tests.core.builders import (
    NOW,
    PRIMARY,
    clone_name,
    fresh_track,
    make_feed,
    make_moment,
    make_world,
)

CLONE = clone_name(1)


def lost(track, **changes):
    _, view = make_world(50.0, 50.0)
    view = evolve(view, tracks={**view.tracks, CLONE: track}, **changes)
    return find_lost(view, (PRIMARY, CLONE, clone_name(9)), NOW)


def test_who_is_heard_and_goes_on_is_not_lost():
    assert lost(fresh_track()) == ()


def test_each_restart_is_a_loss():
    track = evolve(fresh_track(), restarts=(NOW - 50, NOW - 90))

    assert lost(track) == ((CLONE, NOW - 90), (CLONE, NOW - 50))


def test_who_fell_silent_was_lost_with_the_last_frame():
    track = Track(heard=make_moment(NOW - 36))

    assert lost(track) == ((CLONE, NOW - 36),)
    assert lost(Track(heard=make_moment(NOW - 35))) == ()


def test_nobody_is_silent_while_nobody_listens():
    track = Track(heard=make_moment(NOW - 36))

    assert lost(track, feed=evolve(make_feed(), up_since=None, listened=NOW - 20)) == ()
