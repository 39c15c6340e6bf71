"""Connections to one endpoint: a command each, and the messages that come back.

Laws: the command travels in the certificate, so it may have reached the host
as soon as the handshake is over; every failure leaves as an `AlbatrossError`
that says what to do; nothing here keeps time: whoever awaits sets deadlines.
"""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import trio
from attrs import frozen
from cryptography import x509

from albatross_client.certificates import validity
from albatross_client.commands import READING
from albatross_client.endpoint import Endpoint
from albatross_client.errors import (
    AlbatrossError,
    CommandRefusedError,
    HostUnreachableError,
    RemoteProtocolError,
)
from albatross_client.failures import Circumstances, explain, explain_connecting
from albatross_client.framing import FrameReader
from albatross_client.keepalive import keep_alive
from albatross_client.minting import Ask
from albatross_client.tls import Contexts, read_server
from albatross_client.tls_stream import Before, TlsStream


@frozen
class Delivery:
    """What is delivered, and whom to."""

    endpoint: Endpoint
    ask: Ask

    @property
    def changes(self) -> bool:
        """Whether it is something that changes what the host has."""
        return not isinstance(self.ask.command, READING)


class Connection(trio.abc.AsyncResource):
    """A command that has been delivered, and what comes back.

    Attributes:
        server: The server's certificate, looked at.
    """

    def __init__(
        self,
        delivery: Delivery,
        stream: TlsStream,
        server: x509.Certificate,
        max_bytes: int,
    ) -> None:
        self.server = server
        self._delivery = delivery
        self._endpoint = delivery.endpoint
        self._stream = stream
        self._waiting: list[bytes] = []
        self._broken: RemoteProtocolError | None = None
        self._frames = FrameReader(max_bytes)

    async def send(self, octets: bytes | memoryview) -> None:
        """Send *octets* after the handshake: images and block data."""
        with _explained(self._delivery, self._stream):
            await self._stream.send_all(octets)

    async def receive(self) -> bytes:
        """Return what one read brings; empty at a clean end."""
        with _explained(self._delivery, self._stream):
            return await self._stream.receive()

    async def bodies(self) -> list[bytes]:
        """Return the next whole messages, as many as one read brings.

        None at a clean end between two messages.

        Raises:
            RemoteProtocolError: A message is too long, or cut off by the end.
        """
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            return waiting
        while self._broken is None and (octets := await self.receive()):
            bodies = self._cut(octets)
            if bodies:
                return bodies
        if self._broken is not None:
            raise self._broken
        if not self._frames.is_at_boundary:
            raise self.ended(inside=True)
        return []

    async def body(self) -> bytes | None:
        """Return the next whole message; None at a clean end."""
        bodies = await self.bodies()
        if not bodies:
            return None
        first, *self._waiting = bodies
        return first

    def ended(self, *, inside: bool) -> AlbatrossError:
        """Return what a clean end *inside* a reply, or before it, means."""
        if inside:
            return RemoteProtocolError(
                f"{self._endpoint.address} ended the connection inside its reply"
            )
        # tls_endpoint.ml - what it doesn't take is logged there, and the
        # connection is closed.
        return CommandRefusedError(
            f"{self._endpoint.address} ended the connection without an answer: it "
            "refuses the command (its log says why), or it is older than release "
            "2.7.0"
        )

    def _cut(self, octets: bytes) -> list[bytes]:
        """Return the messages that *octets* complete, up to a broken length."""
        bodies = []
        try:
            for body in self._frames.feed(octets):
                bodies.append(body)  # noqa: PERF402 - kept when the next breaks
        except RemoteProtocolError as error:
            self._broken = error
        return bodies

    async def say_goodbye(self) -> None:
        """Tell the host that the end to come is meant."""
        await self._stream.say_goodbye()

    async def aclose(self) -> None:
        """Close the connection, silently: after a reply nobody listens."""
        self._broken = None
        await self._stream.aclose()


class Connector:
    """Opens connections to one endpoint, and keeps its TLS contexts.

    Attributes:
        endpoint: Which.
        server: The certificate that its server showed last; None: none yet.
    """

    def __init__(self, endpoint: Endpoint, clock: Callable[[], datetime]) -> None:
        """Make a connector to *endpoint*; *clock* dates its certificates."""
        self.endpoint = endpoint
        self.server: x509.Certificate | None = None
        self._server_der = b""
        self._contexts = Contexts(endpoint, clock)

    def sign_ahead(self, ask: Ask) -> None:
        """Have ready what `open` will show for *ask*; nothing is sent.

        Raises:
            CertificateError: The authority can't sign *ask*.
            ValueError: The command holds a value that can't be encoded.
        """
        self._contexts.context_for(ask)

    async def open(
        self,
        ask: Ask,
        max_bytes: int,
        before: Before = trio.lowlevel.checkpoint,
    ) -> Connection:
        """Connect and deliver *ask*; blocks as long as the network does.

        No message that comes back may be longer than *max_bytes*.  *before* is
        awaited when all is ready and nothing of *ask* has been told; what it
        raises is raised here, and nothing ever is.

        Raises:
            CertificateError: The authority can't sign *ask*, or the server is
                not the one that is expected.
            HostUnreachableError: No connection, or a lost one.
            RemoteProtocolError: The other side doesn't speak TLS 1.3.
        """
        context = self._contexts.context_for(ask)
        delivery = Delivery(self.endpoint, ask)
        transport = await _connect(self.endpoint)
        stream = TlsStream(transport, context)
        try:
            with _explained(delivery, stream):
                server = await stream.handshake(self._checked, before)
        except BaseException:
            await stream.aclose()
            raise
        return Connection(delivery, stream, server, max_bytes)

    def _checked(self, der: bytes) -> x509.Certificate:
        # A host shows the same one for months, and what is asked of it beyond
        # TLS depends on it alone: its dates are TLS's to check, each time.
        if self.server is None or der != self._server_der:
            self.server, self._server_der = read_server(self.endpoint, der), der
        return self.server


async def _connect(endpoint: Endpoint) -> trio.SocketStream:
    try:
        # trio sets TCP_NODELAY: without it a create takes 40 ms more.
        transport = await trio.open_tcp_stream(endpoint.host, endpoint.port)
    except OSError as error:
        raise explain_connecting(error, endpoint.address) from error
    except UnicodeError as error:
        msg = f"{endpoint.host!r} is no host name ({error})"
        raise HostUnreachableError(msg) from error
    keep_alive(transport)
    return transport


@contextmanager
def _explained(delivery: Delivery, stream: TlsStream) -> Iterator[None]:
    endpoint = delivery.endpoint
    try:
        yield
    except (ssl.SSLError, OSError, trio.BrokenResourceError) as error:
        where = Circumstances(
            endpoint.address,
            stream.sent,
            delivery.changes,
            endpoint.authority.validity,
            str(endpoint.authority.source),
            validity(endpoint.server_ca),
        )
        raise explain(error, where) from error
