"""Changes are written a moment after they happened, and none is lost."""

import pytest
import trio

from albatross_client.sandbox.faults import HostDown
from autoscaler.core.policy import Policy
from autoscaler.shell.fleet import Change
from autoscaler.shell.state.schema import StoreError
from autoscaler.shell.state.store import Store
from autoscaler.shell.writer import write_changes
from tests.shell.acting.disks import Disk
from tests.shell.harness import (
    GROUP,
    HOST,
    USER,
    Wish,
    make_host,
    make_world,
    start_daemon,
    wait_until,
)

EMPTY = "DELETE FROM snapshots; DELETE FROM decisions; DELETE FROM streams;"
COUNTS = (
    "SELECT (SELECT count(*) FROM snapshots), (SELECT count(*) FROM decisions), "
    "(SELECT count(*) FROM streams)"
)


async def test_a_change_is_on_disk_within_a_second(autojump_clock, nursery):
    policy = Policy(max_clones=1, min_clones=1)
    world = await make_world(nursery, Wish(policy=policy))
    await wait_until(lambda: world.members != [], 60)

    await trio.sleep(1)

    (kept,) = (await world.store.load()).snapshots
    assert [str(clone.name) for clone in kept.clones] == world.members


async def test_streams_are_kept_as_they_go_up_and_down(autojump_clock, nursery):
    disk = Disk()
    world = await make_world(nursery, Wish(store=disk.store))
    await trio.sleep(10)
    up = disk.connection.execute("SELECT domain, is_up FROM streams").fetchall()
    world.live.strike(HostDown(100))
    await trio.sleep(10)
    down = disk.connection.execute("SELECT domain, is_up FROM streams").fetchall()

    assert up == [("user:", 1)]
    assert down == [("user:", 0)]


async def test_an_interval_is_kept_as_soon_as_it_is_known(autojump_clock, nursery):
    """It was written once a minute: who restarted before that waited again."""
    world = await make_world(nursery, Wish(interval=2.0))
    await trio.sleep(11)

    await world.kill()

    assert (await world.store.load()).intervals == {
        (HOST, USER): pytest.approx(2.0, abs=0.1)
    }


async def test_another_interval_is_kept_at_once_too(autojump_clock, nursery):
    store = Store.in_memory()
    await store.remember_interval(HOST, USER, 30.0)
    live = make_host(nursery, Wish(interval=2.0))
    world = await start_daemon(nursery, live, store, Policy(max_clones=0))
    await trio.sleep(11)

    await world.kill()

    assert (await store.load()).intervals == {(HOST, USER): pytest.approx(2.0, abs=0.1)}


@pytest.mark.parametrize("table", ["snapshots", "decisions", "streams"])
async def test_what_fails_to_be_written_stays_to_be_written(
    autojump_clock, nursery, table
):
    disk = Disk()
    world = await make_world(nursery, Wish(store=disk.store))
    await trio.sleep(30)
    await world.kill()
    fleet = world.daemon.fleet
    fleet.unsaved, fleet.streams_changed = {GROUP}, True
    disk.connection.executescript(EMPTY)
    fleet.changes = [Change(GROUP, 0.0, world.decision)]
    disk.connection.execute(f"ALTER TABLE {table} RENAME TO elsewhere")

    with pytest.raises(StoreError):
        await write_changes(fleet, world.store)
    disk.connection.execute(f"ALTER TABLE elsewhere RENAME TO {table}")
    await write_changes(fleet, world.store)

    assert disk.connection.execute(COUNTS).fetchone() == (1, 1, 1)
