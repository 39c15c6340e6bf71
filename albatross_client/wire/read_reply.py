"""Success replies and data of streams, from parsed elements to values."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, TypeVar

from attrs import evolve

from albatross_client.grammar import (
    INTERFACE_COUNTERS,
    INTERFACE_SETTINGS,
    KINFO_COUNTERS,
    NAMED_INFO,
    RUSAGE_COUNTERS,
    Node,
    is_absent,
    parse,
)
from albatross_client.names import Name
from albatross_client.replies import (
    Block,
    BlockChunk,
    BlockImage,
    Blocks,
    ConsoleLine,
    Consoles,
    Data,
    Done,
    Infos,
    OldBlockImage,
    OldInfos4,
    OldInfos5,
    Policies,
    Said,
    StatsData,
    Success,
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
from albatross_client.wire.instants import read_time
from albatross_client.wire.reading import (
    argv,
    boolean,
    cpus,
    elements,
    fail_behaviour,
    integer,
    integer64,
    listed,
    name,
    numcpus,
    octets,
    one_cpu,
    optionally,
    policy,
    text,
    typ,
)

T = TypeVar("T")


def read_success(node: Node) -> Success:
    """Return what *node*, a Success, holds."""
    return _SUCCESSES[node.name](node.chosen)


def read_data(node: Node) -> Data:
    """Return what *node*, a Data, holds."""
    match node.name:
        case "stats":
            return StatsData(_stats(node.chosen))
        case "console":
            line = node.chosen
            return ConsoleLine(
                read_time(line["timestamp"].contents), octets(line["text"])
            )
        case _:
            chunk = node.chosen
            return BlockChunk(octets(chunk.chosen) if chunk.name == "some" else None)


def _named(
    node: Node, field: str, read: Callable[[Node], T]
) -> tuple[tuple[Name, T], ...]:
    return listed(node, lambda pair: (name(pair["name"]), read(pair[field])))


def _infos(node: Node) -> Infos:
    content, at, infos = node.contents, 0, []
    for *_, stop in elements(node):
        is_long = stop - at > _LONGEST_REMEMBERED
        read = _named_info if is_long else _named_info_once
        infos.append(read(content[at:stop]))
        at = stop
    return Infos(tuple(infos))


def _named_info(octets: bytes) -> tuple[Name, Info]:
    pair = parse(NAMED_INFO, octets)
    return name(pair["name"]), _info(pair["info"])


# A host is asked again and again, and most of what it tells is what it told the
# last time.  An entry is half a kilobyte, and what it holds is held anyway; a
# long one is not kept, for a hostile host would fill the memory with them.
_LONGEST_REMEMBERED: Final = 4096
_named_info_once = lru_cache(maxsize=4096)(_named_info)


def _info_4(node: Node) -> Info:
    return _with_devices(Info(cpuids=one_cpu(node)), node)


def _info_5(node: Node) -> Info:
    return evolve(_info_4(node), startup=optionally(node["startup"], integer))


def _info(node: Node) -> Info:
    today = Info(
        cpuids=cpus(node),
        startup=optionally(node["startup"], integer),
        numcpus=numcpus(node),
        linux_boot_partition=optionally(node["linux_boot_partition"], text),
    )
    return _with_devices(today, node)


def _with_devices(info: Info, node: Node) -> Info:
    return evolve(
        info,
        typ=typ(node["typ"]),
        fail_behaviour=fail_behaviour(node["fail_behaviour"]),
        memory=integer(node["memory"]),
        digest=octets(node["digest"]),
        blocks=listed(node["blocks"], _block_info),
        interfaces=listed(node["bridges"], _interface_info),
        argv=argv(node),
        started=optionally(node["started"], lambda time: read_time(time.contents)),
    )


def _block_info(node: Node) -> BlockInfo:
    return BlockInfo(
        text(node["name"]),
        text(node["device"]),
        integer(node["sector_size"]),
        integer(node["size"]),
    )


def _interface_info(node: Node) -> InterfaceInfo:
    return InterfaceInfo(text(node["name"]), text(node["bridge"]), octets(node["mac"]))


def _block(node: Node) -> Block:
    return Block(name(node["name"]), integer(node["size"]), boolean(node["active"]))


def _image(node: Node) -> tuple[bool, bytes]:
    return boolean(node["compressed"]), octets(node["image"])


def _stats(node: Node) -> Stats:
    return Stats(
        rusage=_rusage(node["rusage"]),
        interfaces=listed(node["ifdata"], _interface_stats),
        vmm=None if is_absent(node["vmm"]) else listed(node["vmm"], _counter),
        kinfo=optionally(node["kinfo"], _kinfo),
    )


def _counter(node: Node) -> tuple[str, int]:
    return text(node["key"]), integer64(node["value"])


def _timeval(node: Node) -> Timeval:
    return Timeval(integer64(node["seconds"]), integer(node["microseconds"]))


def _rusage(node: Node) -> Rusage:
    return Rusage(
        utime=_timeval(node["utime"]),
        stime=_timeval(node["stime"]),
        **{counter: integer64(node[counter]) for counter in RUSAGE_COUNTERS},
    )


def _interface_stats(node: Node) -> InterfaceStats:
    return InterfaceStats(
        bridge=text(node["bridge"]),
        **{setting: integer(node[setting]) for setting in INTERFACE_SETTINGS},
        **{counter: integer64(node[counter]) for counter in INTERFACE_COUNTERS},
    )


def _kinfo(node: Node) -> KinfoMem:
    return KinfoMem(
        cow=integer(node["cow"]),
        start=_timeval(node["start"]),
        **{counter: integer64(node[counter]) for counter in KINFO_COUNTERS},
    )


_SUCCESSES: Final[Mapping[str, Callable[[Node], Success]]] = {
    "empty": lambda _null: Done(),
    "string": lambda node: Said(text(node)),
    "policies": lambda node: Policies(_named(node, "policy", policy)),
    "blocks": lambda node: Blocks(listed(node, _block)),
    "image": lambda node: UnikernelImage(*_image(node)),
    "old_block_image": lambda node: OldBlockImage(*_image(node)),
    "old_infos4": lambda node: OldInfos4(_named(node, "info", _info_4)),
    "block_image": lambda node: BlockImage(boolean(node)),
    "old_infos5": lambda node: OldInfos5(_named(node, "info", _info_5)),
    "consoles": lambda node: Consoles(listed(node, name)),
    "infos": _infos,
}
