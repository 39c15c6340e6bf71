"""The state as other processes read it, while a daemon runs or is down."""

import sqlite3
from contextlib import closing

import pytest

from autoscaler.shell.state.lock import holder
from autoscaler.shell.state.reader import NOTHING, read_state
from autoscaler.shell.state.rows import STATE
from autoscaler.shell.state.schema import (
    APPLICATION_ID,
    StoreError,
)
from autoscaler.shell.state.store import Store
from tests.shell.kept import (
    WEST_WEB,
    creation,
    snapshot,
)


def test_where_no_daemon_ever_ran_there_is_nothing_to_read(tmp_path):
    assert read_state(tmp_path) == NOTHING
    assert holder(tmp_path) is None


async def test_the_state_can_be_read_while_the_daemon_runs(on_disk, tmp_path):
    action = creation()
    await on_disk.begin(snapshot(actions=(action,)), action, 77.0)

    state = read_state(tmp_path)

    assert state.snapshots == {WEST_WEB: snapshot(actions=(action,))}
    assert state.began == {(WEST_WEB, action.id): 77.0}


def test_an_empty_file_is_no_state_of_an_older_version(tmp_path):
    (tmp_path / STATE).touch()

    with pytest.raises(StoreError, match="is empty: what was in it is lost"):
        read_state(tmp_path)


def test_a_state_of_an_older_version_has_to_be_brought_forward(tmp_path):
    with closing(sqlite3.connect(tmp_path / STATE)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("CREATE TABLE snapshots (snapshot TEXT)")

    with pytest.raises(StoreError, match="of an older version: start the daemon"):
        read_state(tmp_path)


def test_a_state_that_is_no_database_is_one_sentence(tmp_path):
    (tmp_path / STATE).write_bytes(b"no database" * 200)

    with pytest.raises(StoreError, match="can't be read: file is not a database"):
        read_state(tmp_path)


def test_a_directory_that_can_not_be_looked_into_is_one_sentence(tmp_path):
    # One of another user is not for root to try.
    directory = tmp_path / ("d" * 300)

    with pytest.raises(
        StoreError, match=r"state\.db can't be read: File name too long"
    ):
        read_state(directory)


async def test_a_closed_state_can_be_read_without_the_right_to_write(tmp_path):
    async with await Store.open(tmp_path) as store:
        await store.save([snapshot()])
    tmp_path.chmod(0o500)

    try:
        assert set(read_state(tmp_path).snapshots) == {WEST_WEB}
    finally:
        tmp_path.chmod(0o700)
