"""Commands, from parsed elements to values."""

from collections.abc import Callable, Mapping
from typing import Final

from attrs import asdict, evolve

from albatross_client.commands import (
    BlockAdd,
    BlockDump,
    BlockInfoAsked,
    BlockRemove,
    BlockSet,
    Command,
    ConsoleAdd,
    ConsoleListInactive,
    ConsoleSubscribe,
    OldBlockAdd,
    OldBlockDump,
    OldBlockSet,
    OldUnikernelInfo4,
    OldUnikernelInfo5,
    PolicyAdd,
    PolicyInfo,
    PolicyRemove,
    StatsAdd,
    StatsInitial,
    StatsRemove,
    StatsSubscribe,
    UnikernelCreate,
    UnikernelDestroy,
    UnikernelForceCreate,
    UnikernelGet,
    UnikernelInfo,
    UnikernelRestart,
)
from albatross_client.grammar import Node
from albatross_client.values import Arguments, BlockDevice, Config, Interface
from albatross_client.wire.instants import read_time
from albatross_client.wire.reading import (
    argv,
    boolean,
    cpus,
    fail_behaviour,
    integer,
    listed,
    numcpus,
    octets,
    one_cpu,
    optionally,
    policy,
    text,
    typ,
)


def read_command(node: Node) -> Command:
    """Return the command that *node*, a Command, holds."""
    return _COMMANDS[node.name, node.chosen.name](node.chosen.chosen)


def _subscribe(node: Node) -> Command:
    if node.name == "count":
        return ConsoleSubscribe(integer(node.chosen))
    return ConsoleSubscribe(read_time(node.chosen.contents))


def _stats_add(node: Node) -> Command:
    return StatsAdd(
        text(node["vmmdev"]),
        integer(node["pid"]),
        listed(node["network"], lambda tap: (text(tap["bridge"]), text(tap["tap"]))),
    )


def _restart(node: Node) -> Command:
    if node.name == "same":
        return UnikernelRestart(None)
    return UnikernelRestart(_ARGUMENTS[node.name](node.chosen))


def _arguments_v0(node: Node) -> Arguments:
    return _with_devices(Arguments(cpuids=one_cpu(node)), node)


def _arguments_v1(node: Node) -> Arguments:
    return _with_naming(_arguments_v0(node), node)


def _arguments(node: Node) -> Arguments:
    today = _with_devices(Arguments(cpuids=cpus(node)), node)
    return _with_bhyve(_with_naming(today, node), node)


def _config_v3(node: Node) -> Config:
    return _with_image(_arguments_v0(node), node)


def _config_v4(node: Node) -> Config:
    return _with_image(_arguments_v1(node), node)


def _config(node: Node) -> Config:
    return _with_image(_arguments(node), node)


def _with_devices(arguments: Arguments, node: Node) -> Arguments:
    return evolve(
        arguments,
        fail_behaviour=fail_behaviour(node["fail_behaviour"]),
        memory=integer(node["memory"]),
        blocks=listed(node["blocks"], _block_device),
        interfaces=listed(node["bridges"], _interface),
        argv=argv(node),
    )


def _with_naming(arguments: Arguments, node: Node) -> Arguments:
    return evolve(
        arguments,
        startup=optionally(node["startup"], integer),
        add_name=boolean(node["add_name"]),
    )


def _with_bhyve(arguments: Arguments, node: Node) -> Arguments:
    return evolve(
        arguments,
        numcpus=numcpus(node),
        linux_boot_partition=optionally(node["linux_boot_partition"], text),
    )


def _with_image(arguments: Arguments, node: Node) -> Config:
    return Config(
        typ=typ(node["typ"]),
        compressed=boolean(node["compressed"]),
        image=octets(node["image"]),
        **asdict(arguments, recurse=False),
    )


def _block_device(node: Node) -> BlockDevice:
    return BlockDevice(
        text(node["name"]),
        optionally(node["device"], text),
        optionally(node["sector_size"], integer),
    )


def _interface(node: Node) -> Interface:
    return Interface(
        text(node["name"]),
        optionally(node["bridge"], text),
        optionally(node["mac"], octets),
    )


def _old_block_add(node: Node) -> Command:
    return OldBlockAdd(
        integer(node["size"]),
        boolean(node["compressed"]),
        optionally(node["content"], octets),
    )


def _old_block_set(node: Node) -> Command:
    return OldBlockSet(boolean(node["compressed"]), octets(node["image"]))


def _always(command: Command) -> Callable[[Node], Command]:
    return lambda _null: command


_ARGUMENTS: Final[Mapping[str, Callable[[Node], Arguments]]] = {
    "arguments_v0": _arguments_v0,
    "arguments_v1": _arguments_v1,
    "arguments": _arguments,
}

_COMMANDS: Final[Mapping[tuple[str, str], Callable[[Node], Command]]] = {
    ("console", "add"): lambda node: ConsoleAdd(integer(node)),
    ("console", "subscribe"): _subscribe,
    ("console", "list_inactive"): _always(ConsoleListInactive()),
    ("stats", "add"): _stats_add,
    ("stats", "remove"): _always(StatsRemove()),
    ("stats", "subscribe"): _always(StatsSubscribe()),
    ("stats", "initial"): _always(StatsInitial()),
    ("unikernel", "destroy"): _always(UnikernelDestroy()),
    ("unikernel", "info"): _always(UnikernelInfo()),
    ("unikernel", "old_info5"): _always(OldUnikernelInfo5()),
    ("unikernel", "old_info4"): _always(OldUnikernelInfo4()),
    ("unikernel", "get"): lambda node: UnikernelGet(integer(node)),
    ("unikernel", "restart"): _restart,
    ("unikernel", "create"): lambda node: UnikernelCreate(_config(node)),
    ("unikernel", "create_v4"): lambda node: UnikernelCreate(_config_v4(node)),
    ("unikernel", "create_v3"): lambda node: UnikernelCreate(_config_v3(node)),
    ("unikernel", "force_create"): lambda node: UnikernelForceCreate(_config(node)),
    ("unikernel", "force_create_v4"): (
        lambda node: UnikernelForceCreate(_config_v4(node))
    ),
    ("unikernel", "force_create_v3"): (
        lambda node: UnikernelForceCreate(_config_v3(node))
    ),
    ("policy", "info"): _always(PolicyInfo()),
    ("policy", "add"): lambda node: PolicyAdd(policy(node)),
    ("policy", "remove"): _always(PolicyRemove()),
    ("block", "info"): _always(BlockInfoAsked()),
    ("block", "add"): lambda node: BlockAdd(integer(node)),
    ("block", "remove"): _always(BlockRemove()),
    ("block", "old_add"): _old_block_add,
    ("block", "old_set"): _old_block_set,
    ("block", "old_dump"): lambda node: OldBlockDump(integer(node)),
    ("block", "dump"): lambda node: BlockDump(integer(node)),
    ("block", "set"): lambda node: BlockSet(boolean(node)),
}
