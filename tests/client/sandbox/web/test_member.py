"""A unikernel that serves HTTP, over real sockets of loopback."""

import contextlib
import os
import socket
import struct
import threading
import time

import pytest

from albatross_client.sandbox.web import member as members
from albatross_client.sandbox.web.member import Member, Site
from albatross_client.sandbox.web.request import MOST_HEAD_BYTES
from tests.sandbox_fixtures import loopback_address

PORT = 8080
PATIENCE_SECONDS = 20
GET = b"GET / HTTP/1.1\r\nHost: web\r\n\r\n"
LAST_GET = b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: web\r\n\r\n"
# Nothing lingers when the socket is closed.
RESET = struct.pack("ii", 1, 0)
# Far longer than anything else here takes.
LONG_GET = b"GET /?ms=1500 HTTP/1.1\r\nHost: web\r\n\r\n"


def site(address, *, seconds=0.0, boot=0.0):
    return Site(["user:web", address, str(PORT), str(seconds), "0.1", str(boot)])


def connected(address):
    """Return a connection to *address*, as soon as somebody listens there."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection((address, PORT), PATIENCE_SECONDS)
        time.sleep(0.01)
    pytest.fail("nobody listens")


@contextlib.contextmanager
def serving(**how):
    """Serve in a thread; give the address and where shares are written."""
    address = how.pop("address", None) or loopback_address()
    source, sink = os.pipe()
    member = Member(site(address, **how), source)
    thread = threading.Thread(target=member.run)
    thread.start()
    try:
        yield address, sink
    finally:
        os.close(sink)
        thread.join(PATIENCE_SECONDS)
        member.close()
        os.close(source)
        assert not thread.is_alive()


@pytest.fixture
def client():
    with serving() as (address, _), connected(address) as connection:
        yield connection


def answer(connection):
    """Return the body of the next answer on *connection*."""
    head, body = b"", b""
    while not head.endswith(b"\r\n\r\n"):
        octet = connection.recv(1)
        assert octet, head
        head += octet
    length = int(head.partition(b"Content-Length: ")[2].partition(b"\r")[0])
    while len(body) < length:
        body += connection.recv(length - len(body))
    return head.partition(b"\r\n")[0].decode(), body.decode()


def test_it_answers_with_its_name_again_and_again(client):
    for _ in range(3):
        client.sendall(GET)

        assert answer(client) == ("HTTP/1.1 200 OK", "user:web\n")


def test_a_connection_that_is_not_kept_ends_with_the_answer(client):
    client.sendall(LAST_GET)

    answer(client)
    assert client.recv(1) == b""


def test_requests_that_come_together_are_answered_one_by_one(client):
    client.sendall(GET + HEALTH + GET + LAST_GET)

    bodies = [answer(client)[1] for _ in range(4)]

    assert bodies == ["user:web\n", "", "user:web\n", "user:web\n"]
    assert client.recv(1) == b""


def test_a_request_may_come_octet_by_octet(client):
    for octet in GET:
        client.sendall(bytes([octet]))

    assert answer(client) == ("HTTP/1.1 200 OK", "user:web\n")


def test_who_says_nothing_more_gets_its_answer_all_the_same():
    with serving(seconds=0.05) as (address, _), connected(address) as client:
        client.sendall(GET)
        client.shutdown(socket.SHUT_WR)

        assert answer(client) == ("HTTP/1.1 200 OK", "user:web\n")
        assert client.recv(1) == b""


def test_who_leaves_without_a_request_is_let_go(client):
    client.sendall(b"GET")
    client.shutdown(socket.SHUT_WR)

    assert client.recv(1) == b""


def test_what_is_no_request_is_told_why_and_let_go(client):
    client.sendall(b"hello\r\n\r\n")

    assert answer(client) == ("HTTP/1.1 400 Bad Request", "Bad Request\n")
    assert client.recv(1) == b""


def test_health_is_told_while_a_request_takes_its_time():
    with (
        serving() as (address, _),
        connected(address) as busy,
        connected(address) as probe,
    ):
        busy.sendall(LONG_GET)
        probe.sendall(HEALTH)

        assert answer(probe) == ("HTTP/1.1 200 OK", "")
        busy.settimeout(0)
        with pytest.raises(BlockingIOError):
            busy.recv(1)


@pytest.mark.parametrize("is_half_closed", [False, True], ids=["open", "half closed"])
def test_a_client_that_leaves_its_request_behind_holds_up_nobody(is_half_closed):
    with serving(seconds=0.1) as (address, _), connected(address) as stays:
        leaves = connected(address)
        leaves.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        leaves.sendall(GET)
        if is_half_closed:
            leaves.shutdown(socket.SHUT_WR)
        ask_for_health(stays)
        leaves.close()
        ask_for_health(stays)
        stays.sendall(GET)

        assert answer(stays)[1] == "user:web\n"


def ask_for_health(connection):
    """Return when all that came before has been looked at."""
    connection.sendall(HEALTH)
    assert answer(connection) == ("HTTP/1.1 200 OK", "")


def test_who_sends_without_end_is_cut_off():
    with (
        serving() as (address, _),
        connected(address) as client,
        pytest.raises(ConnectionError),
    ):
        client.sendall(LONG_GET + GET * 1_000_000)


def test_who_takes_no_answers_is_cut_off():
    with (
        serving() as (address, _),
        connected(address) as client,
        pytest.raises(ConnectionError),
    ):
        client.sendall(HEALTH * 1_000_000)


def test_a_head_without_end_is_refused(client):
    client.sendall(b"G" * (MOST_HEAD_BYTES + 1))

    assert answer(client)[0] == "HTTP/1.1 431 Request Header Fields Too Large"


def test_connections_beyond_the_most_wait_until_there_is_room(monkeypatch):
    monkeypatch.setattr(members, "MOST_CONNECTIONS", 2)
    with (
        serving() as (address, _),
        connected(address) as first,
        connected(address),
        connected(address) as last,
    ):
        last.sendall(GET)
        first.sendall(LAST_GET)
        answer(first)

        assert answer(last)[1] == "user:web\n"


def test_until_it_has_booted_nobody_listens():
    address = loopback_address()
    with serving(address=address, boot=3600.0), pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, PORT))


def test_a_boot_takes_its_time_and_then_it_listens():
    began = time.monotonic()
    with serving(boot=0.2) as (address, _), connected(address) as client:
        booted = time.monotonic() - began
        client.sendall(GET)

        assert answer(client)[1] == "user:web\n"
        assert booted >= 0.2


def test_the_cpu_time_of_a_request_is_burned_before_its_answer():
    with serving(seconds=1.0) as (address, _), connected(address) as client:
        before = time.process_time()
        client.sendall(GET)
        answer(client)

        # A tenth of a core stands for the unikernel's, and a little credit.
        assert time.process_time() - before > 0.07


def test_a_share_is_burned_besides_requests():
    with serving() as (address, sink), connected(address) as client:
        os.write(sink, b"0.3\n")
        before = time.process_time()
        while time.process_time() - before < 0.1:
            time.sleep(0.01)

        client.sendall(GET)
        assert answer(client)[1] == "user:web\n"


def test_an_address_that_is_taken_ends_it_with_a_sentence():
    with serving() as (address, _):
        connected(address).close()
        source, sink = os.pipe()
        second = Member(site(address), source)

        with pytest.raises(
            SystemExit, match=f"serve at {address}, port 8080: .*in use"
        ):
            second.run()
        second.close()
        os.close(sink)
        os.close(source)
