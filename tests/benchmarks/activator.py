"""What goes through an activator, and what it costs beside going straight."""

import socket
import threading
from collections.abc import Iterable
from time import perf_counter

from tests.benchmarks import ROUNDS, Result, at_least, at_most
from tests.benchmarks.spliced import LOOPBACK, spliced

MEGABYTES = 256
CHUNK = bytes(1024 * 1024)
CONNECTIONS = 400
ASKS = 1000
MS_PER_S = 1000


def run() -> Iterable[Result]:
    """Yield throughput, new connections and the time that is added to each."""
    with spliced() as (activator, member):
        through, straight = _rounds(_throughput, activator, member)
        yield at_least("echoed through an activator", "MB/s", through, 100)
        yield Result("the same straight to the member", "MB/s", straight)
        through, straight = _rounds(_connections, activator, member)
        yield at_least("new connections through an activator", "per s", through, 500)
        yield Result("the same straight to the member", "per s", straight)
        through, straight = _rounds(_latency, activator, member)
        yield at_most("a question and an answer through it", "ms", through, 1)
        yield Result("the same straight to the member", "ms", straight)


def _rounds(measured, activator, member):
    measured(activator)
    pairs = [(measured(activator), measured(member)) for _ in range(ROUNDS)]
    return tuple(zip(*pairs, strict=True))


def _throughput(port: int) -> float:
    """Return the MB a second that come back, sent and received at once."""
    with _connect(port) as client:
        started = perf_counter()
        sender = threading.Thread(target=_send, args=(client,))
        sender.start()
        buffer, heard = bytearray(len(CHUNK)), 0
        while filled := client.recv_into(buffer):
            heard += filled
        sender.join()
    assert heard == MEGABYTES * len(CHUNK)
    return heard / 1e6 / (perf_counter() - started)


def _send(client: socket.socket) -> None:
    for _ in range(MEGABYTES):
        client.sendall(CHUNK)
    client.shutdown(socket.SHUT_WR)


def _connections(port: int) -> float:
    """Return how many can be opened, asked and closed in a second, in turn."""
    started = perf_counter()
    for _ in range(CONNECTIONS):
        with _connect(port) as client:
            _ask(client)
    return CONNECTIONS / (perf_counter() - started)


def _latency(port: int) -> float:
    with _connect(port) as client:
        _ask(client)
        started = perf_counter()
        for _ in range(ASKS):
            _ask(client)
        return (perf_counter() - started) / ASKS * MS_PER_S


def _ask(client: socket.socket) -> None:
    client.sendall(b"?")
    assert client.recv(1) == b"?"


def _connect(port: int) -> socket.socket:
    client = socket.create_connection((LOOPBACK, port))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client
