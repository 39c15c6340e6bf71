"""Success replies and data of streams, from values to DER."""

from collections.abc import Callable
from typing import Final, TypeVar, assert_never

from albatross_client import der
from albatross_client.grammar import (
    INTERFACE_COUNTERS,
    INTERFACE_SETTINGS,
    KINFO_COUNTERS,
    RUSAGE_COUNTERS,
)
from albatross_client.names import Name
from albatross_client.replies import (
    Block,
    BlockChunk,
    BlockImage,
    Blocks,
    ConsoleLine,
    Consoles,
    Done,
    Infos,
    OldBlockImage,
    OldInfos4,
    OldInfos5,
    Policies,
    Said,
    StatsData,
    UnikernelImage,
)
from albatross_client.values import (
    BlockInfo,
    Info,
    InterfaceInfo,
    InterfaceStats,
    KinfoMem,
    Rusage,
    Stats,
    Timeval,
)
from albatross_client.wire.writing import (
    NULL,
    boolean,
    cpus,
    devices,
    element,
    explicit,
    fail_behaviour,
    integer,
    integer64,
    name,
    octets,
    optionally,
    policy,
    sequence,
    sequence_of,
    strings,
    tagged,
    text,
    time,
    typ,
)

T = TypeVar("T")

_Lists = Policies | Blocks | Consoles | Infos | OldInfos4 | OldInfos5
_Plain = Done | Said | UnikernelImage | OldBlockImage | BlockImage


def write_success(success: _Lists | _Plain) -> bytes:
    """Return *success* as the element of a Success.

    Raises:
        ValueError: A part of it has no form on the wire.
    """
    if isinstance(success, _Lists):
        return _lists(success)
    match success:
        case Done():
            return explicit(0, NULL)
        case Said(said):
            return explicit(1, text(said))
        case UnikernelImage(compressed, image):
            return explicit(6, sequence(boolean(compressed), octets(image)))
        case OldBlockImage(compressed, content):
            return explicit(7, sequence(boolean(compressed), octets(content)))
        case BlockImage(compressed):
            return explicit(10, boolean(compressed))
        case _:
            assert_never(success)


def _lists(success: _Lists) -> bytes:
    match success:
        case Policies(policies):
            return explicit(2, sequence_of(policies, _named(policy)))
        case Blocks(blocks):
            return explicit(4, sequence_of(blocks, _block))
        case OldInfos4(infos):
            return explicit(9, sequence_of(infos, _named(_info_4)))
        case OldInfos5(infos):
            return explicit(11, sequence_of(infos, _named(_info_5)))
        case Consoles(names):
            return explicit(12, sequence_of(names, name))
        case Infos(infos):
            return explicit(13, sequence_of(infos, _named(_info)))
        case _:
            assert_never(success)


def _named(write: Callable[[T], bytes]) -> Callable[[tuple[Name, T]], bytes]:
    return lambda pair: sequence(name(pair[0]), write(pair[1]))


def _block(block: Block) -> bytes:
    return sequence(name(block.name), integer(block.size), boolean(block.active))


def _info(info: Info) -> bytes:
    return sequence(
        typ(info.typ),
        optionally(info.startup, integer),
        fail_behaviour(info.fail_behaviour),
        cpus(info.cpuids),
        integer(info.memory),
        _info_devices(info),
        explicit(4, integer(info.numcpus)),
        tagged(5, info.linux_boot_partition, text),
    )


def _info_5(info: Info) -> bytes:
    return sequence(
        typ(info.typ),
        optionally(info.startup, integer),
        fail_behaviour(info.fail_behaviour),
        integer(_only_cpu(info)),
        integer(info.memory),
        _info_devices(info),
    )


def _info_4(info: Info) -> bytes:
    if info.startup is not None:
        msg = "an info of version 4 has no startup priority"
        raise ValueError(msg)
    return _info_5(info)


def _only_cpu(info: Info) -> int:
    if (
        len(info.cpuids) != 1
        or info.numcpus != 1
        or info.linux_boot_partition is not None
    ):
        msg = (
            "an info of version 4 or 5 has one cpuid, one virtual CPU and no "
            "linux_boot_partition"
        )
        raise ValueError(msg)
    return min(info.cpuids)


def _info_devices(info: Info) -> bytes:
    return b"".join(
        (
            octets(info.digest),
            devices(0, info.blocks, _block_info),
            devices(1, info.interfaces, _interface_info),
            tagged(2, info.argv, strings),
            tagged(3, info.started, time),
        )
    )


def _block_info(block: BlockInfo) -> bytes:
    return sequence(
        text(block.name),
        text(block.device),
        integer(block.sector_size),
        integer(block.size),
    )


def _interface_info(interface: InterfaceInfo) -> bytes:
    return sequence(text(interface.name), text(interface.bridge), octets(interface.mac))


def write_data(data: StatsData | ConsoleLine | BlockChunk) -> bytes:
    """Return *data* as the element of a Data.

    Raises:
        ValueError: A part of it has no form on the wire.
    """
    match data:
        case StatsData(stats):
            return explicit(1, _stats(stats))
        case ConsoleLine(timestamp, line):
            return explicit(3, sequence(time(timestamp), element(der.UTF8, line)))
        case BlockChunk(content):
            return explicit(4, _block_chunk(content))
        case _:
            assert_never(data)


def _block_chunk(content: bytes | None) -> bytes:
    return explicit(1, NULL) if content is None else explicit(0, octets(content))


def _stats(stats: Stats) -> bytes:
    return sequence(
        _rusage(stats.rusage),
        sequence_of(stats.interfaces, _interface_stats),
        tagged(0, stats.vmm, lambda vmm: sequence_of(vmm, _counter)),
        optionally(stats.kinfo, _kinfo),
    )


def _counter(counter: tuple[str, int]) -> bytes:
    return sequence(text(counter[0]), integer64(counter[1]))


def _timeval(value: Timeval) -> bytes:
    return sequence(integer64(value.seconds), integer(value.microseconds))


def _rusage(rusage: Rusage) -> bytes:
    return sequence(
        _timeval(rusage.utime),
        _timeval(rusage.stime),
        *(integer64(getattr(rusage, counter)) for counter in RUSAGE_COUNTERS),
    )


def _interface_stats(stats: InterfaceStats) -> bytes:
    return sequence(
        text(stats.bridge),
        *(integer(getattr(stats, setting)) for setting in INTERFACE_SETTINGS),
        *(integer64(getattr(stats, counter)) for counter in INTERFACE_COUNTERS),
    )


# vmm_asn.ml:stats - [1] IMPLICIT: the tag stands in the place of SEQUENCE's.
_KINFO_TAG: Final = der.CONTEXT | 1


def _kinfo(kinfo: KinfoMem) -> bytes:
    counters = (integer64(getattr(kinfo, counter)) for counter in KINFO_COUNTERS)
    return element(
        _KINFO_TAG,
        b"".join((*counters, integer(kinfo.cow), _timeval(kinfo.start))),
    )
