"""GeneralizedTime as hosts write and read it (asn1-combinators, ptime).

Own calendar: hosts know the year 0, `datetime` does not.
"""

import re
from typing import Final

from albatross_client.values import Timestamp

MS_PER_S: Final = 1000
MS_PER_DAY: Final = 86_400_000
_S_PER_MINUTE: Final = 60
_S_PER_HOUR: Final = 3600
_MONTHS: Final = 12
_MAX_HOUR: Final = 23
_MAX_MINUTE: Final = 59
_MAX_SECOND: Final = 60  # a leap second, read as the next second
_MAX_YEAR: Final = 9999

# Seconds may be missing; of 1 to 7 digits of a fraction the first three are
# read as a whole number of milliseconds (".5" is 5 ms); no zone means UTC.
_TIME: Final = re.compile(
    rb"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})"
    rb"(?:([0-9]{2})(?:\.([0-9]{1,3})[0-9]{0,4})?)?"
    rb"(?:Z|([+-])([0-9]{2})([0-9]{2}))?"
)


def read_time(octets: bytes) -> Timestamp:
    """Read the content of a GeneralizedTime.

    Raises:
        ValueError: It has another form or is no date of the years 0 to 9999.
    """
    match = _TIME.fullmatch(octets)
    if match is None:
        msg = f"{octets!r} is not a time"
        raise ValueError(msg)
    year, month, day, hour, minute, second, ms = (
        int(part or 0) for part in match.groups()[:7]
    )
    if not (
        1 <= month <= _MONTHS
        and 1 <= day <= _days_in_month(year, month)
        and hour <= _MAX_HOUR
        and minute <= _MAX_MINUTE
        and second <= _MAX_SECOND
    ):
        msg = f"{octets!r} is no date or no time of a day"
        raise ValueError(msg)
    seconds = hour * _S_PER_HOUR + minute * _S_PER_MINUTE + second
    when = Timestamp(
        _days(year, month, day) * MS_PER_DAY
        + (seconds - _offset(match)) * MS_PER_S
        + ms
    )
    check_range(when)
    return when


def _offset(match: re.Match[bytes]) -> int:
    """Return how far the zone is ahead of UTC, seconds."""
    sign, hours, minutes = match.groups()[7:]
    if sign is None:
        return 0
    ahead = int(hours) * _S_PER_HOUR + int(minutes) * _S_PER_MINUTE
    return -ahead if sign == b"-" else ahead


def write_time(when: Timestamp) -> bytes:
    """Return the content of a GeneralizedTime: no fraction, or three digits.

    Raises:
        ValueError: The year is not one of 0 to 9999.
    """
    (year, month, day), (hour, minute, second, ms) = _split(when)
    fraction = f".{ms:03}" if ms else ""
    return (
        f"{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}{fraction}Z"
    ).encode()


def rfc3339(when: Timestamp) -> str:
    """Return *when* as hosts print it, with twelve digits of a fraction.

    Raises:
        ValueError: The year is not one of 0 to 9999.
    """
    (year, month, day), (hour, minute, second, ms) = _split(when)
    return (
        f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        f".{ms:03}000000000Z"
    )


def check_range(when: Timestamp) -> None:
    """Check that *when* is within what hosts can say.

    Raises:
        ValueError: The year is not one of 0 to 9999.
    """
    if not _FIRST_MS <= when.milliseconds <= _LAST_MS:
        msg = f"the time {when.milliseconds} ms is not in the years 0 to {_MAX_YEAR}"
        raise ValueError(msg)


def _split(when: Timestamp) -> tuple[tuple[int, int, int], tuple[int, ...]]:
    """Return year, month and day; hour, minute, second and milliseconds."""
    check_range(when)
    days, ms = divmod(when.milliseconds, MS_PER_DAY)
    seconds, ms = divmod(ms, MS_PER_S)
    minutes, second = divmod(seconds, _S_PER_MINUTE)
    return _date(days), (*divmod(minutes, _S_PER_MINUTE), second, ms)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days_in_month(year: int, month: int) -> int:
    if month == 2:  # noqa: PLR2004 - February
        return 29 if _is_leap(year) else 28
    return 30 if month in {4, 6, 9, 11} else 31


def _days(year: int, month: int, day: int) -> int:
    """Return days since 1970-01-01 in the proleptic Gregorian calendar.

    Years are counted from 1 March, in eras of 400 of them, so that the leap
    day is the last of its year.
    """
    year -= month <= 2  # noqa: PLR2004 - January and February
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % _MONTHS) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def _date(days: int) -> tuple[int, int, int]:
    """Return the date *days* after 1970-01-01: `_days` the other way round."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = (shifted + 2) % _MONTHS + 1
    day = of_year - (153 * shifted + 2) // 5 + 1
    return era * 400 + year + (month <= 2), month, day  # noqa: PLR2004 - as above


_FIRST_MS: Final = _days(0, 1, 1) * MS_PER_DAY
_LAST_MS: Final = (_days(_MAX_YEAR, 12, 31) + 1) * MS_PER_DAY - 1
