"""Records of decisions on disk: how each is packed, and for how long it stays.

A record has 3 kB as JSON, 0.7 kB packed, and there is one for each group and
minute: those that tell of no change are kept for a day at most.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from autoscaler.core.record import Record
from autoscaler.shell.state.records import from_json, to_json
from autoscaler.shell.state.rows import STATE, Decided
from autoscaler.shell.state.schema import DamagedError

T = TypeVar("T")

RECORD = (
    "INSERT INTO records (host, primary_name, at, is_change, record) "
    "VALUES (?, ?, ?, ?, ?)"
)
EVERY_MINUTE_S = 86_400.0
# A record of a thousand members has less than a tenth of it.
MOST_UNPACKED = 16 * 1024 * 1024


def pack(record: Record) -> bytes:
    """Return *record* as it is kept."""
    return zlib.compress(to_json(record).encode("ascii"))


def unpack(what: str, packed: bytes) -> Record:
    """Return the record that was *packed*.

    Raises:
        DamagedError: There is none; the message says *what* it was.
    """
    return inflate(what, packed, lambda text: from_json(text, Record))


def inflate(what: str, packed: bytes, read: Callable[[str], T]) -> T:
    """Return what *read* makes of the text that was *packed*.

    Raises:
        DamagedError: It can't be read; the message says *what* it was.
    """
    try:
        text = zlib.decompressobj().decompress(packed, MOST_UNPACKED)
        return read(text.decode("ascii"))
    except (zlib.error, ValueError) as error:
        msg = f"{what} in {STATE} is damaged: {error}"
        raise DamagedError(msg) from error


def record_rows(
    rows: Iterable[Decided], *, are_changes: bool
) -> Iterator[tuple[object, ...]]:
    """Yield the rows of `RECORD`, of those that have a record."""
    for row in rows:
        if row.record is not None:
            key = row.group.host, row.group.key
            yield *key, row.record.at, are_changes, pack(row.record)


def prune_records(oldest: float, wall: float) -> Iterator[tuple[str, tuple[float]]]:
    """Yield what drops the records that are too old, each with its row.

    Arguments:
        oldest: What of the history is older, goes.
        wall: Now, seconds since 1970.
    """
    yield "DELETE FROM records WHERE at < ?", (oldest,)
    yesterday = wall - EVERY_MINUTE_S
    yield "DELETE FROM records WHERE at < ? AND NOT is_change", (yesterday,)
