"""The control socket: how operators on the same machine reach the daemon.

A Unix socket in the state directory, for its owner (and root) alone; one line
each way, bounded in size and time.  Laws: whoever asks is known by the kernel's
word, not by their own; nothing that comes in ends the daemon.
"""

import contextlib
import os
import pwd
import socket
import stat
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import trio
from attrs import frozen

from autoscaler.shell.operators.requests import (
    MOST_REPLY,
    MOST_REQUEST,
    Reply,
    Request,
    RequestError,
    read_reply,
    read_request,
    write_reply,
    write_request,
)

CONTROL = "control"
# unix(7) - sun_path has 108 bytes, the last one is zero.
LONGEST_PATH = 107
# A request is one line that is already written when its sender connects.
REQUEST_S = 5.0
# Destroying waits for a host, which may be slow.
OBEY_S = 150.0
REPLY_S = 10.0
ANSWER_S = OBEY_S + REPLY_S
CHUNK = 65_536
# So many operators at once; others wait for their turn.
MOST_AT_ONCE = 8
# unix(7) - whoever connects when more than these wait is sent away at once.
MOST_WAITING = 128
_CREDENTIALS = struct.Struct("3i")


class ControlError(Exception):
    """The socket can't be used; one sentence for the operator."""


class DaemonDownError(ControlError):
    """Nobody listens at the socket."""


@frozen
class Peer:
    """Who asks, by what the kernel says.

    Attributes:
        uid: The user's number.
        user: The user's name, or the number where it has none.
        pid: The process.
    """

    uid: int
    user: str
    pid: int


# Who has the token may be anybody: no user, and no process that is known.
HTTP_CLIENT = Peer(-1, "http token", 0)
Obey = Callable[[Request, Peer], Awaitable[Reply]]


async def listen(directory: Path) -> trio.SocketListener:
    """Return the socket of *directory*, whose lock we have.

    What an earlier daemon has left there is replaced.

    Raises:
        ControlError: It can't be made.
    """
    path = _path(directory)
    try:
        _remove_stale(path)
        return trio.SocketListener(await _bind(path))
    except OSError as error:
        msg = f"{path} can't be listened at: {error.strerror}"
        raise ControlError(msg) from error


async def serve(listener: trio.SocketListener, directory: Path, obey: Obey) -> None:
    """Answer at *listener* until cancelled; the socket's file goes then."""
    turns = trio.CapacityLimiter(MOST_AT_ONCE)

    async def answer(stream: trio.SocketStream) -> None:
        async with turns, stream:
            with contextlib.suppress(trio.BrokenResourceError):
                await _answer(stream, obey)

    try:
        await trio.serve_listeners(answer, [listener])
    finally:
        with contextlib.suppress(OSError):
            (directory / CONTROL).unlink()


def ask(directory: Path, request: Request) -> Reply:
    """Ask the daemon of *directory*; waits until it has answered.

    Raises:
        DaemonDownError: No daemon listens there.
        ControlError: It did not answer as it should.
    """
    path = _path(directory)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(ANSWER_S)
        try:
            client.connect(os.fspath(path))
            client.sendall(write_request(request))
            return read_reply(_read_all(client))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            msg = f"the daemon is down: nobody listens at {path}"
            raise DaemonDownError(msg) from error
        except PermissionError as error:
            msg = f"{path} is for the daemon's user and root alone"
            raise ControlError(msg) from error
        except TimeoutError as error:
            msg = f"the daemon did not answer within {ANSWER_S:g} s"
            raise ControlError(msg) from error
        except OSError as error:
            msg = f"asking at {path} failed: {error.strerror or error}"
            raise ControlError(msg) from error
        except ValueError as error:
            msg = f"asking at {path} failed: {error}"
            raise ControlError(msg) from error


def path_complaint(directory: Path) -> str | None:
    """Return why *directory* can't hold the socket, None where it can."""
    path = directory.absolute() / CONTROL
    length = len(os.fsencode(path))
    if length <= LONGEST_PATH:
        return None
    return (
        f"{path} has {length} bytes, and a Unix socket's path at most "
        f"{LONGEST_PATH}: choose a shorter state_dir"
    )


def _path(directory: Path) -> Path:
    complaint = path_complaint(directory)
    if complaint is not None:
        raise ControlError(complaint)
    return directory.absolute() / CONTROL


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        msg = f"{path} is in the way: it is no socket; move it away"
        raise ControlError(msg)
    path.unlink()


async def _bind(path: Path) -> trio.socket.SocketType:
    server = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # unix(7) - on Linux a socket's file gets the mode of the socket: it is
        # never open to others, not even for a moment.
        os.fchmod(server.fileno(), stat.S_IRUSR | stat.S_IWUSR)
        await server.bind(os.fspath(path))
        server.listen(MOST_WAITING)
    except BaseException:
        server.close()
        raise
    return server


async def _answer(stream: trio.SocketStream, obey: Obey) -> None:
    peer = await _peer(stream.socket)
    try:
        with trio.fail_after(REQUEST_S):
            request = read_request(await _read_line(stream))
        with trio.fail_after(OBEY_S):
            reply = await obey(request, peer)
    except RequestError as error:
        reply = Reply((str(error),), is_done=False)
    except trio.TooSlowError:
        reply = Reply(("it took too long and was given up",), is_done=False)
    with trio.move_on_after(REPLY_S):
        await stream.send_all(write_reply(reply))


async def _read_line(stream: trio.SocketStream) -> bytes:
    line = b""
    while b"\n" not in line:
        part = await stream.receive_some(MOST_REQUEST)
        line += part
        if len(line) > MOST_REQUEST:
            msg = f"a request may have at most {MOST_REQUEST} bytes"
            raise RequestError(msg)
        if not part:
            break
    return line.partition(b"\n")[0]


async def _peer(client: trio.socket.SocketType) -> Peer:
    # unix(7) - SO_PEERCRED, the credentials of when the other end connected.
    raw = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    return Peer(uid, await trio.to_thread.run_sync(user_name, uid), pid)


def user_name(uid: int) -> str:
    """Return the name of the user with this *uid*, or the number as text."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _read_all(client: socket.socket) -> bytes:
    parts, size = [], 0
    while part := client.recv(CHUNK):
        parts.append(part)
        size += len(part)
        if size > MOST_REPLY:
            msg = f"the answer has more than {MOST_REPLY} bytes"
            raise ValueError(msg)
    return b"".join(parts)
