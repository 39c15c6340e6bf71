"""How often a host speaks: its stats interval, which is not on the wire.

The interval is the median of the last distances between two frames of one
unikernel, over all unikernels of a stream.  A host whose interval changes is
noticed by one unikernel that is regular in a new way.

A host reads all unikernels at once, so whatever delays the frames of one
sampling delays all of them alike: were each of a hundred counted, one late
sampling would be the median.  A sampling has as many votes as four unikernels.
"""

import math

from attrs import evolve, frozen

# Frames closer together than this come from a bunch: what a stalled connection
# held back.  They tell nothing about the host's interval.
BUNCH_S = 0.2
KEPT = 32
NEEDED = 4
# Distances that one sampling adds at most: what makes the interval known.
VOTES = NEEDED
AGREE = 0.20
DIFFER = 0.25
# What silence and boot are measured by until the interval is known.
USUAL_INTERVAL_S = 10.0


@frozen
class Rhythm:
    """What is known of a stream's interval; all in seconds.

    Attributes:
        configured: The operator's word, which wins; None: measured.
        remembered: The median of an earlier run, until there is a new one.
        distances: The last ones of at least `BUNCH_S`, oldest first.
        median: Of *distances*, None while there are fewer than `NEEDED`.
        sampled_at: When the first distance of the last sampling was noted,
            monotonic.
        votes: How many of *distances* are of that sampling.
    """

    configured: float | None = None
    remembered: float | None = None
    distances: tuple[float, ...] = ()
    median: float | None = None
    sampled_at: float = -math.inf
    votes: int = 0

    @property
    def interval(self) -> float | None:
        """The host's stats interval, None until it is known."""
        return self.configured or self.median or self.remembered

    @property
    def reckoned(self) -> float:
        """The interval, or the usual one while it is not known."""
        return self.interval or USUAL_INTERVAL_S

    @property
    def contradiction(self) -> float | None:
        """The median where it is 20 % or more off what is configured."""
        if self.configured is None or self.median is None:
            return None
        apart = abs(self.median - self.configured) >= AGREE * self.configured
        return self.median if apart else None


def beat(rhythm: Rhythm, row: tuple[float, ...], at: float) -> Rhythm:
    """Return *rhythm* after one more distance, the last one of *row*.

    Arguments:
        rhythm: What is known so far.
        row: The last distances of the unikernel that was heard, at most
            `NEEDED`, of this stream alone; the newest last.
        at: When it was heard, monotonic.
    """
    distance = row[-1]
    if distance < BUNCH_S:
        return rhythm
    if rhythm.median is not None and _is_new_rhythm(row, rhythm.median):
        return _measured(evolve(rhythm, sampled_at=at, votes=NEEDED), row)
    # Who was heard before the sampling began belongs to it, the others to the
    # next one: halfway in between there is room for any delay.
    if at - rhythm.sampled_at >= distance / 2:
        rhythm = evolve(rhythm, sampled_at=at, votes=0)
    if rhythm.votes == VOTES:
        return rhythm
    rhythm = evolve(rhythm, votes=rhythm.votes + 1)
    return _measured(rhythm, (*rhythm.distances[1 - KEPT :], distance))


def _is_new_rhythm(row: tuple[float, ...], median: float) -> bool:
    tolerance = DIFFER * median
    return (
        abs(row[-1] - median) > tolerance
        and len(row) == NEEDED
        and min(row) >= BUNCH_S
        and max(row) <= (1 + AGREE) * min(row)
        and all(abs(distance - median) > tolerance for distance in row)
    )


def _measured(rhythm: Rhythm, distances: tuple[float, ...]) -> Rhythm:
    if len(distances) < NEEDED:
        return evolve(rhythm, distances=distances, median=None)
    ordered = sorted(distances)
    half = len(ordered) // 2
    median = (ordered[half] + ordered[~half]) / 2
    return evolve(rhythm, distances=distances, median=median)
