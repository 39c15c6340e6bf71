"""The state as another process sees it: read only, beside a running daemon."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from attrs import frozen

from albatross_client.names import Name
from autoscaler.core.decision import Decision
from autoscaler.core.group import GroupId
from autoscaler.core.snapshot import Snapshot
from autoscaler.shell.state.rows import STATE, StreamRow, read_row, read_stored
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
    """

    snapshots: Mapping[GroupId, Snapshot]
    decisions: Mapping[GroupId, Standing]
    began: Mapping[tuple[GroupId, int], float]
    streams: tuple[StreamRow, ...]


NOTHING = State({}, {}, {}, ())


def read_state(directory: Path) -> State:
    """Return what the state in *directory* says, `NOTHING` where there is none.

    Raises:
        StoreError: It can't be read.
    """
    path = directory / STATE
    if not path.exists():
        return NOTHING
    try:
        with closing(_connect(path)) as connection:
            if check(connection, path) < VERSION:
                msg = f"{path} is of an older version: start the daemon once"
                raise StoreError(msg)
            # One transaction: all of it is of one moment.
            connection.execute("BEGIN")
            return _read(connection)
    except sqlite3.Error as error:
        msg = f"{path} can't be read: {error}"
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
    return State(snapshots, decisions, began, streams)
