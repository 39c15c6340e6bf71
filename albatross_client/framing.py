"""Frames: a length of four bytes, big-endian and unsigned, before each body.

No I/O: the reader is fed what arrived and gives back whole bodies.
"""

from collections.abc import Iterator
from typing import Final

from albatross_client.errors import RemoteProtocolError

# vmm_tls.ml, vmm_lwt.ml:read_wire - the length does not count itself.
LENGTH_BYTES: Final = 4
MAX_LENGTH: Final = (1 << 32) - 1


def frame(body: bytes) -> bytes:
    """Return *body* with its length before it.

    Raises:
        ValueError: *body* is longer than four bytes can say.
    """
    if len(body) > MAX_LENGTH:
        msg = f"a body of {len(body)} bytes does not fit into a frame"
        raise ValueError(msg)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


class FrameReader:
    """Cuts a stream of bytes, fed in any segments, into bodies.

    A body of no bytes is a body: it ends a stream of chunks.

    Args:
        max_bytes: Longest body that is accepted; a longer one is refused at
            its length, before any of it is kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()

    @property
    def is_at_boundary(self) -> bool:
        """Whether the stream may end here: nothing of a next frame was fed."""
        return not self._buffer

    def feed(self, segment: bytes) -> Iterator[bytes]:
        """Take in *segment* and yield every body that it completes.

        Consume the iterator before the next call.

        Raises:
            RemoteProtocolError: A length exceeds the bound; nothing can be
                read after that.
        """
        if not self._buffer and len(segment) >= LENGTH_BYTES:
            end = self._end(segment)
            if end == len(segment):
                # What hosts do: one frame in one TLS record.
                yield segment[LENGTH_BYTES:]
                return
        self._buffer += segment
        while len(self._buffer) >= LENGTH_BYTES:
            end = self._end(self._buffer)
            if len(self._buffer) < end:
                return
            body = bytes(memoryview(self._buffer)[LENGTH_BYTES:end])
            del self._buffer[:end]
            yield body

    def _end(self, octets: bytes | bytearray) -> int:
        """Return where the frame at the start of *octets* ends."""
        length = int.from_bytes(octets[:LENGTH_BYTES], "big")
        if length > self._max_bytes:
            msg = f"a frame of {length} bytes; at most {self._max_bytes} are accepted"
            raise RemoteProtocolError(msg)
        return LENGTH_BYTES + length
