"""A unikernel that serves HTTP, as a process: sockets and real CPU.

Laws: one CPU, so one request at a time is worked at, while connections come
and go beside it; what the kernel counts includes that work; health is told out
of turn and costs nothing; the process has no end but its parent's, or a kill,
which resets every connection, as if a machine had lost its power.
"""

import contextlib
import select
import socket
import struct
import sys
import time

from albatross_client.sandbox.burner import Burner
from albatross_client.sandbox.web.request import (
    RefusedError,
    Request,
    read_request,
    response,
)
from albatross_client.sandbox.web.turns import Turns

HEALTH_PATH = b"/healthz"
# Fewer than the files that a process may have open; the rest wait to be taken.
MOST_CONNECTIONS = 900
_BACKLOG = 1024
_RECEIVE_BYTES = 65_536
# What may come on top of a request that is being worked at.
_MOST_AHEAD_BYTES = 65_536
_RESET = struct.pack("ii", 1, 0)
_GOODBYE = struct.pack("ii", 0, 0)
_STDIN = 0


class Site:
    """Where and how a unikernel serves.

    Attributes:
        name: What it calls itself in its answers.
        address: Of loopback, IPv4 or IPv6.
        port: TCP.
        seconds: CPU time of a request that asks for none.
        core_share: Of a real core, what stands for the unikernel's one.
        boot_seconds: From the start until it listens.
    """

    def __init__(self, arguments: list[str]) -> None:
        """Take them in the order above, as texts."""
        self.name, self.address, port, *numbers = arguments
        self.port = int(port)
        self.seconds, self.core_share, self.boot_seconds = map(float, numbers)


class _Connection:
    """One connection, and the request on it that is being worked at."""

    __slots__ = ("has_ended", "octets", "request", "transport")

    def __init__(self, transport: socket.socket) -> None:
        self.transport = transport
        self.octets = b""
        self.request: Request | None = None
        self.has_ended = False

    @property
    def is_open(self) -> bool:
        """Whether an answer could be sent."""
        return self.transport.fileno() >= 0


class Member:
    """The process: everything that happens in it happens in `run`."""

    def __init__(self, site: Site, source: int = _STDIN) -> None:
        """Prepare to serve *site*, and to burn as *source* says besides."""
        self._site = site
        self._source = source
        self._burner = Burner(source)
        self._turns = Turns()
        self._entered = 0
        self._asking: dict[int, _Connection] = {}
        self._connections: dict[int, _Connection] = {}
        self._poll = select.epoll()
        self._poll.register(source, select.EPOLLIN)
        self._listener: socket.socket | None = None
        self._is_accepting = False
        self._listens_at = time.monotonic() + site.boot_seconds

    def run(self) -> None:
        """Serve until the source ends."""
        while True:
            self._sleep()
            self._burner.settle()
            for descriptor, events in self._poll.poll(0):
                if descriptor != self._source:
                    self._happen(descriptor, events)
                elif not self._burner.hear():
                    return
            self._work()

    def close(self) -> None:
        """Reset all connections."""
        for connection in list(self._connections.values()):
            self._drop(connection)
        if self._listener is not None:
            self._listener.close()
        self._poll.close()

    def _sleep(self) -> None:
        now = time.monotonic()
        if self._listener is None and now >= self._listens_at:
            self._listen()
        pauses = [self._burner.pause(), self._turns.pause(now)]
        if self._listener is None:
            pauses.append(self._listens_at - now)
        # epoll itself can only sleep whole milliseconds.
        shortest = min((pause for pause in pauses if pause is not None), default=None)
        select.select([self._poll], [], [], shortest)

    def _listen(self) -> None:
        family = socket.AF_INET6 if ":" in self._site.address else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections have these from their listener.  No lingering means that
        # the kernel resets what is open when the process is killed.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        site = self._site
        try:
            listener.bind((site.address, site.port))
        except OSError as error:
            listener.close()
            sys.exit(
                f"{site.name} ends: it can't serve at {site.address}, port "
                f"{site.port}: {error.strerror}"
            )
        listener.listen(_BACKLOG)
        listener.settimeout(0)
        self._listener = listener
        self._accept_while_there_is_room()

    def _accept_while_there_is_room(self) -> None:
        has_room = len(self._connections) < MOST_CONNECTIONS
        if self._listener is None or has_room == self._is_accepting:
            return
        self._is_accepting = has_room
        if has_room:
            self._poll.register(self._listener, select.EPOLLIN)
        else:
            self._poll.unregister(self._listener)

    def _happen(self, descriptor: int, events: int) -> None:
        if self._listener is not None and descriptor == self._listener.fileno():
            self._accept(self._listener)
        elif events & select.EPOLLIN:
            self._receive(self._connections[descriptor])
        else:
            self._drop(self._connections[descriptor])

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            transport, _ = listener.accept()
            transport.settimeout(0)
            self._connections[transport.fileno()] = _Connection(transport)
            self._poll.register(transport, select.EPOLLIN)
            self._accept_while_there_is_room()

    def _receive(self, connection: _Connection) -> None:
        try:
            octets = connection.transport.recv(_RECEIVE_BYTES)
        except OSError:
            self._drop(connection)
            return
        connection.octets += octets
        if not octets:
            self._half_close(connection)
        elif connection.request is None:
            self._proceed(connection)
        elif len(connection.octets) > _MOST_AHEAD_BYTES:
            self._drop(connection)

    def _half_close(self, connection: _Connection) -> None:
        """Answer what was begun, though the client says nothing more."""
        if connection.request is None:
            self._hang_up(connection)
        else:
            connection.has_ended = True
            self._poll.modify(connection.transport, 0)

    def _proceed(self, connection: _Connection) -> None:
        """Take the next request of *connection*, if it is there."""
        while connection.is_open and connection.request is None:
            request = self._next_request(connection)
            if request is None:
                return
            if request.path == HEALTH_PATH:
                self._answer(connection, request, "")
            else:
                self._enter(connection, request)

    def _next_request(self, connection: _Connection) -> Request | None:
        try:
            request = read_request(connection.octets)
        except RefusedError as error:
            self._send(connection, response(error.status, f"{error}\n", None))
            self._hang_up(connection)
            return None
        if request is not None:
            connection.octets = connection.octets[request.octets :]
        return request

    def _enter(self, connection: _Connection, request: Request) -> None:
        usual = self._site.seconds
        seconds = usual if request.seconds is None else request.seconds
        connection.request = request
        self._entered += 1
        self._asking[self._entered] = connection
        self._turns.enter(self._entered, seconds, time.monotonic())

    def _work(self) -> None:
        """Answer what is done, and burn for the request whose turn it is."""
        done, seconds = self._turns.advance(time.monotonic())
        for number in done:
            connection = self._asking.pop(number)
            request, connection.request = connection.request, None
            # A client that has left in the meantime gets no answer.
            if request is not None and connection.is_open:
                self._answer(connection, request, f"{self._site.name}\n")
                self._proceed(connection)
        # What is burned anyhow at this time counts as part of it.
        share = max(self._site.core_share - self._burner.share, 0.0)
        self._burner.owe(seconds * share)
        self._burner.pay()

    def _answer(self, connection: _Connection, request: Request, text: str) -> None:
        is_sent = self._send(connection, response(200, text, request))
        if not (is_sent and request.keeps_alive) or connection.has_ended:
            self._hang_up(connection)

    def _send(self, connection: _Connection, octets: bytes) -> bool:
        """Send all of *octets*; a client that takes none has had its time."""
        try:
            return connection.transport.send(octets) == len(octets)
        except OSError:
            return False

    def _hang_up(self, connection: _Connection) -> None:
        """Close *connection* in good order: what was sent arrives."""
        linger = (socket.SOL_SOCKET, socket.SO_LINGER, _GOODBYE)
        connection.transport.setsockopt(*linger)
        self._drop(connection)

    def _drop(self, connection: _Connection) -> None:
        del self._connections[connection.transport.fileno()]
        self._poll.unregister(connection.transport)
        connection.transport.close()
        self._accept_while_there_is_room()


def main() -> None:
    """Serve as the arguments say."""
    Member(Site(sys.argv[1:])).run()
