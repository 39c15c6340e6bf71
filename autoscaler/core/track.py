"""What the frames of one unikernel tell: percent of CPU, restarts, silence.

CPU time stays whole microseconds until it becomes a percentage, at the very
end: a counter cut to seconds would turn every load into 0 % or 100 %.

The receive time of a frame stands for the time of sampling only when frames
come singly, so a pair of frames counts only if it is timely.  A pair that
doesn't count is no zero: it is nothing, and its newer frame is only the
baseline of the next one.
"""

import enum

from attrs import evolve, frozen

from albatross_client.stats import Sample
from albatross_client.values import US_PER_S, Timestamp
from autoscaler.core.rhythm import BUNCH_S, NEEDED, Rhythm, beat
from autoscaler.core.traffic import NO_TRAFFIC, Traffic, carry

EARLIEST, LATEST = 0.75, 1.25
# More CPU time than there was time for: the receive times are wrong.
OVERRUN_SHARE = 1.1
OVERRUN_US = 20_000
# As many restarts within the death timeout as make a crash loop.
CRASH_LOOP = 3


class Verdict(enum.Enum):
    """What became of one frame."""

    FIRST = "first"
    COUNTED = "counted"
    NO_INTERVAL = "no_interval"
    UNTIMELY = "untimely"
    BUNCHED = "bunched"
    OVERRUN = "overrun"
    NEW_START = "new_start"
    RESTARTED = "restarted"


@frozen
class Moment:
    """When, on which stream, and by how much listening a frame was received.

    Attributes:
        at: Receive time, monotonic seconds.
        stream: Which of the subscriptions one after another brought it.
        listened: Seconds that the stream has been up so far, all together.
    """

    at: float
    stream: int
    listened: float


@frozen
class Track:
    """What is known of one unikernel from its frames and from `info`.

    Attributes:
        sample: The last frame; None: never heard.
        heard: When that was.
        row: Its last distances on this stream, at most four, newest last.
        cpu_us: CPU time of all pairs that counted.
        span_s: Their length.
        before_pair: `cpu_us`, `span_s` and `usage_at` before a pair that the
            next frame may take back: kept, for a float that is added and
            subtracted again is not always what it was.
        usage_at: End of the last pair that counted since the process began and
            on this stream.
        usage: Percent of one CPU over that pair, not capped.
        restarts: When the last restarts were noticed, at most `CRASH_LOOP`.
        began: When the process began, as far as is known.
        started: What `info` said of that last.
        known_at: When `info` said it.
        traffic: The packets it moves.
    """

    sample: Sample | None = None
    heard: Moment | None = None
    row: tuple[float, ...] = ()
    cpu_us: int = 0
    span_s: float = 0.0
    before_pair: tuple[int, float, float | None] | None = None
    usage_at: float | None = None
    usage: float | None = None
    restarts: tuple[float, ...] = ()
    began: float | None = None
    started: Timestamp | None = None
    known_at: float | None = None
    traffic: Traffic = NO_TRAFFIC


def follow(
    track: Track, rhythm: Rhythm, sample: Sample, moment: Moment, numcpus: int
) -> tuple[Track, Rhythm, Verdict]:
    """Return *track* and *rhythm* after one more frame, and what became of it.

    Arguments:
        track: What is known of the unikernel so far.
        rhythm: What is known of its stream's interval so far.
        sample: The frame.
        moment: When it was received.
        numcpus: How many CPUs the unikernel has.
    """
    before, heard = track.sample, track.heard
    if before is None or heard is None:
        return _baseline(track, sample, moment, ()), rhythm, Verdict.FIRST
    if _went_down(before, sample):
        return _restarted(track, sample, moment), rhythm, Verdict.RESTARTED
    if heard.stream != moment.stream:
        return _baseline(track, sample, moment, ()), rhythm, Verdict.FIRST
    distance = moment.at - heard.at
    row = (*track.row[1 - NEEDED :], distance)
    if distance < BUNCH_S:
        return _bunched(track, sample, moment, row), rhythm, Verdict.BUNCHED
    # The distance first: it may be the one that makes the interval known.
    rhythm = beat(rhythm, row, moment.at)
    verdict = _judge(before, sample, distance, rhythm.interval, numcpus)
    if verdict is Verdict.COUNTED:
        return _counted(track, sample, moment, row), rhythm, verdict
    return _baseline(track, sample, moment, row), rhythm, verdict


def relist(
    track: Track, started: Timestamp | None, began: float | None, now: float
) -> Track:
    """Return *track* after `info` said when its process started.

    A process that restarts faster than the host speaks never shows a counter
    that goes down, and would look idle: its changing start gives it away.

    Arguments:
        track: What is known so far.
        started: The start as the host tells it, by its own clock.
        began: The same on our monotonic clock; None: not told.
        now: When `info` answered.
    """
    if track.started is None or started is None or started == track.started:
        began = track.began if track.began is not None else began
        return evolve(track, started=started, began=began, known_at=now)
    seen = track.known_at
    if seen is not None and track.restarts and track.restarts[-1] > seen:
        # Its counters told of this restart already, since the last answer.
        return evolve(track, started=started, known_at=now)
    return evolve(
        _forget(track, began if began is not None else now, now),
        started=started,
        known_at=now,
    )


def is_crash_loop(track: Track, within: float, now: float) -> bool:
    """Tell whether it restarted too often in the last *within* seconds."""
    return len(track.restarts) == CRASH_LOOP and now - track.restarts[0] <= within


def _went_down(before: Sample, sample: Sample) -> bool:
    return (
        sample.cpu_us < before.cpu_us
        or sample.minflt < before.minflt
        or sample.majflt < before.majflt
        or sample.nvcsw < before.nvcsw
        or sample.nivcsw < before.nivcsw
        or (
            sample.runtime_us is not None
            and before.runtime_us is not None
            and sample.runtime_us < before.runtime_us
        )
    )


def _judge(
    before: Sample,
    sample: Sample,
    distance: float,
    interval: float | None,
    numcpus: int,
) -> Verdict:
    if sample.start_us != before.start_us:
        return Verdict.NEW_START
    if interval is None:
        return Verdict.NO_INTERVAL
    if not EARLIEST * interval <= distance <= LATEST * interval:
        return Verdict.UNTIMELY
    used = sample.cpu_us - before.cpu_us
    if used > OVERRUN_SHARE * distance * numcpus * US_PER_S + OVERRUN_US:
        return Verdict.OVERRUN
    return Verdict.COUNTED


def _baseline(
    track: Track, sample: Sample, moment: Moment, row: tuple[float, ...]
) -> Track:
    same_stream = track.heard is not None and track.heard.stream == moment.stream
    return Track(
        sample,
        moment,
        row,
        track.cpu_us,
        track.span_s,
        None,
        track.usage_at if same_stream else None,
        track.usage if same_stream else None,
        track.restarts,
        track.began,
        track.started,
        track.known_at,
        track.traffic,
    )


def _counted(
    track: Track, sample: Sample, moment: Moment, row: tuple[float, ...]
) -> Track:
    assert track.sample is not None  # noqa: S101 - a pair has an older frame
    distance = row[-1]
    used = sample.cpu_us - track.sample.cpu_us
    return Track(
        sample,
        moment,
        row,
        track.cpu_us + used,
        track.span_s + distance,
        (track.cpu_us, track.span_s, track.usage_at),
        moment.at,
        used / (distance * US_PER_S) * 100,
        track.restarts,
        track.began,
        track.started,
        track.known_at,
        carry(track.traffic, moment.at, sample.packets_in + sample.packets_out),
    )


def _bunched(
    track: Track, sample: Sample, moment: Moment, row: tuple[float, ...]
) -> Track:
    """The frame before was the head of a bunch: its pair is taken back."""
    if track.before_pair is None:
        return _baseline(track, sample, moment, row)
    cpu_us, span_s, usage_at = track.before_pair
    return evolve(
        _baseline(track, sample, moment, row),
        cpu_us=cpu_us,
        span_s=span_s,
        usage_at=usage_at,
        usage=None,
    )


def _restarted(track: Track, sample: Sample, moment: Moment) -> Track:
    return evolve(
        _forget(track, moment.at, moment.at),
        sample=sample,
        heard=moment,
    )


def _forget(track: Track, began: float, now: float) -> Track:
    return evolve(
        track,
        sample=None,
        row=(),
        before_pair=None,
        usage_at=None,
        usage=None,
        restarts=(*track.restarts, now)[-CRASH_LOOP:],
        began=began,
        traffic=NO_TRAFFIC,
    )
