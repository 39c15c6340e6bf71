"""When somebody who could not be told is tried again, and when no more.

Law: no clock and no chance: both are handed in.
"""

from attrs import frozen

# 1, 2, 4 ... 256, 300, 300 seconds: 18 minutes, in which most things restart.
MOST_TRIES = 12
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 300.0
# Of many who failed together each comes back at another time.
LEAST_JITTER, MOST_JITTER = 0.75, 1.25

# rfc9110, 15.5.9 and rfc6585, 4 - these ask to be tried again; the other
# answers of their class will be the same next time.
REQUEST_TIMEOUT, TOO_EARLY, TOO_MANY_REQUESTS = 408, 425, 429
_REDIRECTS, _REFUSALS, _FAILURES = range(300, 400), range(400, 500), range(500, 600)


@frozen
class Failure:
    """Why somebody was not told.

    Attributes:
        error: In one sentence.
        is_final: Whether trying again would lead to the same.
        asked_s: How long to wait, as they have asked, seconds; None: they
            have not.
    """

    error: str
    is_final: bool = False
    asked_s: float | None = None


def pause_after(tries: int, failure: Failure, jitter: float) -> float | None:
    """Return how long to wait before the next try, seconds; None: give up.

    Arguments:
        tries: How many there were, at least 1.
        failure: How the last one ended.
        jitter: From `LEAST_JITTER` to `MOST_JITTER`.
    """
    if failure.is_final or tries >= MOST_TRIES:
        return None
    pause = min(FIRST_PAUSE_S * 2.0 ** (tries - 1), LONGEST_PAUSE_S) * jitter
    asked = 0.0 if failure.asked_s is None else failure.asked_s
    return max(pause, min(asked, LONGEST_PAUSE_S))


def judge(status: int, said: str, asked_s: float | None = None) -> Failure | None:
    """Return what an answer means; None: they were told.

    Arguments:
        status: Of HTTP.
        said: The beginning of what came with it, printable.
        asked_s: Of `Retry-After`.
    """
    words = f"it answers {status}{f': {said}' if said else ''}"
    if status in _REDIRECTS:
        words = f"it answers {status}, and no redirects are followed"
        return Failure(words, is_final=True)
    if status in {REQUEST_TIMEOUT, TOO_EARLY, TOO_MANY_REQUESTS}:
        return Failure(words, asked_s=asked_s)
    if status in _REFUSALS:
        return Failure(words, is_final=True)
    if status in _FAILURES:
        return Failure(words, asked_s=asked_s)
    return None
