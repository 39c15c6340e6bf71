"""How much CPU a group of unikernels is asked for, over time.

A demand is a step function: so many cores from a second on until the next
step.  Second 0 is when the demand is set; before its first step it is that of
the first.
"""

import csv
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Self

from attrs import field, frozen

from albatross_client.names import Name

_CLONE = "-clone-"
_COLUMNS = 2


def _valid_steps(
    _instance: object, _attribute: object, steps: tuple[tuple[float, float], ...]
) -> None:
    if not steps:
        msg = "a demand has at least one step"
        raise ValueError(msg)
    if any(cores < 0 for _, cores in steps):
        msg = "cores are not negative"
        raise ValueError(msg)
    if any(not earlier < later for (earlier, _), (later, _) in pairwise(steps)):
        msg = "the seconds of a demand grow from step to step"
        raise ValueError(msg)


@frozen
class Demand:
    """Cores asked for, by the second from which on.

    Attributes:
        steps: (second, cores), seconds ascending.
    """

    steps: tuple[tuple[float, float], ...] = field(validator=_valid_steps)

    @classmethod
    def constant(cls, cores: float) -> Self:
        """Return the demand for *cores* at all times."""
        return cls(((0.0, cores),))

    @classmethod
    def repeated(cls, pieces: Sequence[tuple[float, float]], times: int) -> Self:
        """Return the demand of *pieces*, (seconds, cores), so many *times*."""
        lengths = [seconds for seconds, _ in pieces] * times
        begins = accumulate(lengths[:-1], initial=0.0)
        cores = [cores for _, cores in pieces] * times
        return cls(tuple(zip(begins, cores, strict=True)))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``2.5``, ``0:0.3,60:2.5`` (second:cores) or the name of a CSV.

        Raises:
            ValueError: It is neither of them, in one sentence.
            OSError: The file can't be read.
        """
        if text.endswith(".csv"):
            return cls.read_csv(Path(text))
        try:
            if ":" not in text:
                return cls.constant(float(text))
            return cls(tuple(_step(part) for part in text.split(",")))
        except ValueError as error:
            msg = (
                f"{text!r} is no demand: cores as 2.5, steps as 0:0.3,60:2.5 "
                f"(second:cores) or a file name that ends in .csv ({error})"
            )
            raise ValueError(msg) from error

    @classmethod
    def read_csv(cls, path: Path) -> Self:
        """Read lines of ``second,cores``; a first line of words is skipped.

        Raises:
            ValueError: A line has another form; the message has its number.
            OSError: The file can't be read.
        """
        with path.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.reader(lines))
        return cls(tuple(_read_rows(path, rows)))

    def cores(self, second: float) -> float:
        """Return the cores asked for at *second*."""
        index = bisect_right(self.steps, second, key=lambda step: step[0])
        return self.steps[max(index - 1, 0)][1]

    def pieces(self, start: float, end: float) -> Iterator[tuple[float, float]]:
        """Yield (seconds, cores) of the pieces between two seconds."""
        inner = [second for second, _ in self.steps if start < second < end]
        for begin, finish in pairwise([start, *inner, end]):
            yield finish - begin, self.cores(begin)


@frozen
class Load:
    """What one member of a group has to burn.

    Attributes:
        demand: That of the whole group.
        since: When second 0 of *demand* was, trio's clock.
        members: How many share it evenly.
        cpus: The most that this member can burn, cores.
    """

    demand: Demand
    since: float
    members: int
    cpus: float

    def cores(self, at: float) -> float:
        """Return the cores to burn at the instant *at*."""
        return min(self.demand.cores(at - self.since) / self.members, self.cpus)

    def burned(self, start: float, end: float) -> float:
        """Return the CPU seconds burned between two instants, exactly."""
        pieces = self.demand.pieces(start - self.since, end - self.since)
        return sum(
            length * min(cores / self.members, self.cpus) for length, cores in pieces
        )


def primary_of(name: Name) -> Name:
    """Return the primary of the group *name* is in: ``web`` of ``web-clone-2``.

    A name that isn't a clone's is a primary's.
    """
    label = name.label or ""
    stem, found, number = label.rpartition(_CLONE)
    return Name(name.path, stem) if found and stem and number.isdecimal() else name


def _step(part: str) -> tuple[float, float]:
    second, _, cores = part.partition(":")
    return float(second), float(cores)


def _read_rows(path: Path, rows: list[list[str]]) -> Iterator[tuple[float, float]]:
    for number, row in enumerate(rows, start=1):
        try:
            if len(row) != _COLUMNS:
                msg = f"{len(row)} columns"
                raise ValueError(msg)  # noqa: TRY301 - one message for both
            yield float(row[0]), float(row[1])
        except ValueError as error:
            if number == 1 and len(row) == _COLUMNS:
                continue
            msg = f"{path}, line {number}: not second,cores ({error})"
            raise ValueError(msg) from error
