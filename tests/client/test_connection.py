"""Real connections to real TLS servers, most of which do something wrong."""

import socket
import ssl
import threading

import pytest
import trio

from albatross_client.certificates import load_authority
from albatross_client.client import Client
from albatross_client.commands import UnikernelInfo, Unknown
from albatross_client.endpoint import Endpoint
from albatross_client.errors import (
    CertificateError,
    CommandRefusedError,
    HostUnreachableError,
    RemoteProtocolError,
)
from albatross_client.minting import Ask
from albatross_client.names import ROOT, Name
from albatross_client.replies import (
    ConsoleLine,
    Failure,
    Infos,
    Said,
)
from albatross_client.tls import MAX_CONTEXTS, Contexts
from albatross_client.values import Info, Timestamp
from tests.client.endpoint_server import (
    EndpointServer,
    cut,
    message,
    say,
)
from tests.client.failing import NOTHING_RUNS, failure_of
from tests.client.pki import (
    A_DAY,
    KEY_KINDS,
    TODAY,
    root,
    server,
    write,
)

WEB = Name.parse(":web")
A_MINUTE = A_DAY / 24 / 60


@pytest.mark.parametrize("kind", KEY_KINDS)
async def test_a_command_and_its_reply_pass_with_every_kind_of_ca(tmp_path, kind):
    own = root(key=KEY_KINDS[kind]())
    write(tmp_path, own)
    with EndpointServer(tmp_path, (server(own),), own, say(NOTHING_RUNS)) as host:
        authority = load_authority(tmp_path / "ca.pem", tmp_path / "ca.key")
        endpoint = Endpoint(
            host="127.0.0.1",
            port=host.port,
            server_ca=own.certificate,
            authority=authority,
        )

        assert await Client(endpoint).info(ROOT) == {}

    assert host.asked == [(".", UnikernelInfo())]


def test_a_context_serves_the_same_command_until_it_nears_its_end(endpoint):
    moments = iter(TODAY + minutes * A_MINUTE for minutes in (0, 1, 2, 4.5))
    contexts = Contexts(endpoint(1), lambda: next(moments))
    info = Ask(ROOT, UnikernelInfo())

    first = contexts.context_for(info)

    assert contexts.context_for(Ask(WEB, UnikernelInfo())) is not first
    assert contexts.context_for(info) is first
    assert contexts.context_for(info) is not first


def test_only_the_contexts_used_last_are_kept(endpoint):
    contexts = Contexts(endpoint(1), lambda: TODAY)
    info = Ask(ROOT, UnikernelInfo())
    first = contexts.context_for(info)
    for number in range(MAX_CONTEXTS):
        contexts.context_for(Ask(Name((), f"web-{number}"), UnikernelInfo()))

    assert contexts.context_for(info) is not first


async def test_a_certificate_of_another_ca_is_said_to_be_ours(serve, endpoint):
    with serve(say(NOTHING_RUNS), trusted=root("other")) as host:
        error = await failure_of(Client(endpoint(host.port)))

    assert isinstance(error, CertificateError)
    assert "does not accept our certificate (unknown_ca)" in str(error)
    assert "ca.pem" in str(error)


@pytest.mark.parametrize("apart", [-1, 1], ids=["clock behind", "clock ahead"])
async def test_clocks_apart_are_named_with_the_dates(serve, endpoint, apart):
    with serve(say(NOTHING_RUNS)) as host:
        clock = lambda: TODAY + apart * A_DAY / 2  # noqa: E731
        error = await failure_of(Client(endpoint(host.port), clock=clock))

    assert isinstance(error, CertificateError)
    assert "takes our certificate for expired or not yet valid" in str(error) or (
        # OpenSSL servers have an alert of their own for too early.
        "does not accept our certificate" in str(error)
    )


async def test_an_end_without_an_answer_names_both_reasons(serve, endpoint):
    with serve(say()) as host:
        error = await failure_of(Client(endpoint(host.port)))

    assert isinstance(error, CommandRefusedError)
    assert "its log says why" in str(error)
    assert "older than release 2.7.0" in str(error)


@pytest.mark.parametrize("said", ["no \x1b[31mway", "exception while reading from fd"])
async def test_a_failure_is_told_in_the_words_of_the_host(serve, endpoint, said):
    with serve(say(message(Failure(said)))) as host:
        error = await failure_of(Client(endpoint(host.port)))

    assert isinstance(error, CommandRefusedError)
    assert str(error) == said


async def test_a_policy_that_cannot_be_stored_says_who_has_to_sign(serve, endpoint):
    text = "expected success when adding policy, got: too much"
    with serve(say(message(Failure(text)))) as host:
        error = await failure_of(Client(endpoint(host.port)))

    assert str(error).startswith(text)
    assert "has to be signed anew" in str(error)


@pytest.mark.parametrize(
    ("script", "kind", "text"),
    [
        pytest.param(
            say(NOTHING_RUNS[:-1]),
            RemoteProtocolError,
            "ended the connection inside its reply",
            id="cut off by a goodbye",
        ),
        pytest.param(
            cut(NOTHING_RUNS[:-1]),
            HostUnreachableError,
            "ended without a goodbye",
            id="cut off",
        ),
        pytest.param(
            cut(), HostUnreachableError, "ended without a goodbye", id="no goodbye"
        ),
        pytest.param(
            say(b"\x01\x00\x00\x01"),
            RemoteProtocolError,
            "a frame of 16777217 bytes",
            id="too long",
        ),
        pytest.param(
            say(b"\xff\xff\xff\xff"),
            RemoteProtocolError,
            "a frame of 4294967295 bytes",
            id="unsigned length",
        ),
        pytest.param(
            say(b"\x00\x00\x00\x03abc"), RemoteProtocolError, "", id="rubbish"
        ),
        pytest.param(say(bytes(4)), RemoteProtocolError, "", id="empty"),
        pytest.param(
            say(message(ConsoleLine(Timestamp(0), b""))),
            RemoteProtocolError,
            "sent ConsoleLine where a reply was due",
            id="data",
        ),
        pytest.param(
            say(message(Said("well"))),
            RemoteProtocolError,
            "answered by Said",
            id="another reply",
        ),
        pytest.param(
            say(message(Unknown("success", 31, bytes.fromhex("bf1f00")))),
            RemoteProtocolError,
            "sent success tag 31, which is not known here",
            id="a newer reply",
        ),
    ],
)
async def test_every_bad_reply_is_an_error_of_its_kind(
    serve, endpoint, script, kind, text
):
    with serve(script) as host:
        error = await failure_of(Client(endpoint(host.port)))

    assert type(error) is kind
    assert text in str(error)
    if isinstance(error, HostUnreachableError):
        assert error.sent


async def test_a_reply_in_single_bytes_is_whole(serve, endpoint):
    reply = message(Infos(((WEB, Info()),)))
    with serve(say(*(reply[at : at + 1] for at in range(len(reply))))) as host:
        found = await Client(endpoint(host.port)).info(ROOT)

    assert found == {WEB: Info()}


async def test_a_large_reply_is_read_whole(serve, endpoint):
    many = tuple((Name(("user",), f"web-{n}"), Info()) for n in range(2000))
    with serve(say(message(Infos(many)))) as host:
        found = await Client(endpoint(host.port)).info(ROOT)

    assert found == dict(many)


async def test_a_port_nobody_listens_on_is_unreachable_and_nothing_was_sent(endpoint):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    error = await failure_of(Client(endpoint(port)))

    assert isinstance(error, HostUnreachableError)
    assert not error.sent
    assert f"127.0.0.1:{port} can't be reached (Connection refused)" in str(error)


@pytest.mark.parametrize("host", ["nosuch.invalid", "a" * 64 + ".example", "a..b"])
async def test_a_name_without_a_host_is_unreachable(endpoint, host, monkeypatch):
    async def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    if host == "nosuch.invalid":
        # No test asks a real name server.
        monkeypatch.setattr("trio.socket.getaddrinfo", unknown)

    error = await failure_of(Client(endpoint(1025, host=host)))

    assert isinstance(error, HostUnreachableError)
    assert not error.sent


def answer_raw(listener, answer):
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(10)
        connection.recv(65536)
        connection.sendall(answer)


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        pytest.param(
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            RemoteProtocolError,
            "does not answer in TLS 1.3",
            id="HTTP",
        ),
        pytest.param(
            bytes.fromhex("15030300020246"),
            RemoteProtocolError,
            "protocol_version",
            id="only older TLS",
        ),
        pytest.param(b"", HostUnreachableError, "was lost", id="nothing"),
    ],
)
async def test_a_port_of_something_else_is_said_to_be_that(
    endpoint, answer, kind, text
):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer_raw, args=(listener, answer))
        thread.start()
        error = await failure_of(Client(endpoint(listener.getsockname()[1])))
        thread.join()

    assert type(error) is kind
    assert text in str(error)
    assert not getattr(error, "sent", False)


async def test_tls_1_2_is_never_spoken(endpoint, serve):
    with serve(say(NOTHING_RUNS)) as host:
        host.context.minimum_version = ssl.TLSVersion.TLSv1_2
        host.context.maximum_version = ssl.TLSVersion.TLSv1_2
        error = await failure_of(Client(endpoint(host.port)))

    assert isinstance(error, RemoteProtocolError)
    assert "does not answer in TLS 1.3" in str(error)


async def test_a_cancelled_command_leaves_no_connection(serve, endpoint):
    ended = threading.Event()

    def wait_for_end(connection):
        assert connection.recv(1) == b""
        ended.set()

    with serve(wait_for_end) as host:
        with trio.move_on_after(0.2):
            await Client(endpoint(host.port)).info(ROOT)
        assert await trio.to_thread.run_sync(ended.wait, 10)
