"""A state is opened by one daemon, or refused in one sentence."""

import os
import sqlite3

import pytest

from autoscaler.shell.state.lock import holder
from autoscaler.shell.state.reader import read_state
from autoscaler.shell.state.rows import STATE
from autoscaler.shell.state.schema import (
    VERSION,
    StoreError,
)
from autoscaler.shell.state.store import Store
from tests.shell.kept import (
    snapshot,
)
from tests.shell.state.reading import rows


async def test_a_second_daemon_is_told_the_first_ones_process(
    on_disk, tmp_path, autojump_clock
):
    with pytest.raises(StoreError, match=rf"another daemon \(process {os.getpid()}\)"):
        await Store.open(tmp_path)


async def test_a_directory_is_free_again_once_the_store_is_closed(tmp_path):
    async with await Store.open(tmp_path):
        assert holder(tmp_path) is not None

    assert holder(tmp_path) is None


async def test_a_store_that_can_not_be_opened_leaves_the_directory_free(tmp_path):
    (tmp_path / STATE).mkdir()

    with pytest.raises(StoreError, match=r"state\.db can't be used: unable to open"):
        await Store.open(tmp_path)

    assert holder(tmp_path) is None


async def test_a_lock_that_can_not_be_opened_is_one_sentence(tmp_path):
    (tmp_path / "lock").mkdir()

    with pytest.raises(StoreError, match="lock can't be opened: Is a directory"):
        await Store.open(tmp_path)


def test_who_holds_a_lock_that_can_not_be_opened_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StoreError, match="lock can't be opened: Not a directory"):
        holder(tmp_path / "file")


async def test_a_directory_that_can_not_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StoreError, match="can't be made"):
        await Store.open(tmp_path / "file" / "state")
    with pytest.raises(StoreError, match="/file is no directory"):
        await Store.open(tmp_path / "file")


async def test_a_path_that_is_no_database_is_one_sentence(tmp_path):
    (tmp_path / STATE).mkdir()

    with pytest.raises(StoreError, match="can't be used: unable to open"):
        await Store.open(tmp_path)


async def test_a_newer_schema_is_refused_and_left_alone(tmp_path):
    async with await Store.open(tmp_path) as store:
        await store.save([snapshot()])
    connection = sqlite3.connect(tmp_path / STATE)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()

    with pytest.raises(StoreError, match=r"written by a newer autoscaler \(schema"):
        await Store.open(tmp_path)
    with pytest.raises(StoreError, match=r"written by a newer autoscaler \(schema"):
        read_state(tmp_path)

    assert rows(tmp_path, "SELECT count(*) FROM snapshots") == [(1,)]


async def test_another_programs_database_is_refused(tmp_path):
    connection = sqlite3.connect(tmp_path / STATE)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()

    with pytest.raises(StoreError, match="not the autoscaler's state"):
        await Store.open(tmp_path)
