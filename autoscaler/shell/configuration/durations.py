"""Durations as operators write them: a number and a unit, nothing to guess."""

import re

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
# Shorter ones would keep the daemon busy with itself; longer ones are typing
# errors.  None at all is a duration too.
SHORTEST_S = 0.01
LONGEST_S = 3660 * SECONDS["d"]
ALLOWED = 'a duration with a unit, such as "10ms", "90s", "10m", "1.5h" or "7d"'

_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?) ?(ms|s|m|h|d)", re.ASCII)


def parse_duration(text: str) -> float:
    """Return *text* in seconds.

    Raises:
        ValueError: It is no duration, or one that makes no sense.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        msg = f"{text!r} is not {ALLOWED}"
        raise ValueError(msg)
    # Rounded: 90 ms are 0.09 s, whatever a product of floats makes of them.
    seconds = round(float(found[1]) * SECONDS[found[2]], 9)
    if seconds and not SHORTEST_S <= seconds <= LONGEST_S:
        msg = f"{text!r} is not from 10ms to 3660d"
        raise ValueError(msg)
    return seconds


def format_duration(seconds: float) -> str:
    """Return *seconds* as `parse_duration` reads them, such as ``90s``."""
    for unit in ("d", "h", "m", "s"):
        count = seconds / SECONDS[unit]
        if count >= 1 and count == int(count):
            return f"{count:.0f}{unit}"
    return f"{seconds}s" if seconds else "0s"


def format_age(seconds: float) -> str:
    """Return about how long *seconds* are: ``8s``, ``1.5h``, ``12d``."""
    for unit in ("d", "h", "m"):
        count = seconds / SECONDS[unit]
        # From 9.95 on, one decimal would be one digit too many.
        if count >= 1:
            return f"{count:.1f}{unit}" if count < 9.95 else f"{count:.0f}{unit}"  # noqa: PLR2004 - said above
    return f"{max(0.0, seconds):.0f}s"
