"""Payloads of messages as JSON, in both directions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar, assert_never

from albatross_client.commands import (
    Command,
    Unknown,
)
from albatross_client.meaning.command_form import read_command, write_command
from albatross_client.meaning.cursor import Cursor, Json
from albatross_client.meaning.data_form import read_data, write_data
from albatross_client.meaning.forms import (
    read_name,
    read_policy,
    read_true,
    write_name,
    write_policy,
)
from albatross_client.meaning.info_form import read_info, write_info
from albatross_client.meaning.unknown_form import read_unknown, write_unknown
from albatross_client.names import Name
from albatross_client.replies import (
    Block,
    BlockImage,
    Blocks,
    Consoles,
    Data,
    Done,
    Failure,
    Infos,
    OldBlockImage,
    OldInfos4,
    OldInfos5,
    Payload,
    Policies,
    Said,
    Success,
    UnikernelImage,
)

T = TypeVar("T")

_Lists = Policies | Blocks | Consoles | Infos | OldInfos4 | OldInfos5
_KINDS: Final = ("command", "success", "failure", "data", "unknown")


def write_payload(payload: Payload) -> Json:
    """Return *payload* as ``{KIND: ...}``."""
    if isinstance(payload, Unknown):
        return write_unknown(payload)
    if isinstance(payload, Failure):
        return {"failure": payload.text}
    if isinstance(payload, Data):
        return {"data": write_data(payload)}
    if isinstance(payload, Command):
        return {"command": write_command(payload)}
    if isinstance(payload, _Lists):
        return {"success": _write_lists(payload)}
    return {"success": _write_success(payload)}


def _write_success(
    success: Done | Said | UnikernelImage | OldBlockImage | BlockImage,
) -> Json:
    match success:
        case Done():
            return {"empty": True}
        case Said(text):
            return {"string": text}
        case UnikernelImage(compressed, image):
            return {"unikernel_image": _write_image(image, compressed=compressed)}
        case OldBlockImage(compressed, image):
            return {
                "old_block_device_image": _write_image(image, compressed=compressed)
            }
        case BlockImage(compressed):
            return {"block_device_image": {"compressed": compressed}}
        case _:
            assert_never(success)


def _write_image(image: bytes, *, compressed: bool) -> Json:
    return {"compressed": compressed, "image_hex": image.hex()}


def _write_lists(success: _Lists) -> Json:
    match success:
        case Policies(policies):
            return {"policies": _write_named(policies, "policy", write_policy)}
        case Blocks(blocks):
            return {"block_devices": [_write_block(block) for block in blocks]}
        case Consoles(names):
            return {"consoles": [write_name(name) for name in names]}
        case Infos(infos):
            return {"unikernel_info": _write_named(infos, "info", write_info)}
        case OldInfos5(infos):
            return {"old_unikernel_info5": _write_named(infos, "info", write_info)}
        case OldInfos4(infos):
            return {"old_unikernel_info4": _write_named(infos, "info", write_info)}
        case _:
            assert_never(success)


def _write_named(
    pairs: Sequence[tuple[Name, T]], key: str, write: Callable[[T], Json]
) -> Json:
    return [{"name": write_name(name), key: write(value)} for name, value in pairs]


def _write_block(block: Block) -> Json:
    return {
        "name": write_name(block.name),
        "size": block.size,
        "active": block.active,
    }


def read_payload(at: Cursor) -> Payload:
    """Read a payload.

    Raises:
        ValueError: It does not have the form of `write_payload`.
    """
    kind, value = at.alternative(_KINDS)
    match kind:
        case "command":
            return read_command(value)
        case "success":
            name, inner = value.alternative(_SUCCESSES)
            return _SUCCESSES[name](inner)
        case "failure":
            return Failure(value.text())
        case "data":
            return read_data(value)
        case _:
            return read_unknown(value, "command", "success", "data")


def _read_done(at: Cursor) -> Success:
    read_true(at)
    return Done()


def _read_image(at: Cursor) -> tuple[bool, bytes]:
    parts = at.record("compressed", "image_hex")
    return parts["compressed"].boolean(), parts["image_hex"].octets()


def _read_block_image(at: Cursor) -> Success:
    return BlockImage(at.record("compressed")["compressed"].boolean())


def _read_block(at: Cursor) -> Block:
    parts = at.record("name", "size", "active")
    return Block(
        read_name(parts["name"]), parts["size"].integer(), parts["active"].boolean()
    )


def _read_named(
    at: Cursor, key: str, read: Callable[[Cursor], T]
) -> tuple[tuple[Name, T], ...]:
    def read_pair(pair: Cursor) -> tuple[Name, T]:
        parts = pair.record("name", key)
        return read_name(parts["name"]), read(parts[key])

    return at.items(read_pair)


_SUCCESSES: Final[Mapping[str, Callable[[Cursor], Success]]] = {
    "empty": _read_done,
    "string": lambda at: Said(at.text()),
    "policies": lambda at: Policies(_read_named(at, "policy", read_policy)),
    "block_devices": lambda at: Blocks(at.items(_read_block)),
    "unikernel_image": lambda at: UnikernelImage(*_read_image(at)),
    "old_block_device_image": lambda at: OldBlockImage(*_read_image(at)),
    "block_device_image": _read_block_image,
    "consoles": lambda at: Consoles(at.items(read_name)),
    "unikernel_info": lambda at: Infos(_read_named(at, "info", read_info)),
    "old_unikernel_info5": lambda at: OldInfos5(_read_named(at, "info", read_info)),
    "old_unikernel_info4": lambda at: OldInfos4(_read_named(at, "info", read_info)),
}
