"""Benchmarks: what is measured, and how it is told.

A module of this package has a `run` that yields `Result`s; `__main__` names the
modules.  Figures are medians over rounds: the machine has other things to do.
"""

import statistics
from collections.abc import Callable, Sequence
from time import perf_counter

from attrs import frozen

ROUNDS = 9


@frozen
class Result:
    """One figure.

    Attributes:
        name: What was measured.
        unit: Of the figures.
        rounds: One figure per round.
        target: What it should reach, in words; empty: nothing was promised.
        met: Whether the median reaches it; None without a target.
    """

    name: str
    unit: str
    rounds: tuple[float, ...]
    target: str = ""
    met: bool | None = None

    @property
    def median(self) -> float:
        """The figure that counts."""
        return statistics.median(self.rounds)


def at_most(name: str, unit: str, rounds: Sequence[float], bound: float) -> Result:
    """Return a result that should not exceed *bound*."""
    met = statistics.median(rounds) <= bound
    return Result(name, unit, tuple(rounds), f"<= {bound:g}", met)


def at_least(name: str, unit: str, rounds: Sequence[float], bound: float) -> Result:
    """Return a result that should reach *bound*."""
    met = statistics.median(rounds) >= bound
    return Result(name, unit, tuple(rounds), f">= {bound:g}", met)


def measure(work: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, ...]:
    """Return how long *work* takes, seconds, each of *rounds* times.

    It runs once before, so that caches are as warm as in a daemon.
    """
    work()
    return tuple(_seconds(work) for _ in range(rounds))


def _seconds(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started
