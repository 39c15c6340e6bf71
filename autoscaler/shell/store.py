"""What outlives the daemon: one SQLite file in the state directory.

Laws: every method is one transaction, durable when it returns; writes take
place off the event loop, one after another in the order they were asked for;
an action's intent is on disk before the action begins.  The same class on a
database in memory works without a thread, so that it can be used under a
virtual clock.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TypeVar

import trio
from attrs import frozen

from albatross_client.names import Name
from autoscaler.core.actions import Action
from autoscaler.core.decision import Decision
from autoscaler.core.group import GroupId
from autoscaler.core.snapshot import Snapshot
from autoscaler.shell.clock import wall_clock
from autoscaler.shell.records import action_to_json, from_json, to_json
from autoscaler.shell.schema import StoreError, prepare
from autoscaler.shell.state_lock import StateLock

T = TypeVar("T")

STATE = "state.db"


class Decided(Protocol):
    """A decision of a group, and when it was made."""

    @property
    def group(self) -> GroupId:
        """Whose."""

    @property
    def wall(self) -> float:
        """When, seconds since 1970."""

    @property
    def decision(self) -> Decision:
        """The decision."""


@frozen(kw_only=True)
class UsageRow:
    """The usage of one group over one minute.

    Attributes:
        group: Whose.
        wall: When the minute began, seconds since 1970.
        mean: Mean over the minute's ticks of the mean usage, percent; None:
            nobody reported.
        least: The least of those means.
        most: The greatest of those means.
        smallest: Fewest members.
        largest: Most members.
    """

    group: GroupId
    wall: float
    mean: float | None
    least: float | None
    most: float | None
    smallest: int
    largest: int


@frozen(kw_only=True)
class StreamRow:
    """How one statistics stream is.

    Attributes:
        host: The host's name in the configuration.
        domain: What is subscribed to.
        is_up: Whether it brings frames.
        since: Since when, seconds since 1970.
    """

    host: str
    domain: Name
    is_up: bool
    since: float


@frozen
class Stored:
    """What an earlier run has left.

    Attributes:
        snapshots: Of all groups, also of those that are no longer configured.
        intervals: Measured stats intervals in seconds, by host and domain.
    """

    snapshots: tuple[Snapshot, ...]
    intervals: Mapping[tuple[str, Name], float]


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
        make_directory(directory)
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
        await self._write((_SAVE, map(_snapshot_row, kept)))

    async def begin(
        self, snapshot: Snapshot, action: Action, wall: float | None = None
    ) -> None:
        """Keep that *action* begins, and *snapshot*, which has it in flight.

        The action may begin when this returns, and not before.
        """
        group = snapshot.id
        began = self._wall() if wall is None else wall
        row = (group.host, str(group.primary), action.id, action_to_json(action), began)
        await self._write((_SAVE, [_snapshot_row(snapshot)]), (_BEGIN, [row]))

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
        await self._write((_SAVE, [_snapshot_row(snapshot)]), (_END, [row]))

    async def record_decisions(self, rows: Iterable[Decided]) -> None:
        """Keep decisions that are not the ones before, oldest first."""
        kept = tuple(rows)
        await self._write(
            (_DECIDED, map(_decided_row, kept)), (_CHANGED, map(_current_row, kept))
        )

    async def refresh_decisions(self, rows: Iterable[Decided]) -> None:
        """Keep the newest numbers of decisions that still stand."""
        kept = tuple(rows)
        await self._write((_REFRESHED, map(_current_row, kept)))

    async def record_usage(self, rows: Iterable[UsageRow]) -> None:
        """Keep usage; a row of the same group and minute is replaced."""
        usage = [
            (
                *(row.group.host, str(row.group.primary), row.wall),
                *(row.mean, row.least, row.most, row.smallest, row.largest),
            )
            for row in rows
        ]
        await self._write((_USAGE, usage))

    async def remember_interval(self, host: str, domain: Name, seconds: float) -> None:
        """Keep how often *host* sends the statistics of *domain*."""
        await self._write((_INTERVAL, [(host, str(domain), seconds)]))

    async def remember_streams(self, rows: Iterable[StreamRow]) -> None:
        """Keep how streams are; those not among *rows* are forgotten."""
        streams = [(r.host, str(r.domain), r.is_up, r.since) for r in rows]
        await self._write(("DELETE FROM streams", [()]), (_STREAM, streams))

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


def make_directory(directory: Path) -> None:
    """Make *directory*, if it isn't there.

    Raises:
        StoreError: It can't be made.
    """
    try:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{directory} can't be made: {error.strerror}"
        raise StoreError(msg) from error


def read_stored(connection: sqlite3.Connection) -> Stored:
    """Return what *connection*'s file holds for the next run.

    Raises:
        StoreError: A row can't be read.
    """
    snapshots = tuple(
        read_row(f"the snapshot of {host}/{primary}", text, Snapshot)
        for host, primary, text in connection.execute(
            "SELECT host, primary_name, snapshot FROM snapshots"
        )
    )
    intervals = {
        (host, Name.parse(domain)): float(seconds)
        for host, domain, seconds in connection.execute(
            "SELECT host, domain, seconds FROM intervals"
        )
    }
    return Stored(snapshots, intervals)


def read_row(what: str, text: str, kind: type[T]) -> T:
    """Return the *kind* in a row's *text*.

    Raises:
        StoreError: There is none; the message says *what* it was.
    """
    try:
        return from_json(text, kind)
    except ValueError as error:
        msg = (
            f"{what} in {STATE} is damaged: {error}; set the file aside to start "
            "without a past"
        )
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


def _snapshot_row(snapshot: Snapshot) -> tuple[object, ...]:
    return snapshot.id.host, str(snapshot.id.primary), to_json(snapshot)


def _decided_row(row: Decided) -> tuple[object, ...]:
    decision = row.decision
    return (
        *(row.group.host, str(row.group.primary), row.wall),
        *(decision.outcome.value, decision.reason.value, to_json(decision)),
    )


def _current_row(row: Decided) -> tuple[object, ...]:
    return (
        *(row.wall, row.group.host, str(row.group.primary)),
        *(row.wall, to_json(row.decision)),
    )


_SAVE = "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?)"
_BEGIN = (
    "INSERT INTO actions (host, primary_name, id, action, began) VALUES (?, ?, ?, ?, ?)"
)
# Were the state lost, numbers would begin again: only the newest is meant.
_END = (
    "UPDATE actions SET ended = ?, outcome = ?, error = ?, took_s = ? WHERE number = "
    "(SELECT max(number) FROM actions WHERE host = ? AND primary_name = ? AND id = ? "
    "AND ended IS NULL)"
)
_DECIDED = (
    "INSERT INTO decisions (host, primary_name, at, outcome, reason, decision) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
_CHANGED = (
    "INSERT OR REPLACE INTO current_decisions (since, host, primary_name, at, "
    "decision) VALUES (?, ?, ?, ?, ?)"
)
_REFRESHED = (
    "INSERT INTO current_decisions (since, host, primary_name, at, decision) "
    "VALUES (?, ?, ?, ?, ?) ON CONFLICT (host, primary_name) DO UPDATE SET "
    "at = excluded.at, decision = excluded.decision"
)
_USAGE = "INSERT OR REPLACE INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_INTERVAL = "INSERT OR REPLACE INTO intervals VALUES (?, ?, ?)"
_STREAM = "INSERT OR REPLACE INTO streams VALUES (?, ?, ?, ?)"
