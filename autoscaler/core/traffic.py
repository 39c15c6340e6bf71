"""How many packets a unikernel moves, and whether that has collapsed.

Low usage with hardly any packets, where there were many just before, is what an
outage in front of the group looks like.
"""

from attrs import frozen

MEAN_OVER_S = 600.0
MARK_EVERY_S = 60.0
# Less than so much of the mean is a collapse.
COLLAPSED = 0.1
# As many packets have to be expected before their absence tells anything.
LEAST_EXPECTED = 10.0
# A mean over less than so many intervals is none.
LEAST_INTERVALS = 5


@frozen
class Traffic:
    """The packets of one unikernel, both ways together.

    Attributes:
        marks: Receive time and counter about once a minute over the last ten,
            oldest first; none is added while the traffic has collapsed.
        before: Those of the frame before the last one.
        last: Those of the last frame that counted.
        mean: Packets a second over the marks, until the last interval; None:
            too few to tell anything.
        collapsed_since: When they became less than a tenth of that.
    """

    marks: tuple[tuple[float, int], ...] = ()
    before: tuple[float, int] | None = None
    last: tuple[float, int] | None = None
    mean: float | None = None
    collapsed_since: float | None = None

    @property
    def rate(self) -> float | None:
        """Packets a second over the last two intervals; None: not known."""
        if self.before is None or self.last is None:
            return None
        return (self.last[1] - self.before[1]) / (self.last[0] - self.before[0])


NO_TRAFFIC = Traffic()


def carry(traffic: Traffic, at: float, packets: int) -> Traffic:
    """Return *traffic* after one more frame.

    Arguments:
        traffic: What is known so far.
        at: When the frame was received, monotonic.
        packets: Since the process began, both ways together.
    """
    now, last = (at, packets), traffic.last
    if last is None or packets < last[1]:
        return Traffic((now,), None, now)
    since, mean = traffic.collapsed_since, traffic.mean
    if since is not None and mean is not None:
        # What it was is kept as it was, until it is so again.
        if _is_below(traffic.before or last, now, mean):
            return Traffic(traffic.marks, last, now, mean, since)
        return Traffic((now,), last, now)
    mean = _mean(traffic.marks[0], last, at - last[0])
    if mean is not None and _is_below(last, now, mean):
        return Traffic(traffic.marks, last, now, mean, last[0])
    return Traffic(_marked(traffic.marks, now), last, now, mean)


def _mean(
    first: tuple[float, int], last: tuple[float, int], interval: float
) -> float | None:
    span = last[0] - first[0]
    if span < LEAST_INTERVALS * interval:
        return None
    mean = (last[1] - first[1]) / span
    return mean if mean * interval >= LEAST_EXPECTED else None


def _marked(
    marks: tuple[tuple[float, int], ...], now: tuple[float, int]
) -> tuple[tuple[float, int], ...]:
    if now[0] - marks[-1][0] < MARK_EVERY_S:
        return marks
    is_old = len(marks) > 1 and now[0] - marks[1][0] >= MEAN_OVER_S
    return (*(marks[1:] if is_old else marks), now)


def _is_below(
    earlier: tuple[float, int], later: tuple[float, int], mean: float
) -> bool:
    moved, span = later[1] - earlier[1], later[0] - earlier[0]
    return moved < COLLAPSED * mean * span
