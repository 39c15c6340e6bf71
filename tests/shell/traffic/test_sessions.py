"""Clients on their way to a member, and with it, in virtual time."""

import contextlib

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from autoscaler.core.activation import Speech
from autoscaler.shell.traffic.farewell import GOODBYE_S
from tests.shell.traffic.town import (
    ANSWER,
    ONE,
    TWO,
    Askers,
    answer,
    echo,
    hang,
    hear_all,
    status,
)

UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable"


async def test_another_member_takes_what_one_refuses(autojump_clock, town):
    place = town(ONE, TWO)
    place.street.move_in(TWO, answer)

    heard = await place.ask()

    assert heard == ANSWER
    assert place.street.dialled == [ONE.place, TWO.place]
    assert trio.current_time() == 0


async def test_a_member_that_takes_no_connection_costs_its_time_and_no_more(
    autojump_clock, town
):
    place = town(ONE, TWO, connect_timeout=2)
    place.street.move_in(ONE, hang)
    place.street.move_in(TWO, answer)

    heard = await place.ask()

    assert heard == ANSWER
    assert trio.current_time() == pytest.approx(2)


async def test_whom_all_refuse_is_held_until_one_does_not(
    autojump_clock, town, nursery
):
    place = town(ONE)
    asker = Askers(nursery, place)
    await trio.sleep(3)

    place.street.move_in(ONE, answer)

    assert await asker.all() == [ANSWER]
    assert place.group.wakes == 0
    assert place.activator.holding.missed > 1


async def test_whom_all_refuse_is_held_for_no_longer_than_others(autojump_clock, town):
    place = town(ONE, hold_timeout=10)

    heard = await place.ask()

    assert status(heard) == UNAVAILABLE
    assert trio.current_time() == pytest.approx(10)
    assert place.activator.sessions == {}


async def test_a_request_that_a_member_has_begun_to_hear_is_never_repeated(
    autojump_clock, town
):
    async def hear_and_die(stream):
        await stream.receive_some(1)

    place = town(ONE, TWO)
    place.street.move_in(ONE, hear_and_die)
    place.street.move_in(TWO, answer)

    heard = await place.ask()

    assert heard == b""
    assert place.street.dialled == [ONE.place]


async def test_who_goes_away_while_a_member_is_connected_to_is_counted_nowhere(
    autojump_clock, town
):
    place = town(mode=Speech.TCP)
    place.street.move_in(ONE, hang)
    client = place.door.connect()
    await wait_all_tasks_blocked()
    place.group.become(ONE)
    await wait_all_tasks_blocked()
    connecting = place.activator.sessions

    await client.aclose()
    await wait_all_tasks_blocked()

    assert connecting == {ONE.server: 1}
    assert place.activator.sessions == {}
    assert place.activator.held == 0
    assert place.activator.holding.missed == 0


async def test_sessions_and_bytes_are_counted_by_member_until_they_end(
    autojump_clock, town
):
    place = town(ONE, TWO)
    place.street.move_in(ONE, echo)
    place.street.move_in(TWO, echo)

    async with place.door.connect() as first, place.door.connect() as second:
        await first.send_all(b"12345")
        await first.receive_some()
        await second.send_all(b"123")
        await second.receive_some()
        during = place.activator.sessions
    await wait_all_tasks_blocked()

    assert during == {ONE.server: 1, TWO.server: 1}
    assert place.activator.sessions == {}
    assert (place.activator.meter.up, place.activator.meter.down) == (8, 8)


async def test_the_sessions_of_a_member_that_goes_are_cut_and_no_others(
    autojump_clock, town
):
    place = town(ONE, TWO)
    place.street.move_in(ONE, echo)
    place.street.move_in(TWO, echo)
    first = place.door.connect()
    await wait_all_tasks_blocked()
    second = place.door.connect()
    await wait_all_tasks_blocked()

    cut = place.activator.cut(ONE.server)

    assert cut == 1
    assert await hear_all(first) == b""
    await second.send_all(b"still here")
    await second.send_eof()
    assert await hear_all(second) == b"still here"


@pytest.mark.parametrize(
    ("resident", "answer"),
    [
        pytest.param(echo, b"1", id="both have spoken"),
        pytest.param(hear_all, b"", id="the client has"),
    ],
)
async def test_a_session_in_which_nothing_moves_is_cut(
    autojump_clock, town, resident, answer
):
    place = town(ONE, idle_timeout=60)
    place.street.move_in(ONE, resident)

    async with place.door.connect() as client:
        await trio.sleep(50)
        await client.send_all(b"1")
        heard = await hear_all(client)

    assert heard == answer
    assert trio.current_time() == pytest.approx(110)
    assert place.activator.sessions == {}


async def test_who_never_stops_talking_is_left_a_moment_after_the_answer(
    autojump_clock, town, nursery
):
    async def answer_at_once(stream):
        await stream.send_all(ANSWER)

    async def talk(client):
        with contextlib.suppress(trio.BrokenResourceError):
            while True:
                await client.send_all(b"and another thing")
                await trio.sleep(0.1)

    place = town(ONE)
    place.street.move_in(ONE, answer_at_once)
    client = place.door.connect()
    nursery.start_soon(talk, client)

    heard = await hear_all(client)
    told_at = trio.current_time()
    while place.activator.sessions:
        await trio.sleep(0.1)

    assert heard == ANSWER
    assert told_at == 0
    assert GOODBYE_S <= trio.current_time() < GOODBYE_S + 0.5
