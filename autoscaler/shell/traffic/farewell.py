"""The end of a connection, so that its client hears what it was told."""

import contextlib

import trio

# What a client gets to read what it was told, and to hang up.
GOODBYE_S = 1.0
CHUNK_BYTES = 16_384


async def send_away(client: trio.abc.HalfCloseableStream, words: bytes) -> None:
    """Say *words* to *client* and no more; closing is left to the caller."""
    with (
        trio.move_on_after(GOODBYE_S),
        contextlib.suppress(trio.BrokenResourceError),
    ):
        await client.send_all(words)
        await client.send_eof()
        await hear_out(client)


async def hear_out(client: trio.abc.ReceiveStream) -> None:
    """Read what *client*, which was told all, still sends for a moment.

    With bytes unread, closing is a reset, and that takes back what the client
    has not yet read (RFC 9112, section 9.6).
    """
    with (
        trio.move_on_after(GOODBYE_S),
        contextlib.suppress(trio.BrokenResourceError),
    ):
        while await client.receive_some(CHUNK_BYTES):
            continue
