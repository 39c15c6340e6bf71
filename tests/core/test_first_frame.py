"""Clones behind a balancer that get work, and of which nobody hears."""

from attrs import evolve

from autoscaler.core.events import Informed, NoteKind
from autoscaler.core.track import Track
from tests.core.builders import (
    MANAGED,
    NOW,
    happens,
    listed,
    make_feed,
    make_listing,
    make_moment,
    make_rules,
)
from tests.core.served import make_served


def unheard(*, since, track=None, **changes):
    """Return a group whose second member was never heard *since*."""
    group, view = make_served(0, 0, **changes)
    name = MANAGED.clone(2)
    silent = evolve(group.clones[1], created=since, listening_since=since)
    tracks = {n: t for n, t in view.tracks.items() if n != name}
    if track is not None:
        tracks[name] = track
    group = evolve(group, clones=(group.clones[0], silent))
    return group, evolve(view, tracks=tracks)


def told(group, view, now=NOW):
    infos = listed(view)
    view = evolve(view, listing=make_listing(infos, now), rules=make_rules(now))
    group, effects = happens(group, Informed(view), now)
    kinds = [note.name for note in effects if note.kind is NoteKind.MISSED]
    return group, kinds


def test_a_first_frame_that_does_not_come_is_told_once():
    group, view = unheard(since=NOW - 61)

    group, names = told(group, view)
    assert names == [MANAGED.clone(2)]

    _, names = told(group, view, NOW + 60)
    assert names == []


def test_a_first_frame_has_as_long_as_a_boot():
    group, view = unheard(since=NOW - 59)

    assert told(group, view)[1] == []


def test_where_frames_are_rare_a_first_one_has_three_intervals():
    group, view = unheard(since=NOW - 170)

    assert told(group, evolve(view, feed=make_feed(interval=60.0)))[1] == []


def test_who_was_heard_once_is_not_missed():
    track = Track(heard=make_moment(NOW - 100))
    group, view = unheard(since=NOW - 200, track=track)

    assert told(group, view)[1] == []


def test_time_without_a_stream_does_not_count():
    group, view = unheard(since=NOW - 61)
    view = evolve(view, feed=make_feed(up_since=NOW - 50))

    assert told(group, view)[1] == []


def test_who_ran_before_the_daemon_is_not_missed():
    group, view = unheard(since=NOW - 200)
    old = evolve(group.clones[1], created=None)

    assert told(evolve(group, clones=(group.clones[0], old)), view)[1] == []


def test_without_a_balancer_a_create_waits_for_the_frame_itself():
    group, view = unheard(since=NOW - 200)
    group = evolve(group, policy=evolve(group.policy, serving=None))

    assert told(group, view)[1] == []
