"""TCP as the activator needs it: listen, connect, and break off.

Laws: a peer that is gone without a word is noticed; whoever is cut off can
tell it from a proper end.
"""

import contextlib
import socket
import struct

import trio

from albatross_client.keepalive import keep_alive
from autoscaler.core.backend import Place

# As many may wait for us to accept them; more is what the balancer sees as a
# connection that doesn't come about.
MOST_WAITING = 4096
# socket(7), SO_LINGER - on, no seconds: closing sends a reset.
_RESET = struct.pack("ii", 1, 0)


class ListenError(Exception):
    """Nobody can be listened to; one sentence for the operator."""


async def listen(at: Place) -> list[trio.SocketListener]:
    """Return what connections to *at* come to.

    Raises:
        ListenError: It can't be made.
    """
    try:
        return await trio.open_tcp_listeners(
            at.port, host=at.address, backlog=MOST_WAITING
        )
    except OSError as error:
        msg = f"{at} can't be listened at: {error.strerror}"
        raise ListenError(msg) from error


async def dial(place: Place) -> trio.SocketStream:
    """Connect to *place*; blocks as long as the network does.

    Raises:
        OSError: No connection.
    """
    # trio.open_tcp_stream races the addresses of a name; here there is one.
    family = socket.AF_INET6 if ":" in place.address else socket.AF_INET
    stream = trio.SocketStream(trio.socket.socket(family, socket.SOCK_STREAM))
    try:
        await stream.socket.connect((place.address, place.port))
        keep_alive(stream)
    except BaseException:
        stream.socket.close()
        raise
    return stream


def break_off(stream: trio.abc.AsyncResource) -> None:
    """Let the end of *stream*, once it is closed, be no proper one."""
    if isinstance(stream, trio.SocketStream):
        # It may have been closed by now.
        with contextlib.suppress(OSError):
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
