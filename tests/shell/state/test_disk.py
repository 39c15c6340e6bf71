"""A disk that fails: nothing is begun, nothing is forgotten, and all mends."""

import resource
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from attrs import define, field, frozen

from albatross_client.sandbox.faults import Killed
from autoscaler.core.policy import Policy
from autoscaler.shell.state.database import connect
from autoscaler.shell.state.reader import read_state
from autoscaler.shell.state.rows import STATE
from autoscaler.shell.state.store import Store
from tests.shell.harness import GROUP, Wish, World, make_world, start_daemon, wait_until

POLICY = Policy(max_clones=2, min_clones=1)


@define
class Disk:
    """A state on a real disk, used without threads, for time is virtual."""

    path: Path
    connection: sqlite3.Connection = field(init=False)
    other: sqlite3.Connection = field(init=False)

    def store(self) -> Store:
        self.connection = connect(self.path)
        # Whoever has locked it would be waited for in real time.
        self.connection.execute("PRAGMA busy_timeout = 1")
        return Store(self.connection, None, path=self.path)

    def fill(self) -> None:
        log = self.path.with_name(f"{STATE}-wal")
        _limit_files(log.stat().st_size)

    def empty(self) -> None:
        _limit_files(resource.RLIM_INFINITY)

    def lock(self) -> None:
        self.other = sqlite3.connect(self.path, isolation_level=None)
        self.other.execute("BEGIN EXCLUSIVE")

    def unlock(self) -> None:
        self.other.close()

    def forbid(self) -> None:
        self.connection.execute("PRAGMA query_only = 1")

    def allow(self) -> None:
        self.connection.execute("PRAGMA query_only = 0")

    def damage(self) -> None:
        """Write something else over it, and have nothing remembered."""
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.connection.execute("PRAGMA cache_size = 0")
        self.connection.execute("PRAGMA shrink_memory")
        with self.path.open("r+b") as file:
            file.write(b"garbage!" * (self.path.stat().st_size // 8))


def _limit_files(most: int) -> None:
    """Let no file of this process grow beyond *most* bytes."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))


@frozen(repr=False)
class Case:
    disk: Disk
    world: World

    def kill_clone(self) -> None:
        """Give the group a reason to act: it has too few clones then."""
        self.world.live.strike(Killed(self.world.group.clones[0].name))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    made = Disk(tmp_path / STATE)
    yield made
    made.empty()


@pytest.fixture
async def case(autojump_clock, nursery, disk):
    made = Case(disk, await make_world(nursery, Wish(policy=POLICY, store=disk.store)))
    await wait_until(lambda: made.world.members == ["user:web-clone-1"], 60)
    await trio.sleep(60)
    return made


@pytest.mark.parametrize(
    ("fail", "mend", "word"),
    [
        pytest.param(Disk.fill, Disk.empty, "disk I/O error", id="full"),
        pytest.param(Disk.lock, Disk.unlock, "locked", id="locked"),
        pytest.param(Disk.forbid, Disk.allow, "readonly", id="read-only"),
    ],
)
async def test_while_the_disk_fails_all_is_observed_and_nothing_begun(
    autojump_clock, case, fail, mend, word
):
    world, ticks = case.world, len(case.world.notebook.ticks)
    begun = len(world.events("action_started"))

    fail(case.disk)
    case.kill_clone()
    await trio.sleep(300)
    failing = [event["error"] for event in world.events("state_failed")]
    reason = world.decision.reason.value
    mend(case.disk)

    assert world.clones == []
    assert len(world.events("action_started")) == begun
    assert reason == "state_unwritable"
    assert len(world.notebook.ticks) > ticks + 20
    assert len(failing) == 1
    assert word in failing[0]
    await wait_until(lambda: world.members == ["user:web-clone-2"], 100)
    assert len(world.events("state_recovered")) == 1


async def test_a_state_that_is_damaged_is_begun_anew_from_memory(
    autojump_clock, case, nursery, tmp_path
):
    case.disk.damage()
    case.kill_clone()
    await wait_until(lambda: case.world.members == ["user:web-clone-2"], 100)
    await trio.sleep(20)
    kept = read_state(tmp_path).snapshots[GROUP]

    assert (
        "set aside as state.db.corrupt-"
        in case.world.events("state_failed")[0]["error"]
    )
    assert len(list(tmp_path.glob("state.db.corrupt-*[0-9]"))) == 1
    assert [str(clone.name) for clone in kept.clones] == ["user:web-clone-2"]
    assert not kept.is_ownership_lost
    await case.world.kill()
    again = Disk(tmp_path / STATE).store()
    world = await start_daemon(nursery, case.world.live, again, POLICY)
    await trio.sleep(100)
    assert world.members == world.clones == ["user:web-clone-2"]
