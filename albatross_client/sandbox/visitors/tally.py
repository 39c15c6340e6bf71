"""How requests ended and how long they took, in numbers that can be added.

Latencies are kept by bucket, each a twentieth wider than the one before, so a
percentile is true to 5 % and seconds add up to minutes.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import reduce
from typing import Self, TypeVar

from attrs import define, field, frozen

_GROWTH = math.log(1.05)
_SHORTEST_S = 1e-5
_Key = TypeVar("_Key")


class Outcome(Enum):
    """How one request ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    RESET = "reset"
    NO_ANSWER = "no_answer"
    SHORT = "short"
    GARBLED = "garbled"
    SERVER_ERROR = "server_error"
    OTHER_STATUS = "other_status"
    TIMEOUT = "timeout"
    NOT_SENT = "not_sent"


MEANINGS: Mapping[Outcome, str] = {
    Outcome.ANSWERED: "answered as a whole, status 2xx or 3xx",
    Outcome.REFUSED: "nobody listened",
    Outcome.UNREACHABLE: "no connection for another reason",
    Outcome.RESET: "the connection was reset",
    Outcome.NO_ANSWER: "the connection ended before an answer",
    Outcome.SHORT: "the connection ended within the answer",
    Outcome.GARBLED: "the answer was no HTTP",
    Outcome.SERVER_ERROR: "status 5xx",
    Outcome.OTHER_STATUS: "status 1xx or 4xx",
    Outcome.TIMEOUT: "no whole answer while its visitor had patience",
    Outcome.NOT_SENT: "too many waited already, so it was not even sent",
}


@frozen(kw_only=True)
class Tally:
    """What came of requests.

    Attributes:
        outcomes: How many ended how; those that never did are left out.
        latencies: Of the answered ones, how many by bucket.
        worst: The longest time of an answered one, seconds.
        retried: How many of all were sent again, since a connection that was
            kept had ended before the first octet of an answer.
    """

    outcomes: Mapping[Outcome, int] = field(factory=dict)
    latencies: Mapping[int, int] = field(factory=dict)
    worst: float = 0.0
    retried: int = 0

    @property
    def requests(self) -> int:
        """How many requests ended."""
        return sum(self.outcomes.values())

    @property
    def answered(self) -> int:
        """How many of them well."""
        return self.outcomes.get(Outcome.ANSWERED, 0)

    @property
    def failures(self) -> Mapping[Outcome, int]:
        """How many ended otherwise, by how."""
        return {
            outcome: count
            for outcome, count in self.outcomes.items()
            if outcome is not Outcome.ANSWERED
        }

    @property
    def failed(self) -> int:
        """How many ended otherwise."""
        return self.requests - self.answered

    def percentile(self, percent: float) -> float | None:
        """Return the seconds within which *percent* of the answers came.

        None: there was no answer.
        """
        left = sum(self.latencies.values()) * percent / 100
        for bucket in sorted(self.latencies):
            left -= self.latencies[bucket]
            if left <= 0:
                return min(_upper_edge(bucket), self.worst)
        return None

    def plus(self, other: "Tally") -> "Tally":
        """Return what came of the requests of both."""
        return Tally(
            outcomes=_added(self.outcomes, other.outcomes),
            latencies=_added(self.latencies, other.latencies),
            worst=max(self.worst, other.worst),
            retried=self.retried + other.retried,
        )


def total(tallies: Iterable[Tally]) -> Tally:
    """Return what came of the requests of all *tallies*."""
    return reduce(Tally.plus, tallies, Tally())


@frozen(kw_only=True)
class Second:
    """What came of the requests that ended within one second.

    Attributes:
        number: Of the second, from 0.
        tally: What came of them.
        waiting: How many requests were on their way at its end.
    """

    number: int
    tally: Tally
    waiting: int

    def line(self) -> str:
        """Return it as one line of JSON."""
        tally = self.tally
        return json.dumps(
            {
                "second": self.number,
                "waiting": self.waiting,
                "outcomes": {each.value: n for each, n in tally.outcomes.items()},
                "latencies": list(tally.latencies.items()),
                "worst_s": tally.worst,
                "retried": tally.retried,
            }
        )

    @classmethod
    def of_line(cls, line: str) -> Self:
        """Read what `line` wrote."""
        values = json.loads(line)
        tally = Tally(
            outcomes={Outcome(key): n for key, n in values["outcomes"].items()},
            latencies=dict(map(tuple, values["latencies"])),
            worst=values["worst_s"],
            retried=values["retried"],
        )
        return cls(number=values["second"], tally=tally, waiting=values["waiting"])


@define
class Count:
    """Counts requests as they end."""

    _outcomes: Counter[Outcome] = field(factory=Counter, init=False)
    _latencies: Counter[int] = field(factory=Counter, init=False)
    _worst: float = field(default=0.0, init=False)
    _retried: int = field(default=0, init=False)

    def add(self, outcome: Outcome, seconds: float, *, is_retried: bool) -> None:
        """Count a request that ended as *outcome* after *seconds*."""
        self._outcomes[outcome] += 1
        self._retried += is_retried
        if outcome is Outcome.ANSWERED:
            self._latencies[_bucket(seconds)] += 1
            self._worst = max(self._worst, seconds)

    def take(self) -> Tally:
        """Return what was counted, and begin again."""
        tally = Tally(
            outcomes=dict(self._outcomes),
            latencies=dict(self._latencies),
            worst=self._worst,
            retried=self._retried,
        )
        self._outcomes.clear()
        self._latencies.clear()
        self._worst, self._retried = 0.0, 0
        return tally


def _bucket(seconds: float) -> int:
    return math.floor(math.log(max(seconds, _SHORTEST_S)) / _GROWTH)


def _upper_edge(bucket: int) -> float:
    return math.exp((bucket + 1) * _GROWTH)


def _added(one: Mapping[_Key, int], other: Mapping[_Key, int]) -> Mapping[_Key, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}
