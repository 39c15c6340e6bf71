"""Lean reading of DER, element by element, for `albatross_client.stats`.

Laws: strict as `albatross_client.der`, but without its messages and calls; a
function that reads returns what it read and where that ends.  Whether ends lie
within the octets shows when they are compared with what contains them, so
IndexError and struct.error may escape where octets are cut off.
"""

import struct
from typing import Final

from albatross_client import der
from albatross_client.errors import RemoteProtocolError
from albatross_client.values import US_PER_S

# 64-bit counters: tag, length and eight octets each; some are longer, and of
# those hosts take the first eight.
_CELL: Final = 10
_CELL_HEADER: Final = 0x0408
_I64: Final = 8
_LIMIT: Final = 1 << 62  # asn.ml:int - an OCaml int has 63 bits
# vmm_asn.ml:timeval - up to the first octet of the microseconds
_TIMEVAL: Final = struct.Struct(">BBHqBBB")
_INTEGER_AT: Final = 12  # in its content
_US_AT: Final = 14
# The least positive number that needs so many octets, as DER has it
_LEAST: Final = (1 << 62, 0, 1 << 7, 1 << 15, 1 << 23)
_ONE_OCTET_MORE: Final = der.MORE | 1


class Row:
    """Counters that stand one after the other, and which of them are read."""

    def __init__(self, count: int, picks: tuple[int, ...]) -> None:
        self.size = count * _CELL
        self._count = count
        self._picks = picks
        self._tags = b"\x04" * count
        self._lengths = b"\x08" * count
        # Of each cell its eight octets, or none.
        cells = ("2xq" if index in picks else "10x" for index in range(count))
        self._unpack = struct.Struct(">" + "".join(cells)).unpack_from

    def read_plain(self, body: bytes, at: int) -> tuple[int, ...] | None:
        """Return the counters that are read, or None if one is not plain."""
        end = at + self.size
        if (
            body[at:end:_CELL] == self._tags
            and body[at + 1 : end : _CELL] == self._lengths
        ):
            return self._unpack(body, at)
        return None

    def read(self, body: bytes, at: int) -> tuple[tuple[int, ...], int]:
        """Return the counters that are read, and where the row ends."""
        plain = self.read_plain(body, at)
        if plain is not None:
            return plain, at + self.size
        counters = []
        for _ in range(self._count):
            counter, at = read_counter(body, at)
            counters.append(counter)
        return tuple(counters[pick] for pick in self._picks), at


def read_timeval(body: bytes, at: int) -> tuple[int, int]:
    """Return microseconds in all, and where they end."""
    tag, length, cell, seconds, mark, size, first = _TIMEVAL.unpack_from(body, at)
    if (
        tag == der.SEQUENCE
        and cell == _CELL_HEADER
        and mark == der.INTEGER
        and size < len(_LEAST)
        and length == _INTEGER_AT + size
        and first < der.MORE
    ):
        end = at + 2 + length
        us = int.from_bytes(body[at + _US_AT : end], "big")
        if us >= _LEAST[size]:
            return seconds * US_PER_S + us, end
    return _read_odd_timeval(body, at)


def _read_odd_timeval(body: bytes, at: int) -> tuple[int, int]:
    """Read a timeval with odd microseconds, or seconds of more octets."""
    at, end = enter(body, at, der.SEQUENCE)
    seconds, at = read_counter(body, at)
    us, at = read_integer(body, at)
    check_end(at, end)
    return seconds * US_PER_S + us, at


def read_counter(body: bytes, at: int) -> tuple[int, int]:
    """Return a 64-bit counter, and where it ends."""
    at, end = enter(body, at, der.OCTETS)
    if end - at < _I64:
        msg = f"a 64-bit counter has {end - at} bytes"
        raise RemoteProtocolError(msg)
    return int.from_bytes(body[at : at + _I64], "big", signed=True), end


def read_integer(body: bytes, at: int) -> tuple[int, int]:
    """Return an INTEGER within signed 63 bits, and where it ends."""
    size = body[at + 1]
    end = at + 2 + size
    if size == 1 and body[at] == der.INTEGER:
        return (body[at + 2] ^ 0x80) - 0x80, end
    number = int.from_bytes(body[at + 2 : end], "big", signed=True)
    if (
        body[at] != der.INTEGER
        or not 1 <= size <= _I64
        # DER: in as few octets as the number and its sign need.
        or (number if number >= 0 else ~number).bit_length() >> 3 != size - 1
        or not -_LIMIT <= number < _LIMIT
    ):
        msg = f"no INTEGER within 63 bits at offset {at}"
        raise RemoteProtocolError(msg)
    return number, end


def enter(body: bytes, at: int, tag: int) -> tuple[int, int]:
    """Return where the content of the element at *at* begins and ends.

    Whether it ends within *body* shows when all ends are compared.
    """
    if body[at] != tag:
        msg = f"tag {body[at]:#04x} at offset {at} instead of {tag:#04x}"
        raise RemoteProtocolError(msg)
    size = body[at + 1]
    if size < der.MORE:
        return at + 2, at + 2 + size
    if size == _ONE_OCTET_MORE and body[at + 2] >= der.MORE:
        return at + 3, at + 3 + body[at + 2]
    return der.read_header(body, at, len(body))[2:]


def check_end(at: int, end: int) -> None:
    """Check that what was read fills what contains it."""
    if at != end:
        msg = f"an element ends at offset {at} instead of {end}"
        raise RemoteProtocolError(msg)
