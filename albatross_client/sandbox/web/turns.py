"""Whose request the one CPU of a unikernel works at: first come, first served.

Time is an argument.  A request of 2 ms keeps the CPU for 2 ms, whatever share
of a real core stands for it, so requests wait as they would for a real one.
"""

from collections import deque

# Work is done in slices, so that nothing else waits for a long request.
SLICE_SECONDS = 0.02
# A process that slept too long makes up for so much.
MOST_BEHIND_SECONDS = 0.1


class Turns:
    """Those that wait for the CPU, and the one that has it; numbers are theirs.

    All seconds are of the unikernel's CPU.
    """

    def __init__(self) -> None:
        """Begin with an idle CPU."""
        self._waiting: deque[tuple[int, float, float]] = deque()
        self._current: int | None = None
        self._left = 0.0
        self._free_at = 0.0

    def enter(self, number: int, seconds: float, now: float) -> None:
        """Let request *number*, which takes *seconds*, wait from *now* on."""
        self._waiting.append((number, seconds, now))

    def advance(self, now: float) -> tuple[list[int], float]:
        """Return which requests are done by *now*, and what is burned next.

        After a slice to burn it stops: what is done then is told next time.
        """
        done: list[int] = []
        while (current := self._take_turn(now)) is not None and self._free_at <= now:
            if self._left > 0:
                piece = min(self._left, SLICE_SECONDS)
                self._left -= piece
                self._free_at += piece
                return done, piece
            done.append(current)
            self._current = None
        return done, 0.0

    def pause(self, now: float) -> float | None:
        """Return how long nothing happens; None: until a request enters."""
        if self._current is None and not self._waiting:
            return None
        return max(self._free_at - now, 0.0)

    def _take_turn(self, now: float) -> int | None:
        """Return whose turn it is."""
        if self._current is None and self._waiting:
            self._current, self._left, since = self._waiting.popleft()
            self._free_at = max(self._free_at, since, now - MOST_BEHIND_SECONDS)
        return self._current
