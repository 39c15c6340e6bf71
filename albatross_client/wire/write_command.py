"""Commands, from values to DER."""

from collections.abc import Mapping
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
from albatross_client.values import (
    Arguments,
    BlockDevice,
    Config,
    Interface,
    Timestamp,
)
from albatross_client.wire.unknown import write_unknown
from albatross_client.wire.writing import (
    NULL,
    boolean,
    cpus,
    devices,
    explicit,
    fail_behaviour,
    integer,
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

_Unikernel = UnikernelGet | UnikernelCreate | UnikernelForceCreate | UnikernelRestart
_Block = BlockAdd | BlockSet | BlockDump | OldBlockAdd | OldBlockSet | OldBlockDump

# vmm_asn.ml:wire_command and its parts - the commands that say nothing more:
# the tag of their group and their own.
_BARE: Final[Mapping[type[BareCommand], tuple[int, int]]] = {
    ConsoleListInactive: (0, 3),
    StatsRemove: (1, 1),
    StatsSubscribe: (1, 2),
    StatsInitial: (1, 3),
    UnikernelDestroy: (3, 3),
    OldUnikernelInfo4: (3, 15),
    OldUnikernelInfo5: (3, 18),
    UnikernelInfo: (3, 19),
    PolicyInfo: (4, 0),
    PolicyRemove: (4, 2),
    BlockInfoAsked: (5, 0),
    BlockRemove: (5, 2),
}


def write_command(command: Command) -> bytes:
    """Return *command* as the element of a Command.

    Raises:
        ValueError: A part of it has no form on the wire.
    """
    if isinstance(command, BareCommand):
        group, number = _BARE[type(command)]
        return explicit(group, explicit(number, NULL))
    if isinstance(command, _Unikernel):
        return explicit(3, _unikernel(command))
    if isinstance(command, _Block):
        return explicit(5, _block(command))
    match command:
        case ConsoleAdd() | ConsoleSubscribe():
            return explicit(0, _console(command))
        case StatsAdd():
            return explicit(1, explicit(0, _stats_add(command)))
        case PolicyAdd(added):
            return explicit(4, explicit(1, policy(added)))
        case Unknown():
            return write_unknown(command, "command")
        case _:
            assert_never(command)


def _console(command: ConsoleAdd | ConsoleSubscribe) -> bytes:
    match command:
        case ConsoleAdd(size):
            return explicit(0, integer(size))
        case ConsoleSubscribe(start):
            return explicit(2, _start(start))
        case _:
            assert_never(command)


def _start(start: Timestamp | int) -> bytes:
    if isinstance(start, Timestamp):
        return explicit(0, time(start))
    return explicit(1, integer(start))


def _stats_add(command: StatsAdd) -> bytes:
    taps = sequence_of(command.taps, lambda tap: sequence(text(tap[0]), text(tap[1])))
    return sequence(text(command.vmmdev), integer(command.pid), taps)


def _unikernel(command: _Unikernel) -> bytes:
    # Older forms of these are read, never written.
    match command:
        case UnikernelGet(compression):
            return explicit(11, integer(compression))
        case UnikernelRestart(arguments):
            return explicit(14, _restart(arguments))
        case UnikernelCreate(config):
            return explicit(20, _config(config))
        case UnikernelForceCreate(config):
            return explicit(21, _config(config))
        case _:
            assert_never(command)


def _config(config: Config) -> bytes:
    return sequence(
        typ(config.typ),
        boolean(config.compressed),
        octets(config.image),
        optionally(config.startup, integer),
        boolean(config.add_name),
        fail_behaviour(config.fail_behaviour),
        _placement(config),
    )


def _restart(arguments: Arguments | None) -> bytes:
    if arguments is None:
        return explicit(0, NULL)
    form = sequence(
        fail_behaviour(arguments.fail_behaviour),
        optionally(arguments.startup, integer),
        boolean(arguments.add_name),
        _placement(arguments),
    )
    return explicit(3, form)


def _placement(arguments: Arguments) -> bytes:
    """Return the end of both forms: CPUs, memory and devices."""
    return b"".join(
        (
            cpus(arguments.cpuids),
            integer(arguments.memory),
            devices(0, arguments.blocks, _block_device),
            devices(1, arguments.interfaces, _interface),
            tagged(2, arguments.argv, strings),
            explicit(3, integer(arguments.numcpus)),
            tagged(4, arguments.linux_boot_partition, text),
        )
    )


def _block_device(block: BlockDevice) -> bytes:
    return sequence(
        text(block.name),
        optionally(block.device, text),
        optionally(block.sector_size, integer),
    )


def _interface(interface: Interface) -> bytes:
    return sequence(
        text(interface.name),
        optionally(interface.bridge, text),
        optionally(interface.mac, octets),
    )


def _block(command: _Block) -> bytes:
    match command:
        case BlockAdd(size):
            return explicit(1, integer(size))
        case OldBlockAdd(size, compressed, content):
            inner = (integer(size), boolean(compressed), optionally(content, octets))
            return explicit(3, sequence(*inner))
        case OldBlockSet(compressed, content):
            return explicit(4, sequence(boolean(compressed), octets(content)))
        case OldBlockDump(compression):
            return explicit(5, integer(compression))
        case BlockDump(compression):
            return explicit(6, integer(compression))
        case BlockSet(compressed):
            return explicit(7, boolean(compressed))
        case _:
            assert_never(command)
