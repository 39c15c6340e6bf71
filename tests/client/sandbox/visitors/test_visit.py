"""One request, and how it ended, whatever its server does."""

import socket
import struct

import pytest
import trio

from albatross_client.sandbox.visitors.tally import Outcome
from albatross_client.sandbox.visitors.visit import Target, Visitor

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
# The end of a connection that is no orderly one.
RESET = object()
CUT = b" and then a reset"
PATIENCE_SECONDS = 20


class Server:
    """Says its lines, one for each request; what it is sent is kept.

    `RESET` resets the connection, None closes it; after what is before `CUT`
    it is reset too.
    """

    def __init__(self, *lines):
        self.lines = list(lines)
        self.requests = []
        self.connections = 0

    async def serve(self, stream):
        self.connections += 1
        async with stream:
            while self.lines:
                try:
                    request = await stream.receive_some()
                except trio.BrokenResourceError:
                    return
                if not request:
                    return
                self.requests.append(request)
                line = self.lines.pop(0)
                if line in (None, RESET):
                    _end(stream, reset=line is RESET)
                    return
                await stream.send_all(line.removesuffix(CUT))
                if line.endswith(CUT):
                    # Unread it would be lost with the connection.
                    await trio.testing.wait_all_tasks_blocked(0.05)
                    _end(stream, reset=True)
                    return


def _end(stream, *, reset):
    linger = struct.pack("ii", int(reset), 0)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    stream.socket.close()


@pytest.fixture
async def visiting(nursery):
    """Return what makes a server that says its lines, and its visitor."""
    visitors = []

    async def begin(*lines, path="/work?ms=5"):
        server = Server(*lines)
        listeners = await nursery.start(
            trio.serve_listeners,
            server.serve,
            await trio.open_tcp_listeners(0, host="127.0.0.1"),
        )
        port = listeners[0].socket.getsockname()[1] if listeners else 0
        visitor = Visitor(Target(host="127.0.0.1", port=port, path=path))
        visitors.append(visitor)
        return visitor, server

    with trio.fail_after(PATIENCE_SECONDS):
        yield begin
    for visitor in visitors:
        visitor.close()


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://127.0.0.1:8000", Target(host="127.0.0.1", port=8000)),
        ("http://web.example", Target(host="web.example")),
        ("http://[::1]:81/a?b=c", Target(host="::1", port=81, path="/a?b=c")),
    ],
    ids=["address", "name", "IPv6 and path"],
)
def test_a_target_is_read_from_a_url(url, target):
    assert Target.parse(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "https://web.example",
        "web.example",
        "http:///path",
        "http://x:port/",
        "http://x/ä",
    ],
)
def test_what_is_no_target_is_told_so(url):
    with pytest.raises(ValueError, match="is no target: http://HOST:PORT/PATH"):
        Target.parse(url)


@pytest.mark.parametrize(
    ("target", "authority"),
    [(Target(host="::1", port=81), "[::1]:81"), (Target(host="web"), "web:80")],
    ids=["IPv6", "name"],
)
def test_a_request_says_whom_it_is_for(target, authority):
    assert target.authority == authority


async def test_an_answer_is_told_with_its_body_and_status(visiting):
    visitor, server = await visiting(OK)

    answer = await visitor.visit(keeps_alive=False)

    assert answer.outcome is Outcome.ANSWERED
    assert (answer.status, answer.body, answer.is_retried) == (200, b"hello", False)
    assert server.requests[0].startswith(b"GET /work?ms=5 HTTP/1.1\r\n")
    assert b"Connection: close" in server.requests[0]


async def test_a_connection_is_kept_by_those_that_keep_it(visiting):
    visitor, server = await visiting(OK, OK, OK)

    for keeps_alive in (True, True, False):
        answer = await visitor.visit(keeps_alive=keeps_alive)
        assert answer.outcome is Outcome.ANSWERED

    assert server.connections == 2


async def test_requests_at_the_same_time_have_a_connection_each(visiting, nursery):
    visitor, server = await visiting(OK, OK)

    nursery.start_soon(lambda: visitor.visit(keeps_alive=True))
    await visitor.visit(keeps_alive=True)

    assert server.connections == 2


async def test_a_server_that_closes_is_not_asked_there_again(visiting):
    last = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    visitor, server = await visiting(last, OK)

    for _ in range(2):
        await visitor.visit(keeps_alive=True)

    assert server.connections == 2


@pytest.mark.parametrize(
    ("line", "outcome", "status"),
    [
        pytest.param(RESET, Outcome.RESET, None, id="reset"),
        pytest.param(None, Outcome.NO_ANSWER, None, id="closed"),
        pytest.param(
            b"SSH-2.0-x\r\n\r\n", Outcome.GARBLED, None, id="another protocol"
        ),
        pytest.param(OK.replace(b"200", b"204"), Outcome.ANSWERED, 204, id="204"),
        pytest.param(OK.replace(b"200", b"302"), Outcome.ANSWERED, 302, id="302"),
        pytest.param(OK.replace(b"200", b"404"), Outcome.OTHER_STATUS, 404, id="404"),
        pytest.param(OK.replace(b"200", b"503"), Outcome.SERVER_ERROR, 503, id="503"),
        pytest.param(
            b"HTTP/1.1 103 Hints\r\n\r\n" + OK, Outcome.ANSWERED, 200, id="hints"
        ),
    ],
)
async def test_every_end_has_its_word(visiting, line, outcome, status):
    visitor, server = await visiting(line)

    answer = await visitor.visit(keeps_alive=False)

    assert (answer.outcome, answer.status) == (outcome, status)
    assert not answer.is_retried
    assert server.connections == 1


@pytest.mark.parametrize("cut", [4, 30, len(OK) - 1], ids=["first", "head", "body"])
async def test_an_answer_that_is_cut_is_short(visiting, cut):
    # The server has no more lines then, and closes.
    visitor, _ = await visiting(OK[:cut])

    answer = await visitor.visit(keeps_alive=True)

    assert answer.outcome is Outcome.SHORT


async def test_of_a_long_body_the_beginning_is_kept(visiting):
    visitor, _ = await visiting(
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000
    )

    answer = await visitor.visit(keeps_alive=True)

    assert answer.outcome is Outcome.ANSWERED
    assert answer.body == b"x" * 4096


@pytest.mark.parametrize("end", [None, RESET], ids=["closed", "reset"])
async def test_a_kept_connection_that_ends_without_a_word_is_tried_anew(visiting, end):
    visitor, server = await visiting(OK, end, OK)
    await visitor.visit(keeps_alive=True)

    answer = await visitor.visit(keeps_alive=True)

    assert answer.outcome is Outcome.ANSWERED
    assert answer.is_retried
    assert server.connections == 2


async def test_a_request_is_sent_again_no_more_than_once(visiting):
    visitor, server = await visiting(OK, None, None)
    await visitor.visit(keeps_alive=True)

    answer = await visitor.visit(keeps_alive=True)

    assert answer.outcome is Outcome.NO_ANSWER
    assert answer.is_retried
    assert server.connections == 2


async def test_what_has_begun_to_be_answered_is_never_sent_again(visiting):
    visitor, server = await visiting(OK, OK[:10])
    await visitor.visit(keeps_alive=True)

    answer = await visitor.visit(keeps_alive=True)

    assert answer.outcome is Outcome.SHORT
    assert server.connections == 1


async def test_what_is_reset_within_its_answer_is_never_sent_again(visiting):
    visitor, server = await visiting(OK, OK[:10] + CUT, OK)
    await visitor.visit(keeps_alive=True)

    answer = await visitor.visit(keeps_alive=True)

    assert answer.outcome is Outcome.RESET
    assert server.connections == 1


async def test_a_connection_that_ended_while_idle_is_not_even_tried(visiting):
    visitor, server = await visiting(OK)
    await visitor.visit(keeps_alive=True)
    await trio.testing.wait_all_tasks_blocked()
    server.lines.append(OK)

    answer = await visitor.visit(keeps_alive=True)

    assert answer.outcome is Outcome.ANSWERED
    assert not answer.is_retried
    assert server.connections == 2


async def test_where_nobody_listens_it_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    answer = await Visitor(Target(host="127.0.0.1", port=port)).visit(keeps_alive=True)

    assert answer.outcome is Outcome.REFUSED


async def test_what_cannot_be_connected_to_is_unreachable():
    # No connection goes there: RFC 1112, 4.
    target = Target(host="255.255.255.255")

    answer = await Visitor(target).visit(keeps_alive=True)

    assert answer.outcome is Outcome.UNREACHABLE


async def test_a_request_that_is_cancelled_leaves_no_connection(visiting):
    visitor, server = await visiting(b"", OK)
    with trio.move_on_after(0.05) as impatience:
        await visitor.visit(keeps_alive=True)

    answer = await visitor.visit(keeps_alive=True)

    assert impatience.cancelled_caught
    assert answer.outcome is Outcome.ANSWERED
    assert server.connections == 2
