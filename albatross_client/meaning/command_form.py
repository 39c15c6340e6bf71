"""Commands as JSON, in both directions."""

from collections.abc import Callable, Mapping
from typing import Final, assert_never

from albatross_client.commands import (
    BareCommand,
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
    Unknown,
)
from albatross_client.meaning.config_form import (
    read_arguments,
    read_config,
    write_arguments,
    write_config,
)
from albatross_client.meaning.cursor import Cursor, Json
from albatross_client.meaning.forms import (
    read_policy,
    read_time,
    read_true,
    write_policy,
    write_time,
)
from albatross_client.meaning.unknown_form import read_unknown, write_unknown
from albatross_client.values import Timestamp

# Commands that say nothing more: their group and their name in it.
_BARE: Final[Mapping[type[BareCommand], tuple[str, str]]] = {
    ConsoleListInactive: ("console", "list_inactive"),
    StatsRemove: ("stats", "remove"),
    StatsSubscribe: ("stats", "subscribe"),
    StatsInitial: ("stats", "initial"),
    UnikernelInfo: ("unikernel", "info"),
    OldUnikernelInfo5: ("unikernel", "old_info5"),
    OldUnikernelInfo4: ("unikernel", "old_info4"),
    UnikernelDestroy: ("unikernel", "destroy"),
    PolicyInfo: ("policy", "info"),
    PolicyRemove: ("policy", "remove"),
    BlockInfoAsked: ("block", "info"),
    BlockRemove: ("block", "remove"),
}

_Unikernel = UnikernelGet | UnikernelCreate | UnikernelForceCreate | UnikernelRestart
_Block = BlockAdd | BlockSet | BlockDump | OldBlockAdd | OldBlockSet | OldBlockDump


def write_command(command: Command) -> Json:
    """Return *command* as ``{GROUP: {NAME: ...}}``."""
    if isinstance(command, BareCommand):
        group, name = _BARE[type(command)]
        return {group: {name: True}}
    if isinstance(command, _Unikernel):
        return {"unikernel": _write_unikernel(command)}
    if isinstance(command, _Block):
        return {"block": _write_block(command)}
    match command:
        case ConsoleAdd() | ConsoleSubscribe():
            return {"console": _write_console(command)}
        case StatsAdd():
            return {"stats": {"add": _write_stats_add(command)}}
        case PolicyAdd(policy):
            return {"policy": {"add": write_policy(policy)}}
        case Unknown():
            return write_unknown(command)
        case _:
            assert_never(command)


def _write_console(command: ConsoleAdd | ConsoleSubscribe) -> Json:
    match command:
        case ConsoleAdd(size):
            return {"add": size}
        case ConsoleSubscribe(start):
            if isinstance(start, Timestamp):
                return {"subscribe": {"since": write_time(start)}}
            return {"subscribe": {"count": start}}
        case _:
            assert_never(command)


def _write_stats_add(command: StatsAdd) -> Json:
    taps = [{"bridge": bridge, "tap": tap} for bridge, tap in command.taps]
    return {"vmmdev": command.vmmdev, "pid": command.pid, "network": taps}


def _write_unikernel(command: _Unikernel) -> Json:
    match command:
        case UnikernelGet(compression):
            return {"get": compression}
        case UnikernelRestart(arguments):
            if arguments is None:
                return {"restart": None}
            return {"restart": write_arguments(arguments)}
        case UnikernelCreate(config):
            return {"create": write_config(config)}
        case UnikernelForceCreate(config):
            return {"force_create": write_config(config)}
        case _:
            assert_never(command)


def _write_block(command: _Block) -> Json:
    match command:
        case BlockAdd(size):
            return {"add": size}
        case BlockSet(compressed):
            return {"set": compressed}
        case BlockDump(compression):
            return {"dump": compression}
        case OldBlockDump(compression):
            return {"old_dump": compression}
        case OldBlockAdd():
            return {"old_add": _write_old_block_add(command)}
        case OldBlockSet(compressed, content):
            return {"old_set": {"compressed": compressed, "data_hex": content.hex()}}
        case _:
            assert_never(command)


def _write_old_block_add(command: OldBlockAdd) -> Json:
    return {
        "size": command.size,
        "compressed": command.compressed,
        "data_hex": None if command.content is None else command.content.hex(),
    }


def read_command(at: Cursor) -> Command:
    """Read a command.

    Raises:
        ValueError: It does not have the form of `write_command`.
    """
    group, inner = at.alternative((*_READERS, "unknown"))
    if group == "unknown":
        return read_unknown(inner, "command")
    name, value = inner.alternative(_READERS[group])
    return _READERS[group][name](value)


def _bare(command: BareCommand) -> Callable[[Cursor], Command]:
    def read(at: Cursor) -> Command:
        read_true(at)
        return command

    return read


def _read_subscribe(at: Cursor) -> Command:
    name, value = at.alternative(("since", "count"))
    return ConsoleSubscribe(read_time(value) if name == "since" else value.integer())


def _read_stats_add(at: Cursor) -> Command:
    parts = at.record("vmmdev", "pid", "network")
    taps = parts["network"].items(_read_tap)
    return StatsAdd(parts["vmmdev"].text(), parts["pid"].integer(), taps)


def _read_tap(at: Cursor) -> tuple[str, str]:
    parts = at.record("bridge", "tap")
    return parts["bridge"].text(), parts["tap"].text()


def _read_old_block_add(at: Cursor) -> Command:
    parts = at.record("size", "compressed", "data_hex")
    return OldBlockAdd(
        parts["size"].integer(),
        parts["compressed"].boolean(),
        parts["data_hex"].optional(Cursor.octets),
    )


def _read_old_block_set(at: Cursor) -> Command:
    parts = at.record("compressed", "data_hex")
    return OldBlockSet(parts["compressed"].boolean(), parts["data_hex"].octets())


_SAYING: Final[Mapping[tuple[str, str], Callable[[Cursor], Command]]] = {
    ("console", "add"): lambda at: ConsoleAdd(at.integer()),
    ("console", "subscribe"): _read_subscribe,
    ("stats", "add"): _read_stats_add,
    ("unikernel", "get"): lambda at: UnikernelGet(at.integer()),
    ("unikernel", "restart"): lambda at: UnikernelRestart(at.optional(read_arguments)),
    ("unikernel", "create"): lambda at: UnikernelCreate(read_config(at)),
    ("unikernel", "force_create"): lambda at: UnikernelForceCreate(read_config(at)),
    ("policy", "add"): lambda at: PolicyAdd(read_policy(at)),
    ("block", "add"): lambda at: BlockAdd(at.integer()),
    ("block", "set"): lambda at: BlockSet(at.boolean()),
    ("block", "dump"): lambda at: BlockDump(at.integer()),
    ("block", "old_dump"): lambda at: OldBlockDump(at.integer()),
    ("block", "old_add"): _read_old_block_add,
    ("block", "old_set"): _read_old_block_set,
}


def _by_group() -> Mapping[str, Mapping[str, Callable[[Cursor], Command]]]:
    groups: dict[str, dict[str, Callable[[Cursor], Command]]] = {}
    bare = {place: _bare(command()) for command, place in _BARE.items()}
    for (group, name), read in {**_SAYING, **bare}.items():
        groups.setdefault(group, {})[name] = read
    return groups


_READERS: Final = _by_group()
