"""Configurations of unikernels as JSON, in both directions."""

from collections.abc import Mapping
from typing import Final

from attrs import asdict

from albatross_client.meaning.cursor import Cursor, Json
from albatross_client.meaning.forms import (
    read_argv,
    read_fail_behaviour,
    read_integers,
    read_mac,
    read_typ,
    write_argv,
    write_fail_behaviour,
    write_mac,
)
from albatross_client.values import Arguments, BlockDevice, Config, Interface

_ARGUMENTS: Final = (
    *("fail_behaviour", "startup", "add_name", "cpuids", "memory", "blocks"),
    *("bridges", "argv", "numcpus", "linux_boot_partition"),
)
_IMAGE: Final = ("typ", "compressed", "image_hex")


def write_config(config: Config) -> Json:
    """Return what a unikernel is created from."""
    return {
        "typ": config.typ.value,
        "compressed": config.compressed,
        "image_hex": config.image.hex(),
        **_write_arguments(config),
    }


def write_arguments(arguments: Arguments) -> Json:
    """Return how a unikernel is restarted."""
    return _write_arguments(arguments)


def _write_arguments(arguments: Arguments) -> dict[str, Json]:
    return {
        "fail_behaviour": write_fail_behaviour(arguments.fail_behaviour),
        "startup": arguments.startup,
        "add_name": arguments.add_name,
        "cpuids": sorted(arguments.cpuids),
        "memory": arguments.memory,
        "blocks": [asdict(block) for block in arguments.blocks],
        "bridges": [_write_interface(one) for one in arguments.interfaces],
        "argv": write_argv(arguments.argv),
        "numcpus": arguments.numcpus,
        "linux_boot_partition": arguments.linux_boot_partition,
    }


def _write_interface(interface: Interface) -> Json:
    mac = None if interface.mac is None else write_mac(interface.mac)
    return {"name": interface.name, "bridge": interface.bridge, "mac": mac}


def read_config(at: Cursor) -> Config:
    """Read what a unikernel is created from."""
    parts = at.record(*_IMAGE, *_ARGUMENTS)
    return Config(
        typ=read_typ(parts["typ"]),
        compressed=parts["compressed"].boolean(),
        image=parts["image_hex"].octets(),
        **asdict(_read_arguments(parts), recurse=False),
    )


def read_arguments(at: Cursor) -> Arguments:
    """Read how a unikernel is restarted."""
    return _read_arguments(at.record(*_ARGUMENTS))


def _read_arguments(parts: Mapping[str, Cursor]) -> Arguments:
    return Arguments(
        fail_behaviour=read_fail_behaviour(parts["fail_behaviour"]),
        startup=parts["startup"].optional(Cursor.integer),
        add_name=parts["add_name"].boolean(),
        cpuids=read_integers(parts["cpuids"]),
        memory=parts["memory"].integer(),
        blocks=parts["blocks"].items(_read_block),
        interfaces=parts["bridges"].items(_read_interface),
        argv=read_argv(parts["argv"]),
        numcpus=parts["numcpus"].integer(),
        linux_boot_partition=parts["linux_boot_partition"].optional(Cursor.text),
    )


def _read_block(at: Cursor) -> BlockDevice:
    parts = at.record("name", "device", "sector_size")
    return BlockDevice(
        parts["name"].text(),
        parts["device"].optional(Cursor.text),
        parts["sector_size"].optional(Cursor.integer),
    )


def _read_interface(at: Cursor) -> Interface:
    parts = at.record("name", "bridge", "mac")
    return Interface(
        parts["name"].text(),
        parts["bridge"].optional(Cursor.text),
        parts["mac"].optional(read_mac),
    )
