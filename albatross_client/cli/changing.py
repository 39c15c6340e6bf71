"""Create, restart and fill: configurations and contents from options."""

import argparse
import re

from attrs import asdict

from albatross_client.cli.output import print_done, read_content
from albatross_client.client import Client
from albatross_client.values import (
    Arguments,
    BlockDevice,
    Config,
    FailBehaviour,
    Interface,
    Quit,
    RestartOnExit,
)

_NET = re.compile(
    r"(?P<name>[^:]+)(?::(?P<bridge>[^:]+)"
    r"(?::(?P<mac>[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}))?)?"
)
_BLOCK = re.compile(
    r"(?P<name>[^:@]+)(?::(?P<device>[^@]+))?(?:@(?P<sector>[0-9]{1,18}))?"
)
_CODES = re.compile(r"\d{1,3}(?:,\d{1,3})*", re.ASCII)


async def create(client: Client, arguments: argparse.Namespace) -> None:
    """Create a unikernel from an image file."""
    how = asdict(_arguments(arguments), recurse=False)
    config = Config(**how, compressed=arguments.compress > 0)
    content = read_content(arguments.image, arguments.compress)
    await client.create(arguments.name, config, content)
    print_done(arguments, "created")


async def restart(client: Client, arguments: argparse.Namespace) -> None:
    """Restart a unikernel, with other arguments after ``--replace``.

    Raises:
        ValueError: Other arguments, without ``--replace``.
    """
    how = _arguments(arguments)
    if not arguments.replace and how != Arguments():
        msg = (
            "options of how it runs need --replace: without it nothing of that changes"
        )
        raise ValueError(msg)
    await client.restart(arguments.name, how if arguments.replace else None)
    print_done(arguments, "restarted")


async def block_set(client: Client, arguments: argparse.Namespace) -> None:
    """Replace the content of a block device by a file's."""
    await client.block_set(arguments.name, read_content(arguments.content))
    print_done(arguments, "set")


def read_fail_behaviour(text: str | None) -> FailBehaviour:
    """Return what happens at an exit: *text* is None, ``any`` or codes.

    Raises:
        ValueError: It is none of these.
    """
    if text is None:
        return Quit()
    if text == "any":
        return RestartOnExit()
    if _CODES.fullmatch(text) is None:
        msg = f"--restart-on-exit {text!r}: allowed are exit codes such as 1,2, or any"
        raise ValueError(msg)
    return RestartOnExit(frozenset(int(code) for code in text.split(",")))


def read_interface(text: str) -> Interface:
    """Return the interface ``NAME[:BRIDGE[:MAC]]``.

    Raises:
        ValueError: *text* is no such thing.
    """
    found = _NET.fullmatch(text)
    if found is None:
        msg = f"--net {text!r}: allowed is NAME, NAME:BRIDGE or NAME:BRIDGE:MAC"
        raise ValueError(msg)
    mac = found["mac"]
    octets = None if mac is None else bytes.fromhex(mac.replace(":", ""))
    return Interface(found["name"], found["bridge"], octets)


def read_block(text: str) -> BlockDevice:
    """Return the block device ``NAME[:DEVICE[@SECTOR]]``.

    Raises:
        ValueError: *text* is no such thing.
    """
    found = _BLOCK.fullmatch(text)
    if found is None:
        msg = f"--block {text!r}: allowed is NAME, NAME:DEVICE or NAME:DEVICE@SECTOR"
        raise ValueError(msg)
    sector = found["sector"]
    return BlockDevice(
        found["name"], found["device"], None if sector is None else int(sector)
    )


def _arguments(arguments: argparse.Namespace) -> Arguments:
    return Arguments(
        fail_behaviour=read_fail_behaviour(arguments.restart_on_exit),
        startup=arguments.startup,
        add_name=not arguments.no_add_name,
        cpuids=frozenset(arguments.cpuid or {0}),
        memory=arguments.memory,
        blocks=tuple(read_block(text) for text in arguments.block),
        interfaces=tuple(read_interface(text) for text in arguments.net),
        argv=None if arguments.arg is None else tuple(arguments.arg),
    )
