"""The story of a group that is asked: its sizes, its requests, its wakes."""

from attrs import define, field, frozen

from albatross_client.sandbox.visitors.tally import MEANINGS, Second, Tally
from autoscaler.cli.demos.story import Story

NO_REQUESTS = Tally()
_MS_PER_S = 1000


@frozen
class Wake:
    """A group without members was asked.

    Attributes:
        who: Asked it.
        waited_s: How long the slowest answer took in the first second that
            had any.
    """

    who: str
    waited_s: float


@define
class VisitedStory(Story):
    """What has happened so far, to visitors too.

    Attributes:
        tally: What came of all requests.
        course: For each second how many requests ended, and how many members
            ran at its end.
        wakes: What became of those who woke the group.
        waking: Who asked a group without members, and has no answer yet.
    """

    tally: Tally = NO_REQUESTS
    course: list[tuple[int, int]] = field(factory=list)
    wakes: list[Wake] = field(factory=list)
    waking: str | None = None

    @property
    def is_as_wanted(self) -> bool:
        """Whether the group went as it should, and no request failed."""
        tally = self.tally
        return self.has_turned and bool(tally.answered) and not tally.failed

    def hear(self, second: Second) -> None:
        """Take in what came of the requests of one more second."""
        self.tally = self.tally.plus(second.tally)
        size = self.sizes[-1][1] if self.sizes else 0
        self.course.append((second.tally.requests, size))
        if self.waking is not None and second.tally.answered:
            self.wakes.append(Wake(self.waking, second.tally.worst))
            self.waking = None

    def summary(self) -> list[str]:
        """Return what there is to say at the end."""
        return [
            *self.of_sizes(),
            *self.of_requests(),
            *self.of_actions(),
            self.ending(),
        ]

    def of_requests(self) -> list[str]:
        """Return what came of requests and wakes."""
        tally = self.tally
        lines = ["requests:", f"  {tally.answered} answered, {tally.failed} failed"]
        lines += [
            f"    {n} times: {MEANINGS[how]}" for how, n in tally.failures.items()
        ]
        if tally.answered:
            half, most = milliseconds(tally, 50), milliseconds(tally, 95)
            lines.append(f"  answered within {half} (half of them), {most} (95 %)")
        if self.wakes:
            lines.append("waking up, with no member at all before:")
        lines += [f"  {w.who}: answered after {w.waited_s:.2f} s" for w in self.wakes]
        return lines

    def ending(self) -> str:
        """Return in one sentence whether all went as it should."""
        failed = self.tally.failed
        if failed:
            some = "1 request" if failed == 1 else f"{failed} requests"
            end = f", but {some} failed."
        elif self.tally.answered:
            end = ", and no request failed."
        else:
            end = ", and no request was answered."
        return Story.ending(self).removesuffix(".") + end


def milliseconds(tally: Tally, percent: float) -> str:
    """Return within how long *percent* of the answers of *tally* came."""
    seconds = tally.percentile(percent)
    return "-" if seconds is None else f"{seconds * _MS_PER_S:.0f} ms"
