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


def main(source: int = 0) -> None:
    """Burn as the descriptor *source* says, until it ends."""
    share = owed = 0.0
    text = b""
    wall, cpu = time.monotonic(), time.process_time()
    while True:
        readable, _, _ = select.select([source], [], [], _pause(share, owed))
        wall_before, cpu_before = wall, cpu
        wall, cpu = time.monotonic(), time.process_time()
        # Waking up burns too, so all that was burned is paid off.
        owed += share * (wall - wall_before) - (cpu - cpu_before)
        owed = min(owed, share * MOST_BEHIND_SECONDS)
        if readable:
            octets = os.read(source, 4096)
            if not octets:
                return
            *lines, text = (text + octets).split(b"\n")
            # What is asked for now counts, not what was left undone.
            share, owed = float(lines[-1]) if lines else share, 0.0
        burn(owed)


def burn(seconds: float) -> None:
    """Burn *seconds* of CPU time, at most a period."""
    end = time.process_time() + min(seconds, PERIOD_SECONDS)
    while time.process_time() < end:
        pass


def _pause(share: float, owed: float) -> float | None:
    """Return how long to sleep; idle, for ever."""
    if not share:
        return None
    return max(PERIOD_SECONDS * (1 - share), -owed / share)


if __name__ == "__main__":
    main()
