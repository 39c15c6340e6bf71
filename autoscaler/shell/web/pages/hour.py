"""What a group did in the last hour, minute by minute; for charts.

A minute has the mean of each member's usage at its ticks.  It takes a byte for
each member: a thousand unikernels have 60 kB of them, and half a percent is
finer than any chart.
"""

import enum
from collections import deque
from collections.abc import Mapping

from attrs import Factory, define, field, frozen

from autoscaler.core.guards import Kind as Guarded
from autoscaler.core.record import Record

MINUTES = 60
MINUTE_S = 60.0
# In an hour; with requests a group may act at every tick.
MOST_DEEDS = 60
# What is so much older comes from a clock that was set back.
SET_BACK_S = 120.0
_UNKNOWN = 255
_STEPS = 2  # a percent
_NOTHING = bytes([_UNKNOWN]) * MINUTES
# By byte; looked up two hundred times for each card.
_SIZES = (*range(_UNKNOWN), None)
_PERCENTS = (*(byte / _STEPS for byte in range(_UNKNOWN)), None)


class Kind(enum.Enum):
    """What an action does."""

    CREATE = "create"
    DESTROY = "destroy"
    REPLACE = "replace"


@frozen
class Deed:
    """An action that has ended.

    Attributes:
        at: When, seconds since 1970.
        kind: What it did.
        says: The same in words.
        has_failed: Whether it failed.
    """

    at: float
    kind: Kind
    says: str
    has_failed: bool = False


@frozen(kw_only=True)
class Glimpse:
    """What charts need of one record.

    Attributes:
        at: When, seconds since 1970.
        usages: Of those members that have one, percent.
        size: How many members may serve.
        holding: The guards that hold.
    """

    at: float
    usages: Mapping[str, float]
    size: int
    holding: frozenset[Guarded]


def glimpse(record: Record) -> Glimpse:
    """Return what charts need of *record*."""
    load = record.decision.load
    return Glimpse(
        at=record.at,
        usages={str(s.name): s.usage for s in load.standings if s.usage is not None},
        size=load.capacity,
        holding=frozenset(guard.kind for guard in record.guards if guard.holds),
    )


@define(eq=False)
class Hour:
    """The last hour of one group.

    Attributes:
        deeds: Actions that have ended, oldest first.
        held_since: Since when each guard that holds has held, as far as is
            known, seconds since 1970.
        minute: The newest, minutes since 1970.
        at: When the newest was taken that it knows, seconds since 1970.
    """

    deeds: deque[Deed] = field(factory=lambda: deque(maxlen=MOST_DEEDS))
    held_since: Mapping[Guarded, float] = field(factory=dict)
    minute: int = 0
    at: float = 0.0
    _usages: dict[str, bytearray] = field(factory=dict, init=False)
    _sizes: bytearray = Factory(lambda: bytearray(_NOTHING))
    # Of the newest minute: sums of usages, and of how many.
    _sums: dict[str, tuple[float, int]] = field(factory=dict, init=False)

    def take(self, seen: Glimpse) -> None:
        """Remember *seen*, unless it is older than what was taken before."""
        if seen.at <= self.at:
            if self.at - seen.at < SET_BACK_S:
                return
            self._forget()
        self.at, minute = seen.at, int(seen.at // MINUTE_S)
        if minute > self.minute:
            self._begin(minute)
        slot = self.minute % MINUTES
        self._sizes[slot] = min(seen.size, _UNKNOWN - 1)
        for name, usage in seen.usages.items():
            total, count = self._sums.get(name, (0.0, 0))
            total, count = total + usage, count + 1
            self._sums[name] = total, count
            ring = self._usages.get(name)
            if ring is None:
                ring = self._usages[name] = bytearray(_NOTHING)
            ring[slot] = round(_STEPS * max(0.0, min(100.0, total / count)))
        self.held_since = {k: self.held_since.get(k, seen.at) for k in seen.holding}

    def usages(self, until: int) -> Mapping[str, tuple[float | None, ...]]:
        """Return each member's usage in the hour that ends with minute *until*.

        Oldest first; None where it had none.
        """
        turned = (
            (name, self._turn(ring, until)) for name, ring in self._usages.items()
        )
        return {
            name: tuple(map(_PERCENTS.__getitem__, ring))
            for name, ring in turned
            if ring != _NOTHING
        }

    def sizes(self, until: int) -> tuple[int | None, ...]:
        """Return how many members might serve, likewise."""
        return tuple(map(_SIZES.__getitem__, self._turn(self._sizes, until)))

    def deeds_within(self, until: int) -> tuple[Deed, ...]:
        """Return the actions that ended in that hour, oldest first."""
        first = (until - MINUTES + 1) * MINUTE_S
        return tuple(deed for deed in self.deeds if deed.at >= first)

    def _forget(self) -> None:
        self.deeds.clear()
        self.held_since, self.minute = {}, 0
        self._usages, self._sums = {}, {}
        self._sizes[:] = _NOTHING

    def _begin(self, minute: int) -> None:
        passed = min(minute - self.minute, MINUTES)
        for each in range(minute - passed + 1, minute + 1):
            self._sizes[each % MINUTES] = _UNKNOWN
            for ring in self._usages.values():
                ring[each % MINUTES] = _UNKNOWN
        self.minute = minute
        self._sums = {}
        for name in [n for n, ring in self._usages.items() if ring == _NOTHING]:
            del self._usages[name]

    def _turn(self, ring: bytearray, until: int) -> bytes:
        """Return the hour that ends with *until*, oldest first."""
        first = (self.minute + 1) % MINUTES
        turned = bytes(ring[first:] + ring[:first])
        passed = min(max(0, until - self.minute), MINUTES)
        return turned[passed:] + _NOTHING[:passed]
