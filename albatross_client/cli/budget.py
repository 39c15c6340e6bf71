"""How long a conversation may take: the client itself keeps no time."""

import argparse
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from albatross_client.client import Client
from albatross_client.errors import HostUnreachableError

T = TypeVar("T")

_CHANGING = frozenset(
    {"create", "restart", "destroy", "block_add", "block_remove", "block_set"}
)


async def in_time(
    client: Client, arguments: argparse.Namespace, act: Callable[[], Awaitable[T]]
) -> T:
    """Return what *act* does within ``--timeout``.

    Raises:
        HostUnreachableError: It took longer.
    """
    try:
        with trio.fail_after(arguments.timeout):
            return await act()
    except trio.TooSlowError as error:
        msg = (
            f"{client.endpoint.address} has not answered within "
            f"{arguments.timeout:g} s (--timeout)"
        )
        if arguments.action in _CHANGING:
            msg += "; it may have taken effect all the same"
        raise HostUnreachableError(msg, sent=True) from error
