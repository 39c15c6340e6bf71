"""Tests of what the frames of one unikernel tell."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from albatross_client.stats import Sample
from albatross_client.values import Timestamp
from autoscaler.core.rhythm import Rhythm
from autoscaler.core.track import (
    Track,
    Verdict,
    follow,
    is_crash_loop,
    relist,
)
from tests.core.builders import SECOND_US, make_moment, make_rhythm, make_sample

TEN = make_rhythm(10.0)


def after(
    *frames: tuple[float, Sample],
    track: Track | None = None,
    rhythm: Rhythm = TEN,
    numcpus: int = 1,
) -> tuple[Track, Verdict]:
    """Return what *frames*, each with its receive time, lead to."""
    track, verdict = track or Track(), None
    for at, sample in frames:
        track, rhythm, verdict = follow(track, rhythm, sample, make_moment(at), numcpus)
    assert verdict is not None
    return track, verdict


def busy(at: float, share: float = 0.5) -> tuple[float, Sample]:
    """Return the frame at *at* of a process that used *share* of a core."""
    return at, make_sample(round(at * share * SECOND_US))


def test_the_first_frame_is_only_a_baseline():
    track, verdict = after(busy(100))

    assert verdict is Verdict.FIRST
    assert track.heard == make_moment(100)
    assert (track.cpu_us, track.span_s, track.usage_at) == (0, 0.0, None)


def test_two_frames_an_interval_apart_make_a_usage():
    track, verdict = after(busy(100, 0.3), busy(110, 0.3))

    assert verdict is Verdict.COUNTED
    assert (track.cpu_us, track.span_s) == (3 * SECOND_US, 10.0)
    assert track.usage_at == 110
    assert track.usage == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("distance", "expected"),
    [
        pytest.param(7.49, Verdict.UNTIMELY, id="too early"),
        pytest.param(7.5, Verdict.COUNTED, id="a quarter early"),
        pytest.param(12.5, Verdict.COUNTED, id="a quarter late"),
        pytest.param(12.51, Verdict.UNTIMELY, id="too late"),
        pytest.param(0.2, Verdict.UNTIMELY, id="just not a bunch"),
    ],
)
def test_a_pair_counts_only_within_a_quarter_of_the_interval(distance, expected):
    track, verdict = after(busy(100), busy(100 + distance))

    assert verdict is expected
    assert (track.span_s > 0) is (expected is Verdict.COUNTED)
    assert track.heard == make_moment(100 + distance)


def test_no_pair_counts_until_an_interval_is_known_by_the_fifth_frame():
    frames = [busy(at) for at in (0, 10, 20, 30, 40)]

    assert after(*frames[:4], rhythm=Rhythm())[1] is Verdict.NO_INTERVAL
    assert after(*frames, rhythm=Rhythm())[1] is Verdict.COUNTED


@pytest.mark.parametrize(
    "rhythm",
    [Rhythm(remembered=10.0), Rhythm(configured=10.0)],
    ids=["remembered", "configured"],
)
def test_with_a_known_interval_the_second_frame_counts(rhythm):
    assert after(busy(0), busy(10), rhythm=rhythm)[1] is Verdict.COUNTED


@pytest.mark.parametrize(
    ("used_us", "numcpus", "expected"),
    [
        pytest.param(11_020_000, 1, Verdict.COUNTED, id="10 % and 20 ms too much"),
        pytest.param(11_020_001, 1, Verdict.OVERRUN, id="more than that"),
        pytest.param(22_020_000, 2, Verdict.COUNTED, id="two CPUs"),
        pytest.param(22_020_001, 2, Verdict.OVERRUN, id="more than two CPUs can"),
    ],
)
def test_more_cpu_time_than_there_was_time_for_does_not_count(
    used_us, numcpus, expected
):
    first, second = (0.0, make_sample(0)), (10.0, make_sample(used_us))

    track, verdict = after(first, second, numcpus=numcpus)

    assert verdict is expected
    assert track.sample == second[1]


@pytest.mark.parametrize(
    "counter",
    ["cpu_us", "minflt", "majflt", "nvcsw", "nivcsw", "runtime_us"],
)
def test_any_counter_that_goes_down_shows_a_restart(counter):
    before = make_sample(5 * SECOND_US)
    value = getattr(before, counter)
    same = evolve(before, **{counter: value})
    lower = evolve(before, **{counter: value - 1})

    assert after((0, before), (10, same))[1] is Verdict.COUNTED
    track, verdict = after(busy(-10, 0.0), (0, before), (10, lower))
    assert verdict is Verdict.RESTARTED
    assert (track.began, track.restarts) == (10, (10,))
    assert (track.usage_at, track.usage, track.row) == (None, None, ())
    assert track.sample == lower


def test_a_run_time_that_is_not_told_shows_nothing():
    told, untold = make_sample(0), make_sample(0, runtime_us=None)

    assert after((0, told), (10, untold))[1] is Verdict.COUNTED
    assert after((0, untold), (10, told))[1] is Verdict.COUNTED


def test_a_start_that_moves_alone_discards_one_pair_and_is_no_restart():
    frames = [(0, make_sample(0)), (10, make_sample(SECOND_US, start_us=7))]

    track, verdict = after(*frames)
    assert verdict is Verdict.NEW_START
    assert (track.restarts, track.span_s) == ((), 0.0)
    assert after((20, make_sample(2 * SECOND_US, start_us=7)), track=track)[1] is (
        Verdict.COUNTED
    )


def test_a_restart_is_noticed_across_a_reconnect():
    before, _ = after(busy(0), busy(10))

    again = make_moment(100, stream=2)
    track, _, verdict = follow(before, TEN, make_sample(0), again, 1)

    assert verdict is Verdict.RESTARTED
    assert track.restarts == (100,)


def test_no_distance_and_no_pair_is_taken_across_a_reconnect():
    before, _ = after(busy(0), busy(10))

    track, rhythm, verdict = follow(
        before, TEN, busy(20)[1], make_moment(20, stream=2), 1
    )

    assert verdict is Verdict.FIRST
    assert rhythm == TEN
    assert (track.span_s, track.usage_at, track.row) == (10.0, None, ())


def test_the_head_of_a_bunch_is_taken_back():
    counted, _ = after(busy(0), busy(10), busy(22.4))
    assert counted.span_s == pytest.approx(22.4)

    track, verdict = after(busy(22.5), track=counted)

    assert verdict is Verdict.BUNCHED
    assert (track.cpu_us, track.span_s) == (5 * SECOND_US, 10.0)
    assert (track.usage_at, track.usage) == (10, None)


def test_a_frame_more_than_a_fifth_of_a_second_later_takes_nothing_back():
    track, verdict = after(busy(0), busy(10), busy(10.25))

    assert verdict is Verdict.UNTIMELY
    assert track.span_s == 10.0


def test_a_bunch_takes_back_no_more_than_its_head():
    track, _ = after(busy(0), busy(10), busy(22), busy(22.1), busy(22.2))

    assert (track.span_s, track.usage_at) == (10.0, 10)


def test_a_bunch_whose_head_did_not_count_takes_nothing_back():
    track, verdict = after(busy(0), busy(10), busy(35), busy(35.1))

    assert verdict is Verdict.BUNCHED
    assert track.span_s == 10.0


@given(st.integers(0, 10**9), st.floats(7.5, 12.5), st.lists(st.floats(7.5, 12.5)))
def test_what_is_taken_back_leaves_no_trace(start, last, distances):
    """Subtracting the float again left 1e-14 s with no CPU time: 0 percent."""
    at, frames = float(start), []
    for distance in [0.0, *distances]:
        at += distance
        frames.append(busy(at))
    before, _ = after(*frames)

    track, _ = after(busy(at + last), busy(at + last + 0.1), track=before)

    assert (track.cpu_us, track.span_s) == (before.cpu_us, before.span_s)


def test_frames_delivered_in_batches_of_30_s_do_not_make_a_third_of_the_load():
    track, rhythm = Track(), Rhythm()
    counted = []
    for batch in range(1, 40):
        for place, sampled in enumerate((-20, -10, 0)):
            _, sample = busy(30 * batch + sampled, 0.9)
            at = make_moment(30 * batch + place * 0.01)
            track, rhythm, _ = follow(track, rhythm, sample, at, 1)
        counted.append(track.span_s)

    assert rhythm.interval == pytest.approx(30, abs=0.1)
    assert set(counted) == {0.0}


def test_a_stall_of_35_s_never_makes_a_wrong_percent():
    track, rhythm, usages = Track(), TEN, set()
    for tick in range(200):
        arrives = 10 * tick if tick % 6 < 2 else max(10 * tick, 60 * (tick // 6) + 55)
        _, sample = busy(10 * tick, 0.8)
        moment = make_moment(arrives + 0.01 * (tick % 6))
        track, rhythm, verdict = follow(track, rhythm, sample, moment, 1)
        if verdict is Verdict.COUNTED:
            usages.add(round(track.usage or 0))

    assert usages == {80}


@pytest.mark.parametrize("unikernels", [1, 17, 60])
@pytest.mark.parametrize("late", [4.0, 5.0, 9.0, 35.0])
def test_however_many_come_late_together_no_percent_is_wrong(unikernels, late):
    """All of them late by 5 s made 15 s the interval, and a third less load."""
    tracks, rhythm, usages = [Track()] * unikernels, TEN, set()
    for tick in range(60):
        stalled = tick % 12 in {6, 7, 8, 9}
        arrives = max(10.0 * tick, 60.0 + 120 * (tick // 12) + late if stalled else 0)
        _, sample = busy(10 * tick, 0.5)
        for place, track in enumerate(tracks):
            moment = make_moment(arrives + 0.01 * (tick % 12) + 0.0001 * place)
            tracks[place], rhythm, _ = follow(track, rhythm, sample, moment, 1)
        # As at a tick, when a bunch has been read to its end.
        usages |= {round(t.usage) for t in tracks if t.usage is not None}

    assert usages <= set(range(40, 64))


def test_the_first_start_that_info_tells_is_no_restart():
    track = relist(Track(), Timestamp(5), 3.0, now=50)

    assert (track.started, track.began, track.restarts) == (Timestamp(5), 3.0, ())


def test_a_start_that_frames_told_first_is_kept():
    track = relist(Track(began=40.0), Timestamp(5), 3.0, now=50)

    assert track.began == 40.0


@pytest.mark.parametrize(("told", "began"), [(58.0, 58.0), (None, 60.0)])
def test_a_changed_start_in_info_is_a_restart(told, began):
    heard, _ = after(busy(0), busy(10))
    known = relist(heard, Timestamp(5), 3.0, now=20)

    track = relist(known, Timestamp(6), told, now=60)

    assert (track.began, track.restarts) == (began, (60,))
    assert (track.sample, track.usage_at) == (None, None)


def test_the_frame_after_a_restart_that_info_told_is_a_baseline():
    heard, _ = after(busy(0), busy(10))
    known = relist(heard, Timestamp(5), 3.0, now=11)
    restarted = relist(known, Timestamp(6), 12.0, now=13)

    track, verdict = after((20, make_sample(0)), track=restarted)

    assert verdict is Verdict.FIRST
    assert track.restarts == (13,)


def test_a_restart_that_counters_told_is_not_counted_again():
    known = relist(after(busy(0), busy(10))[0], Timestamp(5), 3.0, now=11)
    restarted, _ = after((20, make_sample(0)), track=known)

    track = relist(restarted, Timestamp(6), 18.0, now=25)

    assert (track.restarts, track.began) == ((20,), 20)
    assert track.started == Timestamp(6)


def test_every_restart_that_only_info_told_counts():
    """Idle unikernels that are restarted twice show no counter that goes down.

    The first of the two was once taken for the counters' word about the second:
    a crash loop of idle clones was then seen at every other look.
    """
    known = relist(after(busy(0), busy(10))[0], Timestamp(5), 3.0, now=11)

    once = relist(known, Timestamp(6), 12.0, now=60)
    twice = relist(once, Timestamp(7), 61.0, now=120)

    assert (twice.restarts, twice.began) == ((60, 120), 61.0)


@pytest.mark.parametrize(
    "again", [Timestamp(5), None], ids=["the same", "not told any more"]
)
def test_a_start_that_did_not_change_is_no_restart(again):
    known = relist(Track(), Timestamp(5), 3.0, now=11)

    assert relist(known, again, 3.0, now=25).restarts == ()


@pytest.mark.parametrize(
    ("restarts", "now", "expected"),
    [
        pytest.param((100, 200), 300, False, id="two restarts"),
        pytest.param((100, 200, 300), 1000, True, id="three, the first just within"),
        pytest.param((100, 200, 300), 1001, False, id="the first is too long ago"),
    ],
)
def test_three_restarts_within_the_death_timeout_are_a_crash_loop(
    restarts, now, expected
):
    assert is_crash_loop(Track(restarts=restarts), 900, now) is expected


def test_only_the_last_three_restarts_are_remembered():
    track, _ = after(*[(at, make_sample(1000 - at)) for at in range(0, 60, 10)])

    assert track.restarts == (30, 40, 50)
