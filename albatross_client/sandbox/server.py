"""The sandbox's TLS endpoint: one connection is one command.

Laws: what hosts refuse without a word is refused without one; a frame is one
TLS record; a connection that is slow holds up nobody but itself.
"""

import ssl
from typing import assert_never

import trio
from attrs import frozen

from albatross_client.errors import RemoteProtocolError
from albatross_client.framing import FrameReader, frame
from albatross_client.replies import Wire
from albatross_client.sandbox.chain import Asked, NotTakenError, read_chain
from albatross_client.sandbox.faults import ExpiredCertificate, ForeignCertificate
from albatross_client.sandbox.host import wants_upload
from albatross_client.sandbox.live import LiveHost
from albatross_client.sandbox.outbox import Garbled, Huge, Outbox, Outgoing
from albatross_client.sandbox.tls_server import (
    RejectedClientError,
    ServerContext,
    TlsServerStream,
)
from albatross_client.wire import encode

# Images have 2 to 20 MB, block devices more; a laptop has to hold them.
MAX_UPLOAD_BYTES = 1024 * 1024 * 1024
MAX_CHUNK_BYTES = 16 * 1024 * 1024

# What is gathered before it is handed to the kernel.
SEND_BYTES = 65_536

_GARBLED = frame(b"\x30\x80 this is no DER")
_HUGE = b"\xff\xff\xff\xff"


@frozen
class Contexts:
    """What the server shows: its certificate, or one that clients refuse."""

    good: ServerContext
    expired: ServerContext
    foreign: ServerContext

    def close(self) -> None:
        """Close all three."""
        for context in (self.good, self.expired, self.foreign):
            context.close()


async def serve(
    host: LiveHost, contexts: Contexts, transport: trio.SocketStream
) -> None:
    """Serve the one command of the connection *transport*, then close it."""
    if host.is_down:
        await trio.aclose_forcefully(transport)
        return
    stream = TlsServerStream(transport, _context(host, contexts))
    try:
        asked = read_chain(await stream.handshake())
        upload = await _upload(stream, asked)
    except NotTakenError:
        await stream.aclose()
    except (RejectedClientError, trio.BrokenResourceError, ssl.SSLError):
        await stream.aclose()
    except RemoteProtocolError:
        # Ended before its time: hosts say nothing to that either.
        await stream.aclose()
    else:
        await _converse(host, stream, asked, upload)


async def _converse(
    host: LiveHost, stream: TlsServerStream, asked: Asked, upload: bytes | None
) -> None:
    outbox = host.open(asked.name, asked.command, asked.policies, upload)
    told_all = False
    try:
        if outbox.is_over:
            # All of it is there: nobody has to listen for the client's end.
            told_all = await _tell(stream, outbox)
        else:
            told_all = await _tell_while_heard(stream, outbox)
    finally:
        host.hang_up(outbox)
        await (stream.aclose() if told_all else stream.cut())


async def _tell_while_heard(stream: TlsServerStream, outbox: Outbox) -> bool:
    """Send what comes into *outbox* until its end, or the client's."""
    told_all = False
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_wait_for_hang_up, stream, nursery.cancel_scope)
        told_all = await _tell(stream, outbox)
        nursery.cancel_scope.cancel()
    return told_all


async def _tell(stream: TlsServerStream, outbox: Outbox) -> bool:
    """Send what is in *outbox*; tell whether it came to its proper end."""
    try:
        while True:
            stream.write(_octets(await outbox.receive()))
            if not outbox.is_over or stream.pending >= SEND_BYTES:
                await stream.flush()
            # Else it leaves with the goodbye, in one piece.
    except trio.EndOfChannel:
        return True
    except (trio.BrokenResourceError, ssl.SSLError):
        # Cut by the host, or the client is gone, perhaps killed: no goodbye
        # either way.
        return False


async def _wait_for_hang_up(
    stream: TlsServerStream, conversation: trio.CancelScope
) -> None:
    """End *conversation* when the client closes or loses the connection."""
    try:
        while await stream.receive_some():
            # Nothing is expected any more; hosts don't look at it.
            continue
    except (trio.BrokenResourceError, ssl.SSLError):
        pass
    conversation.cancel()


async def _upload(stream: TlsServerStream, asked: Asked) -> bytes | None:
    """Return what is streamed after the handshake; None: nothing is."""
    # vmm_tls_lwt.ml:read_tls_chunk - a chunk of no bytes ends the stream.
    if not wants_upload(asked.command):
        return None
    frames = FrameReader(MAX_CHUNK_BYTES)
    content = bytearray()
    while segment := await stream.receive_some():
        for chunk in frames.feed(segment):
            if not chunk:
                return bytes(content)
            content += chunk
        if len(content) > MAX_UPLOAD_BYTES:
            break
    msg = "the upload has no end"
    raise RemoteProtocolError(msg)


def _octets(outgoing: Outgoing) -> bytes:
    match outgoing:
        case Wire():
            return frame(encode(outgoing))
        case Garbled():
            return _GARBLED
        case Huge():
            return _HUGE
        case _:
            assert_never(outgoing)


def _context(host: LiveHost, contexts: Contexts) -> ServerContext:
    match host.next_connection():
        case ExpiredCertificate():
            return contexts.expired
        case ForeignCertificate():
            return contexts.foreign
        case None:
            return contexts.good
        case other:
            assert_never(other)
