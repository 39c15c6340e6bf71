"""Burns CPU as it is told: the child process behind a sandbox's unikernel.

It is run by its path, in an interpreter without site packages, and reads one
number per line from standard input: the share of a core to burn from then on.
It ends when standard input does, so it never outlives its parent.
"""

import os
import select
import time

# Short, so that a reading at any moment is true to a few milliseconds.
PERIOD_SECONDS = 0.02
# How far behind it may be and make up for it; on a machine that is busy for
# longer the rest is lost, lest it burn more than its share afterwards.
MOST_BEHIND_SECONDS = 0.1
# What was burned beyond that is forgotten: work that was dearer than it was to
# be is no credit for ever.
MOST_AHEAD_SECONDS = 0.02


def main(source: int = 0) -> None:
    """Burn as the descriptor *source* says, until it ends."""
    burner = Burner(source)
    while True:
        readable, _, _ = select.select([source], [], [], burner.pause())
        burner.settle()
        if readable and not burner.hear():
            return
        burner.pay()


class Burner:
    """An account of CPU time: what is asked for against what was burned.

    Attributes:
        share: Of a core, what is to be burned.
    """

    def __init__(self, source: int) -> None:
        """Owe nothing, and burn nothing until *source* says so."""
        self._source = source
        self._text = b""
        self.share = self._owed = 0.0
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def pause(self) -> float | None:
        """Return how long to sleep; idle, for ever."""
        if not self.share:
            return None
        return max(PERIOD_SECONDS * (1 - self.share), -self._owed / self.share)

    def settle(self) -> None:
        """Put down what was to be burned since the last time, and what was."""
        wall_before, cpu_before = self._wall, self._cpu
        self._wall, self._cpu = time.monotonic(), time.process_time()
        # Waking up burns too, so all that was burned is paid off.
        self._owed += self.share * (self._wall - wall_before)
        self._owed -= self._cpu - cpu_before
        self._owed = min(self._owed, self.share * MOST_BEHIND_SECONDS)
        self._owed = max(self._owed, -MOST_AHEAD_SECONDS)

    def hear(self) -> bool:
        """Read what to burn from now on; False: the source has ended."""
        octets = os.read(self._source, 4096)
        *lines, self._text = (self._text + octets).split(b"\n")
        if lines:
            # What is asked for now counts, not what was left undone.
            self.share, self._owed = float(lines[-1]), 0.0
        return bool(octets)

    def owe(self, seconds: float) -> None:
        """Put down *seconds* of CPU time that are to be burned besides."""
        self._owed += seconds

    def pay(self) -> None:
        """Burn what is owed, at most a period."""
        burn(self._owed)


def burn(seconds: float) -> None:
    """Burn *seconds* of CPU time, at most a period."""
    end = time.process_time() + min(seconds, PERIOD_SECONDS)
    while time.process_time() < end:
        pass


if __name__ == "__main__":
    main()
