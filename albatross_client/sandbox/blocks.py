"""Commands about block devices, as hosts answer them."""

import zlib
from typing import assert_never

from attrs import evolve

from albatross_client.commands import (
    BlockAdd,
    BlockDump,
    BlockInfoAsked,
    BlockRemove,
    BlockSet,
    OldBlockAdd,
    OldBlockDump,
    OldBlockSet,
)
from albatross_client.names import Name
from albatross_client.replies import (
    Block,
    BlockImage,
    Blocks,
    OldBlockImage,
)
from albatross_client.sandbox.limits import check_block, is_active
from albatross_client.sandbox.state import (
    BlockCommand,
    Device,
    Host,
    Refusal,
    Step,
    below,
    refused,
    relative,
    said,
)

MB = 1024 * 1024
_BEST_COMPRESSION = 9


def handle_block(
    host: Host, name: Name, command: BlockCommand, upload: bytes | None
) -> Step:
    """Answer *command* about the device, or the domain, *name*."""
    # See vmm_vmmd.ml:handle_block_cmd.
    match command:
        case BlockInfoAsked():
            return host, (), _info(host, name)
        case BlockAdd() | OldBlockAdd():
            return _add(host, name, command)
        case BlockRemove():
            return _remove(host, name)
        case BlockSet() | OldBlockSet():
            streamed = command.content if isinstance(command, OldBlockSet) else upload
            return _set(host, name, _plain(streamed or b"", command))
        case BlockDump() | OldBlockDump():
            return _dump(host, name, command)
        case _:
            assert_never(command)


def deflated(octets: bytes, level: int) -> bytes:
    """Return *octets* as a zlib stream; a *level* beyond zlib's is its best."""
    return zlib.compress(octets, level if 0 < level <= _BEST_COMPRESSION else 9)


def inflate(octets: bytes) -> bytes | Refusal:
    """Return what the zlib stream *octets* holds."""
    try:
        return zlib.decompress(octets)
    except zlib.error:
        return Refusal("error during decompression")


def dumped(device: Device, command: BlockDump | OldBlockDump) -> bytes:
    """Return the whole content of *device*, compressed as *command* asks."""
    content = device.content.ljust(device.size * MB, b"\0")
    return deflated(content, command.compression) if command.compression else content


def _info(host: Host, name: Name) -> Blocks:
    if name.label is not None:
        device = host.devices.get(name)
        found = [] if device is None else [(name, name)]
    else:
        found = [(each, relative(each, name)) for each in below(host.devices, name)]
    return Blocks(
        tuple(
            Block(shown, host.devices[each].size, is_active(host, each))
            for each, shown in found
        )
    )


def _add(host: Host, name: Name, command: BlockAdd | OldBlockAdd) -> Step:
    size, content = _wanted(command)
    if name in host.devices:
        return refused(host, "block device with same name already exists")
    problem = check_block(host, name, size)
    if problem is not None:
        return refused(host, problem)
    if isinstance(content, Refusal):
        return refused(host, content.text)
    if len(content) > size * MB:
        return refused(host, "data exceeds block size")
    added = {**host.devices, name: Device(size, content)}
    return said(evolve(host, devices=added), "added block device")


def _remove(host: Host, name: Name) -> Step:
    problem = _unusable(host, name, "remove")
    if problem is not None:
        return refused(host, problem)
    others = {key: value for key, value in host.devices.items() if key != name}
    return said(evolve(host, devices=others), "removed block")


def _set(host: Host, name: Name, content: bytes | Refusal) -> Step:
    problem = _unusable(host, name, "set")
    if problem is not None:
        return refused(host, problem)
    if isinstance(content, Refusal):
        return refused(host, content.text)
    device = host.devices[name]
    if len(content) > device.size * MB:
        return refused(host, "data exceeds block size")
    changed = {**host.devices, name: evolve(device, content=content)}
    return said(evolve(host, devices=changed), "set block device")


def _dump(host: Host, name: Name, command: BlockDump | OldBlockDump) -> Step:
    problem = _unusable(host, name, "dump")
    if problem is not None:
        return refused(host, problem)
    compressed = command.compression != 0
    if isinstance(command, BlockDump):
        return host, (), BlockImage(compressed)
    return host, (), OldBlockImage(compressed, dumped(host.devices[name], command))


def _unusable(host: Host, name: Name, verb: str) -> str | None:
    if name not in host.devices:
        return f"{verb} block: not found"
    return f"{verb} block: is in use" if is_active(host, name) else None


def _wanted(command: BlockAdd | OldBlockAdd) -> tuple[int, bytes | Refusal]:
    if isinstance(command, BlockAdd):
        return command.size, b""
    return command.size, _plain(command.content or b"", command)


def _plain(
    octets: bytes, command: BlockSet | OldBlockSet | OldBlockAdd
) -> bytes | Refusal:
    return inflate(octets) if command.compressed else octets
