"""DER assembled by hand: a second source of truth beside the vectors.

Knows nothing of the product, and X.690 only as far as tests need it.
"""


def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 + len(octets)]) + octets + content


def context(number: int, *parts: bytes) -> bytes:
    if number < 31:
        return tlv(0xA0 + number, *parts)
    octets = [number & 127]
    while number := number >> 7:
        octets.append(number & 127 | 128)
    return b"\xbf" + bytes(reversed(octets)) + tlv(0, *parts)[1:]


def seq(*parts: bytes) -> bytes:
    return tlv(0x30, *parts)


def a_set(*parts: bytes) -> bytes:
    return tlv(0x31, *parts)


def number(value: int) -> bytes:
    size = 1
    while not -(1 << 8 * size - 1) <= value < 1 << 8 * size - 1:
        size += 1
    return tlv(2, value.to_bytes(size, "big", signed=True))


def i64(value: int) -> bytes:
    return tlv(4, value.to_bytes(8, "big", signed=True))


def utf8(value: str | bytes) -> bytes:
    return tlv(12, value.encode() if isinstance(value, str) else value)


def octets(value: bytes) -> bytes:
    return tlv(4, value)


def time(value: bytes) -> bytes:
    return tlv(24, value)


NULL = b"\x05\x00"
TRUE = b"\x01\x01\xff"
FALSE = b"\x01\x01\x00"


def header(name: str | bytes = ":web", sequence: int = 0, version: int = 5) -> bytes:
    return seq(number(version), i64(sequence), utf8(name))


def message(*payload: bytes, head: bytes | None = None) -> bytes:
    return seq(header() if head is None else head, *payload)


def command(*inner: bytes) -> bytes:
    return message(context(0, *inner))


def success(*inner: bytes) -> bytes:
    return message(context(1, *inner))


def data(*inner: bytes) -> bytes:
    return message(context(3, *inner))


def timeval(seconds: int = 0, microseconds: int = 0) -> bytes:
    return seq(i64(seconds), number(microseconds))


def rusage(*counters: bytes) -> bytes:
    return seq(timeval(1, 2), timeval(3, 4), *(counters or [i64(n) for n in range(14)]))


def interface(*counters: bytes) -> bytes:
    settings = [number(n) for n in (11043, 0, -1, 0, 1500)]
    return seq(utf8("br0"), *settings, *(counters or [i64(n) for n in range(12)]))


def kinfo(*counters: bytes) -> bytes:
    row = counters or [i64(n) for n in range(6)]
    return context(1, *row, number(0), timeval(5, 6))


def stats(*parts: bytes) -> bytes:
    return data(context(1, seq(*(parts or (rusage(), seq())))))
