"""What is written and said once a minute."""

from collections import Counter

import pytest
import trio

from albatross_client.sandbox.faults import Rule, StreamStalled
from autoscaler.core.rhythm import Rhythm
from autoscaler.core.track import Verdict
from autoscaler.shell.hosts.watch import Watch
from autoscaler.shell.log import Log
from autoscaler.shell.minutes import MINUTE_S, warn_of_rhythm
from tests.core.builders import DOMAIN
from tests.shell.acting.disks import Disk
from tests.shell.harness import Wish, make_world

# Hours of virtual time, in whole daemons: traced they take three times as long.
pytestmark = pytest.mark.no_cover


def said_of(rhythm, **verdicts):
    lines = []
    log = Log(lambda _level, name, fields: lines.append((name, dict(fields))))
    watch = Watch("alpha", DOMAIN, rhythm)
    watch.recent = Counter({Verdict[name]: n for name, n in verdicts.items()})
    warn_of_rhythm(watch, log)
    return lines, watch


async def test_a_minute_of_a_group_is_one_row(autojump_clock, nursery):
    disk = Disk()
    await make_world(nursery, Wish(store=disk.store))

    await trio.sleep(4 * MINUTE_S + 1)

    rows = disk.connection.execute(
        "SELECT mean, least, most, smallest, largest FROM usage ORDER BY began"
    ).fetchall()
    assert len(rows) == 4
    assert all(row == (pytest.approx(50),) * 3 + (1, 1) for row in rows[1:])


async def test_a_heart_beats_once_a_minute_with_counters(autojump_clock, nursery):
    world = await make_world(nursery, Wish())

    await trio.sleep(3 * MINUTE_S + 1)

    beats = world.events("heartbeat")
    assert len(beats) == 3
    assert beats[-1]["groups"] == 1
    assert beats[-1]["frames_counted"] > beats[0]["frames_counted"]


async def test_old_history_is_dropped_and_new_is_kept(autojump_clock, nursery):
    disk = Disk()
    world = await make_world(nursery, Wish(store=disk.store))
    await trio.sleep(30)
    disk.connection.execute("UPDATE decisions SET at = 0")

    await trio.sleep(61 * MINUTE_S)

    rows = disk.connection.execute("SELECT min(at) FROM decisions").fetchone()
    usage = disk.connection.execute("SELECT count(*) FROM usage").fetchone()
    assert rows[0] != 0
    assert usage[0] >= 60
    assert world.events("state_failed") == []


async def test_a_daemon_that_lives_for_minutes_drops_old_history_too(
    autojump_clock, nursery
):
    """It was dropped after an hour: one restarted every ten minutes kept it."""
    disk = Disk()
    await make_world(nursery, Wish(store=disk.store))
    await trio.sleep(30)
    disk.connection.execute("UPDATE decisions SET at = 0")

    await trio.sleep(2 * MINUTE_S)

    old = "SELECT count(*) FROM decisions WHERE at = 0"
    assert disk.connection.execute(old).fetchone() == (0,)


async def test_frames_that_come_in_bunches_are_said_to_be_irregular(
    autojump_clock, nursery
):
    stalls = Rule(fault=StreamStalled(29.5), after=60, every=30, times=None)
    world = await make_world(nursery, Wish(rules=(stalls,)))

    await trio.sleep(600)

    warning = world.events("frames_irregular")[0]
    assert warning["not_counted"] > warning["counted"]
    assert warning["host"] == "alpha"


async def test_frames_that_come_by_twos_are_said_to_be_irregular(
    autojump_clock, nursery
):
    """Every head of a bunch counted until it was taken back: half of them."""
    stalls = Rule(fault=StreamStalled(10.5), after=19.9, every=20, times=None)
    world = await make_world(nursery, Wish(rules=(stalls,)))

    await trio.sleep(600)

    warning = world.events("frames_irregular")[-1]
    assert warning["counted"] == 0
    assert (warning["interval_s"], warning["not_counted"]) == (20.0, 6)
    assert world.decision.reason.value == "no_data"


async def test_a_regular_stream_is_not_warned_of():
    lines, watch = said_of(Rhythm(distances=(10.0,) * 4), COUNTED=6, UNTIMELY=2)

    assert lines == []
    assert watch.recent.total() == 0


async def test_without_an_interval_no_frame_is_too_early_or_too_late():
    lines, _ = said_of(Rhythm(distances=(10.0,) * 3), UNTIMELY=2)

    assert lines == []


async def test_a_configured_interval_that_is_not_the_measured_one_is_said():
    rhythm = Rhythm(configured=10.0, distances=(5.0,) * 4, median=5.0)

    lines, _ = said_of(rhythm, COUNTED=6)

    assert lines == [
        (
            "interval_contradicted",
            {
                "configured_s": 10.0,
                "measured_s": 5.0,
                "host": "alpha",
                "domain": "user:",
            },
        )
    ]
