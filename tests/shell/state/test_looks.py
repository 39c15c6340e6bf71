"""Records of decisions in the state."""

import zlib

import pytest

from autoscaler.shell.state.looks import MOST_UNPACKED, pack, unpack
from autoscaler.shell.state.past import read_past, read_record
from autoscaler.shell.state.reader import read_state
from autoscaler.shell.state.schema import DamagedError
from autoscaler.shell.state.store import Store
from tests.shell.kept import CLOCKS, WEST_API, WEST_WEB, Row, decision, record

WALL, DAY_S = CLOCKS.wall, 86_400.0


def row(at, group=WEST_WEB):
    made = record(at)
    return Row(group, at, made.decision, made)


def test_a_record_reads_back_as_it_was():
    assert unpack("it", pack(record())) == record()


def test_a_record_takes_less_than_a_kilobyte():
    assert len(pack(record())) < 1000


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(b"rubbish", id="not packed"),
        pytest.param(zlib.compress(b"{}"), id="no record"),
        pytest.param(zlib.compress(b"\xff"), id="no text"),
        pytest.param(zlib.compress(b" " * (MOST_UNPACKED + 1)), id="endless"),
    ],
)
def test_what_is_no_record_is_told(packed):
    with pytest.raises(DamagedError, match=r"it in state\.db is damaged"):
        unpack("it", packed)


async def test_the_record_of_a_time_is_the_last_one_before(tmp_path):
    async with await Store.open(tmp_path) as store:
        await store.record_decisions([row(WALL), row(WALL + 60), row(WALL, WEST_API)])
        await store.refresh_decisions([row(WALL + 120)])

    found = [read_record(tmp_path, WEST_WEB, WALL + s) for s in (-1, 0, 119, 900)]

    times = [each and each.at - WALL for each in found]
    assert times == [None, 0, 60, 120]
    assert read_record(tmp_path / "none", WEST_WEB, WALL) is None
    assert read_past(tmp_path / "none", 0.0) == ()


async def test_the_newest_record_of_each_group_is_of_its_state(tmp_path):
    async with await Store.open(tmp_path) as store:
        await store.record_decisions([row(WALL), row(WALL + 9)])
        await store.record_decisions([Row(WEST_API, WALL, decision())])

    records = read_state(tmp_path).records

    assert {group: each.at for group, each in records.items()} == {WEST_WEB: WALL + 9}


async def test_records_of_changes_are_kept_longer_than_those_of_minutes(tmp_path):
    times = (WALL - 8 * DAY_S, WALL - 2 * DAY_S, WALL)
    async with await Store.open(tmp_path) as store:
        await store.record_decisions(map(row, times))
        await store.refresh_decisions([row(at + 1) for at in times])
        await store.prune(7 * DAY_S, WALL)

        rows = store._connection.execute(  # noqa: SLF001 - as a reader would
            "SELECT at, is_change FROM records ORDER BY at"
        ).fetchall()

    assert rows == [(WALL - 2 * DAY_S, 1), (WALL, 1), (WALL + 1, 0)]


async def test_no_history_outlives_its_time(tmp_path):
    async with await Store.open(tmp_path) as store:
        await store.refresh_decisions([row(WALL - 120)])
        await store.prune(60.0, WALL)

    assert read_record(tmp_path, WEST_WEB, WALL) is None
