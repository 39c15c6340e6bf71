"""Whether somebody else keeps taking a statistics path from us.

A host keeps one subscriber of each path: whoever comes sends the one before
away.  Once may be a person who looked; again and again is a rival.  Two who
both come back at once would take turns without end and neither would ever hear
two frames, so who is sent away comes back later every time.
"""

import math

from attrs import frozen

# A takeover is remembered for so long, and so many of them.
REMEMBERED_S = 600.0
KEPT = 8
# As many within that time make a contest.
CONTEST = 2
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 60.0


@frozen
class Contest:
    """What is known of a rival.

    Attributes:
        takeovers: When we were sent away, monotonic, the newest last.
    """

    takeovers: tuple[float, ...] = ()

    def taken(self, now: float) -> "Contest":
        """Return what is known once we were sent away at *now* too."""
        recent = tuple(at for at in self.takeovers if now - at < REMEMBERED_S)
        return Contest((*recent, now)[-KEPT:])

    @property
    def ends_at(self) -> float | None:
        """Until when it lasts if nobody comes again; None: there is none."""
        if len(self.takeovers) < CONTEST:
            return None
        return self.takeovers[-1] + REMEMBERED_S

    @property
    def pause(self) -> float:
        """Seconds until the next try, without jitter."""
        doublings = max(0, len(self.takeovers) - 1)
        return min(math.ldexp(FIRST_PAUSE_S, doublings), LONGEST_PAUSE_S)
