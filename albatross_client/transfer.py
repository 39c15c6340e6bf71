"""Single commands: one question, perhaps with an upload or a download.

Laws: a reply that says no becomes a `CommandRefusedError` in the host's own
words; while something is sent a reader runs beside it, since the alert that
explains a refusal is lost once the other side has reset the connection.
"""

from collections.abc import Callable

import trio

from albatross_client.commands import Unknown
from albatross_client.connection import Connection, Connector
from albatross_client.errors import (
    AlbatrossError,
    CertificateError,
    CommandRefusedError,
    HostUnreachableError,
    HungUpError,
    RemoteProtocolError,
)
from albatross_client.framing import LENGTH_BYTES, frame
from albatross_client.image_reply import Content, ImageReply
from albatross_client.minting import Ask
from albatross_client.replies import (
    BlockChunk,
    BlockImage,
    Failure,
    Success,
    Wire,
)
from albatross_client.tls_stream import Before
from albatross_client.wire import decode

# More at once would fill the host's buffers before its refusal can be read: it
# then resets the connection, and the reason is lost with it.  With its length
# a chunk is whole records, and leaves in one piece.
CHUNK_BYTES = 65_536 - LENGTH_BYTES
# An empty chunk ends the stream.
_END = frame(b"")
# albatross_tls_endpoint.ml:read - what is said when a service hangs up, as that
# of statistics does once somebody else subscribes to the same path.
_HUNG_UP = "exception while reading from fd"
# What that means to who follows something.
STATS_TAKEN = (
    " (somebody else has subscribed to the same path: a host keeps one subscriber per "
    "path, so subscribe to a narrower one)"
)
CONSOLE_TAKEN = (
    " (others follow the same console: a host keeps five of them, and a sixth ends the "
    "first)"
)
# Below this decoding takes less than a few milliseconds; above it would hold
# up everything else (0.2 s for a thousand unikernels).
_DECODE_IN_THREAD_BYTES = 65_536


def idle() -> None:
    """Let the time pass."""


async def request(
    connector: Connector, ask: Ask, meanwhile: Callable[[], None] = idle
) -> Success:
    """Return the reply to *ask*; blocks until the host has answered.

    *meanwhile* is called while the host works on its answer.

    Raises:
        AlbatrossError: Any failure; a refusal is `CommandRefusedError`.
    """
    limit = connector.endpoint.limits.reply_bytes
    async with await connector.open(ask, limit) as connection:
        # First whoever has something to tell the host.
        await trio.lowlevel.checkpoint()
        meanwhile()
        return success(await reply(connection))


async def upload(
    connector: Connector,
    ask: Ask,
    content: bytes,
    before: Before = trio.lowlevel.checkpoint,
) -> Success:
    """Return the reply to *ask* after *content* has been streamed.

    Blocks until all is sent and the host has answered.  *before* is awaited
    before the host can know of *ask*; what it raises is raised.

    Raises:
        AlbatrossError: Any failure; a refusal is `CommandRefusedError`.
    """
    limit = connector.endpoint.limits.reply_bytes
    async with await connector.open(ask, limit, before) as connection:
        outcome: Wire | AlbatrossError
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_send_chunks, connection, content)
            try:
                outcome = await reply(connection)
            except AlbatrossError as error:
                # Raised out here: a nursery would wrap it in a group.
                outcome = error
            nursery.cancel_scope.cancel()
    if isinstance(outcome, AlbatrossError):
        raise outcome
    return success(outcome)


async def download_image(connector: Connector, ask: Ask) -> bytes:
    """Return the uncompressed image that *ask* gets; blocks until it is here.

    Raises:
        AlbatrossError: Any failure; a refusal is `CommandRefusedError`.
    """
    limits = connector.endpoint.limits
    async with await connector.open(ask, limits.reply_bytes) as connection:
        incoming = ImageReply(limits)
        whole = False
        while not whole:
            octets = await connection.receive()
            if not octets:
                raise connection.ended(inside=incoming.started)
            whole = incoming.feed(octets)
    result = incoming.result()
    if isinstance(result, bytes):
        return result
    raise _not_content(success(result))


async def dump_block(connector: Connector, ask: Ask) -> bytes:
    """Return the uncompressed content that *ask* dumps.

    Raises:
        AlbatrossError: Any failure; a refusal is `CommandRefusedError`.
    """
    limits = connector.endpoint.limits
    async with await connector.open(ask, limits.reply_bytes) as connection:
        begun = success(await reply(connection))
        if not isinstance(begun, BlockImage):
            raise _not_content(begun)
        content = Content(limits.image_bytes, compressed=begun.compressed)
        while (chunk := await _next_chunk(connection)) is not None:
            content.write(chunk)
    return content.finish()


async def reply(connection: Connection) -> Wire:
    """Return the next message of *connection*, decoded.

    Raises:
        CommandRefusedError: The connection ended without one.
        RemoteProtocolError: The message is malformed.
        HostUnreachableError: The connection was lost.
    """
    body = await connection.body()
    if body is None:
        raise connection.ended(inside=False)
    if len(body) < _DECODE_IN_THREAD_BYTES:
        return decode(body)
    return await trio.to_thread.run_sync(decode, body)


def success(wire: Wire, hung_up: str = "") -> Success:
    """Return what *wire* says in success; *hung_up* is what a hang-up means.

    Raises:
        CommandRefusedError: It is a failure; the message is the host's text.
        HungUpError: It is the text of a service that hung up.
        RemoteProtocolError: It is no reply at all, or of an unknown kind.
    """
    payload = wire.payload
    if isinstance(payload, Failure):
        if payload.text.startswith(_HUNG_UP):
            raise HungUpError(payload.text + hung_up)
        raise CommandRefusedError(payload.text + _advice(payload.text))
    if isinstance(payload, Unknown):
        msg = (
            f"the host sent {payload.within} tag {payload.tag}, which is not known "
            "here, where a reply was due: it may be newer than what is spoken here"
        )
        raise RemoteProtocolError(msg)
    if not isinstance(payload, Success):
        msg = f"the host sent {type(payload).__name__} where a reply was due"
        raise RemoteProtocolError(msg)
    return payload


def _advice(text: str) -> str:
    """Return what the host's own words leave out; most say all."""
    # vmmd.ml - stored from the certificates before the command is looked at.
    if text.startswith("expected success when adding policy"):
        return (
            " (the host can't store the policy in the certificates: a policy above is "
            "smaller, or more runs already; a domain's CA has to be signed anew with a "
            "policy that fits)"
        )
    return ""


async def _send_chunks(connection: Connection, content: bytes) -> None:
    view = memoryview(content)
    try:
        while len(view) > CHUNK_BYTES:
            await connection.send(frame(bytes(view[:CHUNK_BYTES])))
            view = view[CHUNK_BYTES:]
        last = frame(bytes(view)) if view else b""
        await connection.send(last + _END)
    except (HostUnreachableError, CertificateError, RemoteProtocolError):
        # The reader beside it sees the same end, and with it the reason.
        return


async def _next_chunk(connection: Connection) -> bytes | None:
    body = await connection.body()
    if body is None:
        raise connection.ended(inside=True)
    match decode(body).payload:
        case BlockChunk(content):
            return content
        case Failure(text):
            raise CommandRefusedError(text)
        case other:
            msg = f"the host sent {type(other).__name__} inside a block dump"
            raise RemoteProtocolError(msg)


def _not_content(said: Success) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"the host answered by {type(said).__name__} where content was due"
    )
