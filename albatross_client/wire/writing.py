"""From values to DER: leaves, and what several messages share.

Laws: what is written is strict DER as hosts write it; a value that has no such
form raises ValueError with a sentence.
"""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar, assert_never

from albatross_client import der
from albatross_client.names import Name
from albatross_client.values import (
    FailBehaviour,
    Quit,
    ResourcePolicy,
    RestartOnExit,
    Timestamp,
    Typ,
)
from albatross_client.wire.instants import write_time
from albatross_client.wire.reading import MAX_INTEGER, MIN_INTEGER

T = TypeVar("T")

NULL: Final = b"\x05\x00"
_I64_HEADER: Final = b"\x04\x08"
_TYPS: Final = (Typ.SOLO5, Typ.BHYVE)


def element(tag: int, content: bytes) -> bytes:
    """Return an element with one octet *tag*."""
    return der.write_header(tag, len(content)) + content


def explicit(number: int, inner: bytes) -> bytes:
    """Return *inner* in the context-specific tag *number*, below 31."""
    return element(der.CONTEXT | number, inner)


def sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE of *parts*, in this order."""
    return element(der.SEQUENCE, b"".join(parts))


def sequence_of(items: Iterable[T], write: Callable[[T], bytes]) -> bytes:
    """Return a SEQUENCE OF *items*, in this order."""
    return element(der.SEQUENCE, b"".join(map(write, items)))


def set_of(items: Iterable[T], write: Callable[[T], bytes]) -> bytes:
    """Return a SET OF *items*, in the order of their encodings."""
    return element(der.SET, b"".join(sorted(map(write, items))))


def integer(number: int) -> bytes:
    """Return an INTEGER within signed 63 bits."""
    if not MIN_INTEGER <= number <= MAX_INTEGER:
        msg = f"{number} does not fit into the 63 bits of an INTEGER"
        raise ValueError(msg)
    size = (number if number >= 0 else ~number).bit_length() // 8 + 1
    return bytes((der.INTEGER, size)) + number.to_bytes(size, "big", signed=True)


def integer64(number: int) -> bytes:
    """Return a 64-bit counter: eight octets in an OCTET STRING."""
    try:
        return _I64_HEADER + number.to_bytes(8, "big", signed=True)
    except OverflowError as error:
        msg = f"{number} does not fit into the 64 bits of a counter"
        raise ValueError(msg) from error


def boolean(value: bool) -> bytes:  # noqa: FBT001 - the value itself
    """Return a BOOLEAN."""
    return b"\x01\x01\xff" if value else b"\x01\x01\x00"


def octets(content: bytes) -> bytes:
    """Return an OCTET STRING."""
    return element(der.OCTETS, content)


def text(content: str) -> bytes:
    """Return a UTF8String; lone surrogates (PEP 383) are bytes as they came."""
    return element(der.UTF8, _utf8(content))


def _utf8(content: str) -> bytes:
    try:
        return content.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        msg = f"{content!r} has no form in UTF-8"
        raise ValueError(msg) from error


def time(when: Timestamp) -> bytes:
    """Return a GeneralizedTime."""
    return element(der.TIME, write_time(when))


def name(value: Name) -> bytes:
    """Return the text of a name."""
    return text(str(value))


def optionally(value: T | None, write: Callable[[T], bytes]) -> bytes:
    """Return *value* written with *write*, or nothing for None."""
    return b"" if value is None else write(value)


def tagged(number: int, value: T | None, write: Callable[[T], bytes]) -> bytes:
    """Return *value* in an explicit tag, or nothing for None."""
    return b"" if value is None else explicit(number, write(value))


def devices(number: int, items: tuple[T, ...], write: Callable[[T], bytes]) -> bytes:
    """Return a SET OF *items* in an explicit tag; nothing for no items."""
    return explicit(number, set_of(items, write)) if items else b""


def strings(items: tuple[str, ...]) -> bytes:
    """Return a SEQUENCE OF UTF8String."""
    return sequence_of(items, text)


def typ(value: Typ) -> bytes:
    """Return what runs a unikernel."""
    return explicit(_TYPS.index(value), NULL)


def fail_behaviour(value: FailBehaviour) -> bytes:
    """Return what happens when a unikernel exits."""
    match value:
        case Quit():
            return explicit(0, NULL)
        case RestartOnExit(exit_codes):
            return explicit(1, set_of(exit_codes, integer))
        case _:
            assert_never(value)


def cpus(ids: frozenset[int]) -> bytes:
    """Return the CPUs that a unikernel is pinned to."""
    return set_of(ids, integer)


def policy(value: ResourcePolicy) -> bytes:
    """Return a domain's policy: its sets are ascending lists on the wire."""
    # vmm_asn.ml:policy - elements of ordered sets; strings by their bytes
    bridges = sorted(map(_utf8, value.bridges))
    return sequence(
        sequence_of(sorted(value.cpuids), integer),
        integer(value.unikernels),
        integer(value.memory),
        optionally(value.block, integer),
        sequence_of(bridges, lambda bridge: element(der.UTF8, bridge)),
    )
