"""Data of streams as JSON, in both directions."""

from collections.abc import Callable, Mapping
from typing import Final, assert_never

from attrs import asdict, fields_dict

from albatross_client.meaning.cursor import Cursor, Json
from albatross_client.meaning.forms import read_time, write_time
from albatross_client.replies import (
    BlockChunk,
    ConsoleLine,
    Data,
    StatsData,
)
from albatross_client.values import (
    InterfaceStats,
    KinfoMem,
    Rusage,
    Stats,
    Timeval,
)

# vmm_asn.ml:ifdata, kinfo_mem - these are INTEGERs; others are 64-bit counters.
_INTEGERS: Final = frozenset(
    {"flags", "send_length", "max_send_length", "send_drops", "mtu", "cow"}
)


def write_data(data: StatsData | ConsoleLine | BlockChunk) -> Json:
    """Return *data* as ``{KIND: ...}``."""
    match data:
        case StatsData(stats):
            return {"stats": _write_stats(stats)}
        case ConsoleLine():
            return {"console": _write_line(data)}
        case BlockChunk(content):
            return {"block": {"data_hex": None if content is None else content.hex()}}
        case _:
            assert_never(data)


def _write_stats(stats: Stats) -> Json:
    vmm = stats.vmm
    return {
        "rusage": asdict(stats.rusage),
        "ifdata": [asdict(interface) for interface in stats.interfaces],
        "vmm": None if vmm is None else [{"key": k, "value": v} for k, v in vmm],
        "kinfo_mem": None if stats.kinfo is None else asdict(stats.kinfo),
    }


def _write_line(line: ConsoleLine) -> Json:
    return {
        "timestamp": write_time(line.timestamp),
        "data": _as_text(line.text),
        "data_hex": line.text.hex(),
    }


def _as_text(octets: bytes) -> str | None:
    """Return console text, or None where it is not UTF-8."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return None


def read_data(at: Cursor) -> Data:
    """Read data of a stream.

    Raises:
        ValueError: It does not have the form of `write_data`.
    """
    kind, value = at.alternative(_READERS)
    return _READERS[kind](value)


def _read_stats(at: Cursor) -> Data:
    parts = at.record("rusage", "ifdata", "vmm", "kinfo_mem")
    return StatsData(
        Stats(
            rusage=_read_rusage(parts["rusage"]),
            interfaces=parts["ifdata"].items(_read_interface),
            vmm=parts["vmm"].optional(lambda vmm: vmm.items(_read_counter)),
            kinfo=parts["kinfo_mem"].optional(_read_kinfo),
        )
    )


def _read_rusage(at: Cursor) -> Rusage:
    parts = dict(at.record(*fields_dict(Rusage)))
    utime = _read_timeval(parts.pop("utime"))
    stime = _read_timeval(parts.pop("stime"))
    return Rusage(utime=utime, stime=stime, **_numbers(parts))


def _read_interface(at: Cursor) -> InterfaceStats:
    parts = dict(at.record(*fields_dict(InterfaceStats)))
    bridge = parts.pop("bridge").text()
    return InterfaceStats(bridge=bridge, **_numbers(parts))


def _read_kinfo(at: Cursor) -> KinfoMem:
    parts = dict(at.record(*fields_dict(KinfoMem)))
    start = _read_timeval(parts.pop("start"))
    return KinfoMem(start=start, **_numbers(parts))


def _numbers(parts: Mapping[str, Cursor]) -> dict[str, int]:
    return {
        name: part.integer() if name in _INTEGERS else part.counter()
        for name, part in parts.items()
    }


def _read_counter(at: Cursor) -> tuple[str, int]:
    parts = at.record("key", "value")
    return parts["key"].text(), parts["value"].counter()


def _read_timeval(at: Cursor) -> Timeval:
    parts = at.record("seconds", "microseconds")
    return Timeval(parts["seconds"].counter(), parts["microseconds"].integer())


def _read_line(at: Cursor) -> Data:
    parts = at.record("timestamp", "data", "data_hex")
    octets = parts["data_hex"].octets()
    if parts["data"].value != _as_text(octets):
        parts["data"].fail("the text of data_hex, or null where that is not UTF-8,")
    return ConsoleLine(read_time(parts["timestamp"]), octets)


def _read_chunk(at: Cursor) -> Data:
    return BlockChunk(at.record("data_hex")["data_hex"].optional(Cursor.octets))


_READERS: Final[Mapping[str, Callable[[Cursor], Data]]] = {
    "stats": _read_stats,
    "console": _read_line,
    "block": _read_chunk,
}
