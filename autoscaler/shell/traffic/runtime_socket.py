"""HAProxy's runtime socket: one line, one answer, one connection."""

import re
from pathlib import Path
from typing import assert_never

import trio
from attrs import frozen

from autoscaler.core.backend import LAST_PORT
from autoscaler.shell.traffic.balancer import BalancerError, Trouble

# A line of `show stat` has about 600 bytes, one of `show servers state` 120:
# this is more than 5,000 servers.
MOST_ANSWER = 4 * 1024 * 1024
# HAProxy answers within a millisecond; one that is stopped or hangs never does.
ANSWER_S = 5.0
_CHUNK = 65_536
_TCP = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")


@frozen
class UnixSocket:
    """A ``stats socket`` with a path."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@frozen
class TcpSocket:
    """A ``stats socket`` with a port; whoever reaches it has its level."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


RuntimeSocket = UnixSocket | TcpSocket


def parse_socket(text: str) -> RuntimeSocket:
    """Read ``/run/haproxy/admin.sock``, ``127.0.0.1:9999`` or ``[::1]:9999``.

    Raises:
        ValueError: *text* is none of them.
    """
    if text.startswith("/"):
        return UnixSocket(Path(text))
    found = _TCP.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= LAST_PORT:
        msg = (
            f"{text!r} is no socket of HAProxy: an absolute path such as "
            "/run/haproxy/admin.sock, or an address such as 127.0.0.1:9999"
        )
        raise ValueError(msg)
    return TcpSocket(found[1].strip("[]"), int(found[2]))


async def ask(where: RuntimeSocket, line: str) -> str:
    """Send *line* to HAProxy and return its answer, within `ANSWER_S`.

    Raises:
        BalancerError: There was none, or too much of it.
    """
    try:
        with trio.fail_after(ANSWER_S):
            return await _ask(where, line)
    except trio.TooSlowError as error:
        msg = f"HAProxy did not answer at {where} within {ANSWER_S:g} s: does it hang?"
        raise BalancerError(msg, Trouble.SILENT) from error
    except PermissionError as error:
        msg = (
            f"{where} may not be opened by this user: give its `stats socket` line "
            "a mode, user or group that lets us"
        )
        raise BalancerError(msg, Trouble.FORBIDDEN) from error
    except (OSError, trio.BrokenResourceError) as error:
        raise BalancerError(_unreachable(where, error), Trouble.UNREACHABLE) from error


async def _ask(where: RuntimeSocket, line: str) -> str:
    async with await _open(where) as stream:
        await stream.send_all(f"{line}\n".encode())
        answer = bytearray()
        while part := await stream.receive_some(_CHUNK):
            answer += part
            if len(answer) > MOST_ANSWER:
                msg = f"HAProxy's answer at {where} has more than {MOST_ANSWER} bytes"
                raise BalancerError(msg, Trouble.UNREADABLE)
    return answer.decode("utf-8", "replace")


async def _open(where: RuntimeSocket) -> trio.SocketStream:
    match where:
        case UnixSocket(path):
            return await trio.open_unix_socket(path)
        case TcpSocket(host, port):
            return await trio.open_tcp_stream(host, port)
        case _:
            assert_never(where)


def _unreachable(where: RuntimeSocket, error: Exception) -> str:
    match error:
        case FileNotFoundError():
            return f"there is no {where}: start HAProxy, or correct the socket's path"
        case ConnectionRefusedError():
            return f"nobody listens at {where}: start HAProxy"
        case OSError(errno=None):
            # trio's, of all tries to connect; its causes have the numbers.
            return f"HAProxy can't be reached at {where}: start it, or correct this"
        case OSError():
            return f"HAProxy can't be reached at {where}: {error.strerror}"
        case _:
            return f"HAProxy closed the connection to {where} without an answer"
