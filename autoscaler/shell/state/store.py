"""What outlives the daemon: one SQLite file in the state directory.

Laws: every method is one transaction, durable when it returns; writes take
place off the event loop, one after another in the order they were asked for;
an action's intent is on disk before the action begins, and each of its steps
before the next effect; a file that turns out to be damaged is set aside, and a
new one begun.  The same class on a database in memory works without a thread,
so that it can be used under a virtual clock.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import trio

from albatross_client.names import Name
from albatross_client.texts import clean
from autoscaler.core.actions import Action, victim_of
from autoscaler.core.group import GroupId
from autoscaler.core.policy import Mode
from autoscaler.core.snapshot import Snapshot
from autoscaler.shell.clock import wall_clock
from autoscaler.shell.state.database import connect, is_damage, set_aside, transaction
from autoscaler.shell.state.lock import StateLock
from autoscaler.shell.state.looks import RECORD, prune_records, record_rows
from autoscaler.shell.state.mortems import (
    BURY,
    MOST_OF_A_GROUP,
    PRUNE_MANY,
    PRUNE_MORTEMS,
    PostMortem,
    mortem_rows,
)
from autoscaler.shell.state.records import action_to_json
from autoscaler.shell.state.rows import (
    BEGIN,
    CHANGED,
    CLOSED,
    DECIDED,
    END,
    FORGOTTEN,
    INTERVAL,
    LAST_STEPS,
    PRUNE_STEPS,
    REFRESHED,
    REQUEST,
    SAVE,
    STATE,
    STEP,
    STEPS,
    STREAM,
    USAGE,
    WITHDRAWN,
    WORD,
    Decided,
    RequestRow,
    Step,
    Stored,
    StreamRow,
    UsageRow,
    current_row,
    decided_row,
    read_stored,
    request_row,
    snapshot_row,
    stream_row,
    usage_row,
)
from autoscaler.shell.state.schema import DamagedError, StoreError, prepare

__all__ = ["Decided", "RequestRow", "Step", "Store", "Stored", "StreamRow", "UsageRow"]

T = TypeVar("T")


class Store:
    """The state of one daemon.

    Close it when done, or use it as an async context manager.

    Attributes:
        set_aside: The damaged file that `open` found, under its new name.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        lock: StateLock | None,
        wall: Callable[[], float] = wall_clock,
        path: Path | None = None,
    ) -> None:
        """Use *connection*, of this version; see `open` and `in_memory`."""
        self.set_aside: Path | None = None
        self._connection = connection
        self._lock = lock
        self._wall = wall
        self._path = path
        self._turn = trio.Lock()

    @classmethod
    async def open(
        cls, directory: Path, wall: Callable[[], float] = wall_clock
    ) -> Self:
        """Open the state in *directory*, which is made if it isn't there.

        A damaged one is set aside, and a new one begun.

        Raises:
            StoreError: Another daemon uses it, or it can't be used.
        """
        _make_directory(directory)
        path, aside = directory / STATE, None
        lock = await StateLock.take(directory)
        try:
            try:
                connection = await trio.to_thread.run_sync(connect, path)
            except DamagedError:
                aside = await trio.to_thread.run_sync(set_aside, path, wall())
                connection = await trio.to_thread.run_sync(connect, path)
        except BaseException:
            lock.release()
            raise
        store = cls(connection, lock, wall, path)
        store.set_aside = aside
        return store

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
        await self._do(self._close)
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    async def load(self) -> Stored:
        """Return what an earlier run has left.

        Raises:
            StoreError: It can't be read.
        """
        return await self._do(lambda: read_stored(self._connection))

    async def save(
        self, snapshots: Iterable[Snapshot], *, are_all: bool = False
    ) -> None:
        """Keep *snapshots*, each in the place of its group's last one.

        If they *are_all*, whatever was lost with an earlier state is in them.
        """
        kept = tuple(snapshots)
        losses = [()] if are_all else []
        await self._write(
            (SAVE, map(snapshot_row, kept)), ("DELETE FROM losses", losses)
        )

    async def begin(
        self, snapshot: Snapshot, action: Action, wall: float | None = None
    ) -> None:
        """Keep that *action* begins, and *snapshot*, which has it in flight.

        The action may begin when this returns, and not before.
        """
        began = self._wall() if wall is None else wall
        key = _key(snapshot.id, action)
        intended = [
            (Step.INTENDED.value, str(name), began, *key) for name in _names(action)
        ]
        await self._write(
            (SAVE, [snapshot_row(snapshot)]),
            (BEGIN, [(*key, action_to_json(action), began)]),
            (STEP, intended),
        )

    async def note(
        self, snapshot: Snapshot, action: Action, name: Name, step: Step
    ) -> None:
        """Keep that *name*, a clone of *action*, has come as far as *step*.

        What follows from that may begin when this returns, and not before.
        """
        row = (step.value, str(name), self._wall(), *_key(snapshot.id, action))
        await self._write((SAVE, [snapshot_row(snapshot)]), (STEP, [row]))

    async def steps(self, group: GroupId, action: Action) -> Mapping[Name, Step]:
        """Return how far the clones of *action*, which runs, have come.

        Those of which nothing is known are left out.

        Raises:
            StoreError: It can't be read.
        """
        row = _key(group, action)
        kept = await self._do(lambda: self._connection.execute(STEPS, row).fetchall())
        return {Name.parse(name): Step(step) for name, step in kept}

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
            error: Why it failed; kept printable and bounded.
            took_s: How long it took; None: it was an earlier run's.
        """
        key, wall = _key(snapshot.id, action), self._wall()
        victim = str(victim_of(action) or "")
        await self._write(
            (SAVE, [snapshot_row(snapshot)]),
            (LAST_STEPS, [(outcome, victim, wall, *key)]),
            (END, [(wall, outcome, error and clean(error), took_s, *key)]),
        )

    async def withdraw(
        self, group: GroupId, action: Action, why: str, waited_s: float
    ) -> None:
        """Keep that *action* was never begun, after it had waited so long."""
        wall, key = self._wall(), _key(group, action)
        waited = wall - waited_s, wall, why, waited_s
        await self._write((WITHDRAWN, [(*key, action_to_json(action), *waited)]))

    async def close_forgotten(self) -> None:
        """End all actions that their groups no longer have in flight.

        Their outcome could not be written down before an earlier run ended.
        """
        await self._do(lambda: _close_forgotten(self._connection, self._wall()))

    async def record_decisions(self, rows: Iterable[Decided]) -> None:
        """Keep decisions that are not the ones before, oldest first."""
        kept = tuple(rows)
        await self._write(
            (DECIDED, map(decided_row, kept)),
            (CHANGED, map(current_row, kept)),
            (RECORD, record_rows(kept, are_changes=True)),
        )

    async def refresh_decisions(self, rows: Iterable[Decided]) -> None:
        """Keep the newest numbers of decisions that still stand."""
        kept = tuple(rows)
        await self._write(
            (REFRESHED, map(current_row, kept)),
            (RECORD, record_rows(kept, are_changes=False)),
        )

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

    async def remember_word(self, mode: Mode | None) -> None:
        """Keep the operator's word for all groups; None: it is taken back."""
        rows = [] if mode is None else [(mode.value,)]
        await self._write(("DELETE FROM word", [()]), (WORD, rows))

    async def record_request(self, row: RequestRow) -> None:
        """Keep what an operator has asked for, and what came of it."""
        await self._write((REQUEST, [request_row(row)]))

    async def bury(self, mortem: PostMortem) -> None:
        """Keep what was last known of a clone; a group has so many at most."""
        key = mortem.group.host, mortem.group.key
        many = (*key, *key, MOST_OF_A_GROUP)
        await self._write((BURY, mortem_rows([mortem])), (PRUNE_MANY, [many]))

    async def prune(self, history_keep: float, wall: float) -> None:
        """Drop history older than *history_keep* seconds at *wall*."""
        oldest = wall - history_keep
        await self._write(
            *((statement, [row]) for statement, row in prune_records(oldest, wall)),
            (PRUNE_MORTEMS, [(oldest,)]),
            ("DELETE FROM decisions WHERE at < ?", [(oldest,)]),
            (PRUNE_STEPS, [(oldest,)]),
            ("DELETE FROM actions WHERE ended < ?", [(oldest,)]),
            ("DELETE FROM usage WHERE began < ?", [(oldest,)]),
            ("DELETE FROM requests WHERE at < ?", [(oldest,)]),
        )

    async def _write(
        self, *statements: tuple[str, Iterable[tuple[object, ...]]]
    ) -> None:
        # Rows are made as they are asked for: their JSON, too, is made off the
        # event loop, where a thousand groups would take a tenth of a second.
        def write() -> None:
            with transaction(self._connection):
                for statement, rows in statements:
                    self._connection.executemany(statement, rows)

        await self._do(write)

    async def _do(self, work: Callable[[], T]) -> T:
        async with self._turn:
            if self._lock is not None:
                return await trio.to_thread.run_sync(self._try, work)
            return self._try(work)

    def _try(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except sqlite3.Error as error:
            msg = f"the state can't be kept: {error}"
            if self._path is not None and is_damage(error):
                aside = self._begin_anew(self._path)
                msg = f"{msg}; it is set aside as {aside.name}, and begun anew"
            raise StoreError(msg) from error

    def _close(self) -> None:
        self._connection.close()

    def _begin_anew(self, path: Path) -> Path:
        self._close()
        aside = set_aside(path, self._wall())
        self._connection = connect(path)
        return aside


def _make_directory(directory: Path) -> None:
    """Make *directory*, if it isn't there.

    Raises:
        StoreError: It can't be made.
    """
    try:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    except FileExistsError as error:
        msg = f"{directory} is no directory"
        raise StoreError(msg) from error
    except OSError as error:
        msg = f"{directory} can't be made: {error.strerror}"
        raise StoreError(msg) from error


def _key(group: GroupId, action: Action) -> tuple[str, str, int]:
    return group.host, group.key, action.id


def _names(action: Action) -> tuple[Name, ...]:
    """Return the clones that *action* makes, and the one that it destroys."""
    victim = victim_of(action)
    made = tuple(slot.name for slot in action.slots)
    return made if victim is None else (*made, victim)


def _close_forgotten(connection: sqlite3.Connection, wall: float) -> None:
    with transaction(connection):
        in_flight = {
            _key(kept.id, action)
            for kept in read_stored(connection).snapshots
            for action in kept.actions
        }
        error = "what came of it was not written down"
        forgotten = [
            (wall, "failed", error, number)
            for number, *key in connection.execute(FORGOTTEN)
            if tuple(key) not in in_flight
        ]
        connection.executemany(CLOSED, forgotten)
