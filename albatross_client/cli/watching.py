"""Follow statistics and consoles until interrupted, or for a while."""

import argparse
import itertools
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import trio

from albatross_client.certificates import wall_clock
from albatross_client.cli import show
from albatross_client.cli.budget import in_time
from albatross_client.cli.output import (
    print_complaint,
    print_json,
    print_text,
)
from albatross_client.client import Client
from albatross_client.values import Timestamp

if TYPE_CHECKING:
    from albatross_client.heard import Heard
    from albatross_client.names import Name
    from albatross_client.streams import Subscription

T = TypeVar("T")

# How often it is looked at what is skipped while nothing else comes.
LOOK_S = 5.0


async def stats(client: Client, arguments: argparse.Namespace) -> None:
    """Print readings as they come."""
    path = arguments.name or client.endpoint.authority.domain
    await _tell_if_absent(client, arguments)
    stream = await in_time(client, arguments, partial(client.stats, path))
    before: dict[Name, Heard] = {}
    async with stream:
        if not arguments.json:
            print_text(show.STATS_HEADER)
        told: set[str] = set()
        for _ in _times(arguments.count):
            heard = await _next(stream, told)
            now = Timestamp.of(wall_clock())
            if arguments.json:
                print_json(show.heard_json(heard, now))
            else:
                print_text(show.heard_text(heard, before.get(heard.name), now))
            before[heard.name] = heard


async def console(client: Client, arguments: argparse.Namespace) -> None:
    """Print lines of a console as they come."""
    await _tell_if_absent(client, arguments)
    follow = partial(client.console, arguments.name, arguments.lines)
    async with await in_time(client, arguments, follow) as stream:
        told: set[str] = set()
        for _ in _times(arguments.count):
            line = await _next(stream, told)
            if arguments.json:
                print_json(show.console_json(line))
            else:
                print_text(show.console_text(line))


async def _next(stream: "Subscription[T]", told: set[str]) -> T:
    """Return what comes next; say once what kinds of messages are skipped."""
    while True:
        items = []
        try:
            with trio.move_on_after(LOOK_S):
                items.append(await stream.receive())
        finally:
            for kind in sorted(stream.skipped.keys() - told):
                told.add(kind)
                print_complaint(f"skips messages that can't be read here: {kind}")
        if items:
            return items[0]


async def _tell_if_absent(client: Client, arguments: argparse.Namespace) -> None:
    """Say that what is to be followed doesn't run: hosts just wait for it."""
    name = arguments.name
    if name is None or name.label is None:
        return
    if name not in await in_time(client, arguments, partial(client.info, name)):
        where = client.endpoint.address
        print_complaint(f"{name} does not run at {where}: this waits until it does")


def _times(count: int | None) -> Iterable[int]:
    return itertools.count() if count is None else range(count)
