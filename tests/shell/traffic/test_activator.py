"""Clients that come while nobody serves, in virtual time."""

import errno

import pytest
import trio
from attrs import evolve
from trio.testing import lockstep_stream_pair, wait_all_tasks_blocked

from autoscaler.core.activation import Refusal, Speech
from autoscaler.shell.traffic.activator import (
    ACCEPT_PAUSE_S,
    MOST_EARLY_BYTES,
    REQUEST_S,
)
from autoscaler.shell.traffic.farewell import GOODBYE_S
from tests.shell.traffic.town import (
    ANSWER,
    ASK,
    ONE,
    Askers,
    answer,
    echo,
    hear_all,
    status,
)

BOOT_S = 5
MANY = 100
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable"


async def test_who_comes_while_a_member_serves_is_served_and_wakes_nobody(
    autojump_clock, town
):
    place = town(ONE)
    place.street.move_in(ONE, answer)

    heard = await place.ask()

    assert heard == ANSWER
    assert place.group.wakes == 0
    assert place.activator.holding.joined == 1


async def test_a_hundred_first_connections_make_one_wake_and_get_a_hundred_answers(
    autojump_clock, town, nursery
):
    place = town()
    place.street.move_in(ONE, answer)
    nursery.start_soon(place.group.boot, ONE, BOOT_S)

    answers = await Askers(nursery, place, MANY).all()

    assert answers == [ANSWER] * MANY
    assert place.group.wakes == 1
    assert trio.current_time() == pytest.approx(BOOT_S)
    assert [name for name, _ in place.events] == ["wake_asked"]


async def test_a_wake_outlives_the_client_that_it_was_asked_for(
    autojump_clock, town, nursery
):
    place = town()
    place.street.move_in(ONE, answer)
    nursery.start_soon(place.group.boot, ONE, BOOT_S)
    first = place.door.connect()
    await first.send_all(ASK)
    await place.group.woken.wait()
    others = Askers(nursery, place, MANY - 1)
    await wait_all_tasks_blocked()

    await first.aclose()
    answers = await others.all()

    assert answers == [ANSWER] * (MANY - 1)
    assert place.group.wakes == 1


async def test_a_client_that_hangs_up_frees_its_place_at_once(autojump_clock, town):
    place = town(mode=Speech.TCP, max_held=1)
    client = place.door.connect()
    await wait_all_tasks_blocked()
    held = place.activator.held

    await client.aclose()
    await wait_all_tasks_blocked()

    assert (held, place.activator.held) == (1, 0)
    assert place.activator.holding.left == 1
    assert trio.current_time() == 0


async def test_a_health_check_that_says_nothing_wakes_nobody(autojump_clock, town):
    place = town()

    async with place.door.connect():
        await trio.sleep(5)

    assert place.group.wakes == 0
    assert place.activator.holding.arrived == 1


async def test_a_health_check_in_http_is_answered_and_wakes_nobody(
    autojump_clock, town
):
    """Each check of a sleeping group was held, and woke a member for itself."""
    place = town()

    heard = await place.ask(b"GET / HTTP/1.0\r\nX-Haproxy-Server-State: UP\r\n\r\n")

    assert heard.startswith(b"HTTP/1.1 200 ")
    assert place.group.wakes == 0
    assert place.activator.held == 0


async def test_beyond_the_limit_clients_are_told_to_come_back(
    autojump_clock, town, nursery
):
    place = town(max_held=1)
    Askers(nursery, place)
    await wait_all_tasks_blocked()

    heard = await place.ask()

    assert status(heard) == UNAVAILABLE
    assert b"\r\nRetry-After: 5\r\n" in heard
    assert trio.current_time() == 0
    refused = {"group": "west/user:web", "reason": "full"}
    assert place.events[-1] == ("connection_refused", refused)


async def test_who_says_nothing_beyond_the_limit_is_told_as_well(
    autojump_clock, town, nursery
):
    place = town(max_held=1)
    Askers(nursery, place)
    await wait_all_tasks_blocked()

    async with place.door.connect() as client:
        heard = await hear_all(client)

    assert status(heard) == UNAVAILABLE
    assert trio.current_time() == pytest.approx(REQUEST_S)


async def test_who_waited_too_long_is_told_to_come_back(autojump_clock, town):
    place = town(hold_timeout=10)

    heard = await place.ask()

    assert status(heard) == UNAVAILABLE
    assert trio.current_time() == pytest.approx(10)
    assert place.activator.holding.refused == {Refusal.LATE: 1}
    assert place.activator.held == 0


@pytest.mark.parametrize("settings", [{"max_held": 1}, {}], ids=["limit", "time-out"])
async def test_clients_of_other_protocols_just_see_the_end(
    autojump_clock, town, settings
):
    place = town(mode=Speech.TCP, **settings)
    async with place.door.connect():
        await wait_all_tasks_blocked()

        heard = await place.ask()

    assert heard == b""


async def test_after_a_wake_that_failed_another_is_asked_for(
    autojump_clock, town, nursery
):
    place = town(wake_pause=1)
    Askers(nursery, place)
    await place.group.woken.wait()

    place.group.become()
    await trio.sleep(1.5)

    assert place.group.wakes == 2


async def test_a_request_and_its_end_sent_at_once_are_both_passed_on(
    autojump_clock, town, nursery
):
    place = town()
    place.street.move_in(ONE, echo)
    nursery.start_soon(place.group.boot, ONE, BOOT_S)

    async with place.door.connect() as client:
        await client.send_all(b"all that I have to say")
        await client.send_eof()
        heard = await hear_all(client)

    assert heard == b"all that I have to say"


async def test_what_a_client_says_while_it_waits_comes_first_and_whole(
    autojump_clock, town
):
    spoken = bytes(range(256)) * (MOST_EARLY_BYTES // 64)
    place = town()
    place.street.move_in(ONE, echo)

    async with place.door.connect() as client:
        await client.send_all(spoken[:1000])
        await wait_all_tasks_blocked()
        await client.send_all(spoken[1000:])
        await client.send_eof()
        await place.group.woken.wait()
        await wait_all_tasks_blocked()
        place.group.become(ONE)
        heard = await hear_all(client)

    assert heard == spoken


@pytest.mark.parametrize(
    ("more", "is_read"),
    [pytest.param(0, True, id="enough"), pytest.param(1, False, id="more")],
)
async def test_no_more_is_read_of_a_client_that_waits_than_can_be_kept(
    autojump_clock, town, more, is_read
):
    place = town()
    client = place.door.connect(lockstep_stream_pair)

    with trio.move_on_after(1) as waiting:
        await client.send_all(bytes(MOST_EARLY_BYTES + more))

    assert waiting.cancelled_caught is not is_read
    assert place.activator.held == 1


async def test_who_is_told_to_come_back_has_a_moment_to_hang_up(autojump_clock, town):
    place = town(hold_timeout=10)
    client = place.door.connect()
    await client.send_all(ASK)
    await hear_all(client)

    await client.send_all(b"what was on its way already")

    assert trio.current_time() == pytest.approx(10)
    await trio.sleep(GOODBYE_S * 1.5)
    with pytest.raises(trio.BrokenResourceError):
        await client.send_all(b"more of it")


async def test_nothing_is_kept_of_those_that_have_gone(autojump_clock, town, nursery):
    place = town(mode=Speech.TCP)
    place.street.move_in(ONE, answer)
    async with place.door.connect():
        await wait_all_tasks_blocked()
    askers = Askers(nursery, place)
    await wait_all_tasks_blocked()
    place.group.become(ONE)

    await askers.all()
    await wait_all_tasks_blocked()

    assert not place.activator._held  # noqa: SLF001 - memory shows nowhere else
    assert not place.activator._splices  # noqa: SLF001 - likewise


async def test_settings_may_change_while_clients_wait(autojump_clock, town, nursery):
    place = town(hold_timeout=100)
    asker = Askers(nursery, place)
    await trio.sleep(1)

    place.activator.configure(evolve(place.activator.holding.settings, hold_timeout=2))
    await asker.all()

    assert trio.current_time() == pytest.approx(2)


async def test_at_the_end_those_that_wait_are_told_and_sessions_may_end(
    autojump_clock, town, nursery
):
    place = town(ONE, grace=5)
    place.street.move_in(ONE, echo)
    client = place.door.connect()
    await client.send_all(b"1")
    await client.receive_some()
    place.group.become()
    asker = Askers(nursery, place)
    await wait_all_tasks_blocked()

    place.activator.stop()
    [told] = await asker.all()
    await trio.sleep(3)
    await client.send_all(b"2")
    await client.send_eof()
    rest = await hear_all(client)
    await place.over.wait()

    assert status(told) == UNAVAILABLE
    assert rest == b"2"
    assert trio.current_time() == pytest.approx(3)
    assert place.activator.holding.refused == {Refusal.ENDING: 1}


async def test_to_be_cancelled_is_an_end_like_any_other(autojump_clock, town, nursery):
    place = town(grace=5)
    asker = Askers(nursery, place)
    await wait_all_tasks_blocked()

    place.scope.cancel()
    [told] = await asker.all()
    await place.over.wait()

    assert status(told) == UNAVAILABLE
    assert trio.current_time() == 0


async def test_a_session_that_does_not_end_gets_its_grace_and_no_more(
    autojump_clock, town
):
    place = town(ONE, grace=5)
    place.street.move_in(ONE, echo)
    client = place.door.connect()
    await client.send_all(b"1")
    await client.receive_some()

    place.activator.stop()
    await place.over.wait()

    assert trio.current_time() == pytest.approx(5)
    assert place.activator.sessions == {}
    assert await hear_all(client) == b""


async def test_nothing_is_accepted_any_more_once_it_is_stopped(autojump_clock, town):
    place = town(ONE)
    await wait_all_tasks_blocked()

    place.activator.stop()
    await place.over.wait()

    with pytest.raises(trio.BrokenResourceError):
        place.door.connect()


async def test_without_file_descriptors_it_pauses_and_goes_on(autojump_clock, town):
    place = town(ONE)
    place.street.move_in(ONE, answer)
    for _ in range(10):
        place.door.fail(OSError(errno.EMFILE, "Too many open files"))

    heard = await place.ask()

    assert heard == ANSWER
    assert trio.current_time() == pytest.approx(10 * ACCEPT_PAUSE_S)
    assert [name for name, _ in place.events] == ["accepting_failed"]
