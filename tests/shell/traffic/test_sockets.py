"""The activator over real sockets: resets, slow readers, many at once."""

import contextlib

import pytest
import trio

from autoscaler.core.activation import ActivatorSettings
from autoscaler.core.backend import Place
from autoscaler.core.holding import Serving
from autoscaler.shell.log import Log
from autoscaler.shell.traffic.activator import Activator
from autoscaler.shell.traffic.sockets import ListenError, break_off, dial, listen
from tests.shell.traffic.town import (
    ANSWER,
    ASK,
    Askers,
    Group,
    answer,
    echo,
    hear_all,
)

LOOPBACK = "127.0.0.1"
PATIENCE_S = 60
MANY = 100
MEGABYTE = bytes(range(256)) * 4096
# What the kernel may hold for those who don't read, both sockets together.
MOST_BUFFERED = 32
LONG = 3 * MOST_BUFFERED


@pytest.fixture
def member(nursery):
    """Let a resident take connections, and return how it is reached."""

    async def moved_in(resident, name="web-1"):
        async def live(stream):
            with contextlib.suppress(trio.BrokenResourceError):
                await resident(stream)

        listeners = await trio.open_tcp_listeners(0, host=LOOPBACK, backlog=MANY)
        nursery.start_soon(trio.serve_listeners, live, listeners)
        return Serving(name, place_of(listeners[0]))

    return moved_in


class Real:
    """An activator at a port of the loopback."""

    def __init__(self, *targets, **settings):
        self.group = Group(*targets)
        self.activator = Activator(
            "west/user:web",
            ActivatorSettings(listen=Place(LOOPBACK, 1), grace=1, **settings),
            self.group,
            Log(lambda _level, _name, _fields: None),
        )
        self.over = trio.Event()
        self._place = Place(LOOPBACK, 1)

    async def run(self, *, task_status):
        listeners = await trio.open_tcp_listeners(0, host=LOOPBACK, backlog=MANY)
        self._place = place_of(listeners[0])
        task_status.started()
        await self.activator.run(listeners)
        self.over.set()

    async def connect(self):
        return await dial(self._place)

    async def ask(self):
        async with await self.connect() as client:
            await client.send_all(ASK)
            return await hear_all(client)


@pytest.fixture
def real(nursery):
    """Start an activator; a test that hangs then fails."""

    async def lose_patience():
        await trio.sleep(PATIENCE_S)
        msg = f"nothing came of it within {PATIENCE_S} s"
        raise AssertionError(msg)

    async def started(*targets, **settings):
        nursery.start_soon(lose_patience)
        place = Real(*targets, **settings)
        await nursery.start(place.run)
        return place

    return started


def place_of(listener):
    return Place(*listener.socket.getsockname()[:2])


async def say_much(client):
    for _ in range(LONG):
        await client.send_all(MEGABYTE)
    await client.send_eof()


async def until(condition):
    while not condition():
        await trio.sleep(0.005)


async def reset(stream):
    break_off(stream)
    await stream.aclose()


async def test_a_hundred_first_connections_make_one_wake_and_get_a_hundred_answers(
    nursery, real, member
):
    place = await real()
    target = await member(answer)
    askers = Askers(nursery, place, MANY)
    await until(lambda: place.activator.held == MANY)

    place.group.become(target)
    answers = await askers.all()

    assert answers == [ANSWER] * MANY
    assert place.group.wakes == 1


@pytest.mark.parametrize(
    "hang_up",
    [
        pytest.param(trio.aclose_forcefully, id="properly"),
        pytest.param(reset, id="with a reset"),
    ],
)
async def test_the_first_one_hangs_up_and_the_others_are_answered(
    nursery, real, member, hang_up
):
    place = await real()
    target = await member(answer)
    first = await place.connect()
    if hang_up is reset:
        await first.send_all(ASK)
    await until(lambda: place.activator.held == 1)
    others = Askers(nursery, place, MANY - 1)
    await until(lambda: place.activator.held == MANY)

    await hang_up(first)
    await until(lambda: place.activator.held == MANY - 1)
    place.group.become(target)
    answers = await others.all()

    assert answers == [ANSWER] * (MANY - 1)
    assert place.group.wakes == 1


async def test_a_request_and_its_end_sent_at_once_are_both_passed_on(real, member):
    place = await real()
    target = await member(echo)

    async with await place.connect() as client:
        await client.send_all(ASK)
        await client.send_eof()
        await until(lambda: place.group.wakes)
        place.group.become(target)
        heard = await hear_all(client)

    assert heard == ASK


async def test_what_is_said_arrives_whole_both_ways(nursery, real, member):
    place = await real(await member(echo))

    async with await place.connect() as client:
        nursery.start_soon(say_much, client)
        heard = await hear_all(client)

    assert heard == MEGABYTE * LONG
    assert place.activator.meter.up == place.activator.meter.down == len(heard)


async def test_who_reads_slowly_is_sent_slowly_and_keeps_nobody_else_waiting(
    nursery, real, member
):
    said = []

    async def tell(stream):
        await stream.receive_some()
        for number in range(LONG):
            await stream.send_all(MEGABYTE)
            said.append(number)
        await stream.send_eof()

    place = await real(await member(tell))
    async with await place.connect() as slow:
        await slow.send_all(ASK)
        await until(lambda: place.activator.meter.down)
        place.group.become(await member(echo, "web-2"))
        async with await place.connect() as quick:
            nursery.start_soon(say_much, quick)
            quickly = await hear_all(quick)
        told = len(said)
        slowly = await hear_all(slow)

    assert quickly == MEGABYTE * LONG
    assert told < MOST_BUFFERED
    assert slowly == MEGABYTE * LONG


async def test_an_answer_that_is_broken_off_is_no_whole_one_for_the_client(
    real, member
):
    async def break_off_halfway(stream):
        await stream.receive_some()
        await stream.send_all(b"half of")
        await reset(stream)

    place = await real(await member(break_off_halfway))
    async with await place.connect() as client:
        await client.send_all(ASK)

        with pytest.raises(trio.BrokenResourceError):
            await hear_all(client)


async def test_a_client_that_breaks_off_is_broken_off_for_its_member(real, member):
    broken = trio.Event()

    async def hear(stream):
        try:
            await hear_all(stream)
        except trio.BrokenResourceError:
            broken.set()

    place = await real(await member(hear))
    client = await place.connect()
    await client.send_all(ASK)
    await until(lambda: place.activator.meter.up)

    await reset(client)
    await broken.wait()
    await until(lambda: not place.activator.sessions)

    assert place.activator.meter.up == len(ASK)


async def test_a_refusal_is_read_though_the_client_goes_on_talking(real):
    place = await real(hold_timeout=0.1)

    async with await place.connect() as client:
        await client.send_all(b"POST / HTTP/1.1\r\n\r\n" + MEGABYTE[:100_000])
        heard = await hear_all(client)

    assert heard.startswith(b"HTTP/1.1 503 ")


async def test_a_member_that_is_gone_is_passed_over(real, member, nursery):
    listeners = await trio.open_tcp_listeners(0, host=LOOPBACK)
    gone = Serving("web-0", place_of(listeners[0]))
    await listeners[0].aclose()
    place = await real(gone, await member(answer))

    heard = await place.ask()

    assert heard == ANSWER
    assert place.activator.holding.missed == 1


async def test_sessions_that_are_cut_are_broken_off_for_both(real, member):
    broken = trio.Event()

    async def hear(stream):
        try:
            await hear_all(stream)
        except trio.BrokenResourceError:
            broken.set()

    place = await real(await member(hear))
    async with await place.connect() as client:
        await client.send_all(ASK)
        await until(lambda: place.activator.meter.up)

        place.activator.cut("web-1")

        with pytest.raises(trio.BrokenResourceError):
            await hear_all(client)
        await broken.wait()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_it_listens_where_it_is_told(nursery, address):
    at = await free_place(address)

    [listener] = await listen(at)
    async with (
        listener,
        await dial(at) as client,
        await listener.accept() as accepted,
    ):
        await accepted.send_all(b"here")
        heard = await client.receive_some()

    assert heard == b"here"


async def test_a_port_that_is_taken_is_said_with_its_address():
    at = await free_place(LOOPBACK)

    [listener] = await listen(at)
    async with listener:
        with pytest.raises(ListenError, match=f"{at} can't be listened at: Address"):
            await listen(at)


async def free_place(address):
    listeners = await trio.open_tcp_listeners(0, host=address)
    async with listeners[0] as listener:
        return place_of(listener)
