"""Strict DER (X.690): the structure of octets, checked before any meaning.

Laws: definite and shortest lengths, shortest tags, no element beyond its
parent's end, nothing after the last one, bounded depth.  Whatever breaks them
raises `RemoteProtocolError`, as hosts refuse it too (asn1-combinators, strict).
"""

from typing import Final

from albatross_client.errors import RemoteProtocolError

# The first octet of an element: class, form and a tag number below 31.
CONSTRUCTED: Final = 0x20
NUMBER: Final = 0x1F
CONTEXT: Final = 0xA0  # context-specific and constructed
MORE: Final = 0x80  # the top bit: of a length or tag number, it goes on

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
OCTETS: Final = 0x04
NULL: Final = 0x05
UTF8: Final = 0x0C
TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31

# The grammar nests 11 deep; what is unknown may nest deeper, but not forever.
MAX_DEPTH: Final = 32
_MAX_TAG_OCTETS: Final = 4
_MAX_LENGTH_OCTETS: Final = 8
_CLASS: Final = 0xC0
_BAD_PRIMITIVES: Final = frozenset({0x00, 0x10, 0x11})
_IMPLICIT_KINFO: Final = CONTEXT | 1

Header = tuple[int, int, int, int]


def read_header(octets: bytes, at: int, end: int) -> Header:
    """Read the tag and length of the element at *at*, which may reach to *end*.

    Returns:
        The first octet, the tag number, where the content begins and where
        it ends.

    Raises:
        RemoteProtocolError: The header or the content is cut off, or the
            header is not as short as it can be.
    """
    if at + 2 > end:
        msg = f"an element is cut off at offset {at}"
        raise RemoteProtocolError(msg)
    first = octets[at]
    number = first & NUMBER
    at += 1
    if number == NUMBER:
        number, at = _read_long_number(octets, at, end)
    length = octets[at]
    at += 1
    if length & MORE:
        length, at = _read_long_length(octets, at, end)
    if length > end - at:
        msg = f"an element of {length} bytes at offset {at} has only {end - at}"
        raise RemoteProtocolError(msg)
    return first, number, at, at + length


def _read_long_number(octets: bytes, at: int, end: int) -> tuple[int, int]:
    """Read a tag number of 31 or more; leave at least one octet after it."""
    number = 0
    for offset, octet in enumerate(octets[at : min(at + _MAX_TAG_OCTETS, end - 1)]):
        number = number << 7 | octet & 0x7F
        if number == 0:
            break
        if octet < MORE:
            if number < NUMBER:
                break
            return number, at + offset + 1
    msg = f"a tag before offset {at} is padded, cut off or too long"
    raise RemoteProtocolError(msg)


def _read_long_length(octets: bytes, at: int, end: int) -> tuple[int, int]:
    """Read the octets of a length whose count stands before *at*."""
    count = octets[at - 1] & 0x7F
    if count == 0:
        msg = f"indefinite length at offset {at - 1}"
        raise RemoteProtocolError(msg)
    if count > _MAX_LENGTH_OCTETS or at + count > end:
        msg = f"a length of {count} bytes at offset {at - 1} is too long"
        raise RemoteProtocolError(msg)
    length = int.from_bytes(octets[at : at + count], "big")
    if length < MORE or octets[at] == 0:
        msg = f"a length at offset {at - 1} is not as short as it can be"
        raise RemoteProtocolError(msg)
    return length, at + count


def write_header(tag: int, size: int) -> bytes:
    """Return what stands before *size* bytes of content: tag and length."""
    if size < MORE:
        return bytes((tag, size))
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, MORE | len(octets))) + octets


def check(octets: bytes, *, explicit: bool) -> None:
    """Check all elements of *octets*, down to the contents of primitives.

    Args:
        octets: Elements one after the other.
        explicit: Whether context-specific tags are explicit, as everywhere in
            this protocol but at kinfo: then each holds exactly one element.

    Raises:
        RemoteProtocolError: *octets* is not DER; the message says where.
    """
    at = 0
    ends = [len(octets)]
    while ends:
        end = ends[-1]
        if at == end:
            ends.pop()
            continue
        first, _, at, stop = read_header(octets, at, end)
        if first & CONSTRUCTED:
            _check_constructed(octets, (first, at, stop), explicit=explicit)
            _check_depth(len(ends), at)
            ends.append(stop)
        else:
            _check_primitive(octets, (first, at, stop))
            at = stop


def _check_depth(depth: int, at: int) -> None:
    if depth > MAX_DEPTH:
        msg = f"elements nest deeper than {MAX_DEPTH} at offset {at}"
        raise RemoteProtocolError(msg)


def _check_constructed(
    octets: bytes, element: tuple[int, int, int], *, explicit: bool
) -> None:
    first, at, stop = element
    if first & _CLASS == 0:
        if first not in {SEQUENCE, SET}:
            msg = f"a string in pieces or a reserved tag before offset {at}"
            raise RemoteProtocolError(msg)
    elif explicit and first & _CLASS == CONTEXT & _CLASS:
        # vmm_asn.ml:stats - kinfo is the one implicit tag, [1] before octets;
        # no explicit [1] of the grammar holds octets.
        if first == _IMPLICIT_KINFO and octets[at : at + 1] == b"\x04":
            return
        if read_header(octets, at, stop)[3] != stop:
            msg = f"more than one element in an explicit tag at offset {at}"
            raise RemoteProtocolError(msg)


def _check_primitive(octets: bytes, element: tuple[int, int, int]) -> None:
    first, at, stop = element
    if first == INTEGER:
        if not is_shortest_integer(octets, at, stop):
            msg = f"an INTEGER at offset {at} is empty or padded"
            raise RemoteProtocolError(msg)
    elif (
        (first == BOOLEAN and stop - at != 1)
        or (first == NULL and stop != at)
        or first in _BAD_PRIMITIVES
    ):
        msg = f"a primitive of tag {first} at offset {at} has a wrong form"
        raise RemoteProtocolError(msg)


def is_shortest_integer(octets: bytes, at: int, stop: int) -> bool:
    """Tell whether an INTEGER's content is there and has no padding octet."""
    if stop - at < 2:  # noqa: PLR2004 - one octet has nothing to spare
        return stop > at
    # X.690 8.3.2 - the first nine bits are neither all ones nor all zeros.
    lead = octets[at] << 1 | octets[at + 1] >> 7
    return lead not in {0, 0x1FF}
