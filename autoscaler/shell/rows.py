"""Rows of the state file: the statements, what they take, what comes back."""

import sqlite3
from collections.abc import Mapping
from typing import Protocol, TypeVar

from attrs import frozen

from albatross_client.names import Name
from autoscaler.core.decision import Decision
from autoscaler.core.group import GroupId
from autoscaler.core.snapshot import Snapshot
from autoscaler.shell.records import from_json, to_json
from autoscaler.shell.schema import StoreError

T = TypeVar("T")

STATE = "state.db"

SAVE = "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?)"
BEGIN = (
    "INSERT INTO actions (host, primary_name, id, action, began) VALUES (?, ?, ?, ?, ?)"
)
# Were the state lost, numbers would begin again: only the newest is meant.
END = (
    "UPDATE actions SET ended = ?, outcome = ?, error = ?, took_s = ? WHERE number = "
    "(SELECT max(number) FROM actions WHERE host = ? AND primary_name = ? AND id = ? "
    "AND ended IS NULL)"
)
DECIDED = (
    "INSERT INTO decisions (host, primary_name, at, outcome, reason, decision) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
CHANGED = (
    "INSERT OR REPLACE INTO current_decisions (since, host, primary_name, at, "
    "decision) VALUES (?, ?, ?, ?, ?)"
)
REFRESHED = (
    "INSERT INTO current_decisions (since, host, primary_name, at, decision) "
    "VALUES (?, ?, ?, ?, ?) ON CONFLICT (host, primary_name) DO UPDATE SET "
    "at = excluded.at, decision = excluded.decision"
)
USAGE = "INSERT OR REPLACE INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
INTERVAL = "INSERT OR REPLACE INTO intervals VALUES (?, ?, ?)"
STREAM = "INSERT OR REPLACE INTO streams VALUES (?, ?, ?, ?)"


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


def snapshot_row(snapshot: Snapshot) -> tuple[object, ...]:
    """Return the row of `SAVE`."""
    return snapshot.id.host, str(snapshot.id.primary), to_json(snapshot)


def decided_row(row: Decided) -> tuple[object, ...]:
    """Return the row of `DECIDED`."""
    decision = row.decision
    return (
        *(row.group.host, str(row.group.primary), row.wall),
        *(decision.outcome.value, decision.reason.value, to_json(decision)),
    )


def current_row(row: Decided) -> tuple[object, ...]:
    """Return the row of `CHANGED` and of `REFRESHED`."""
    return (
        *(row.wall, row.group.host, str(row.group.primary)),
        *(row.wall, to_json(row.decision)),
    )


def usage_row(row: UsageRow) -> tuple[object, ...]:
    """Return the row of `USAGE`."""
    return (
        *(row.group.host, str(row.group.primary), row.wall),
        *(row.mean, row.least, row.most, row.smallest, row.largest),
    )


def stream_row(row: StreamRow) -> tuple[object, ...]:
    """Return the row of `STREAM`."""
    return row.host, str(row.domain), row.is_up, row.since


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
