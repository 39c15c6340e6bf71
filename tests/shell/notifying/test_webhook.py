"""Webhooks: real servers on loopback, over TCP and TLS, and what they do."""

import json
import ssl
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import trio
import trustme
from attrs import define, field

from autoscaler.shell.configuration.notify_table import Url
from autoscaler.shell.notifying.message import sign, write_body
from autoscaler.shell.notifying.webhook import MOST_ANSWER, Webhook, trust_in
from tests.shell.notifying.messages import LOST, SECRET

BODY = write_body(LOST)
OK = b"HTTP/1.1 204 No Content\r\n\r\n"
Answer = Callable[[trio.abc.Stream], Awaitable[None]]


def saying(octets) -> Answer:
    async def answer(stream):
        await stream.send_all(octets)

    return answer


@define
class Server:
    """Listens on loopback; answers each request in its way."""

    answer: Answer
    requests: list[bytes] = field(factory=list)
    sent: int = 0
    port: int = 0

    async def serve(self, stream):
        request = b""
        while not request.endswith(BODY):
            part = await stream.receive_some()
            if not part:
                return
            request += part
        self.requests.append(request)
        await self.answer(stream)


@pytest.fixture
def begin(nursery):
    async def begin(answer, tls=None):
        server = Server(answer)

        async def handle(stream):
            try:
                if tls is not None:
                    stream = trio.SSLStream(stream, tls, server_side=True)
                await server.serve(stream)
                with trio.move_on_after(0.2):
                    await stream.aclose()
            except (trio.BrokenResourceError, ssl.SSLError):
                pass

        serving = partial(trio.serve_tcp, handle, 0, host="127.0.0.1")
        [listener] = await nursery.start(serving)
        server.port = listener.socket.getsockname()[1]
        return server

    return begin


@pytest.fixture
async def webhook_to():
    opened = []

    def make(server, secret=SECRET, trust=None, scheme="http", name="127.0.0.1"):
        url = Url(f"{scheme}://{name}:{server.port}/T00/hush")
        webhook = Webhook(url, secret, trust or trust_in(None), lambda: 1000.9)
        opened.append(webhook)
        return webhook

    yield make
    for webhook in opened:
        await webhook.aclose()


async def told(webhook, seconds=5.0):
    with trio.fail_after(seconds):
        return await webhook.tell(LOST)


async def test_an_event_is_posted_as_json_with_its_signature(begin, webhook_to):
    server = await begin(saying(OK))

    failure = await told(webhook_to(server))

    [request] = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    assert failure is None
    assert lines[0] == "POST /T00/hush HTTP/1.1"
    assert json.loads(body)["event"] == "primary_lost"
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == "albatross-autoscaler"
    assert headers["autoscaler-id"] == LOST.id
    assert headers["autoscaler-event"] == LOST.event
    assert headers["autoscaler-signature"] == sign(SECRET, 1000, body)


async def test_without_a_secret_nothing_is_signed(begin, webhook_to):
    server = await begin(saying(OK))

    assert await told(webhook_to(server, secret=None)) is None
    assert b"signature" not in server.requests[0].lower()


@pytest.mark.parametrize(
    ("answer", "says", "is_final"),
    [
        pytest.param(
            b"HTTP/1.1 500 Oh\r\nContent-Length: 7\r\n\r\nno\x1b[31m",
            "it answers 500: no\\x1b[31m",
            False,
            id="an error",
        ),
        pytest.param(
            b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
            "it answers 404",
            True,
            id="not found",
        ),
        pytest.param(
            b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:9/\r\n"
            b"Content-Length: 0\r\n\r\n",
            "it answers 307, and no redirects are followed",
            True,
            id="a redirect",
        ),
    ],
)
async def test_what_is_answered_is_told(begin, webhook_to, answer, says, is_final):
    server = await begin(saying(answer))

    failure = await told(webhook_to(server))

    assert failure is not None
    assert (failure.error, failure.is_final) == (says, is_final)
    assert len(server.requests) == 1


@pytest.mark.parametrize(("asked", "heard"), [("17", 17.0), ("soon", None), ("", None)])
async def test_who_asks_for_time_is_heard(begin, webhook_to, asked, heard):
    server = await begin(
        saying(
            b"HTTP/1.1 429 Slow\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n"
            % asked.encode()
        )
    )

    failure = await told(webhook_to(server))

    assert failure is not None
    assert failure.asked_s == heard


@pytest.mark.parametrize("status", ["200 OK", "500 Oh"])
async def test_of_an_answer_without_an_end_only_the_beginning_is_read(
    begin, webhook_to, status
):
    async def pour(stream):
        await stream.send_all(f"HTTP/1.1 {status}\r\n\r\n".encode())
        while True:
            await stream.send_all(b"x" * 65536)
            server.sent += 65536

    server = await begin(pour)

    failure = await told(webhook_to(server))

    assert (failure is None) == (status == "200 OK")
    assert server.sent < 100 * MOST_ANSWER + 10_000_000


async def test_a_head_without_an_end_is_given_up(begin, webhook_to):
    async def pour(stream):
        await stream.send_all(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            await stream.send_all(b"x" * 65536)

    failure = await told(webhook_to(await begin(pour)))

    assert failure is not None
    assert not failure.is_final


async def reset(stream):
    under = stream.transport_stream if isinstance(stream, trio.SSLStream) else stream
    await under.aclose()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(reset, id="hangs up"),
        pytest.param(saying(b"SSH-2.0-OpenSSH\r\n"), id="another protocol"),
        pytest.param(
            saying(b"HTTP/1.1 500 Oh\r\nContent-Length: 9\r\n\r\nx"), id="cut"
        ),
        pytest.param(saying(b"HTTP/1.1 200 OK\r\nContent-"), id="cut in the head"),
    ],
)
async def test_whatever_breaks_is_worth_another_try(begin, webhook_to, answer):
    server = await begin(answer)

    failure = await told(webhook_to(server))

    assert failure is not None
    assert not failure.is_final
    assert "hush" not in failure.error


async def test_where_nobody_listens_that_is_told_without_the_path(begin, webhook_to):
    webhook = webhook_to(Server(saying(OK), port=9))

    failure = await told(webhook)

    assert failure is not None
    assert failure.error.startswith("http://127.0.0.1:9: ")
    assert "hush" not in failure.error


async def test_a_name_that_nobody_has_is_worth_another_try(webhook_to):
    webhook = webhook_to(Server(saying(OK), port=9), name="nobody.invalid")

    failure = await told(webhook, 30)

    assert failure is not None
    assert not failure.is_final


async def test_a_server_that_hangs_is_left_by_whoever_owns_the_time(begin, webhook_to):
    async def hang(_stream):
        await trio.sleep_forever()

    webhook = webhook_to(await begin(hang))

    with trio.move_on_after(0.3) as scope:
        await webhook.tell(LOST)

    assert scope.cancelled_caught


async def test_after_a_failure_the_next_one_is_told(begin, webhook_to):
    server = await begin(reset)
    webhook = webhook_to(server)

    first = await told(webhook)
    server.answer = saying(OK)

    assert first is not None
    assert await told(webhook) is None


@pytest.fixture
def authority(tmp_path):
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return ca


def tls_of(ca, name="localhost"):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(name).configure_cert(context)
    return context


async def test_a_certificate_of_the_ca_that_is_named_is_believed(
    begin, webhook_to, authority, tmp_path
):
    server = await begin(saying(OK), tls_of(authority))
    trust = trust_in(tmp_path / "ca.pem")

    assert await told(webhook_to(server, SECRET, trust, "https", "localhost")) is None


async def test_one_that_nobody_here_knows_is_not(begin, webhook_to, authority):
    server = await begin(saying(OK), tls_of(authority))

    failure = await told(webhook_to(server, scheme="https", name="localhost"))

    assert failure is not None
    says = "https://localhost:{}: its certificate is not believed: unable to get local"
    assert failure.error.startswith(says.format(server.port))
    assert server.requests == []


async def test_one_of_another_name_is_not(begin, webhook_to, authority, tmp_path):
    server = await begin(saying(OK), tls_of(authority, "other.example"))
    trust = trust_in(tmp_path / "ca.pem")

    failure = await told(webhook_to(server, SECRET, trust, "https", "localhost"))

    assert failure is not None
    assert "not believed: Hostname mismatch" in failure.error
    assert server.requests == []


async def test_no_proxy_of_the_environment_is_used(begin, webhook_to, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server = await begin(saying(OK))

    assert await told(webhook_to(server)) is None


def test_no_secret_is_in_what_is_printed_of_it():
    webhook = Webhook(Url("https://x/hush"), SECRET, trust_in(None), lambda: 0.0)

    assert "hush" not in repr(webhook)
    assert SECRET.decode() not in repr(webhook)
