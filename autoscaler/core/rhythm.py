"""How often a host speaks: its stats interval, which is not on the wire.

The interval is the median of the last distances between two frames of one
unikernel, over all unikernels of a stream.  A host whose interval changes is
noticed by one unikernel that is regular in a new way.
"""

from attrs import evolve, frozen

# Frames closer together than this come from a bunch: what a stalled connection
# held back.  They tell nothing about the host's interval.
BUNCH_S = 0.2
KEPT = 32
NEEDED = 4
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
    """

    configured: float | None = None
    remembered: float | None = None
    distances: tuple[float, ...] = ()
    median: float | None = None

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


def beat(rhythm: Rhythm, row: tuple[float, ...]) -> Rhythm:
    """Return *rhythm* after one more distance, the last one of *row*.

    Arguments:
        rhythm: What is known so far.
        row: The last distances of the unikernel that was heard, at most
            `NEEDED`, of this stream alone; the newest last.
    """
    distance = row[-1]
    if distance < BUNCH_S:
        return rhythm
    if rhythm.median is not None and _is_new_rhythm(row, rhythm.median):
        return _measured(rhythm, row)
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
    return Rhythm(rhythm.configured, rhythm.remembered, distances, median)
