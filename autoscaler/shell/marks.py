"""What tells one state of a file from another, without reading it."""

import os
from pathlib import Path
from typing import NamedTuple


class Mark(NamedTuple):
    """One state of a file: another content has another mark.

    A tuple, for it is made at every command.

    Attributes:
        inode: Which file it is.
        changed: When it was written last, nanoseconds.
        size: Bytes.
    """

    inode: int
    changed: int
    size: int


def mark_of(file: Path) -> Mark | None:
    """Return the state of *file*, None where there is no such file."""
    try:
        status = os.stat(file)  # noqa: PTH116 - a microsecond, at every command
    except OSError:
        return None
    return Mark(status.st_ino, status.st_mtime_ns, status.st_size)
