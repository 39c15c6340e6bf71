"""Shapes of stats frames: what repeats from frame to frame, learnt once.

Law: a shape is learnt from a frame that was read and checked element by
element.  A frame that has the same octets wherever no number of eight octets
stands, and whose other numbers are as short as DER wants them, is valid for
the same reasons: then only its numbers have to be read.
"""

import struct
from collections.abc import Iterator
from typing import Final, Self

from attrs import field, frozen

from albatross_client import der
from albatross_client.values import US_PER_S

Leaf = tuple[int, int, int]

_I64: Final = 8
# The least number that needs so many octets, as DER has it.
_LEAST: Final = (0, 0, 1 << 7, 1 << 15, 1 << 23)
# vmm_asn.ml - leaves of a frame, in order: version, sequence, name; then those
# of rusage, of each interface, and of kinfo.
_SEQUENCE, _NAME, _RUSAGE, _INTERFACES = 1, 2, 3, 21
_OF_RUSAGE = (0, 2, 8, 9, 16, 17)  # utime, stime, minflt, majflt, nvcsw, nivcsw
_UTIME_US, _STIME_US = 1, 3
_INTERFACE = (der.UTF8, *(der.INTEGER,) * 5, *(der.OCTETS,) * 12)
_OF_INTERFACE = (7, 9, 12, 13)  # packets in and out, bytes in and out
_KINFO = (*(der.OCTETS,) * 6, der.INTEGER, der.OCTETS, der.INTEGER)
_OF_KINFO = (1, 5, 7)  # rss, runtime, start
_START_US = 8

Numbers = tuple[int, tuple[int, ...], tuple[int, ...], tuple[int, int, int] | None]


@frozen
class Shape:
    """Where the numbers stand in frames of one form.

    Attributes:
        name_at: Where the name begins and ends.
    """

    name_at: slice
    _mask: int = field(repr=False)
    _fixed: int = field(repr=False)
    _cells: struct.Struct = field(eq=False)  # follows from the mask
    _micros: tuple[tuple[slice, int], ...]
    _interfaces: int
    _has_kinfo: bool

    @classmethod
    def learn(cls, body: bytes) -> Self | None:
        """Return the shape of *body*, a valid stats frame.

        None where it has parts that are not worth learning: counters of the
        hypervisor, or numbers of more octets than hosts write.
        """
        leaves = list(_leaves(body))
        rest = leaves[_INTERFACES:]
        interfaces = 0
        while _tags(rest[: len(_INTERFACE)]) == _INTERFACE:
            rest, interfaces = rest[len(_INTERFACE) :], interfaces + 1
        if _tags(rest) not in ((), _KINFO):
            return None
        micros = [leaves[_RUSAGE + _UTIME_US], leaves[_RUSAGE + _STIME_US]]
        micros += [rest[_START_US]] if rest else []
        cells = [leaf for leaf in leaves if leaf[0] == der.OCTETS]
        if any(end - start != _I64 for _, start, end in cells) or any(
            end - start >= len(_LEAST) for _, start, end in micros
        ):
            return None
        read = [leaves[_RUSAGE + index] for index in _OF_RUSAGE]
        for number in range(interfaces):
            at = _INTERFACES + number * len(_INTERFACE)
            read += [leaves[at + index] for index in _OF_INTERFACE]
        read += [rest[index] for index in _OF_KINFO] if rest else []
        _, start, end = leaves[_NAME]
        mask = _mask(len(body), [*cells, *micros, leaves[_NAME]])
        return cls(
            slice(start, end),
            mask,
            int.from_bytes(body, "big") & mask,
            _struct(read),
            tuple((slice(a, b), _LEAST[b - a]) for _, a, b in micros),
            interfaces,
            bool(rest),
        )

    def read(self, body: bytes) -> Numbers | None:
        """Return the numbers in *body*, as long as it was learnt from.

        Returns:
            None where *body* has another form; otherwise CPU time in
            microseconds, the counters of faults and switches, the sums over
            interfaces, and rss, runtime and start of kinfo.
        """
        if int.from_bytes(body, "big") & self._mask != self._fixed:
            return None
        micros = []
        for place, least in self._micros:
            octets = body[place]
            number = int.from_bytes(octets, "big")
            if octets[0] >= der.MORE or number < least:
                return None
            micros.append(number)
        cells = self._cells.unpack_from(body)
        cpu_us = (cells[0] + cells[1]) * US_PER_S + micros[0] + micros[1]
        kinfo = None
        if self._has_kinfo:
            rss, runtime, start = cells[-3:]
            kinfo = rss, runtime, start * US_PER_S + micros[2]
        return cpu_us, cells[2:6], self._traffic(cells), kinfo

    def _traffic(self, cells: tuple[int, ...]) -> tuple[int, ...]:
        if self._interfaces == 1:
            return cells[6:10]
        end = 6 + 4 * self._interfaces
        return tuple(sum(cells[first:end:4]) for first in range(6, 10))


def _leaves(body: bytes) -> Iterator[Leaf]:
    """Yield tag, begin and end of each primitive element, in order."""
    at, size = 0, len(body)
    while at < size:
        first, _, start, end = der.read_header(body, at, size)
        if first & der.CONSTRUCTED:
            at = start
        else:
            yield first, start, end
            at = end


def _tags(leaves: list[Leaf]) -> tuple[int, ...]:
    return tuple(tag for tag, _, _ in leaves)


def _mask(size: int, free: list[Leaf]) -> int:
    octets = bytearray(b"\xff" * size)
    for _, start, end in free:
        octets[start:end] = bytes(end - start)
    return int.from_bytes(octets, "big")


def _struct(cells: list[Leaf]) -> struct.Struct:
    form, at = ">", 0
    for _, start, end in cells:
        form += f"{start - at}xq"
        at = end
    return struct.Struct(form)
