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
from albatross_client.errors import RemoteProtocolError
from albatross_client.lean import (
    Row,
    check_end,
    enter,
    read_counter,
    read_integer,
    read_timeval,
)
from albatross_client.names import Name
from albatross_client.replies import WIRE_VERSION
from albatross_client.shapes import Shape

# More unikernels than a host runs; what is forgotten is only checked again.
_REMEMBERED: Final = 4096
# A frame has 300 to 700 bytes.  Of one that is much longer nothing is
# remembered: a hostile host would fill the memory with it.
_LONGEST_REMEMBERED: Final = 4096
# Of frames whose shapes are remembered, all together: a shape takes more than
# twice its frame.  A host has some hundred shapes of half a kilobyte.
_MOST_LEARNT_BYTES: Final = 4 * 1024 * 1024

_DATA: Final = der.CONTEXT | 3
_STATS: Final = der.CONTEXT | 1
_VMM: Final = der.CONTEXT | 0
_KINFO: Final = der.CONTEXT | 1
_PAYLOADS: Final = range(4)
_MAX_HEADER: Final = 10

# vmm_asn.ml:ru - minflt, majflt, nvcsw, nivcsw
_RUSAGE_ROW: Final = Row(14, (4, 5, 12, 13))
# vmm_asn.ml:ifdata - input_packets, output_packets, input_bytes, output_bytes
_INTERFACE_ROW: Final = Row(12, (1, 3, 6, 7))
_INTERFACE_SETTINGS: Final = 5
_NO_INTERFACES: Final = b"\x30\x00"
_NO_TRAFFIC: Final = (0, 0, 0, 0)
# vmm_asn.ml:kinfo_mem - rss, runtime
_KINFO_ROW: Final = Row(6, (1, 5))
_NOT_TOLD: Final = (None, None, None)

# Of one size there are as many as ways to part it between the numbers that
# are written as short as they can be.
_SHAPES_OF_A_SIZE: Final = 15
learnt_shapes: Final[dict[int, list[Shape]]] = {}
learnt_names: Final[dict[bytes, str]] = {}


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
    sample = _recall(body)
    if sample is not None:
        return sample
    try:
        sample = _read_frame(body)
    except (IndexError, struct.error) as error:
        msg = "a stats frame is cut off"
        raise RemoteProtocolError(msg) from error
    if sample is not None:
        _learn(body)
    return sample


def _recall(body: bytes) -> Sample | None:
    """Return what *body* says, if it has a shape that was learnt."""
    for shape in learnt_shapes.get(len(body), ()):
        numbers = shape.read(body)
        if numbers is not None:
            break
    else:
        return None
    name = learnt_names.get(body[shape.name_at])
    if name is None:
        return None
    cpu_us, faults, traffic, kinfo = numbers
    rss, runtime, start = kinfo or _NOT_TOLD
    # Positions, not keywords or stars: they cost a third of the construction.
    return Sample(
        name,
        cpu_us,
        faults[0],
        faults[1],
        faults[2],
        faults[3],
        runtime,
        start,
        rss,
        traffic[0],
        traffic[1],
        traffic[2],
        traffic[3],
    )


def _learn(body: bytes) -> None:
    """Remember the shape of *body*, a valid stats frame, and its name."""
    shape = Shape.learn(body) if len(body) <= _LONGEST_REMEMBERED else None
    if shape is None:
        return
    if len(learnt_names) >= _REMEMBERED:
        learnt_names.clear()
    octets = body[shape.name_at]
    learnt_names[octets] = octets.decode()
    if _learnt_bytes() + len(body) > _MOST_LEARNT_BYTES:
        learnt_shapes.clear()
    learnt = learnt_shapes.setdefault(len(body), [])
    if shape not in learnt:
        del learnt[_SHAPES_OF_A_SIZE:]
        learnt.insert(0, shape)


def _learnt_bytes() -> int:
    return sum(size * len(shapes) for size, shapes in learnt_shapes.items())


def _read_frame(body: bytes) -> Sample | None:
    size = len(body)
    outer = _fill(der.SEQUENCE, size)
    if outer is None or not body.startswith(outer):
        msg = "a frame is not one SEQUENCE of its size"
        raise RemoteProtocolError(msg)
    at = enter(body, len(outer), der.SEQUENCE)[1]
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
    check_end(at, size)
    packets_in, packets_out, bytes_in, bytes_out = traffic
    # Positions, not keywords or a star: they cost a third of the construction.
    return Sample(
        name,
        cpu_us,
        minflt,
        majflt,
        nvcsw,
        nivcsw,
        runtime,
        start,
        rss,
        packets_in,
        packets_out,
        bytes_in,
        bytes_out,
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


def _read_header(header: bytes) -> str:
    """Check the message's header and return the name in it, as sent."""
    if len(header) > _LONGEST_REMEMBERED:
        return _read_header_anew(header)
    return _read_header_once(header)


def _read_header_anew(header: bytes) -> str:
    at, stop = enter(header, 0, der.SEQUENCE)
    check_end(len(header), stop)
    version, at = read_integer(header, at)
    if version != WIRE_VERSION:
        msg = f"unknown version number {version:#x}"
        raise RemoteProtocolError(msg)
    _, at = read_counter(header, at)
    at, end = enter(header, at, der.UTF8)
    check_end(end, stop)
    try:
        name = header[at:end].decode()
        Name.parse(name)
    except ValueError as error:
        msg = f"not a message of the protocol: {error}"
        raise RemoteProtocolError(msg) from error
    return name


_read_header_once = lru_cache(_REMEMBERED)(_read_header_anew)


def _check_other_payload(body: bytes, at: int) -> None:
    """Check that the payload at *at* is one, and not stats data."""
    size = len(body)
    first, number, at, end = der.read_header(body, at, size)
    check_end(end, size)
    if first & ~der.NUMBER != der.CONTEXT or number not in _PAYLOADS:
        msg = f"tag {first:#04x} is no alternative of a payload"
        raise RemoteProtocolError(msg)
    if first == _DATA and der.read_header(body, at, size)[0] == _STATS:
        msg = "stats data does not fill its frame"
        raise RemoteProtocolError(msg)


def _read_rusage(body: bytes, at: int) -> tuple[int, tuple[int, ...], int]:
    """Return CPU time, what is read of the counters, and where they end."""
    at, end = enter(body, at, der.SEQUENCE)
    utime, at = read_timeval(body, at)
    stime, at = read_timeval(body, at)
    faults, at = _RUSAGE_ROW.read(body, at)
    check_end(at, end)
    return utime + stime, faults, at


def _read_interfaces(body: bytes, at: int) -> tuple[tuple[int, ...], int]:
    """Return the sums over all interfaces, and where these end."""
    if body.startswith(_NO_INTERFACES, at):
        return _NO_TRAFFIC, at + len(_NO_INTERFACES)
    at, end = enter(body, at, der.SEQUENCE)
    packets_in = packets_out = bytes_in = bytes_out = 0
    while at < end:
        at, stop = enter(body, at, der.SEQUENCE)
        counters = _read_interface(body, at, stop)
        packets_in += counters[0]
        packets_out += counters[1]
        bytes_in += counters[2]
        bytes_out += counters[3]
        at = stop
    check_end(at, end)
    return (packets_in, packets_out, bytes_in, bytes_out), at


def _read_interface(body: bytes, at: int, end: int) -> tuple[int, ...]:
    plain_at = end - _INTERFACE_ROW.size
    if plain_at > at and _are_settings(body[at:plain_at]):
        plain = _INTERFACE_ROW.read_plain(body, plain_at)
        if plain is not None:
            return plain
    counters, at = _INTERFACE_ROW.read(body, _skip_settings(body, at))
    check_end(at, end)
    return counters


def _are_settings(octets: bytes) -> bool:
    """Tell whether *octets* are the bridge and settings of an interface."""
    if len(octets) > _LONGEST_REMEMBERED:
        return _are_settings_anew(octets)
    return _are_settings_once(octets)


def _are_settings_anew(octets: bytes) -> bool:
    try:
        return _skip_settings(octets, 0) == len(octets)
    except RemoteProtocolError:
        return False


_are_settings_once = lru_cache(_REMEMBERED)(_are_settings_anew)


def _skip_settings(body: bytes, at: int) -> int:
    _, at = enter(body, at, der.UTF8)
    for _ in range(_INTERFACE_SETTINGS):
        _, at = read_integer(body, at)
    return at


def _skip_vmm(body: bytes, at: int) -> int:
    at, outer = enter(body, at, _VMM)
    at, end = enter(body, at, der.SEQUENCE)
    check_end(end, outer)
    while at < end:
        at, stop = enter(body, at, der.SEQUENCE)
        _, at = enter(body, at, der.UTF8)
        _, at = read_counter(body, at)
        check_end(at, stop)
    check_end(at, end)
    return at


def _read_kinfo(body: bytes, at: int) -> tuple[int, int, int, int]:
    """Return rss, runtime and start, and where kinfo ends."""
    at, end = enter(body, at, _KINFO)
    (rss, runtime), at = _KINFO_ROW.read(body, at)
    _, at = read_integer(body, at)
    start, at = read_timeval(body, at)
    check_end(at, end)
    return rss, runtime, start, at
