"""What the remote commands do: ask the client, show what it says.

Laws: one action per command, in `_ACTIONS`; each conversation has a budget,
set here since the client keeps no time.
"""

import argparse
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import trio

from albatross_client.cli import changing, check, show, watching
from albatross_client.cli.budget import in_time
from albatross_client.cli.host_options import endpoint_of
from albatross_client.cli.output import (
    print_complaint,
    print_done,
    print_json,
    print_table,
    write_content,
)
from albatross_client.client import Client
from albatross_client.errors import AlbatrossError
from albatross_client.names import Name
from albatross_client.secrecy import keep_memory_private
from albatross_client.texts import escaped

Action = Callable[[Client, argparse.Namespace], Awaitable[None]]


def run(arguments: argparse.Namespace) -> int:
    """Perform the action that *arguments* name; return the exit code."""
    keep_memory_private()
    try:
        client = Client(endpoint_of(arguments))
        trio.run(_perform, client, arguments)
    except AlbatrossError as error:
        # One line, whatever the host has said: only we write lines.
        print_complaint(escaped(str(error)))
        return 1
    except ValueError as error:
        print_complaint(str(error))
        return 1
    return 0


async def _perform(client: Client, arguments: argparse.Namespace) -> None:
    if arguments.action in _FOLLOWING:
        # These end when they are told to; their beginning has the budget.
        await _FOLLOWING[arguments.action](client, arguments)
        return
    action = _ACTIONS[arguments.action]
    await in_time(client, arguments, partial(action, client, arguments))


async def _info(client: Client, arguments: argparse.Namespace) -> None:
    found = await client.info(_asked(client, arguments))
    rows = sorted(found.items(), key=lambda item: str(item[0]))
    if arguments.json:
        print_json({"unikernels": [show.info_json(*row) for row in rows]})
    else:
        print_table(show.INFO_HEADER, [show.info_row(*row) for row in rows])


async def _policy(client: Client, arguments: argparse.Namespace) -> None:
    found = await client.policies(_asked(client, arguments).domain)
    rows = sorted(found.items(), key=lambda item: str(item[0]))
    if arguments.json:
        print_json({"policies": [show.policy_json(*row) for row in rows]})
    else:
        print_table(show.POLICY_HEADER, [show.policy_row(*row) for row in rows])


async def _block_list(client: Client, arguments: argparse.Namespace) -> None:
    found = await client.blocks(_asked(client, arguments))
    rows = sorted(found, key=lambda block: str(block.name))
    if arguments.json:
        print_json({"blocks": [show.block_json(row) for row in rows]})
    else:
        print_table(show.BLOCK_HEADER, [show.block_row(row) for row in rows])


async def _image(client: Client, arguments: argparse.Namespace) -> None:
    write_content(arguments, await client.image(arguments.name))


async def _block_dump(client: Client, arguments: argparse.Namespace) -> None:
    write_content(arguments, await client.block_dump(arguments.name))


async def _destroy(client: Client, arguments: argparse.Namespace) -> None:
    await client.destroy(arguments.name)
    print_done(arguments, "destroyed")


async def _block_add(client: Client, arguments: argparse.Namespace) -> None:
    await client.block_add(arguments.name, arguments.size)
    print_done(arguments, "added")


async def _block_remove(client: Client, arguments: argparse.Namespace) -> None:
    await client.block_remove(arguments.name)
    print_done(arguments, "removed")


def _asked(client: Client, arguments: argparse.Namespace) -> Name:
    """Return the name given, or all that the key may see."""
    name: Name | None = arguments.name
    return client.endpoint.authority.domain if name is None else name


_ACTIONS: Mapping[str, Action] = {
    "info": _info,
    "policy": _policy,
    "image": _image,
    "check": check.check,
    "create": changing.create,
    "restart": changing.restart,
    "destroy": _destroy,
    "block_list": _block_list,
    "block_add": _block_add,
    "block_remove": _block_remove,
    "block_set": changing.block_set,
    "block_dump": _block_dump,
}
_FOLLOWING: Mapping[str, Action] = {
    "stats": watching.stats,
    "console": watching.console,
}
