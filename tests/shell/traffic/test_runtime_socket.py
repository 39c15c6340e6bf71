"""Tests of one question to HAProxy, at sockets that are none of HAProxy's."""

import os
from pathlib import Path

import pytest
import trio

from autoscaler.shell.traffic import runtime_socket
from autoscaler.shell.traffic.balancer import BalancerError, Trouble
from autoscaler.shell.traffic.runtime_socket import (
    ANSWER_S,
    TcpSocket,
    UnixSocket,
    ask,
    parse_socket,
)
from tests.shell.traffic.listeners import serve

NOBODY = 65_534


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("/run/haproxy/admin.sock", UnixSocket(Path("/run/haproxy/admin.sock"))),
        ("127.0.0.1:9999", TcpSocket("127.0.0.1", 9999)),
        ("lb.example:9999", TcpSocket("lb.example", 9999)),
        ("[::1]:9999", TcpSocket("::1", 9999)),
    ],
)
def test_a_socket_reads_as_it_was_written(text, where):
    assert parse_socket(text) == where
    assert str(where) == text


@pytest.mark.parametrize(
    "text", ["admin.sock", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:9", ""]
)
def test_what_is_no_socket_is_refused(text):
    with pytest.raises(ValueError, match="no socket of HAProxy"):
        parse_socket(text)


async def test_a_line_is_sent_and_all_of_the_answer_returned(nursery):
    async def answer(stream):
        line = await stream.receive_some(100)
        await stream.send_all(b"you said ")
        await stream.send_all(line)

    assert await ask(await serve(nursery, answer), "show info") == (
        "you said show info\n"
    )


async def test_a_hung_haproxy_is_told_in_time(nursery, autojump_clock):
    async def answer(stream):
        await trio.sleep_forever()

    where = await serve(nursery, answer)
    with pytest.raises(BalancerError, match="does it hang") as caught:
        await ask(where, "show info")

    assert caught.value.trouble is Trouble.SILENT
    assert caught.value.is_away
    assert trio.current_time() == pytest.approx(ANSWER_S)


async def test_an_answer_without_end_is_given_up(nursery, monkeypatch):
    monkeypatch.setattr(runtime_socket, "MOST_ANSWER", 100_000)

    async def answer(stream):
        with trio.move_on_after(60):
            while True:
                try:
                    await stream.send_all(b"x" * 10_000)
                except trio.BrokenResourceError:
                    return

    with pytest.raises(BalancerError, match="more than 100000 bytes") as caught:
        await ask(await serve(nursery, answer), "show info")

    assert caught.value.trouble is Trouble.UNREADABLE
    assert not caught.value.is_away


async def test_a_connection_that_is_reset_is_lost(nursery):
    async def answer(stream):
        # SO_LINGER of 0 s: closing resets.
        stream.setsockopt(1, 13, (1).to_bytes(4, "little") + bytes(4))
        await stream.receive_some(1)

    with pytest.raises(BalancerError, match="closed the connection") as caught:
        await ask(await serve(nursery, answer), "show info")

    assert caught.value.trouble is Trouble.UNREACHABLE


async def test_a_socket_that_is_missing_is_told_with_its_path(tmp_path):
    with pytest.raises(BalancerError, match=r"there is no .*gone\.sock") as caught:
        await ask(UnixSocket(tmp_path / "gone.sock"), "show info")

    assert caught.value.trouble is Trouble.UNREACHABLE


async def test_a_file_that_is_no_socket_is_told(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(BalancerError, match="start HAProxy") as caught:
        await ask(UnixSocket(tmp_path / "file"), "show info")

    assert caught.value.trouble is Trouble.UNREACHABLE


async def test_a_path_through_a_file_is_told(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(BalancerError, match="Not a directory") as caught:
        await ask(UnixSocket(tmp_path / "file" / "admin.sock"), "show info")

    assert caught.value.trouble is Trouble.UNREACHABLE


async def test_a_path_that_is_too_long_for_a_socket_is_told():
    with pytest.raises(BalancerError) as caught:
        await ask(UnixSocket(Path("/" + "x" * 200)), "show info")

    assert caught.value.trouble is Trouble.UNREACHABLE


async def test_a_port_where_nobody_listens_is_told():
    with pytest.raises(BalancerError, match=r"127\.0\.0\.1:9") as caught:
        await ask(TcpSocket("127.0.0.1", 9), "show info")

    assert caught.value.trouble is Trouble.UNREACHABLE


async def test_a_socket_that_is_not_for_us_is_told_with_what_helps(tmp_path):
    tmp_path.chmod(0)
    was = os.geteuid()
    # Root may open everything, and is what tests often run as.
    os.seteuid(NOBODY if was == 0 else was)
    try:
        with pytest.raises(BalancerError, match="may not be opened") as caught:
            await ask(UnixSocket(tmp_path / "admin.sock"), "show info")
    finally:
        os.seteuid(was)
        tmp_path.chmod(0o700)

    assert caught.value.trouble is Trouble.FORBIDDEN
