"""What was, as another process reads it: records, actions, decisions, requests.

Read only, beside a running daemon; instants are seconds since 1970.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from attrs import frozen

from autoscaler.core.actions import Action
from autoscaler.core.decision import Decision
from autoscaler.core.group import GroupId
from autoscaler.core.record import Record
from autoscaler.shell.state.looks import inflate, unpack
from autoscaler.shell.state.mortems import DIED, PostMortem, unpack_mortem
from autoscaler.shell.state.reader import reading, words_of
from autoscaler.shell.state.records import action_from_json
from autoscaler.shell.state.rows import STATE, RequestRow, read_request, read_row
from autoscaler.shell.state.schema import DamagedError


@frozen(kw_only=True)
class PastAction:
    """An action that has begun, or has waited for its turn in vain.

    Attributes:
        group: Whose.
        at: When it began, or began to wait.
        action: As it began.
        outcome: ``done``, ``failed`` or, where it never began, ``withdrawn``;
            None: it has not ended.
        error: Why it failed or was withdrawn.
        took_s: How long it took; None: not known.
    """

    group: GroupId
    at: float
    action: Action
    outcome: str | None = None
    error: str | None = None
    took_s: float | None = None


@frozen(kw_only=True)
class PastDecision:
    """A decision that was not the one before.

    Attributes:
        group: Whose.
        at: When.
        decision: The decision.
    """

    group: GroupId
    at: float
    decision: Decision


T = TypeVar("T")
# Of clones that are gone those that nobody has destroyed.
Event = PastAction | PastDecision | RequestRow | PostMortem
Series = tuple[float | None, ...]
MINUTE_S = 60.0


def read_record(directory: Path, group: GroupId, at: float) -> Record | None:
    """Return the last record of *group* that is no younger than *at*.

    Raises:
        StoreError: The state can't be read.
    """
    with reading(directory) as connection:
        if connection is None:
            return None
        row = connection.execute(
            "SELECT record FROM records WHERE host = ? AND primary_name = ? "
            "AND at <= ? ORDER BY at DESC LIMIT 1",
            (group.host, group.key, at),
        ).fetchone()
    return None if row is None else unpack(f"a record of {group}", row[0])


def read_past(
    directory: Path,
    since: float,
    limit: int | None = None,
    group: GroupId | None = None,
) -> tuple[Event, ...]:
    """Return all that happened from *since* on, oldest first.

    Arguments:
        directory: Where the state is.
        since: Seconds since 1970.
        limit: So many of each kind, the newest ones; None: all.
        group: Whose alone; requests are always of all.

    Raises:
        StoreError: The state can't be read.
    """
    span = _Span(since, -1 if limit is None else limit, group)
    with reading(directory) as connection:
        if connection is None:
            return ()
        kinds: tuple[Iterator[Event], ...] = (
            _actions(connection, span),
            _decisions(connection, span),
            _requests(connection, span),
            _deaths(connection, span),
        )
        # Of one instant those of a kind stay in their order.
        found = [event for kind in kinds for event in reversed(tuple(kind))]
    return tuple(sorted(found, key=instant))


def read_groups(directory: Path) -> frozenset[GroupId]:
    """Return all groups of which the state knows, also former ones.

    Raises:
        StoreError: The state can't be read.
    """
    with reading(directory) as connection:
        if connection is None:
            return frozenset()
        rows = connection.execute("SELECT host, primary_name FROM snapshots")
        return frozenset(GroupId.of_key(host, key) for host, key in rows)


def read_post_mortems(
    directory: Path, group: GroupId | None = None
) -> tuple[PostMortem, ...]:
    """Return all that are kept, of *group* alone if one is given, oldest first.

    Raises:
        StoreError: The state can't be read.
    """
    with reading(directory) as connection:
        if connection is None:
            return ()
        rows = connection.execute(
            "SELECT name, body FROM post_mortems WHERE ?1 IS NULL "
            "OR (host = ?1 AND primary_name = ?2) ORDER BY number",
            (None, None) if group is None else (group.host, group.key),
        ).fetchall()
    return tuple(
        unpack_mortem(f"the post-mortem of {name}", body) for name, body in rows
    )


def read_words(directory: Path) -> tuple[RequestRow, ...]:
    """Return what operators have said of modes, newest first.

    Raises:
        StoreError: The state can't be read.
    """
    with reading(directory) as connection:
        return () if connection is None else words_of(connection)


def read_series(
    directory: Path, since: float, minutes: int
) -> Mapping[GroupId, Series]:
    """Return the mean usage of the *minutes* after *since*, by group.

    Percent; None for a minute in which nobody reported, or that isn't over.

    Raises:
        StoreError: The state can't be read.
    """
    keys: dict[tuple[str, str], list[float | None]] = {}
    with reading(directory) as connection:
        if connection is None:
            return {}
        rows = connection.execute(
            "SELECT host, primary_name, began, mean FROM usage "
            "WHERE began >= ? AND began < ?",
            (since, since + minutes * MINUTE_S),
        )
        for host, key, began, mean in rows:
            series = keys.setdefault((host, key), [None] * minutes)
            series[min(int((began - since) // MINUTE_S), minutes - 1)] = mean
    return {GroupId.of_key(*key): tuple(series) for key, series in keys.items()}


def read_actions(directory: Path, since: float) -> tuple[PastAction, ...]:
    """Return the actions begun since *since*, or not ended; oldest first.

    Raises:
        StoreError: The state can't be read.
    """
    with reading(directory) as connection:
        return (
            ()
            if connection is None
            else tuple(_actions(connection, _Span(since, -1, None)))
        )


def read_records_as(
    directory: Path,
    groups: Iterable[GroupId],
    since: float,
    read: Callable[[str], T],
) -> Mapping[GroupId, tuple[T, ...]]:
    """Return what *read* makes of records of *groups*, oldest first.

    To make a `Record` of one takes twenty times as long as to read its JSON,
    and an hour of some groups, as JSON, takes tens of megabytes.

    Arguments:
        directory: Where the state is.
        groups: Whose.
        since: Seconds since 1970.
        read: Makes something of JSON, or raises ValueError.

    Raises:
        StoreError: The state can't be read.
    """
    with reading(directory) as connection:
        if connection is None:
            return {}
        return {
            group: tuple(_records_as(connection, group, since, read))
            for group in groups
        }


def _records_as(
    connection: sqlite3.Connection,
    group: GroupId,
    since: float,
    read: Callable[[str], T],
) -> Iterator[T]:
    for (packed,) in connection.execute(
        "SELECT record FROM records WHERE host = ? AND primary_name = ? "
        "AND at >= ? ORDER BY at",
        (group.host, group.key, since),
    ):
        yield inflate(f"a record of {group}", packed, read)


def instant(event: Event) -> float:
    """Return when *event* happened."""
    return event.wall if isinstance(event, RequestRow) else event.at


@frozen
class _Span:
    """Of which rows is told; no limit: -1, as SQLite has it."""

    since: float
    limit: int
    group: GroupId | None

    @property
    def row(self) -> tuple[float, str | None, str | None, int]:
        """What stands for ?1 to ?4."""
        host, key = (
            (None, None) if self.group is None else (self.group.host, self.group.key)
        )
        return self.since, host, key, self.limit


def _actions(connection: sqlite3.Connection, span: _Span) -> Iterator[PastAction]:
    for host, key, at, text, outcome, error, took_s in connection.execute(
        "SELECT host, primary_name, began, action, outcome, error, took_s "
        "FROM actions WHERE (began >= ?1 OR ended IS NULL) "
        "AND (?2 IS NULL OR (host = ?2 AND primary_name = ?3)) "
        "ORDER BY number DESC LIMIT ?4",
        span.row,
    ):
        yield PastAction(
            group=GroupId.of_key(host, key),
            at=at,
            action=_action(f"an action of {host}/{key}", text),
            outcome=outcome,
            error=error,
            took_s=took_s,
        )


def _action(what: str, text: str) -> Action:
    try:
        return action_from_json(text)
    except ValueError as error:
        msg = f"{what} in {STATE} is damaged: {error}"
        raise DamagedError(msg) from error


def _decisions(connection: sqlite3.Connection, span: _Span) -> Iterator[PastDecision]:
    for host, key, at, text in connection.execute(
        "SELECT host, primary_name, at, decision FROM decisions "
        "WHERE at >= ?1 AND (?2 IS NULL OR (host = ?2 AND primary_name = ?3)) "
        "ORDER BY number DESC LIMIT ?4",
        span.row,
    ):
        decision = read_row(f"a decision of {host}/{key}", text, Decision)
        yield PastDecision(group=GroupId.of_key(host, key), at=at, decision=decision)


def _deaths(connection: sqlite3.Connection, span: _Span) -> Iterator[PostMortem]:
    for name, body in connection.execute(
        "SELECT name, body FROM post_mortems "
        "WHERE at >= ?1 AND (?2 IS NULL OR (host = ?2 AND primary_name = ?3)) "
        "ORDER BY number DESC LIMIT ?4",
        span.row,
    ):
        mortem = unpack_mortem(f"the post-mortem of {name}", body)
        if mortem.why == DIED:
            yield mortem


def _requests(connection: sqlite3.Connection, span: _Span) -> Iterator[RequestRow]:
    # Which group one is about only its words say: the limit is for all of them.
    limit = -1 if span.group is not None else span.limit
    for row in connection.execute(
        "SELECT at, uid, user, verb, words, is_done, said FROM requests "
        "WHERE at >= ? ORDER BY number DESC LIMIT ?",
        (span.since, limit),
    ):
        yield read_request(row)
