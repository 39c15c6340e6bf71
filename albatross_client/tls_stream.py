"""The client's end of TLS over a byte stream, in whole reads.

Laws: the client's last flight, which carries the command in its certificate,
leaves only after the server has been looked at; one read of the transport is
one `receive`, however many TLS records it brought: hosts send a record per
message, and a task switch for each would cost more than all the rest.

`trio.SSLStream` can do neither: its handshake sends before it returns, and it
returns one record at a time.
"""

import contextlib
import ssl
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

T = TypeVar("T")

# What has to be done before the other side may learn anything.
Before = Callable[[], Awaitable[object]]

# About 100 statistics frames; more per read gains nothing that can be measured.
READ_BYTES = 65_536
# RFC 8446, section 5.1 - the most that one record holds.
MAX_RECORD_BYTES = 16_384
SEND_BYTES = 65_536
# A close_notify is 24 bytes: it leaves at once or the peer is stuck.
GOODBYE_SECONDS = 1.0


class TlsStream:
    """TLS over *transport*; raises what `ssl` and the transport raise.

    One task may send while another receives.

    Attributes:
        sent: Whether the last flight of the handshake, and so the command,
            may have left.
    """

    def __init__(self, transport: trio.abc.Stream, context: ssl.SSLContext) -> None:
        self.sent = False
        self._transport = transport
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing)
        self._sending = trio.Lock()
        self._failure: ssl.SSLError | None = None

    async def handshake(
        self,
        check: Callable[[bytes], T],
        before: Before = trio.lowlevel.checkpoint,
    ) -> T:
        """Shake hands, and return what *check* says of the server.

        *check* is shown the server's certificate (DER), and *before* is awaited
        then; whatever they raise ends the handshake before our own certificate
        has been shown.
        """
        while not self._step_handshake():
            await self._flush()
            await self._feed()
        # Our certificate now waits in the buffer.
        checked = check(self._tls.getpeercert(binary_form=True) or b"")
        await before()
        self.sent = True
        await self._flush()
        return checked

    async def send_all(self, octets: bytes | memoryview) -> None:
        """Send *octets*; copies of them are bounded by `SEND_BYTES`."""
        left = memoryview(octets)
        while left:
            # One write takes one record of it.
            left = left[self._tls.write(left) :]
            if self._outgoing.pending >= SEND_BYTES or not left:
                await self._flush()

    async def receive(self) -> bytes:
        """Return what the next read of the transport brings; empty at the end.

        The end is close_notify; without it the end is an `ssl.SSLEOFError`.
        """
        while True:
            octets = self._drain()
            if self._outgoing.pending:
                # The answer to a key update.
                await self._flush()
            if octets is not None:
                return octets
            await self._feed()

    async def say_goodbye(self) -> None:
        """Send a close_notify where the transport takes it at once."""
        # It would wait for the other's close_notify, or has failed before.
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        with (
            contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError),
            trio.move_on_after(GOODBYE_SECONDS, shield=True),
        ):
            await self._flush()

    async def aclose(self) -> None:
        """Close at once; what has not left by now never does."""
        # An error that is kept refers to its frames, and these to us: closed we
        # would wait, with all that OpenSSL holds, until cycles are sought.
        self._failure = None
        await self._transport.aclose()

    def _step_handshake(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def _drain(self) -> bytes | None:
        """Return all that is decrypted, empty at the end, None: read more."""
        if self._failure is not None:
            raise self._failure
        records: list[bytes] = []
        read = self._tls.read
        try:
            # Empty is a close_notify that has been received.
            while octets := read(MAX_RECORD_BYTES):
                records.append(octets)
        except ssl.SSLWantReadError:
            if not records:
                return None
        except ssl.SSLZeroReturnError:
            # Both sides have said goodbye.
            pass
        except ssl.SSLError as error:
            # What came before it is good, and may explain it.
            self._failure = error
            if not records:
                raise
        return b"".join(records)

    async def _feed(self) -> None:
        octets = await self._transport.receive_some(READ_BYTES)
        if octets:
            self._incoming.write(octets)
        else:
            self._incoming.write_eof()

    async def _flush(self) -> None:
        async with self._sending:
            octets = self._outgoing.read()
            if octets:
                await self._transport.send_all(octets)
