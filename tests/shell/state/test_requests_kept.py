"""What operators ask for, and their word, in the state."""

import sqlite3
from contextlib import closing

import pytest

from autoscaler.core.policy import Mode
from autoscaler.shell.state.rows import STATE, RequestRow
from autoscaler.shell.state.store import Store

ROW = RequestRow(
    wall=100.0,
    uid=1000,
    user="ann",
    verb="pause",
    words={"group": "west/user:web"},
    is_done=True,
    said=("west/user:web is paused",),
)


def requests(directory):
    with closing(sqlite3.connect(directory / STATE)) as connection:
        return connection.execute(
            "SELECT at, uid, user, verb, words, is_done, said FROM requests"
        ).fetchall()


async def test_a_request_is_kept_with_who_asked_and_what_came_of_it(tmp_path):
    async with await Store.open(tmp_path) as store:
        await store.record_request(ROW)

    assert requests(tmp_path) == [
        (
            *(100.0, 1000, "ann", "pause", '{"group": "west/user:web"}'),
            *(1, "west/user:web is paused"),
        )
    ]


async def test_old_requests_go_with_the_rest_of_the_history(tmp_path):
    async with await Store.open(tmp_path) as store:
        await store.record_request(ROW)
        await store.prune(50, 151)

    assert requests(tmp_path) == []


@pytest.mark.parametrize("word", [Mode.PAUSED, Mode.OBSERVE, None])
async def test_the_newest_word_for_all_groups_is_kept(word):
    store = Store.in_memory()
    await store.remember_word(Mode.PAUSED)

    await store.remember_word(word)

    assert (await store.load()).word is word


async def test_before_any_word_there_is_none():
    assert (await Store.in_memory().load()).word is None
