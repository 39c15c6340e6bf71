"""Instants as operators write and read them: local time, or so long ago."""

import re
from datetime import UTC, datetime, timedelta

from autoscaler.shell.configuration.durations import parse_duration

ALLOWED = (
    'a time such as "14:30", "14:30:05", "2026-03-01 14:30" or "2026-03-01", or how '
    'long ago it was, such as "10m"'
)
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?", re.ASCII)
_DAY = timedelta(days=1)


def parse_time(text: str, wall: float) -> float:
    """Return the instant that *text* means at *wall*, seconds since 1970.

    A time of day is the last one that has been; without an offset it is local.

    Raises:
        ValueError: It is none.
    """
    try:
        return wall - parse_duration(text)
    except ValueError:
        now = _local(wall)
    try:
        if _CLOCK.fullmatch(text):
            padded = text if text[1] != ":" else f"0{text}"
            found = datetime.fromisoformat(f"{now:%Y-%m-%d} {padded}").astimezone()
            return (found if found <= now else found - _DAY).timestamp()
        return datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OverflowError, OSError) as error:
        msg = f"{text!r} is not {ALLOWED}"
        raise ValueError(msg) from error


def format_time(at: float) -> str:
    """Return *at*, seconds since 1970, in local time."""
    return f"{_local(at):%Y-%m-%d %H:%M:%S}"


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone()
