"""Whether the daemon is alive, and whether it sees all that it has to."""

from collections import deque
from collections.abc import Iterator, Mapping

import trio
from attrs import define, field, frozen

from autoscaler.shell.fleet import Fleet

BEAT_S = 1.0
# Of so many beats the most lag is told: a minute.
MOST_BEATS = 60
# Hosts are answered within 30 s: a loop that is held up for longer loses them.
MOST_LAG_S = 5.0
# It is looked at least every 10 s at which groups have to tick.
MOST_ROUND_AGE_S = 30.0
MOST_MISSING = 100


@frozen
class Health:
    """Whether the daemon is alive.

    Attributes:
        loop_lag_s: How late the loop was at most in the last minute.
        round_age_s: How long ago it was looked at which groups have to tick.
    """

    loop_lag_s: float
    round_age_s: float

    @property
    def is_alive(self) -> bool:
        """Whether it does what it has to do in time."""
        return self.loop_lag_s <= MOST_LAG_S and self.round_age_s <= MOST_ROUND_AGE_S

    @property
    def form(self) -> Mapping[str, object]:
        """The same as values that JSON has."""
        return {
            "alive": self.is_alive,
            "loop_lag_s": round(self.loop_lag_s, 6),
            "round_age_s": round(self.round_age_s, 3),
        }


@define
class Pulse:
    """Measures how late the event loop is.

    Attributes:
        fleet: Whose.
    """

    fleet: Fleet
    _lags: deque[float] = field(factory=lambda: deque(maxlen=MOST_BEATS), init=False)

    async def beat_for_ever(self) -> None:
        """Wake once in a while, and remember how late that was."""
        while True:
            due = trio.current_time() + BEAT_S
            await trio.sleep_until(due)
            self._lags.append(trio.current_time() - due)

    def look(self) -> Health:
        """Return how it is now."""
        age = trio.current_time() - self.fleet.round_at
        return Health(max(self._lags, default=0.0), age)


def find_missing(fleet: Fleet) -> tuple[str, ...]:
    """Return in words what *fleet* lacks to do all that it is meant to."""
    return tuple(
        said for said, _ in zip(_missing(fleet), range(MOST_MISSING), strict=False)
    )


def _missing(fleet: Fleet) -> Iterator[str]:
    if fleet.is_stopping:
        yield "the daemon is about to end"
    if not fleet.is_writable:
        yield "the state can't be written"
    for (host, domain), watch in fleet.watches.items():
        if watch.feed.up_since is None:
            yield f"host {host}: no statistics of {domain}"
        if watch.listing is None:
            yield f"host {host}: no answer what runs in {domain}"
