"""The state file: whole or set aside, changed as a whole or not at all."""

import sqlite3
from contextlib import closing

import pytest

from autoscaler.shell.state.database import connect, set_aside, transaction
from autoscaler.shell.state.rows import STATE
from autoscaler.shell.state.schema import DamagedError, StoreError
from autoscaler.shell.state.store import Store
from tests.shell.kept import CLOCKS, WEST_API, snapshot

GARBAGE = b"this was a database once" * 200


def wall():
    return CLOCKS.wall


async def fill(directory):
    """Leave a state of two groups in *directory*, on disk as a whole."""
    async with await Store.open(directory, wall) as store:
        await store.save([snapshot(clones=(1,)), snapshot(WEST_API)])


def write_garbage(path):
    path.write_bytes(GARBAGE)


def write_into_the_middle(path):
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:4096] + GARBAGE[:middle] + whole[4096 + middle :])


def cut_off_the_end(path):
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def spoil_a_snapshot(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE snapshots SET snapshot = '{}'")


def empty(path):
    path.write_bytes(b"")


def spoil_an_id(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        row = ("west", "user:web", 0, 0, '{"id": 5}')
        connection.execute("INSERT INTO current_decisions VALUES (?, ?, ?, ?, ?)", row)


def spoil_a_name(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO intervals VALUES ('west', 'a b', 1)")


@pytest.mark.parametrize(
    "spoil",
    [
        write_garbage,
        write_into_the_middle,
        cut_off_the_end,
        spoil_a_snapshot,
        spoil_a_name,
        spoil_an_id,
        empty,
    ],
)
async def test_a_damaged_state_is_set_aside_and_a_new_one_knows_of_it(tmp_path, spoil):
    await fill(tmp_path)
    spoil(tmp_path / STATE)
    damaged = (tmp_path / STATE).read_bytes()

    async with await Store.open(tmp_path, wall) as store:
        stored = await store.load()
        aside = store.set_aside

    assert stored.snapshots == ()
    assert stored.lost_at == CLOCKS.wall
    assert aside is not None
    assert aside.name == f"state.db.corrupt-{CLOCKS.wall:.0f}"
    assert aside.read_bytes() == damaged


async def test_the_log_of_a_damaged_state_goes_with_it(tmp_path):
    write_garbage(tmp_path / STATE)
    (tmp_path / f"{STATE}-wal").write_bytes(b"its log")

    aside = set_aside(tmp_path / STATE, 77.0)

    assert aside.with_name(f"{aside.name}-wal").read_bytes() == b"its log"
    assert not (tmp_path / f"{STATE}-wal").exists()


async def test_no_state_that_was_set_aside_is_written_over(tmp_path):
    for _ in range(3):
        write_garbage(tmp_path / STATE)
        set_aside(tmp_path / STATE, 77.0)

    assert sorted(path.name for path in tmp_path.glob("*corrupt*")) == [
        "state.db.corrupt-77",
        "state.db.corrupt-78",
        "state.db.corrupt-79",
    ]


async def test_a_loss_is_known_until_all_groups_are_written_down(tmp_path):
    write_garbage(tmp_path / STATE)

    async with await Store.open(tmp_path, wall) as store:
        await store.save([snapshot()])
        before = (await store.load()).lost_at
        await store.save([snapshot(), snapshot(WEST_API)], are_all=True)
        after = (await store.load()).lost_at

    assert before == CLOCKS.wall
    assert after is None


@pytest.mark.parametrize("renamed", [0, 1, 2])
async def test_what_was_being_set_aside_at_a_kill_is_set_aside(tmp_path, renamed):
    """A daemon was killed between the renames, after *renamed* of them."""
    (tmp_path / "new").mkdir()
    set_aside(tmp_path / "new" / STATE, 77.0)
    (tmp_path / "new" / STATE).rename(tmp_path / f"{STATE}.next")
    parts = [f"{STATE}-wal", STATE]
    for part in parts[renamed:]:
        (tmp_path / part).write_bytes(GARBAGE)

    async with await Store.open(tmp_path, wall) as store:
        stored = await store.load()

    assert stored.lost_at == 77.0
    assert len(list(tmp_path.glob("*corrupt*"))) == 2 - renamed


async def test_what_cannot_be_set_aside_is_one_sentence(tmp_path):
    write_garbage(tmp_path / STATE)
    (tmp_path / f"{STATE}.unfinished").mkdir()

    with pytest.raises(StoreError, match="is damaged and can't be set aside"):
        await Store.open(tmp_path, wall)


async def test_an_undamaged_state_stays_where_it_is(tmp_path):
    await fill(tmp_path)

    async with await Store.open(tmp_path, wall) as store:
        stored = await store.load()

    assert len(stored.snapshots) == 2
    assert stored.lost_at is None
    assert store.set_aside is None


def test_a_connection_says_what_is_damage(tmp_path):
    write_garbage(tmp_path / STATE)

    with pytest.raises(DamagedError, match="file is not a database"):
        connect(tmp_path / STATE)


def test_a_transaction_that_a_full_disk_ended_leaves_the_next_one_free(tmp_path):
    connection = connect(tmp_path / STATE)
    connection.execute("CREATE TABLE ballast (x)")
    [pages] = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    ballast = [(b"." * 1000,)] * 100

    with (
        pytest.raises(sqlite3.OperationalError, match="disk is full"),
        transaction(connection),
    ):
        connection.executemany("INSERT INTO ballast VALUES (?)", ballast)
    connection.execute(f"PRAGMA max_page_count = {pages + 100}")
    with transaction(connection):
        connection.executemany("INSERT INTO ballast VALUES (?)", ballast)

    assert connection.execute("SELECT count(*) FROM ballast").fetchone() == (100,)
    connection.close()


def test_a_commit_that_fails_leaves_nothing_open(tmp_path):
    connection = connect(tmp_path / STATE)
    connection.execute("PRAGMA foreign_keys = 1")
    connection.execute("CREATE TABLE whole (x INTEGER PRIMARY KEY)")
    connection.execute(
        "CREATE TABLE part (x REFERENCES whole DEFERRABLE INITIALLY DEFERRED)"
    )

    with pytest.raises(sqlite3.IntegrityError), transaction(connection):
        connection.execute("INSERT INTO part VALUES (1)")
    with transaction(connection):
        connection.execute("INSERT INTO whole VALUES (1)")

    assert connection.execute("SELECT count(*) FROM part").fetchone() == (0,)
    connection.close()
