"""A reply that may hold a large image, read without holding it twice.

Laws: no I/O; the image goes straight into the one buffer that becomes the
result; everything around it is judged by `albatross_client.wire` alone.
"""

import io
import struct
import zlib

from attrs import frozen

from albatross_client.der import (
    BOOLEAN,
    CONTEXT,
    MORE,
    OCTETS,
    SEQUENCE,
    read_header,
)
from albatross_client.endpoint import Limits
from albatross_client.errors import RemoteProtocolError
from albatross_client.replies import (
    UnikernelImage,
    Wire,
)
from albatross_client.wire import decode

_PREFIX = struct.Struct(">I")
# The header's name is the only part of unbounded length before an image; a
# chain of nine certificates names no more than 600 bytes.
_HEAD_BYTES = 4096
# What an image reply needs beside its image: the head, and tags and lengths.
_AROUND_BYTES = 2 * _HEAD_BYTES
_SUCCESS = CONTEXT | 1
_IMAGE = CONTEXT | 6


class Content:
    """Takes an image or block device piece by piece, inflating it if need be.

    Only what has come is held: a length that is merely claimed costs nothing.
    """

    def __init__(self, max_bytes: int, *, compressed: bool) -> None:
        """Take at most *max_bytes*, inflated."""
        # BytesIO gives its buffer away without a copy.
        self._buffer = io.BytesIO()
        self._max_bytes = max_bytes
        self._inflater = zlib.decompressobj() if compressed else None

    def write(self, octets: bytes | memoryview) -> None:
        """Take the next piece.

        Raises:
            RemoteProtocolError: It is no zlib stream where it should be one,
                or more than is allowed.
        """
        room = self._max_bytes - self._buffer.tell()
        if self._inflater is not None:
            octets = self._inflate(self._inflater, octets, room + 1)
        if len(octets) > room:
            msg = f"the image is larger than {self._max_bytes} bytes (image limit)"
            raise RemoteProtocolError(msg)
        self._buffer.write(octets)

    def finish(self) -> bytes:
        """Return the whole.

        Raises:
            RemoteProtocolError: The zlib stream is cut off.
        """
        if self._inflater is not None and not self._inflater.eof:
            msg = "the compressed image is cut off"
            raise RemoteProtocolError(msg)
        return self._buffer.getvalue()

    @staticmethod
    def _inflate(
        inflater: "zlib._Decompress", octets: bytes | memoryview, most: int
    ) -> bytes:
        try:
            # A bomb stops at *most*; what is left of the input doesn't matter.
            inflated = inflater.decompress(octets, most)
        except zlib.error as error:
            msg = f"the compressed image is no zlib stream: {error}"
            raise RemoteProtocolError(msg) from error
        if inflater.unused_data:
            msg = "the compressed image goes on after its end"
            raise RemoteProtocolError(msg)
        return inflated


class ImageReply:
    """Reads one length-prefixed reply; `result` is its image or its message."""

    def __init__(self, limits: Limits) -> None:
        """Read a reply within *limits*."""
        self._limits = limits
        self._head = bytearray()
        self._content: Content | None = None
        self._total = 0
        self._left = 0

    @property
    def started(self) -> bool:
        """Whether anything has come."""
        return bool(self._head)

    def feed(self, octets: bytes) -> bool:
        """Take *octets*; tell whether the reply is whole.

        Raises:
            RemoteProtocolError: The reply is too long or malformed.
        """
        if self._content is None:
            octets = self._feed_head(octets)
        if self._content is not None and self._left:
            piece = memoryview(octets)[: self._left]
            self._content.write(piece)
            self._left -= len(piece)
        return self._is_whole()

    def result(self) -> bytes | Wire:
        """Return the uncompressed image, or the message that came instead.

        Raises:
            RemoteProtocolError: The reply is malformed.
        """
        if self._content is not None:
            return self._content.finish()
        return decode(bytes(self._head[_PREFIX.size :]))

    def _is_whole(self) -> bool:
        if self._content is not None:
            return self._left == 0
        return (
            len(self._head) >= _PREFIX.size
            and len(self._head) == _PREFIX.size + self._total
        )

    def _feed_head(self, octets: bytes) -> bytes:
        """Take what is before an image; return what belongs to the image."""
        self._head += octets
        if len(self._head) < _PREFIX.size:
            return b""
        (self._total,) = _PREFIX.unpack_from(self._head)
        whole = _PREFIX.size + self._total
        if self._total > self._limits.image_bytes + _AROUND_BYTES:
            raise _too_long(self._total, self._limits)
        del self._head[whole:]
        if len(self._head) < min(whole, _PREFIX.size + _HEAD_BYTES):
            return b""
        return self._look_for_image()

    def _look_for_image(self) -> bytes:
        body = bytes(self._head[_PREFIX.size :])
        found = _find_image(body, self._total)
        if found is None:
            if self._total > self._limits.reply_bytes:
                raise _too_long(self._total, self._limits)
            return b""
        payload = decode(found.around).payload
        compressed = isinstance(payload, UnikernelImage) and payload.compressed
        self._content = Content(self._limits.image_bytes, compressed=compressed)
        self._left = self._total - found.begins
        return body[found.begins :]


@frozen
class _Found:
    """Where the image is in a reply.

    Attributes:
        begins: Its offset; it reaches to the reply's end.
        around: The same reply with an empty image.
    """

    begins: int
    around: bytes


def _find_image(head: bytes, total: int) -> _Found | None:
    """Look for an image in a reply of *total* bytes that begins with *head*.

    None: it is another reply, or not one at all.
    """
    # vmm_asn.ml:wire - header, then [1] success, [6] image: compressed, octets.
    try:
        _, _, at, _ = read_header(head, 0, total)
        first, _, _, header_end = read_header(head, at, total)
        begins = header_end
        for expected in (_SUCCESS, _IMAGE, SEQUENCE):
            found, _, begins, ends = read_header(head, begins, total)
            if (found, ends) != (expected, total):
                return None
        boolean, _, _, boolean_end = read_header(head, begins, total)
        octets, _, image, ends = read_header(head, boolean_end, total)
    except (RemoteProtocolError, IndexError):
        return None
    if (head[0], first, boolean, octets, ends) != (
        SEQUENCE,
        SEQUENCE,
        BOOLEAN,
        OCTETS,
        total,
    ):
        return None
    inner = head[begins:boolean_end] + _element(OCTETS, b"")
    payload = _element(_SUCCESS, _element(_IMAGE, _element(SEQUENCE, inner)))
    return _Found(image, _element(SEQUENCE, head[at:header_end] + payload))


def _element(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < MORE:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, MORE | len(octets))) + octets + content


def _too_long(length: int, limits: Limits) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"the host announces a reply of {length} bytes; at most "
        f"{limits.reply_bytes}, or an image of {limits.image_bytes}, are taken"
    )
