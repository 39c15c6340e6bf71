"""Tests of when a group is looked at, and with which usage."""

import pytest
from attrs import evolve

from autoscaler.core.group import Group, Member, Ticks
from autoscaler.core.ticking import is_usage_due, next_tick, take_usage
from autoscaler.core.track import Track
from autoscaler.core.view import View
from tests.core.builders import (
    GROUP,
    NEIGHBOUR,
    PRIMARY,
    SECOND_US,
    clone_name,
    make_feed,
    make_info,
    make_moment,
    make_policy,
    make_rhythm,
    make_sample,
    make_view,
    primary_of,
)

# The last tick was at 1000.5; the next frames are due at 1010.
LAST = 1000.5


def heard(at: float, *, span_s: float = 20.0) -> Track:
    """Return a member whose last frame came at *at* and counted."""
    return Track(
        sample=make_sample(),
        heard=make_moment(at),
        cpu_us=round(span_s * SECOND_US / 2),
        span_s=span_s,
        usage_at=at,
        usage=50.0,
    )


def two_members(
    primary: Track,
    clone: Track,
    *,
    poll: float = 10.0,
    last: float | None = LAST,
    interval: float = 10.0,
) -> tuple[Group, View]:
    """Return a group that has taken 10 s of each of its two members."""
    names = [PRIMARY, clone_name(1)]
    members = [
        Member(name=name, number=k or None, usage=50.0, taken_span_s=10, taken_cpu_us=1)
        for k, name in enumerate(names)
    ]
    group = Group(
        id=GROUP,
        policy=make_policy(poll_interval=poll),
        primary=members[0],
        clones=(members[1],),
        ticks=Ticks(last=last),
    )
    infos = {name: make_info() for name in names}
    view = make_view(infos, dict(zip(names, (primary, clone), strict=True)))
    return group, evolve(view, feed=make_feed(interval))


def test_a_tick_comes_half_a_second_after_all_have_reported():
    group, view = two_members(heard(1010.0), heard(1010.3))

    assert next_tick(group, view, 1010.3) == pytest.approx(1010.8)


def test_frames_of_others_do_not_delay_a_tick():
    group, view = two_members(heard(1010.0), heard(1010.0))
    view = evolve(view, tracks={**view.tracks, NEIGHBOUR: heard(1010.9)})

    assert next_tick(group, view, 1010.9) == pytest.approx(1010.5)


def test_without_a_new_usage_there_is_no_tick():
    group, view = two_members(heard(1000, span_s=10), heard(1000, span_s=10))

    assert next_tick(group, view, 1010) is None


def test_a_report_that_did_not_count_lets_the_news_of_others_tick():
    late = evolve(heard(1000, span_s=10), heard=make_moment(1010.2))
    group, view = two_members(heard(1010), late)

    assert next_tick(group, view, 1010.2) == pytest.approx(1010.7)


def test_a_dead_primary_makes_no_news():
    group, view = two_members(heard(1010), heard(1000, span_s=10))
    group = evolve(group, primary=evolve(primary_of(group), is_dead=True))

    assert next_tick(group, view, 1010) is None


def test_a_pair_that_was_taken_back_after_a_tick_is_no_news():
    group, view = two_members(heard(1010, span_s=5), heard(1010, span_s=5))

    assert next_tick(group, view, 1010) is None


def test_a_late_member_is_waited_for_one_and_a_half_periods_at_most():
    group, view = two_members(heard(1010), heard(1000, span_s=10))

    assert next_tick(group, view, 1010) == LAST + 15


@pytest.mark.parametrize(
    ("poll", "interval", "expected"),
    [
        pytest.param(2.0, 10.0, LAST + 15, id="the interval is longer"),
        pytest.param(30.0, 10.0, LAST + 45, id="poll_interval is longer"),
    ],
)
def test_a_period_is_the_longer_of_poll_interval_and_interval(poll, interval, expected):
    group, view = two_members(
        heard(1010), heard(1000, span_s=10), poll=poll, interval=interval
    )

    assert next_tick(group, view, 1010) == expected


@pytest.mark.parametrize(
    ("last", "is_due"),
    [
        pytest.param(1009.0, False, id="the bunch may not be at its end"),
        pytest.param(1008.0, True, id="it was so at every poll for a while"),
    ],
)
def test_polls_in_step_with_the_frames_take_usage_in_the_end(last, is_due):
    """Every second, 0.4 s after the frames: all stayed unknown for ever."""
    group, view = two_members(heard(1009.6), heard(1009.6), poll=1.0, interval=1.0)
    group = evolve(group, ticks=evolve(group.ticks, last=last))

    assert is_usage_due(group, view, 1010.0) is is_due


def test_without_news_no_usage_is_due():
    group, view = two_members(heard(1008, span_s=0), heard(1008, span_s=0))

    assert not is_usage_due(group, view, 1010.0)


def test_ticks_come_at_most_once_in_poll_interval():
    group, view = two_members(heard(1008), heard(1008), poll=30.0)

    assert next_tick(group, view, 1008) == LAST + 30


def test_a_stale_member_is_not_waited_for():
    silent = heard(970, span_s=10)
    group, view = two_members(heard(1010), silent)

    assert next_tick(group, view, 1010) == pytest.approx(1010.5)


def test_a_warming_member_is_waited_for():
    young = evolve(heard(1000, span_s=10), began=990.0)
    group, view = two_members(heard(1010), young)

    assert next_tick(group, view, 1010) == LAST + 15


def test_a_member_that_was_never_heard_is_not_waited_for():
    group, view = two_members(heard(1010), heard(1010))
    view = evolve(view, tracks={PRIMARY: view.tracks[PRIMARY]})

    assert next_tick(group, view, 1010) == pytest.approx(1010.5)


@pytest.mark.parametrize(
    "changes",
    [{"feed": make_feed(up_since=None)}, {"listing": None}],
    ids=["no stream", "no info"],
)
def test_without_a_stream_or_an_answer_to_info_there_is_no_tick(changes):
    group, view = two_members(heard(1010), heard(1010))

    assert next_tick(group, evolve(view, **changes), 1010) is None


def test_the_first_tick_needs_no_earlier_one():
    group, view = two_members(heard(20), heard(20), last=None)

    assert next_tick(group, view, 20) == 15.0 + 5.5


def test_after_a_gap_the_bunch_of_the_first_news_is_read_to_its_end():
    """A tick at once would judge the group by whoever spoke first."""
    group, view = two_members(heard(2020), heard(1000, span_s=10))
    view = evolve(view, feed=make_feed(up_since=2000.0))

    assert next_tick(group, view, 2020) == pytest.approx(2020.5)


def test_a_host_that_speaks_all_the_time_is_not_waited_for_to_be_quiet():
    group, view = two_members(heard(1010), heard(1010), poll=1.0)
    view = evolve(view, feed=evolve(view.feed, rhythm=make_rhythm(0.4)))

    assert next_tick(group, view, 1010) == pytest.approx(1010.3)


def test_usage_is_what_was_counted_since_the_tick_before():
    member = Member(name=PRIMARY, taken_cpu_us=5 * SECOND_US, taken_span_s=10.0)
    track = Track(cpu_us=13 * SECOND_US, span_s=30.0)
    view = make_view({PRIMARY: make_info()}, {PRIMARY: track})

    taken = take_usage(member, view)

    assert taken.usage == pytest.approx(40.0)
    assert (taken.taken_cpu_us, taken.taken_span_s) == (13 * SECOND_US, 30.0)


def test_no_frame_is_used_twice():
    member = Member(name=PRIMARY)
    view = make_view({}, {PRIMARY: Track(cpu_us=SECOND_US, span_s=10.0)})
    once = take_usage(member, view)

    assert once.usage == pytest.approx(10.0)
    assert take_usage(once, view) == once


@pytest.mark.parametrize(
    ("cpu_s", "numcpus", "usage"),
    [
        pytest.param(4, 2, 20.0, id="a share of all its CPUs"),
        pytest.param(11, 1, 100.0, id="at most 100"),
        pytest.param(10, 0, 100.0, id="at least one CPU"),
    ],
)
def test_usage_is_percent_of_the_members_cpus(cpu_s, numcpus, usage):
    view = make_view(
        {PRIMARY: make_info(numcpus=numcpus)},
        {PRIMARY: Track(cpu_us=cpu_s * SECOND_US, span_s=10.0)},
    )

    assert take_usage(Member(name=PRIMARY), view).usage == pytest.approx(usage)


def test_a_member_without_news_keeps_its_usage():
    member = Member(name=PRIMARY, usage=33.0)

    assert take_usage(member, make_view({}, {})) == member
    assert take_usage(member, make_view({}, {PRIMARY: Track()})) == member


def test_a_pair_taken_back_after_a_tick_is_not_counted_against_later_ones():
    member = Member(name=PRIMARY, usage=70.0, taken_cpu_us=900, taken_span_s=20.0)
    view = make_view({}, {PRIMARY: Track(cpu_us=400, span_s=10.0)})

    taken = take_usage(member, view)

    assert taken.usage == 70.0
    assert (taken.taken_cpu_us, taken.taken_span_s) == (400, 10.0)
