"""Sockets that answer as HAProxy never would."""

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from autoscaler.shell.traffic.runtime_socket import TcpSocket

Answer = Callable[[trio.SocketStream], Awaitable[object]]


async def serve(nursery: trio.Nursery, answer: Answer) -> TcpSocket:
    """Return a socket where *answer* is called with each connection."""
    serving = partial(trio.serve_tcp, answer, 0, host="127.0.0.1")
    listeners = await nursery.start(serving)
    return TcpSocket("127.0.0.1", listeners[0].socket.getsockname()[1])


def always(answer: bytes) -> Answer:
    """Return what answers just that to anything."""

    async def give(stream: trio.SocketStream) -> None:
        await stream.receive_some(1000)
        await stream.send_all(answer)

    return give
