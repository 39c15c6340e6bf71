"""The control socket, over real sockets: who may ask, and what can go wrong."""

import os
import socket
import stat
from contextlib import contextmanager
from functools import partial

import pytest
import trio

from autoscaler.shell.operators import control
from autoscaler.shell.operators.control import (
    CONTROL,
    LONGEST_PATH,
    MOST_AT_ONCE,
    ControlError,
    DaemonDownError,
    ask,
    listen,
    path_complaint,
    serve,
)
from autoscaler.shell.operators.requests import MOST_REQUEST, Reply, Request

PATIENCE_S = 30
NOBODY = 65_534
PING = Request("ping")


class Office:
    """Answers whatever is asked, and remembers who asked."""

    def __init__(self):
        self.asked = []
        self.busy = 0
        self.busiest = 0

    async def obey(self, request, peer):
        self.asked.append((request, peer))
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        await trio.sleep(0.02)
        self.busy -= 1
        return Reply((f"{request.verb} is obeyed",))


async def asking(directory, request=PING):
    with trio.fail_after(PATIENCE_S):
        return await trio.to_thread.run_sync(ask, directory, request)


async def say(directory, *parts):
    """Send *parts* as they are; return what is answered."""
    with trio.fail_after(PATIENCE_S):
        stream = await trio.open_unix_socket(directory / CONTROL)
        async with stream:
            for part in parts:
                await stream.send_all(part)
            return b"".join([part async for part in stream])


@pytest.fixture
async def office(nursery, tmp_path):
    office = Office()
    listener = await listen(tmp_path)
    nursery.start_soon(serve, listener, tmp_path, office.obey)
    return office


async def test_a_request_is_answered_and_who_asked_is_known(office, tmp_path):
    reply = await asking(tmp_path, Request("pause", {"group": "west/user:web"}))

    [(request, peer)] = office.asked
    assert reply == Reply(("pause is obeyed",))
    assert request == Request("pause", {"group": "west/user:web"})
    assert (peer.uid, peer.pid) == (os.getuid(), os.getpid())
    assert peer.user == control.user_name(os.getuid())


async def test_the_socket_is_for_its_owner_alone(office, tmp_path):
    mode = (tmp_path / CONTROL).stat().st_mode

    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


async def test_a_request_that_comes_in_pieces_is_one_request(office, tmp_path):
    reply = await say(tmp_path, b'{"verb"', b': "pi', b'ng"}\n')

    assert b"ping is obeyed" in reply


async def test_a_bad_request_is_answered_with_one_sentence(office, tmp_path):
    reply = await say(tmp_path, b'{"verb": "fly"}\n')

    assert b'"ok":false' in reply
    assert b"unknown verb" in reply
    assert office.asked == []


async def test_a_request_without_an_end_is_cut_off(office, tmp_path):
    reply = await say(tmp_path, b" " * (MOST_REQUEST + 1))

    assert b"at most 4096 bytes" in reply


async def test_whoever_hangs_up_ends_nothing(office, tmp_path):
    for _ in range(3):
        stream = await trio.open_unix_socket(tmp_path / CONTROL)
        await stream.send_all(b'{"verb": "ping"}\n')
        await stream.aclose()

    reply = await asking(tmp_path)

    assert reply.is_done


async def test_whoever_says_nothing_is_sent_away_and_holds_up_nobody(
    office, tmp_path, monkeypatch
):
    monkeypatch.setattr(control, "REQUEST_S", 0.2)

    async with await trio.open_unix_socket(tmp_path / CONTROL) as silent:
        reply = await asking(tmp_path)
        with trio.fail_after(PATIENCE_S):
            answer = await silent.receive_some()

    assert reply.is_done
    assert b"took too long" in answer


async def test_many_operators_take_turns(office, tmp_path):
    async with trio.open_nursery() as inner:  # noqa: TID251 - ends with the test
        for _ in range(3 * MOST_AT_ONCE):
            inner.start_soon(asking, tmp_path)

    assert len(office.asked) == 3 * MOST_AT_ONCE
    assert 1 < office.busiest <= MOST_AT_ONCE


async def test_the_socket_goes_with_the_daemon(tmp_path):
    office = Office()
    listener = await listen(tmp_path)

    with trio.move_on_after(0.05):
        await serve(listener, tmp_path, office.obey)

    assert not (tmp_path / CONTROL).exists()
    with pytest.raises(DaemonDownError, match="the daemon is down"):
        ask(tmp_path, PING)


async def test_the_socket_of_a_daemon_that_was_killed_is_replaced(nursery, tmp_path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(os.fspath(tmp_path / CONTROL))
    with pytest.raises(DaemonDownError):
        ask(tmp_path, PING)

    listener = await listen(tmp_path)
    nursery.start_soon(serve, listener, tmp_path, Office().obey)

    assert (await asking(tmp_path)).is_done


async def test_what_is_no_socket_is_left_alone(tmp_path):
    (tmp_path / CONTROL).write_text("precious")

    with pytest.raises(ControlError, match="is in the way: it is no socket"):
        await listen(tmp_path)

    assert (tmp_path / CONTROL).read_text() == "precious"


async def test_a_path_too_long_for_a_socket_is_said_at_both_ends(tmp_path):
    long = tmp_path / ("x" * LONGEST_PATH)
    long.mkdir()

    with pytest.raises(ControlError, match="choose a shorter state_dir"):
        await listen(long)
    with pytest.raises(ControlError, match="choose a shorter state_dir"):
        ask(long, PING)


async def test_the_longest_path_that_is_not_complained_about_works(nursery, tmp_path):
    room = LONGEST_PATH - len(os.fsencode(tmp_path)) - len(f"//{CONTROL}")
    longest, longer = tmp_path / ("x" * room), tmp_path / ("x" * (room + 1))
    longest.mkdir()

    listener = await listen(longest)
    nursery.start_soon(serve, listener, longest, Office().obey)

    assert path_complaint(longest) is None
    assert path_complaint(longer) is not None
    assert (await asking(longest)).is_done


async def test_a_directory_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ControlError, match="can't be listened at: No such file"):
        await listen(tmp_path / "none")


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        pytest.param(b"hello\n", "no daemon of this version", id="no reply"),
        pytest.param(b"", "no daemon of this version", id="nothing"),
        pytest.param(b"x" * 300, "more than 200 bytes", id="too much"),
    ],
)
async def test_what_does_not_answer_like_a_daemon_is_said(
    nursery, tmp_path, monkeypatch, answer, complaint
):
    monkeypatch.setattr(control, "MOST_REPLY", 200)

    async def answer_so(stream):
        async with stream:
            await stream.receive_some()
            await stream.send_all(answer)

    listener = await listen(tmp_path)
    nursery.start_soon(partial(trio.serve_listeners, answer_so, [listener]))

    with pytest.raises(ControlError, match=complaint):
        await asking(tmp_path)


async def test_a_daemon_that_does_not_answer_in_time_is_said(
    nursery, tmp_path, monkeypatch
):
    monkeypatch.setattr(control, "ANSWER_S", 0.1)
    listener = await listen(tmp_path)

    with pytest.raises(ControlError, match=r"did not answer within 0\.1 s"):
        await asking(tmp_path)
    await listener.aclose()


@contextmanager
def somebody_else(path):
    """Be somebody to whom *path* is not open: root may do anything."""
    path.chmod(0)
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_a_socket_of_somebody_else_is_said(office, tmp_path):
    with (
        somebody_else(tmp_path / CONTROL),
        pytest.raises(ControlError, match="user and root alone"),
    ):
        ask(tmp_path, PING)


def test_a_user_without_a_name_has_a_number():
    assert control.user_name(4_123_456_789) == "4123456789"
