"""What hosts say of running unikernels as JSON, in both directions."""

from typing import Final

from attrs import asdict

from albatross_client.meaning.cursor import Cursor, Json
from albatross_client.meaning.forms import (
    read_argv,
    read_fail_behaviour,
    read_integers,
    read_mac,
    read_time,
    read_typ,
    write_argv,
    write_fail_behaviour,
    write_mac,
    write_time,
)
from albatross_client.values import BlockInfo, Info, InterfaceInfo

_INFO: Final = (
    *("typ", "fail_behaviour", "startup", "cpuids", "memory", "blocks", "bridges"),
    *("argv", "digest_hex", "started", "numcpus", "linux_boot_partition"),
)


def write_info(info: Info) -> Json:
    """Return what a host says of a unikernel."""
    return {
        "typ": info.typ.value,
        "fail_behaviour": write_fail_behaviour(info.fail_behaviour),
        "startup": info.startup,
        "cpuids": sorted(info.cpuids),
        "memory": info.memory,
        "blocks": [asdict(block) for block in info.blocks],
        "bridges": [_write_interface(one) for one in info.interfaces],
        "argv": write_argv(info.argv),
        "digest_hex": info.digest.hex(),
        "started": None if info.started is None else write_time(info.started),
        "numcpus": info.numcpus,
        "linux_boot_partition": info.linux_boot_partition,
    }


def _write_interface(interface: InterfaceInfo) -> Json:
    return {
        "name": interface.name,
        "bridge": interface.bridge,
        "mac": write_mac(interface.mac),
    }


def read_info(at: Cursor) -> Info:
    """Read what a host says of a unikernel."""
    parts = at.record(*_INFO)
    return Info(
        typ=read_typ(parts["typ"]),
        fail_behaviour=read_fail_behaviour(parts["fail_behaviour"]),
        startup=parts["startup"].optional(Cursor.integer),
        cpuids=read_integers(parts["cpuids"]),
        memory=parts["memory"].integer(),
        blocks=parts["blocks"].items(_read_block),
        interfaces=parts["bridges"].items(_read_interface),
        argv=read_argv(parts["argv"]),
        digest=parts["digest_hex"].octets(),
        started=parts["started"].optional(read_time),
        numcpus=parts["numcpus"].integer(),
        linux_boot_partition=parts["linux_boot_partition"].optional(Cursor.text),
    )


def _read_block(at: Cursor) -> BlockInfo:
    parts = at.record("name", "device", "sector_size", "size")
    return BlockInfo(
        parts["name"].text(),
        parts["device"].text(),
        parts["sector_size"].integer(),
        parts["size"].integer(),
    )


def _read_interface(at: Cursor) -> InterfaceInfo:
    parts = at.record("name", "bridge", "mac")
    return InterfaceInfo(
        parts["name"].text(), parts["bridge"].text(), read_mac(parts["mac"])
    )
