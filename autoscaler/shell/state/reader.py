"""The state as another process sees it: read only, beside a running daemon."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from attrs import field, frozen

from albatross_client.names import Name
from autoscaler.core.decision import Decision
from autoscaler.core.group import GroupId
from autoscaler.core.record import Record
from autoscaler.core.snapshot import Snapshot
from autoscaler.shell.state.looks import unpack
from autoscaler.shell.state.rows import (
    STATE,
    RequestRow,
    StreamRow,
    read_request,
    read_row,
    read_stored,
)
from autoscaler.shell.state.schema import VERSION, StoreError, check


@frozen
class Standing:
    """A decision that stands.

    Attributes:
        decision: With its newest numbers.
        since: Since when, seconds since 1970.
        at: When its numbers were taken, seconds since 1970.
    """

    decision: Decision
    since: float
    at: float


@frozen
class State:
    """What a daemon has written down.

    Attributes:
        snapshots: Of all groups, by id.
        decisions: The newest, by group.
        began: When actions in flight began, seconds since 1970, by group and
            the action's number.
        streams: How its statistics streams are.
        records: How the newest decisions came about, by group, as far as known.
        words: What operators have said of modes, newest first.
    """

    snapshots: Mapping[GroupId, Snapshot]
    decisions: Mapping[GroupId, Standing]
    began: Mapping[tuple[GroupId, int], float]
    streams: tuple[StreamRow, ...]
    records: Mapping[GroupId, Record] = field(factory=dict)
    words: tuple[RequestRow, ...] = ()


NOTHING = State({}, {}, {}, ())


def read_state(directory: Path) -> State:
    """Return what the state in *directory* says, `NOTHING` where there is none.

    Raises:
        StoreError: It can't be read.
    """
    with reading(directory) as connection:
        return NOTHING if connection is None else _read(connection)


@contextmanager
def reading(directory: Path) -> Iterator[sqlite3.Connection | None]:
    """Have the state in *directory* for reading, None where there is none.

    Raises:
        StoreError: It can't be read.
    """
    path = directory / STATE
    if not _is_there(path):
        yield None
        return
    try:
        with closing(_connect(path)) as connection:
            if check(connection, path) < VERSION:
                raise StoreError(_why_older(path))
            # One transaction: all of it is of one moment.
            connection.execute("BEGIN")
            yield connection
    except sqlite3.Error as error:
        msg = f"{path} can't be read: {error}"
        raise StoreError(msg) from error


def _why_older(path: Path) -> str:
    if path.stat().st_size == 0:
        return f"{path} is empty: what was in it is lost, and a daemon begins anew"
    return f"{path} is of an older version: start the daemon once"


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        # The directory is somebody else's.
        msg = f"{path} can't be read: {error.strerror}"
        raise StoreError(msg) from error


def _connect(path: Path) -> sqlite3.Connection:
    uri = path.absolute().as_uri()
    # After a clean end there is no log beside the file, and who may not write
    # there can't make one: then nothing can change the file either.
    alone = not path.with_name(f"{path.name}-wal").exists()
    suffix = "immutable=1" if alone else "mode=ro"
    return sqlite3.connect(f"{uri}?{suffix}", uri=True, isolation_level=None)


def _read(connection: sqlite3.Connection) -> State:
    stored = read_stored(connection)
    decisions = {
        GroupId.of_key(host, key): Standing(
            read_row(f"the decision of {host}/{key}", text, Decision), since, at
        )
        for host, key, since, at, text in connection.execute(
            "SELECT host, primary_name, since, at, decision FROM current_decisions"
        )
    }
    began = {
        (GroupId.of_key(host, key), number): at
        for host, key, number, at in connection.execute(
            "SELECT host, primary_name, id, max(began) FROM actions "
            "WHERE ended IS NULL GROUP BY host, primary_name, id"
        )
    }
    streams = tuple(
        StreamRow(host=host, domain=Name.parse(domain), is_up=bool(is_up), since=since)
        for host, domain, is_up, since in connection.execute(
            "SELECT host, domain, is_up, since FROM streams ORDER BY host, domain"
        )
    )
    snapshots = {snapshot.id: snapshot for snapshot in stored.snapshots}
    records = dict(_records(connection))
    return State(snapshots, decisions, began, streams, records, words_of(connection))


def _records(connection: sqlite3.Connection) -> Iterator[tuple[GroupId, Record]]:
    for host, key, packed in connection.execute(
        "SELECT host, primary_name, (SELECT record FROM records AS r "
        "WHERE r.host = c.host AND r.primary_name = c.primary_name "
        "ORDER BY r.at DESC LIMIT 1) FROM current_decisions AS c"
    ):
        if packed is not None:
            group = GroupId.of_key(host, key)
            yield group, unpack(f"the newest record of {group}", packed)


def words_of(connection: sqlite3.Connection) -> tuple[RequestRow, ...]:
    """Return what operators have said of modes, newest first."""
    rows = connection.execute(
        "SELECT at, uid, user, verb, words, is_done, said FROM requests "
        "WHERE verb IN ('pause', 'observe', 'resume') AND is_done ORDER BY number DESC"
    )
    return tuple(map(read_request, rows))
