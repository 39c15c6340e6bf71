"""Rows of the state file: the statements, what they take, what comes back."""

import enum
import json
import sqlite3
from collections.abc import Mapping
from typing import Protocol, TypeVar

from attrs import frozen

from albatross_client.names import Name
from autoscaler.core.decision import Decision
from autoscaler.core.decision_ids import read_id
from autoscaler.core.group import GroupId
from autoscaler.core.policy import Mode
from autoscaler.core.record import Record
from autoscaler.core.snapshot import Snapshot
from autoscaler.shell.state.records import from_json, to_json
from autoscaler.shell.state.schema import DamagedError

T = TypeVar("T")

STATE = "state.db"

SAVE = "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?)"
BEGIN = (
    "INSERT INTO actions (host, primary_name, id, action, began) VALUES (?, ?, ?, ?, ?)"
)
END = (
    "UPDATE actions SET ended = ?, outcome = ?, error = ?, took_s = ? WHERE number = "
    "(SELECT number FROM unfinished WHERE host = ? AND primary_name = ? AND id = ?)"
)
WITHDRAWN = (
    "INSERT INTO actions (host, primary_name, id, action, began, ended, outcome, "
    "error, took_s) VALUES (?, ?, ?, ?, ?, ?, 'withdrawn', ?, ?)"
)
# An action that the file knows nothing of has no steps there either.
STEP = (
    "INSERT INTO steps (step, name, at, action) SELECT ?, ?, ?, number "
    "FROM unfinished WHERE host = ? AND primary_name = ? AND id = ?"
)
STEPS = (
    "SELECT name, step FROM steps WHERE action = "
    "(SELECT number FROM unfinished WHERE host = ? AND primary_name = ? AND id = ?) "
    "ORDER BY number"
)
# What had not come as far as its last step when its action failed has failed.
LAST_STEPS = (
    "INSERT INTO steps (action, name, step, at) SELECT action, name, "
    "CASE WHEN ? = 'done' OR max(step = 'first_sample') "
    "OR (name = ? AND max(step = 'confirmed')) THEN 'done' ELSE 'failed' END, ? "
    "FROM steps WHERE action = "
    "(SELECT number FROM unfinished WHERE host = ? AND primary_name = ? AND id = ?) "
    "GROUP BY action, name HAVING NOT max(step IN ('done', 'failed', 'rolled_back'))"
)
PRUNE_STEPS = (
    "DELETE FROM steps WHERE action IN (SELECT number FROM actions WHERE ended < ?)"
)
FORGOTTEN = "SELECT number, host, primary_name, id FROM actions WHERE ended IS NULL"
CLOSED = "UPDATE actions SET ended = ?, outcome = ?, error = ? WHERE number = ?"
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
REQUEST = (
    "INSERT INTO requests (at, uid, user, verb, words, is_done, said) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
WORD = "INSERT INTO word VALUES (?)"
# Later ones sort after earlier ones; a decision of an older version has none.
LAST_ID = (
    "SELECT max(json_extract(decision, '$.id')) FROM current_decisions "
    "WHERE json_valid(decision)"
)


class Step(enum.Enum):
    """How far one clone of an action has come; each is on disk before the next.

    A clone that is created goes through all up to `DONE`: it is ready where a
    balancer gives it work, and else has a first sample.  One that is destroyed
    is confirmed once the host no longer lists it, and is neither.
    """

    INTENDED = "intended"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FIRST_SAMPLE = "first_sample"
    READY = "ready"
    DONE = "done"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"


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

    @property
    def record(self) -> Record | None:
        """How it came about; None: that isn't known."""


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


@frozen(kw_only=True)
class RequestRow:
    """What an operator has asked for.

    Attributes:
        wall: When, seconds since 1970.
        uid: Whose request, by number.
        user: And by name.
        verb: What was asked.
        words: What about, by `group`, `name` and the like.
        is_done: Whether it has been done.
        said: What was answered.
    """

    wall: float
    uid: int
    user: str
    verb: str
    words: Mapping[str, str]
    is_done: bool
    said: tuple[str, ...]


@frozen
class Stored:
    """What an earlier run has left.

    Attributes:
        snapshots: Of all groups, also of those that are no longer configured.
        intervals: Measured stats intervals in seconds, by host and domain.
        lost_at: When a state was found damaged and set aside, seconds since
            1970: groups without a snapshot may have had clones. None: never,
            or all groups were written down since.
        word: The operator's word for all groups that have none of their own.
        last_id: The number of the last decision that was given a name.
    """

    snapshots: tuple[Snapshot, ...]
    intervals: Mapping[tuple[str, Name], float]
    lost_at: float | None = None
    word: Mode | None = None
    last_id: int = 0


def snapshot_row(snapshot: Snapshot) -> tuple[object, ...]:
    """Return the row of `SAVE`."""
    return snapshot.id.host, snapshot.id.key, to_json(snapshot)


def decided_row(row: Decided) -> tuple[object, ...]:
    """Return the row of `DECIDED`."""
    decision = row.decision
    return (
        *(row.group.host, row.group.key, row.wall),
        *(decision.outcome.value, decision.reason.value, to_json(decision)),
    )


def current_row(row: Decided) -> tuple[object, ...]:
    """Return the row of `CHANGED` and of `REFRESHED`."""
    return (
        *(row.wall, row.group.host, row.group.key),
        *(row.wall, to_json(row.decision)),
    )


def usage_row(row: UsageRow) -> tuple[object, ...]:
    """Return the row of `USAGE`."""
    return (
        *(row.group.host, row.group.key, row.wall),
        *(row.mean, row.least, row.most, row.smallest, row.largest),
    )


def stream_row(row: StreamRow) -> tuple[object, ...]:
    """Return the row of `STREAM`."""
    return row.host, str(row.domain), row.is_up, row.since


def request_row(row: RequestRow) -> tuple[object, ...]:
    """Return the row of `REQUEST`."""
    words, said = json.dumps(dict(row.words)), "\n".join(row.said)
    return row.wall, row.uid, row.user, row.verb, words, row.is_done, said


def read_request(row: tuple[object, ...]) -> RequestRow:
    """Return the request of a *row* with the columns of `REQUEST`.

    Raises:
        DamagedError: It can't be read.
    """
    at, uid, user, verb, words, is_done, said = row
    try:
        return RequestRow(
            wall=float(str(at)),
            uid=int(str(uid)),
            user=str(user),
            verb=str(verb),
            words={str(k): str(v) for k, v in json.loads(str(words)).items()},
            is_done=bool(is_done),
            said=tuple(str(said).split("\n")),
        )
    except (ValueError, AttributeError) as error:
        msg = f"a request in {STATE} is damaged: {error}"
        raise DamagedError(msg) from error


def read_stored(connection: sqlite3.Connection) -> Stored:
    """Return what *connection*'s file holds for the next run.

    Raises:
        DamagedError: A row can't be read.
    """
    snapshots = tuple(
        read_row(f"the snapshot of {host}/{key}", text, Snapshot)
        for host, key, text in connection.execute(
            "SELECT host, primary_name, snapshot FROM snapshots"
        )
    )
    intervals = {
        (host, Name.parse(domain)): float(seconds)
        for host, domain, seconds in connection.execute(
            "SELECT host, domain, seconds FROM intervals"
        )
    }
    lost_at = connection.execute("SELECT max(at) FROM losses").fetchone()[0]
    word = connection.execute("SELECT mode FROM word").fetchone()
    mode = None if word is None else _read_mode(word[0])
    return Stored(snapshots, intervals, lost_at, mode, _read_last_id(connection))


def read_row(what: str, text: str, kind: type[T]) -> T:
    """Return the *kind* in a row's *text*.

    Raises:
        DamagedError: There is none; the message says *what* it was.
    """
    try:
        return from_json(text, kind)
    except ValueError as error:
        msg = f"{what} in {STATE} is damaged: {error}"
        raise DamagedError(msg) from error


def _read_last_id(connection: sqlite3.Connection) -> int:
    newest = connection.execute(LAST_ID).fetchone()[0]
    try:
        return 0 if newest is None else read_id(str(newest))
    except ValueError as error:
        msg = f"the newest decision in {STATE} is damaged: {error}"
        raise DamagedError(msg) from error


def _read_mode(text: str) -> Mode:
    try:
        return Mode(text)
    except ValueError as error:
        msg = f"the operator's word in {STATE} is damaged: {error}"
        raise DamagedError(msg) from error
