"""Whoever is slow or silent is given up in time."""

import contextlib

import pytest
import trio
import trio.testing

from autoscaler.shell.log import Log
from autoscaler.shell.web.server import MOST_CLIENTS, Server
from autoscaler.shell.web.visit import (
    ANSWER_S,
    CHANGE_S,
    REQUEST_S,
    WRITE_S,
)
from tests.shell.web.clients import HTTP, PATIENCE_S, heard, hello
from tests.shell.web.spoken import ASK, POST

# In memory, by a virtual clock: nothing here waits.


def client_of(nursery, server):
    """Return the stream of a client that *server* attends to."""
    ours, theirs = trio.testing.memory_stream_pair()

    async def attend():
        await server.attend(theirs)
        await theirs.aclose()

    nursery.start_soon(attend)
    return ours


@pytest.fixture
def server():
    return Server(HTTP, hello, Log(lambda *_: None))


async def until_gone(stream, within=PATIENCE_S):
    """Return after how many seconds *stream* is closed by its other end."""
    began = trio.current_time()
    with trio.fail_after(within + 1):
        while await stream.receive_some():
            continue
    return trio.current_time() - began


async def test_a_slow_request_ends_in_time(nursery, server, autojump_clock):
    client = client_of(nursery, server)

    async def send_slowly():
        await client.send_all(b"GET / HTTP/1.1\r\n")
        with contextlib.suppress(trio.BrokenResourceError):
            while True:
                await trio.sleep(0.5)
                await client.send_all(b"X: y\r\n")

    nursery.start_soon(send_slowly)

    assert await until_gone(client) == REQUEST_S


async def test_a_body_that_does_not_come_ends_in_time(nursery, server, autojump_clock):
    client = client_of(nursery, server)
    await client.send_all(POST + b"Content-Length: 2\r\n\r\n{")

    assert await until_gone(client) == REQUEST_S


async def test_a_silent_client_goes_after_its_answer_too(
    nursery, server, autojump_clock
):
    client = client_of(nursery, server)
    await client.send_all(ASK)

    assert await until_gone(client) == REQUEST_S


async def test_an_application_that_says_nothing_is_given_up(nursery, autojump_clock):
    async def silent(scope, receive, send):
        assert (await receive())["more_body"] is False
        await trio.sleep_forever()

    client = client_of(nursery, Server(HTTP, silent, Log(lambda *_: None)))
    await client.send_all(ASK)

    assert await until_gone(client) == ANSWER_S


async def test_a_change_may_take_longer_than_an_answer(nursery, autojump_clock):
    async def silent(scope, receive, send):
        await trio.sleep_forever()

    client = client_of(nursery, Server(HTTP, silent, Log(lambda *_: None)))
    await client.send_all(POST + b"\r\n")

    assert await until_gone(client, CHANGE_S) == CHANGE_S


async def test_an_answer_may_go_on_for_long(nursery, autojump_clock):
    async def tell_slowly(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": ()})
        for _ in range(10):
            await trio.sleep(ANSWER_S)
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await send({"type": "http.response.body"})

    client = client_of(nursery, Server(HTTP, tell_slowly, Log(lambda *_: None)))
    await client.send_all(ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    with trio.fail_after(11 * ANSWER_S):
        text = b""
        while part := await client.receive_some():
            text += part

    assert heard(text).body == 10 * b"x"


async def test_who_does_not_read_is_given_up_too(nursery, autojump_clock):
    ended = trio.Event()

    async def tell_much(scope, receive, send):
        try:
            await send({"type": "http.response.start", "status": 200, "headers": ()})
        finally:
            ended.set()

    ours, theirs = trio.testing.lockstep_stream_pair()
    nursery.start_soon(Server(HTTP, tell_much, Log(lambda *_: None)).attend, theirs)
    await ours.send_all(ASK)
    await ended.wait()

    assert trio.current_time() == WRITE_S


async def test_the_longest_silent_makes_room(nursery, server, autojump_clock):
    clients = [client_of(nursery, server)]
    await trio.sleep(1)
    clients += [client_of(nursery, server) for _ in range(MOST_CLIENTS)]
    await trio.testing.wait_all_tasks_blocked()

    assert await until_gone(clients[0]) == 0
    await clients[-1].send_all(ASK)
    assert (await clients[-1].receive_some()).startswith(b"HTTP/1.1 200")


async def test_nobody_goes_who_is_being_answered(nursery, autojump_clock):
    async def keep(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": ()})
        await trio.sleep_forever()

    server = Server(HTTP, keep, Log(lambda *_: None))
    clients = [client_of(nursery, server) for _ in range(MOST_CLIENTS)]
    for client in clients:
        await client.send_all(ASK)
    await trio.testing.wait_all_tasks_blocked()

    assert await until_gone(client_of(nursery, server)) == 0
    assert (await clients[0].receive_some()).startswith(b"HTTP/1.1 200")
