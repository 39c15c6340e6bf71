"""Clients of all kinds: what they are answered, and how long it takes."""

import contextlib

import pytest
import trio
import trio.testing
from attrs import evolve

from autoscaler.core.backend import Place
from autoscaler.shell.log import Log
from autoscaler.shell.web.server import LISTEN_AGAIN_S, Server
from autoscaler.shell.web.visit import (
    MOST_HEAD_BYTES,
)
from tests.shell.web.clients import HTTP, heard, hello, open_town
from tests.shell.web.spoken import ASK, POST


@pytest.fixture
async def town(nursery):
    return await open_town(nursery, hello)


async def test_a_request_is_answered(town):
    answer = await town.get("/here%20too?x=1")

    assert (answer.status, answer.body) == (200, b"GET /here too")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["date"].endswith("GMT")
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_head_has_no_body(town):
    answer = await town.get("/here", method="HEAD")

    assert (answer.status, answer.body) == (200, b"")


async def test_a_connection_is_used_again(town):
    async with await town.connect() as stream:
        await stream.send_all(ASK + ASK)
        text = b""
        while text.count(b"GET /here") < 2:
            text += await stream.receive_some(4096)

    assert text.count(b"HTTP/1.1 200") == 2


BAD = [
    pytest.param(
        b"PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
        405,
        "only GET, HEAD and POST are known here",
        id="another method",
    ),
    pytest.param(
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil\r\n\r\n",
        405,
        "only GET, HEAD and POST are known here",
        id="preflight",
    ),
    pytest.param(
        b"GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        400,
        "a target must begin with /",
        id="another form of target",
    ),
    pytest.param(
        b"GET /" + b"a" * 2048 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        414,
        "a target has at most 2048 bytes",
        id="long target",
    ),
    pytest.param(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
        413,
        "only POST has a body here",
        id="body",
    ),
    pytest.param(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        413,
        "only POST has a body here",
        id="body in chunks",
    ),
    pytest.param(
        POST + b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n",
        411,
        "a body must say how long it is: Content-Length",
        id="a body in chunks",
    ),
    pytest.param(
        POST + b"Content-Length: 4097\r\n\r\n",
        413,
        "a body has at most 4096 bytes",
        id="a long body",
    ),
    pytest.param(
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n\r\n",
        415,
        "a body must be JSON: Content-Type: application/json",
        id="what a form sends",
    ),
    pytest.param(
        POST + b"Origin: http://evil.example.org\r\n\r\n",
        403,
        "no page of another site changes anything",
        id="a page of another site",
    ),
    pytest.param(
        POST + b"Origin: null\r\n\r\n",
        403,
        "no page of another site changes anything",
        id="a page of no site",
    ),
    pytest.param(
        POST + b"Sec-Fetch-Site: same-site\r\n\r\n",
        403,
        "no page of another site changes anything",
        id="another port of this machine",
    ),
    pytest.param(
        b"GET / HTTP/1.1\r\nHost: evil.example.org\r\n\r\n",
        421,
        "the Host header names neither this machine nor one of [http] hosts",
        id="another host",
    ),
    pytest.param(
        b"GET / HTTP/1.0\r\n\r\n",
        421,
        "the Host header names neither this machine nor one of [http] hosts",
        id="no host",
    ),
    pytest.param(
        b"GET / HTTP/1.1\r\nHost: localhost:x\r\n\r\n",
        421,
        "the Host header names neither this machine nor one of [http] hosts",
        id="no port",
    ),
    pytest.param(
        b"GET / HTTP/1.1\r\n\r\n",
        400,
        "that is no request of HTTP/1.1, or one that is too long",
        id="no host in 1.1",
    ),
    pytest.param(
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        400,
        "that is no request of HTTP/1.1, or one that is too long",
        id="TLS",
    ),
    pytest.param(
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        405,
        "only GET, HEAD and POST are known here",
        id="HTTP/2",
    ),
    pytest.param(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 2 * MOST_HEAD_BYTES,
        431,
        "that is no request of HTTP/1.1, or one that is too long",
        id="endless header",
    ),
]


@pytest.mark.parametrize(("text", "status", "says"), BAD)
async def test_what_is_wrong_is_told_in_one_sentence(town, text, status, says):
    answer = heard(await town.say(text))

    assert (answer.status, answer.body.decode()) == (status, f"{says}\n")
    assert answer.headers["connection"] == "close"
    assert [event for event, _ in town.log] == ["http_refused"]
    assert town.log[0][1] == {"status": status, "error": says}
    assert (await town.get("/")).status == 200


async def test_a_body_reaches_the_application(nursery):
    async def echo(scope, receive, send):
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": ()})
        await send({"type": "http.response.body", "body": body})

    town = await open_town(nursery, echo)

    assert (await town.post("/", b"x" * 4096)).body == b"x" * 4096
    assert (await town.post("/")).body == b""


@pytest.mark.parametrize(
    "more",
    [
        b"Origin: http://localhost\r\n",
        b"Origin: https://localhost\r\nSec-Fetch-Site: same-origin\r\n",
        b"Sec-Fetch-Site: none\r\n",
    ],
)
async def test_our_own_page_may_post(town, more):
    text = POST + more + b"Connection: close\r\n\r\n"

    assert heard(await town.say(text)).status == 200


async def test_a_client_that_waits_for_it_is_told_to_go_on(town):
    async with await town.connect() as stream:
        await stream.send_all(
            POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        told = await stream.receive_some()
        await stream.send_all(b"{}")
        answer = await stream.receive_some()

    assert told.startswith(b"HTTP/1.1 100")
    assert answer.startswith(b"HTTP/1.1 200")


async def test_another_method_is_told_which_there_are(town):
    answer = await town.get("/", method="DELETE")

    assert answer.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "LOCALHOST:9090",
        "127.0.0.1:9090",
        "[::1]:9090",
        "scaler.example.org",
        "scaler.example.org.:80",
    ],
)
async def test_it_answers_to_its_names(town, name):
    assert (await town.get("/", host=name)).status == 200


async def test_a_client_that_hangs_up_ends_nothing(town):
    for text in (b"", b"GET / HT", ASK):
        async with await town.connect() as stream:
            await stream.send_all(text)

    assert (await town.get("/")).status == 200


async def test_hundreds_of_silent_clients_keep_nobody_out(town):
    async with contextlib.AsyncExitStack() as silent:
        for _ in range(300):
            await silent.enter_async_context(await town.connect())

        assert (await town.get("/")).status == 200


async def test_a_port_that_is_taken_is_tried_again(nursery, autojump_clock):
    taken = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = taken[0].socket.getsockname()[1]
    log = []
    told = Log(lambda _level, event, fields: log.append((event, dict(fields))))
    settings = evolve(HTTP, listen=Place("127.0.0.1", port))
    nursery.start_soon(Server(settings, hello, told).run)
    await trio.sleep(1)
    await taken[0].aclose()
    await trio.sleep(LISTEN_AGAIN_S)

    [failed, opened] = log
    assert failed[0] == "http_failed"
    assert "can't be listened at" in str(failed[1]["error"])
    assert opened == ("http_opened", {"listen": f"127.0.0.1:{port}"})
