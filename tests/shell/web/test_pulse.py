import pytest
import trio

from autoscaler.shell.web.pulse import (
    BEAT_S,
    MOST_BEATS,
    MOST_MISSING,
    MOST_ROUND_AGE_S,
    Pulse,
    find_missing,
)
from tests.shell.harness import HOST, USER, Wish, make_world, wait_until


@pytest.fixture
async def fleet(nursery):
    world = await make_world(nursery, Wish())
    await wait_until(lambda: not find_missing(world.daemon.fleet), within=60)
    return world.daemon.fleet


async def test_a_daemon_that_looks_is_alive(autojump_clock, fleet, nursery):
    pulse = Pulse(fleet)
    nursery.start_soon(pulse.beat_for_ever)
    await trio.sleep(10 * BEAT_S)

    health = pulse.look()

    assert health.is_alive
    assert health.loop_lag_s == 0
    assert health.form["alive"] is True


async def test_a_daemon_that_looks_no_more_is_not(autojump_clock, fleet):
    fleet.round_at = trio.current_time() - MOST_ROUND_AGE_S - 1

    assert not Pulse(fleet).look().is_alive


async def test_a_loop_that_was_late_is_told_for_a_minute(
    autojump_clock, fleet, nursery
):
    pulse = Pulse(fleet)
    nursery.start_soon(pulse.beat_for_ever)
    for _ in range(5):
        await trio.lowlevel.checkpoint()

    autojump_clock.jump(BEAT_S + 7)
    for _ in range(5):
        await trio.lowlevel.checkpoint()
    late = pulse.look()
    await trio.sleep((MOST_BEATS + 1) * BEAT_S)

    assert late.loop_lag_s == pytest.approx(7)
    assert not late.is_alive
    assert pulse.look().loop_lag_s == 0


async def test_nothing_is_missing_while_all_is_well(autojump_clock, fleet):
    assert find_missing(fleet) == ()


async def test_what_is_missing_is_told_in_words(autojump_clock, fleet):
    [watch] = fleet.watches.values()
    fleet.is_writable, fleet.is_stopping = False, True
    watch.close(trio.current_time())
    watch.listing = None

    assert find_missing(fleet) == (
        "the daemon is about to end",
        "the state can't be written",
        f"host {HOST}: no statistics of {USER}",
        f"host {HOST}: no answer what runs in {USER}",
    )


async def test_of_what_is_missing_everywhere_only_so_much_is_told(
    autojump_clock, fleet
):
    [watch] = fleet.watches.values()
    watch.close(trio.current_time())
    fleet.watches.update({(f"h{n}", USER): watch for n in range(2 * MOST_MISSING)})

    assert len(find_missing(fleet)) == MOST_MISSING
