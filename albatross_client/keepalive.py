"""A peer that is gone without a word is noticed, also while nothing is sent."""

import socket

import trio

# After IDLE + PROBES * PAUSE seconds; a domain in which nothing runs makes no
# traffic of its own.
IDLE = 30
PAUSE = 10
PROBES = 3


def keep_alive(stream: trio.SocketStream) -> None:
    """Let *stream* break once its peer is gone."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", IDLE),
        ("TCP_KEEPINTVL", PAUSE),
        ("TCP_KEEPCNT", PROBES),
    ):
        if hasattr(socket, option):
            stream.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
