"""What outlives the daemon: one SQLite file in the state directory.

Laws: every method is one transaction, durable when it returns; writes take
place off the event loop, one after another in the order they were asked for;
an action's intent is on disk before the action begins.  The same class on a
database in memory works without a thread, so that it can be used under a
virtual clock.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import trio

from albatross_client.names import Name
from autoscaler.core.actions import Action
from autoscaler.core.snapshot import Snapshot
from autoscaler.shell.clock import wall_clock
from autoscaler.shell.records import action_to_json
from autoscaler.shell.rows import (
    BEGIN,
    CHANGED,
    DECIDED,
    END,
    INTERVAL,
    REFRESHED,
    SAVE,
    STATE,
    STREAM,
    USAGE,
    Decided,
    Stored,
    StreamRow,
    UsageRow,
    current_row,
    decided_row,
    read_stored,
    snapshot_row,
    stream_row,
    usage_row,
)
from autoscaler.shell.schema import StoreError, prepare
from autoscaler.shell.state_lock import StateLock

__all__ = ["Decided", "Store", "Stored", "StreamRow", "UsageRow"]

T = TypeVar("T")


class Store:
    """The state of one daemon.

    Close it when done, or use it as an async context manager.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        lock: StateLock | None,
        wall: Callable[[], float] = wall_clock,
    ) -> None:
        """Use *connection*, of this version; see `open` and `in_memory`."""
        self._connection = connection
        self._lock = lock
        self._wall = wall
        self._turn = trio.Lock()

    @classmethod
    async def open(
        cls, directory: Path, wall: Callable[[], float] = wall_clock
    ) -> Self:
        """Open the state in *directory*, which is made if it isn't there.

        Raises:
            StoreError: Another daemon uses it, or it can't be used.
        """
        _make_directory(directory)
        lock = await StateLock.take(directory)
        try:
            connection = await trio.to_thread.run_sync(_connect, directory / STATE)
        except BaseException:
            lock.release()
            raise
        return cls(connection, lock, wall)

    @classmethod
    def in_memory(cls, wall: Callable[[], float] = wall_clock) -> Self:
        """Return a store that ends with the process."""
        connection = sqlite3.connect(":memory:", isolation_level=None)
        prepare(connection, "the state in memory")
        return cls(connection, None, wall)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with trio.CancelScope(shield=True):
            await self.aclose()

    async def aclose(self) -> None:
        """Close the file and let another daemon have it."""
        await self._do(self._connection.close)
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    async def load(self) -> Stored:
        """Return what an earlier run has left.

        Raises:
            StoreError: It can't be read.
        """
        return await self._do(lambda: read_stored(self._connection))

    async def save(self, snapshots: Iterable[Snapshot]) -> None:
        """Keep *snapshots*, each in the place of its group's last one."""
        kept = tuple(snapshots)
        await self._write((SAVE, map(snapshot_row, kept)))

    async def begin(
        self, snapshot: Snapshot, action: Action, wall: float | None = None
    ) -> None:
        """Keep that *action* begins, and *snapshot*, which has it in flight.

        The action may begin when this returns, and not before.
        """
        group = snapshot.id
        began = self._wall() if wall is None else wall
        row = (group.host, str(group.primary), action.id, action_to_json(action), began)
        await self._write((SAVE, [snapshot_row(snapshot)]), (BEGIN, [row]))

    async def end(
        self,
        snapshot: Snapshot,
        action: Action,
        outcome: str,
        error: str | None,
        took_s: float | None,
    ) -> None:
        """Keep that *action* ended, and *snapshot*, which is without it.

        Arguments:
            snapshot: Of its group, afterwards.
            action: As it began.
            outcome: ``done`` or ``failed``.
            error: Why it failed.
            took_s: How long it took; None: it was an earlier run's.
        """
        group = snapshot.id
        row = (
            *(self._wall(), outcome, error, took_s),
            *(group.host, str(group.primary), action.id),
        )
        await self._write((SAVE, [snapshot_row(snapshot)]), (END, [row]))

    async def record_decisions(self, rows: Iterable[Decided]) -> None:
        """Keep decisions that are not the ones before, oldest first."""
        kept = tuple(rows)
        await self._write(
            (DECIDED, map(decided_row, kept)), (CHANGED, map(current_row, kept))
        )

    async def refresh_decisions(self, rows: Iterable[Decided]) -> None:
        """Keep the newest numbers of decisions that still stand."""
        kept = tuple(rows)
        await self._write((REFRESHED, map(current_row, kept)))

    async def record_usage(self, rows: Iterable[UsageRow]) -> None:
        """Keep usage; a row of the same group and minute is replaced."""
        await self._write((USAGE, map(usage_row, tuple(rows))))

    async def remember_interval(self, host: str, domain: Name, seconds: float) -> None:
        """Keep how often *host* sends the statistics of *domain*."""
        await self._write((INTERVAL, [(host, str(domain), seconds)]))

    async def remember_streams(self, rows: Iterable[StreamRow]) -> None:
        """Keep how streams are; those not among *rows* are forgotten."""
        kept = map(stream_row, tuple(rows))
        await self._write(("DELETE FROM streams", [()]), (STREAM, kept))

    async def prune(self, history_keep: float, wall: float) -> None:
        """Drop history older than *history_keep* seconds at *wall*."""
        oldest = wall - history_keep
        await self._write(
            ("DELETE FROM decisions WHERE at < ?", [(oldest,)]),
            ("DELETE FROM actions WHERE ended < ?", [(oldest,)]),
            ("DELETE FROM usage WHERE began < ?", [(oldest,)]),
        )

    async def _write(
        self, *statements: tuple[str, Iterable[tuple[object, ...]]]
    ) -> None:
        # Rows are made as they are asked for: their JSON, too, is made off the
        # event loop, where a thousand groups would take a tenth of a second.
        def write() -> None:
            with _transaction(self._connection):
                for statement, rows in statements:
                    self._connection.executemany(statement, rows)

        await self._do(write)

    async def _do(self, work: Callable[[], T]) -> T:
        async with self._turn:
            try:
                if self._lock is not None:
                    return await trio.to_thread.run_sync(work)
                return work()
            except sqlite3.Error as error:
                msg = f"the state can't be kept: {error}"
                raise StoreError(msg) from error


def _make_directory(directory: Path) -> None:
    """Make *directory*, if it isn't there.

    Raises:
        StoreError: It can't be made.
    """
    try:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{directory} can't be made: {error.strerror}"
        raise StoreError(msg) from error


def _connect(path: Path) -> sqlite3.Connection:
    try:
        # The store itself sees to it that one thread at a time uses it.
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            prepare(connection, str(path))
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        msg = f"{path} can't be used: {error}"
        raise StoreError(msg) from error
    return connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
