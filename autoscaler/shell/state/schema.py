"""The tables of the state file, and how they came to be what they are.

Laws: a migration, once released, is never edited; versions only go forward,
each step in one transaction; a file of a newer version is left alone.
"""

import sqlite3
from pathlib import Path

# "Albt": tells the file from any other database.
APPLICATION_ID = 0x416C6274

# Each brings the file from the version that is its index to the next one.
MIGRATIONS = (
    """
    CREATE TABLE snapshots (
        host TEXT NOT NULL,
        primary_name TEXT NOT NULL,
        snapshot TEXT NOT NULL,
        PRIMARY KEY (host, primary_name)
    ) WITHOUT ROWID;
    CREATE TABLE actions (
        number INTEGER PRIMARY KEY,
        host TEXT NOT NULL,
        primary_name TEXT NOT NULL,
        id INTEGER NOT NULL,
        action TEXT NOT NULL,
        began REAL NOT NULL,
        ended REAL,
        outcome TEXT,
        error TEXT,
        took_s REAL
    );
    CREATE INDEX actions_by_group ON actions (host, primary_name, id);
    CREATE INDEX actions_by_time ON actions (began);
    CREATE TABLE decisions (
        number INTEGER PRIMARY KEY,
        host TEXT NOT NULL,
        primary_name TEXT NOT NULL,
        at REAL NOT NULL,
        outcome TEXT NOT NULL,
        reason TEXT NOT NULL,
        decision TEXT NOT NULL
    );
    CREATE INDEX decisions_by_time ON decisions (at);
    CREATE TABLE current_decisions (
        host TEXT NOT NULL,
        primary_name TEXT NOT NULL,
        since REAL NOT NULL,
        at REAL NOT NULL,
        decision TEXT NOT NULL,
        PRIMARY KEY (host, primary_name)
    ) WITHOUT ROWID;
    CREATE TABLE usage (
        host TEXT NOT NULL,
        primary_name TEXT NOT NULL,
        began REAL NOT NULL,
        mean REAL,
        least REAL,
        most REAL,
        smallest INTEGER NOT NULL,
        largest INTEGER NOT NULL,
        PRIMARY KEY (host, primary_name, began)
    ) WITHOUT ROWID;
    CREATE INDEX usage_by_time ON usage (began);
    CREATE TABLE intervals (
        host TEXT NOT NULL,
        domain TEXT NOT NULL,
        seconds REAL NOT NULL,
        PRIMARY KEY (host, domain)
    ) WITHOUT ROWID;
    CREATE TABLE streams (
        host TEXT NOT NULL,
        domain TEXT NOT NULL,
        is_up INTEGER NOT NULL,
        since REAL NOT NULL,
        PRIMARY KEY (host, domain)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE steps (
        number INTEGER PRIMARY KEY,
        action INTEGER NOT NULL REFERENCES actions (number),
        name TEXT NOT NULL,
        step TEXT NOT NULL,
        at REAL NOT NULL
    );
    CREATE INDEX steps_by_action ON steps (action);
    CREATE INDEX actions_unfinished ON actions (number) WHERE ended IS NULL;
    -- Were the state lost, numbers would begin again: the newest is meant.
    CREATE VIEW unfinished AS
        SELECT max(number) AS number, host, primary_name, id FROM actions
        WHERE ended IS NULL GROUP BY host, primary_name, id;
    CREATE TABLE losses (at REAL NOT NULL);
    """,
    """
    CREATE TABLE requests (
        number INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        uid INTEGER NOT NULL,
        user TEXT NOT NULL,
        verb TEXT NOT NULL,
        words TEXT NOT NULL,
        is_done INTEGER NOT NULL,
        said TEXT NOT NULL
    );
    CREATE INDEX requests_by_time ON requests (at);
    -- The operator's word for all groups that have none of their own.
    CREATE TABLE word (mode TEXT NOT NULL);
    """,
    # Several actions of a group may be in flight, where there was one or none.
    """
    UPDATE snapshots SET snapshot = json_remove(
        json_set(
            snapshot,
            '$.actions', CASE json_type(snapshot, '$.in_flight')
                WHEN 'object' THEN json_array(json_extract(snapshot, '$.in_flight'))
                ELSE json_array() END,
            '$.changed_by', CASE WHEN json_extract(snapshot, '$.has_changed')
                THEN json_array(json_extract(snapshot, '$.in_flight.id'))
                ELSE json_array() END
        ),
        '$.in_flight', '$.has_changed'
    ) WHERE json_valid(snapshot);
    """,
    # A doubt has an age and an image now: those of unknown age are given up.
    """
    UPDATE snapshots SET snapshot = json_remove(snapshot, '$.doubtful')
    WHERE json_valid(snapshot);
    """,
    # How decisions came about: JSON, as zlib packs it.
    """
    CREATE TABLE records (
        number INTEGER PRIMARY KEY,
        host TEXT NOT NULL,
        primary_name TEXT NOT NULL,
        at REAL NOT NULL,
        is_change INTEGER NOT NULL,
        record BLOB NOT NULL
    );
    CREATE INDEX records_by_group ON records (host, primary_name, at);
    CREATE INDEX records_by_time ON records (at);
    """,
    # What was last known of clones that are gone, packed likewise.
    """
    CREATE TABLE post_mortems (
        number INTEGER PRIMARY KEY,
        host TEXT NOT NULL,
        primary_name TEXT NOT NULL,
        name TEXT NOT NULL,
        at REAL NOT NULL,
        body BLOB NOT NULL
    );
    CREATE INDEX post_mortems_by_group ON post_mortems (host, primary_name);
    CREATE INDEX post_mortems_by_time ON post_mortems (at);
    """,
)
VERSION = len(MIGRATIONS)


class StoreError(Exception):
    """The state can't be read or written; one sentence for the operator."""


class DamagedError(StoreError):
    """What is in the file is no state any more: waiting won't mend it."""


def prepare(connection: sqlite3.Connection, where: str) -> None:
    """Bring the file behind *connection* to this version.

    Raises:
        StoreError: It is of a newer version, or no state file.
    """
    version = check(connection, where)
    for number in range(version, VERSION):
        connection.executescript(
            f"BEGIN EXCLUSIVE; {MIGRATIONS[number]}"
            f"PRAGMA user_version = {number + 1};"
            f"PRAGMA application_id = {APPLICATION_ID}; COMMIT;"
        )


def check(connection: sqlite3.Connection, where: str | Path) -> int:
    """Return the version of the file behind *connection*, 0 if it is empty.

    Raises:
        StoreError: It is of a newer version, or no state file.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if owner != APPLICATION_ID and (owner or version or tables):
        msg = f"{where} is a database, but not the autoscaler's state: set it aside"
        raise StoreError(msg)
    if version > VERSION:
        msg = (
            f"{where} was written by a newer autoscaler (schema {version}; this one "
            f"knows {VERSION}): run that one, or set another state_dir"
        )
        raise StoreError(msg)
    return version
