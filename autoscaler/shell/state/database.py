"""The state file itself: opened, changed in transactions, set aside if damaged.

Laws: nothing of a damaged file is deleted, it only gets another name; the file
that takes its place says from its first moment on that a state was lost, also
when the process ends in between; a file appears as a whole, so that an empty
one has lost what was in it.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from autoscaler.shell.state.rows import read_stored
from autoscaler.shell.state.schema import DamagedError, StoreError, prepare

# The log of a file and its index belong to it, and go before it: a file without
# them would be whole, and of an earlier time.
_BESIDE = ("-wal", "-shm")
# A file that is to take the place of a damaged one; it exists from when that is
# settled until it has happened.
_NEXT, _UNFINISHED = ".next", ".unfinished"
_DAMAGES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def connect(path: Path) -> sqlite3.Connection:
    """Open and check all of the state at *path*; made if it isn't there.

    Raises:
        DamagedError: It is no state any more.
        StoreError: It can't be used.
    """
    _finish_setting_aside(path)
    _make(path)
    try:
        connection = _open(path)
        try:
            prepare(connection, str(path))
            _check(connection)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        msg = f"{path} can't be used: {error}"
        raise (DamagedError if is_damage(error) else StoreError)(msg) from error
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Have all that is done to *connection* within happen, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk may have rolled it back already, or have left it open.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether *error* is about what the file holds."""
    # sqlite.org/rescode.html - the low byte is the primary code.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGES


def set_aside(path: Path, wall: float) -> Path:
    """Give the damaged file at *path* another name, and return that.

    The new one in its place says that at *wall* a state was lost.

    Raises:
        StoreError: That can't be done.
    """
    try:
        following = _write_new(path, [(wall,)])
        aside = _free_name(path, wall)
        following.rename(path.with_name(path.name + _NEXT))
        _swap(path, aside)
    except (OSError, sqlite3.Error) as error:
        msg = f"{path} is damaged and can't be set aside: {error}"
        raise StoreError(msg) from error
    return aside


def _make(path: Path) -> None:
    """Make a new file at *path*, if there is none.

    Raises:
        DamagedError: There is one, and nothing is in it.
        StoreError: It can't be made.
    """
    try:
        if not path.exists():
            _write_new(path, []).rename(path)
        is_empty = path.is_file() and path.stat().st_size == 0
    except (OSError, sqlite3.Error) as error:
        msg = f"{path} can't be made: {error}"
        raise StoreError(msg) from error
    if is_empty:
        msg = f"{path} is damaged: it is empty"
        raise DamagedError(msg)


def _write_new(path: Path, losses: Iterable[tuple[float]]) -> Path:
    """Write a new state beside *path*, whole and on disk; return where."""
    unfinished = path.with_name(path.name + _UNFINISHED)
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(unfinished, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        prepare(connection, str(unfinished))
        connection.executemany("INSERT INTO losses VALUES (?)", losses)
    return unfinished


def _open(path: Path) -> sqlite3.Connection:
    # The store itself sees to it that one thread at a time uses it.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection) -> None:
    """Read all of it once: a daemon learns of damage before it acts on it."""
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        msg = f"the state is damaged: {found}"
        raise DamagedError(msg)
    try:
        read_stored(connection)
    except ValueError as error:
        msg = f"the state is damaged: {error}"
        raise DamagedError(msg) from error


def _free_name(path: Path, wall: float) -> Path:
    """Return a name for the damaged file that no other has."""
    number = int(wall)
    while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    return aside


def _swap(path: Path, aside: Path) -> None:
    for suffix in (*_BESIDE, ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    path.with_name(path.name + _NEXT).rename(path)


def _finish_setting_aside(path: Path) -> None:
    """End what a process has begun that ended in the middle of it."""
    following = path.with_name(path.name + _NEXT)
    try:
        if following.exists():
            _swap(path, _free_name(path, following.stat().st_mtime))
    except OSError as error:
        msg = f"{path} is damaged and can't be set aside: {error}"
        raise StoreError(msg) from error
