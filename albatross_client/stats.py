"""The lean reader of stats frames: only what usage is computed from.

A host sends one frame per unikernel and interval, so this is the hot path.
Laws: it accepts and refuses exactly the frames that `albatross_client.wire`
does, without asn1crypto; what repeats from frame to frame (names, settings of
interfaces) is checked once and remembered, within bounds.
"""

import struct
from functools import lru_cache
from typing import Final

from attrs import frozen

from albatross_client import der
from albatross_client.commands import WIRE_VERSION
from albatross_client.errors import RemoteProtocolError
from albatross_client.names import Name
from albatross_client.values import US_PER_S

# More unikernels than a host runs; what is forgotten is only checked again.
_REMEMBERED: Final = 4096

_DATA: Final = der.CONTEXT | 3
_STATS: Final = der.CONTEXT | 1
_VMM: Final = der.CONTEXT | 0
_KINFO: Final = der.CONTEXT | 1
_PAYLOADS: Final = range(4)
_MAX_HEADER: Final = 10

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


class _Row:
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
            counter, at = _read_counter(body, at)
            counters.append(counter)
        return tuple(counters[pick] for pick in self._picks), at


# vmm_asn.ml:ru - minflt, majflt, nvcsw, nivcsw
_RUSAGE_ROW: Final = _Row(14, (4, 5, 12, 13))
# vmm_asn.ml:ifdata - input_packets, output_packets, input_bytes, output_bytes
_INTERFACE_ROW: Final = _Row(12, (1, 3, 6, 7))
_INTERFACE_SETTINGS: Final = 5
_NO_INTERFACES: Final = b"\x30\x00"
_NO_TRAFFIC: Final = (0, 0, 0, 0)
# vmm_asn.ml:kinfo_mem - rss, runtime
_KINFO_ROW: Final = _Row(6, (1, 5))


@frozen
class Sample:
    """What one stats frame says of one unikernel; counters are cumulative.

    Attributes:
        name: The header's name as sent, relative to the path subscribed to.
        cpu_us: User and system time together, microseconds.
        minflt: Page faults without I/O.
        majflt: Page faults with I/O.
        nvcsw: Voluntary context switches.
        nivcsw: Involuntary context switches.
        runtime_us: CPU time as the kernel's process table has it,
            microseconds; None: not told.
        start_us: The process's start as hosts tell it, microseconds since
            1970; on Linux it may move while the process lives. None: not told.
        rss_pages: Resident memory, pages; None: not told.
        packets_in: Packets the unikernel sent, all interfaces together.
        packets_out: Packets it received.
        bytes_in: Bytes it sent.
        bytes_out: Bytes it received.
    """

    name: str
    cpu_us: int
    minflt: int
    majflt: int
    nvcsw: int
    nivcsw: int
    runtime_us: int | None
    start_us: int | None
    rss_pages: int | None
    packets_in: int
    packets_out: int
    bytes_in: int
    bytes_out: int


def read_stats(body: bytes) -> Sample | None:
    """Return what the frame *body* says, without its length.

    Returns:
        None where the header is well-formed and the payload is something else
        than stats data: `albatross_client.wire.decode` then tells what.

    Raises:
        RemoteProtocolError: *body* breaks the grammar.
    """
    try:
        return _read_frame(body)
    except (IndexError, struct.error) as error:
        msg = "a stats frame is cut off"
        raise RemoteProtocolError(msg) from error


def _read_frame(body: bytes) -> Sample | None:
    size = len(body)
    outer = _fill(der.SEQUENCE, size)
    if outer is None or not body.startswith(outer):
        msg = "a frame is not one SEQUENCE of its size"
        raise RemoteProtocolError(msg)
    at = _enter(body, len(outer), der.SEQUENCE)[1]
    name = _read_header(body[len(outer) : at])
    headers = _stats_headers(size - at)
    if headers is None or not body.startswith(headers, at):
        _check_other_payload(body, at)
        return None
    cpu_us, faults, at = _read_rusage(body, at + len(headers))
    minflt, majflt, nvcsw, nivcsw = faults
    traffic, at = _read_interfaces(body, at)
    if at < size and body[at] == _VMM:
        at = _skip_vmm(body, at)
    rss = runtime = start = None
    if at < size and body[at] == _KINFO:
        rss, runtime, start, at = _read_kinfo(body, at)
    _check_end(at, size)
    # Positions, not keywords: they cost a third of the construction.
    return Sample(
        *(name, cpu_us, minflt, majflt, nvcsw, nivcsw),
        *(runtime, start, rss),
        *traffic,
    )


@lru_cache(_REMEMBERED)
def _fill(tag: int, size: int) -> bytes | None:
    """Return the header of an element of *size* bytes in all.

    DER has one form only: an element of this size begins so, or is none.
    """
    for octets in range(2, min(size, _MAX_HEADER) + 1):
        header = der.write_header(tag, size - octets)
        if len(header) == octets:
            return header
    return None


@lru_cache(_REMEMBERED)
def _stats_headers(size: int) -> bytes | None:
    """Return what begins a payload of *size* bytes that is stats data."""
    headers = b""
    for tag in (_DATA, _STATS, der.SEQUENCE):
        header = _fill(tag, size - len(headers))
        if header is None:
            return None
        headers += header
    return headers


@lru_cache(_REMEMBERED)
def _read_header(header: bytes) -> str:
    """Check the message's header and return the name in it, as sent."""
    at, stop = _enter(header, 0, der.SEQUENCE)
    _check_end(len(header), stop)
    version, at = _read_integer(header, at)
    if version != WIRE_VERSION:
        msg = f"unknown version number {version:#x}"
        raise RemoteProtocolError(msg)
    _, at = _read_counter(header, at)
    at, end = _enter(header, at, der.UTF8)
    _check_end(end, stop)
    try:
        name = header[at:end].decode()
        Name.parse(name)
    except ValueError as error:
        msg = f"not a message of the protocol: {error}"
        raise RemoteProtocolError(msg) from error
    return name


def _check_other_payload(body: bytes, at: int) -> None:
    """Check that the payload at *at* is one, and not stats data."""
    size = len(body)
    first, number, at, end = der.read_header(body, at, size)
    _check_end(end, size)
    if first & ~der.NUMBER != der.CONTEXT or number not in _PAYLOADS:
        msg = f"tag {first:#04x} is no alternative of a payload"
        raise RemoteProtocolError(msg)
    if first == _DATA and der.read_header(body, at, size)[0] == _STATS:
        msg = "stats data does not fill its frame"
        raise RemoteProtocolError(msg)


def _read_rusage(body: bytes, at: int) -> tuple[int, tuple[int, ...], int]:
    """Return CPU time, what is read of the counters, and where they end."""
    at, end = _enter(body, at, der.SEQUENCE)
    utime, at = _read_timeval(body, at)
    stime, at = _read_timeval(body, at)
    faults, at = _RUSAGE_ROW.read(body, at)
    _check_end(at, end)
    return utime + stime, faults, at


def _read_interfaces(body: bytes, at: int) -> tuple[tuple[int, ...], int]:
    """Return the sums over all interfaces, and where these end."""
    if body.startswith(_NO_INTERFACES, at):
        return _NO_TRAFFIC, at + len(_NO_INTERFACES)
    at, end = _enter(body, at, der.SEQUENCE)
    packets_in = packets_out = bytes_in = bytes_out = 0
    while at < end:
        at, stop = _enter(body, at, der.SEQUENCE)
        counters = _read_interface(body, at, stop)
        packets_in += counters[0]
        packets_out += counters[1]
        bytes_in += counters[2]
        bytes_out += counters[3]
        at = stop
    _check_end(at, end)
    return (packets_in, packets_out, bytes_in, bytes_out), at


def _read_interface(body: bytes, at: int, end: int) -> tuple[int, ...]:
    plain_at = end - _INTERFACE_ROW.size
    if plain_at > at and _are_settings(body[at:plain_at]):
        plain = _INTERFACE_ROW.read_plain(body, plain_at)
        if plain is not None:
            return plain
    counters, at = _INTERFACE_ROW.read(body, _skip_settings(body, at))
    _check_end(at, end)
    return counters


@lru_cache(_REMEMBERED)
def _are_settings(octets: bytes) -> bool:
    """Tell whether *octets* are the bridge and settings of an interface."""
    try:
        return _skip_settings(octets, 0) == len(octets)
    except RemoteProtocolError:
        return False


def _skip_settings(body: bytes, at: int) -> int:
    _, at = _enter(body, at, der.UTF8)
    for _ in range(_INTERFACE_SETTINGS):
        _, at = _read_integer(body, at)
    return at


def _skip_vmm(body: bytes, at: int) -> int:
    at, outer = _enter(body, at, _VMM)
    at, end = _enter(body, at, der.SEQUENCE)
    _check_end(end, outer)
    while at < end:
        at, stop = _enter(body, at, der.SEQUENCE)
        _, at = _enter(body, at, der.UTF8)
        _, at = _read_counter(body, at)
        _check_end(at, stop)
    _check_end(at, end)
    return at


def _read_kinfo(body: bytes, at: int) -> tuple[int, int, int, int]:
    """Return rss, runtime and start, and where kinfo ends."""
    at, end = _enter(body, at, _KINFO)
    (rss, runtime), at = _KINFO_ROW.read(body, at)
    _, at = _read_integer(body, at)
    start, at = _read_timeval(body, at)
    _check_end(at, end)
    return rss, runtime, start, at


def _read_timeval(body: bytes, at: int) -> tuple[int, int]:
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
    at, end = _enter(body, at, der.SEQUENCE)
    seconds, at = _read_counter(body, at)
    us, at = _read_integer(body, at)
    _check_end(at, end)
    return seconds * US_PER_S + us, at


def _read_counter(body: bytes, at: int) -> tuple[int, int]:
    at, end = _enter(body, at, der.OCTETS)
    if end - at < _I64:
        msg = f"a 64-bit counter has {end - at} bytes"
        raise RemoteProtocolError(msg)
    return int.from_bytes(body[at : at + _I64], "big", signed=True), end


def _read_integer(body: bytes, at: int) -> tuple[int, int]:
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


def _enter(body: bytes, at: int, tag: int) -> tuple[int, int]:
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


def _check_end(at: int, end: int) -> None:
    if at != end:
        msg = f"an element ends at offset {at} instead of {end}"
        raise RemoteProtocolError(msg)
