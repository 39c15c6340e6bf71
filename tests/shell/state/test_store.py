import json
import sqlite3
import sys
from contextlib import closing

import pytest
import trio

from albatross_client.names import Name
from autoscaler.core.decision import Reason
from autoscaler.shell.state.past import PastAction, read_past
from autoscaler.shell.state.reader import Standing, read_state
from autoscaler.shell.state.records import to_json
from autoscaler.shell.state.rows import STATE
from autoscaler.shell.state.schema import (
    APPLICATION_ID,
    MIGRATIONS,
    VERSION,
    StoreError,
)
from autoscaler.shell.state.store import Store, StreamRow, UsageRow
from tests.shell.kept import (
    CLOCKS,
    WEST_API,
    WEST_WEB,
    Row,
    creation,
    decision,
    destruction,
    snapshot,
)
from tests.shell.state.reading import rows

USER = Name.parse("user:")
DAY = 86_400.0


async def test_a_new_store_holds_nothing(store):
    stored = await store.load()

    assert stored.snapshots == ()
    assert stored.intervals == {}


async def test_the_newest_snapshot_of_each_group_is_kept(store):
    await store.save([snapshot(clones=(1,)), snapshot(WEST_API)])

    await store.save([snapshot(clones=(1, 2))])

    kept = await store.load()
    assert {s.id: s for s in kept.snapshots} == {
        WEST_WEB: snapshot(clones=(1, 2)),
        WEST_API: snapshot(WEST_API),
    }


async def test_an_action_is_kept_with_its_snapshot_before_it_begins(store):
    action = creation()

    await store.begin(snapshot(actions=(action,)), action, CLOCKS.wall)

    [kept] = (await store.load()).snapshots
    assert kept.actions == (action,)


async def test_the_end_of_an_action_is_kept_with_its_snapshot(store):
    action = creation()
    await store.begin(snapshot(actions=(action,)), action)

    await store.end(snapshot(clones=(1,)), action, "done", None, 0.4)

    [kept] = (await store.load()).snapshots
    assert kept == snapshot(clones=(1,))


async def test_intents_and_outcomes_make_a_history(on_disk, tmp_path):
    action, failing = creation(), destruction(2)
    await on_disk.begin(snapshot(actions=(action,)), action, CLOCKS.wall - 5)
    await on_disk.end(snapshot(), action, "done", None, 5.0)
    await on_disk.begin(snapshot(actions=(failing,)), failing, CLOCKS.wall - 1)
    await on_disk.end(snapshot(), failing, "failed", "refused", None)

    kept = rows(
        tmp_path, "SELECT id, began, ended, outcome, error, took_s FROM actions"
    )

    wall = CLOCKS.wall
    assert kept == [
        (1, wall - 5, wall, "done", None, 5.0),
        (2, wall - 1, wall, "failed", "refused", None),
    ]


async def test_what_was_withdrawn_is_history_and_was_never_begun(on_disk, tmp_path):
    action, wall = creation(), CLOCKS.wall

    await on_disk.withdraw(WEST_WEB, action, "no turn came in time", 60.0)
    await on_disk.end(snapshot(), action, "done", None, 1.0)

    kept = rows(tmp_path, "SELECT began, ended, outcome, error, took_s FROM actions")
    assert kept == [(wall - 60, wall, "withdrawn", "no turn came in time", 60.0)]
    assert rows(tmp_path, "SELECT * FROM steps") == []
    [past] = read_past(tmp_path, wall - 60)
    assert past == PastAction(
        group=WEST_WEB,
        at=wall - 60,
        action=action,
        outcome="withdrawn",
        error="no turn came in time",
        took_s=60.0,
    )
    await on_disk.prune(DAY, wall + 2 * DAY)
    assert rows(tmp_path, "SELECT * FROM actions") == []


async def test_an_end_belongs_to_the_newest_action_of_that_number(on_disk, tmp_path):
    action = creation()
    await on_disk.begin(snapshot(actions=(action,)), action, 1.0)
    await on_disk.begin(snapshot(actions=(action,)), action, 2.0)

    await on_disk.end(snapshot(), action, "done", None, 1.0)

    kept = rows(tmp_path, "SELECT began, outcome FROM actions ORDER BY number")
    assert kept == [(1.0, None), (2.0, "done")]


async def test_a_failed_transaction_leaves_nothing_behind(on_disk, tmp_path):
    connection = sqlite3.connect(tmp_path / STATE)
    connection.execute("DROP TABLE actions")
    connection.commit()
    connection.close()

    with pytest.raises(StoreError, match="the state can't be kept: no such table"):
        await on_disk.begin(snapshot(), creation())

    assert (await on_disk.load()).snapshots == ()


async def test_a_decision_stands_from_its_change_on_with_fresh_numbers(
    on_disk, tmp_path
):
    steady, fresher = decision(), decision(high=2)
    busy = decision(Reason.BUSY)
    await on_disk.record_decisions(
        [Row(WEST_WEB, 10.0, busy), Row(WEST_WEB, 20.0, steady)]
    )

    await on_disk.refresh_decisions(
        [Row(WEST_WEB, 80.0, fresher), Row(WEST_API, 80.0, busy)]
    )

    assert read_state(tmp_path).decisions == {
        WEST_WEB: Standing(fresher, since=20.0, at=80.0),
        WEST_API: Standing(busy, since=80.0, at=80.0),
    }
    history = rows(tmp_path, "SELECT at, outcome, reason FROM decisions")
    assert history == [(10.0, "hold", "busy"), (20.0, "hold", "steady")]


async def test_usage_is_one_row_for_each_group_and_minute(on_disk, tmp_path):
    row = UsageRow(
        group=WEST_WEB,
        wall=60.0,
        mean=50.0,
        least=40.0,
        most=60.0,
        smallest=1,
        largest=2,
    )
    silent = UsageRow(
        group=WEST_API,
        wall=60.0,
        mean=None,
        least=None,
        most=None,
        smallest=0,
        largest=0,
    )

    await on_disk.record_usage([row, silent])

    assert rows(tmp_path, "SELECT * FROM usage ORDER BY primary_name DESC") == [
        ("west", "user:web", 60.0, 50.0, 40.0, 60.0, 1, 2),
        ("west", "user:api", 60.0, None, None, None, 0, 0),
    ]


async def test_the_newest_interval_is_remembered(store):
    await store.remember_interval("west", USER, 10.0)
    await store.remember_interval("west", USER, 5.0)
    await store.remember_interval("east", USER, 1.0)

    assert (await store.load()).intervals == {("west", USER): 5.0, ("east", USER): 1.0}


async def test_streams_are_those_of_the_last_time(on_disk, tmp_path):
    gone = StreamRow(host="east", domain=USER, is_up=True, since=1.0)
    down = StreamRow(host="west", domain=USER, is_up=False, since=2.0)
    await on_disk.remember_streams([gone, down])

    await on_disk.remember_streams([down])

    assert read_state(tmp_path).streams == (down,)


async def test_only_history_that_is_old_enough_is_dropped(on_disk, tmp_path):
    old, young = CLOCKS.wall - 8 * DAY, CLOCKS.wall - 6 * DAY
    for at in (old, young):
        await on_disk.record_decisions([Row(WEST_WEB, at, decision())])
        usage = UsageRow(
            group=WEST_WEB,
            wall=at,
            mean=1.0,
            least=1.0,
            most=1.0,
            smallest=1,
            largest=1,
        )
        await on_disk.record_usage([usage])
    await on_disk.begin(snapshot(), creation(1), old)
    await on_disk.begin(snapshot(), creation(2), old)
    await on_disk.end(snapshot(), creation(2), "done", None, 1.0)

    await on_disk.prune(7 * DAY, CLOCKS.wall)
    await on_disk.prune(-1.0, CLOCKS.wall - DAY)

    assert rows(tmp_path, "SELECT at FROM decisions") == []
    assert rows(tmp_path, "SELECT began FROM usage") == []
    # One that has not ended is no history, one that ended just now is young.
    assert rows(tmp_path, "SELECT id, ended IS NULL FROM actions") == [(1, 1), (2, 0)]
    assert read_state(tmp_path).decisions != {}


async def test_young_history_is_kept(on_disk, tmp_path):
    young = CLOCKS.wall - 6 * DAY
    await on_disk.record_decisions([Row(WEST_WEB, young, decision())])

    await on_disk.prune(7 * DAY, CLOCKS.wall)

    assert rows(tmp_path, "SELECT at FROM decisions") == [(young,)]


async def test_state_outlives_the_store(tmp_path):
    async with await Store.open(tmp_path / "made" / "here") as first:
        await first.save([snapshot()])

    async with await Store.open(tmp_path / "made" / "here") as second:
        assert (await second.load()).snapshots == (snapshot(),)


async def test_writes_happen_in_the_order_they_were_asked_for(on_disk, nursery):
    for number in range(20):
        nursery.start_soon(on_disk.remember_interval, "west", USER, float(number))
        # It waits in line before the next one comes.
        await trio.lowlevel.checkpoint()
    await trio.lowlevel.checkpoint()

    stored = await on_disk.load()

    assert stored.intervals == {("west", USER): 19.0}


async def test_a_store_in_memory_needs_no_time(autojump_clock):
    async with Store.in_memory() as store:
        await store.save([snapshot()])

        assert (await store.load()).snapshots == (snapshot(),)
    assert trio.current_time() == 0


@pytest.mark.parametrize("is_acting", [False, True])
async def test_an_action_in_flight_survives_that_there_may_be_several(
    tmp_path, is_acting
):
    kept = snapshot(actions=(creation(),), changed_by=(creation().id,))
    if not is_acting:
        kept = snapshot()
    fields = json.loads(to_json(kept))
    actions, changed_by = fields.pop("actions"), fields.pop("changed_by")
    fields |= {"in_flight": (actions or [None])[0], "has_changed": bool(changed_by)}
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        for migration in MIGRATIONS[:3]:
            connection.executescript(migration)
        row = (kept.id.host, str(kept.id.primary), json.dumps(fields))
        connection.execute("INSERT INTO snapshots VALUES (?, ?, ?)", row)
        connection.execute("PRAGMA user_version = 3")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.commit()

    async with await Store.open(tmp_path) as store:
        stored = await store.load()

    assert stored.snapshots == (kept,)


async def test_every_older_schema_is_brought_forward(tmp_path):
    for version in range(1, VERSION + 1):
        directory = tmp_path / str(version)
        directory.mkdir()
        connection = sqlite3.connect(directory / STATE)
        for migration in MIGRATIONS[:version]:
            connection.executescript(migration)
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.close()

        async with await Store.open(directory) as store:
            await store.save([snapshot()])

        assert rows(directory, "PRAGMA user_version") == [(VERSION,)]


async def test_a_damaged_row_is_one_sentence(on_disk, tmp_path):
    await on_disk.save([snapshot()])
    connection = sqlite3.connect(tmp_path / STATE)
    connection.execute("UPDATE snapshots SET snapshot = '{}'")
    connection.commit()
    connection.close()

    with pytest.raises(StoreError, match="the snapshot of west/user:web in"):
        await on_disk.load()
    with pytest.raises(StoreError, match="the snapshot of west/user:web in"):
        read_state(tmp_path)


KILLED = """
import os, signal, sys, trio
from pathlib import Path
from autoscaler.shell.state.store import Store
from tests.shell.kept import creation, snapshot

async def main():
    store = await Store.open(Path(sys.argv[1]))
    await store.begin(snapshot(actions=(creation(),)), creation(), 1.0)
    os.kill(os.getpid(), signal.SIGKILL)

trio.run(main)
"""


async def test_an_intent_survives_a_kill_right_after_it(tmp_path):
    await trio.run_process([sys.executable, "-c", KILLED, str(tmp_path)], check=False)

    read = read_state(tmp_path)
    async with await Store.open(tmp_path) as store:
        [kept] = (await store.load()).snapshots
    assert kept.actions == (creation(),)
    assert read.snapshots == {WEST_WEB: kept}
