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
# What couldn't be burned in time is made up for, but not for ever.
MOST_DEBT_SECONDS = 0.5


def main(source: int = 0) -> None:
    """Burn as the descriptor *source* says, until it ends."""
    share = 0.0
    debt = 0.0
    text = b""
    before = time.monotonic()
    while True:
        # Idle, it isn't even woken up.
        pause = PERIOD_SECONDS * (1 - share) if share else None
        readable, _, _ = select.select([source], [], [], pause)
        now = time.monotonic()
        debt = min(debt + share * (now - before), MOST_DEBT_SECONDS)
        before = now
        if readable:
            octets = os.read(source, 4096)
            if not octets:
                return
            *lines, text = (text + octets).split(b"\n")
            # What is asked for now counts, not what was left undone.
            share, debt = float(lines[-1]) if lines else share, 0.0
        debt -= burn(debt)


def burn(seconds: float) -> float:
    """Burn *seconds* of CPU time, at most a period; return what was burned."""
    start = now = time.process_time()
    end = start + min(seconds, PERIOD_SECONDS)
    while now < end:
        now = time.process_time()
    return now - start


if __name__ == "__main__":
    main()
