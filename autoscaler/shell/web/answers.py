"""Answers that are made while they are sent, packed where a client unpacks."""

import re
import zlib
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing

import trio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

OK, NOT_FOUND, UNAVAILABLE = 200, 404, 503
# 15 % larger than the best that zlib does, in a third of its time.
LEVEL = 5
# So many pieces fill a screen: the page's head, and five cards each.
SEEN_FIRST = 4
# zlib.compressobj - 16 more than the window's bits: with the head of gzip.
GZIP = 16 + 15
# zlib.h - deflate takes (1 << windowBits + 2) + (1 << memLevel + 9) bytes: for
# as long as somebody follows 48 kB are enough, where an answer has 260.
LITTLE_GZIP, LITTLE_MEMORY = 16 + 13, 5
EVENTS = "text/event-stream"
# rfc9110, 12.5.3 - "gzip;q=0" is not acceptable.
_REFUSED = re.compile(r";\s*q=0(\.0*)?$")


class Pieces(Response):
    """An answer that is made while it is sent."""

    def __init__(
        self,
        pieces: Iterable[bytes],
        content_type: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send *pieces*, which are *content_type* together."""
        self.pieces = pieces
        self.status_code = OK
        self.background = None
        self.init_headers({"content-type": content_type, **(headers or {})})
        # Nobody knows how many there will be.
        del self.headers["content-length"]

    async def __call__(
        self,
        scope: Scope,  # noqa: ARG002 - ASGI's signature
        receive: Receive,  # noqa: ARG002 - ASGI's signature
        send: Send,
    ) -> None:
        """Send them; between any two everybody else gets their turn."""
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        for piece in self.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await trio.lowlevel.checkpoint()
        await send({"type": "http.response.body"})


class Stream(Response):
    """An answer that goes on for as long as its client reads."""

    def __init__(
        self,
        pieces: Callable[[], AsyncGenerator[bytes, None]],
        end: Callable[[], None],
        *,
        is_packed: bool,
    ) -> None:
        """Send *pieces*; *end* is called when nobody reads them any more."""
        self._pieces, self._end = pieces, end
        self._packer = new_little_packer() if is_packed else None
        self.status_code, self.background = OK, None
        self.init_headers(
            {"content-type": EVENTS, **packed_headers(is_packed=is_packed)}
        )
        del self.headers["content-length"]

    async def __call__(
        self,
        scope: Scope,
        receive: Receive,  # noqa: ARG002 - ASGI's signature
        send: Send,
    ) -> None:
        """Send what comes until the client is gone."""
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            if scope["method"] != "HEAD":
                await self._send_all(send)
            await send({"type": "http.response.body"})
        finally:
            self._end()

    async def _send_all(self, send: Send) -> None:
        async with aclosing(self._pieces()) as pieces:
            async for piece in pieces:
                body = self._pack(piece)
                await send(
                    {"type": "http.response.body", "body": body, "more_body": True}
                )

    def _pack(self, piece: bytes) -> bytes:
        if self._packer is None:
            return piece
        # Else it would wait for more.
        return self._packer.compress(piece) + self._packer.flush(zlib.Z_SYNC_FLUSH)


def takes_gzip(request: Request) -> bool:
    """Tell whether the client of *request* unpacks what gzip packs."""
    wanted = request.headers.get("accept-encoding", "").lower().split(",")
    codings = (each.strip() for each in wanted)
    return any(
        each.partition(";")[0].strip() == "gzip" and not _REFUSED.search(each)
        for each in codings
    )


def packed_headers(*, is_packed: bool) -> Mapping[str, str]:
    """Return the headers of an answer that may be packed."""
    packed = {"content-encoding": "gzip"} if is_packed else {}
    return {"vary": "Accept-Encoding", **packed}


def new_little_packer() -> "zlib._Compress":
    """Return what packs a little at a time, and takes little memory."""
    return zlib.compressobj(LEVEL, zlib.DEFLATED, LITTLE_GZIP, LITTLE_MEMORY)


def pack(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *pieces* as gzip packs them, the first of them at once."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    for number, piece in enumerate(pieces):
        packed = packer.compress(piece)
        # Else nothing would be seen before the whole is made.
        yield (
            packed + packer.flush(zlib.Z_SYNC_FLUSH) if number < SEEN_FIRST else packed
        )
    yield packer.flush()
