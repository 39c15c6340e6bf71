"""Where a member listens, if not at an address that it was given.

A name that is resolved once the member has booted, or an executable that
prints the address.  Laws: one look takes no longer than it may; what is no
address is never taken for one.
"""

import json
import re
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol, assert_never

import trio
from attrs import field, frozen

from albatross_client.names import Name
from albatross_client.texts import clean
from autoscaler.core.group import GroupId
from autoscaler.shell.program import run_program

LOOK_S = 10.0
MOST_PRINTED = 4096
PLACEHOLDERS = ("name", "index")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class AddressError(Exception):
    """It can't be told where a member listens, in one sentence."""


class Resolve(Protocol):
    """Tells the addresses of a name."""

    async def __call__(self, name: str) -> tuple[str, ...]:
        """Return them; raises OSError where there are none."""


async def resolve(name: str) -> tuple[str, ...]:
    """Return the addresses of *name*, in the resolver's order.

    Raises:
        OSError: It has none, or nobody can be asked.
    """
    found = await trio.socket.getaddrinfo(name, None, type=trio.socket.SOCK_STREAM)
    return tuple(str(address[0]) for *_, address in found)


@frozen
class ByName:
    """Addresses come from names.

    Attributes:
        template: A member's name, with ``{name}`` for its label and ``{index}``
            for its number.
        resolve: Asks for its addresses.

    Raises:
        ValueError: The template has other placeholders, or none.
    """

    template: str
    resolve: Resolve = field(default=resolve, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        found = _PLACEHOLDER.findall(self.template)
        if not found or not set(found) <= set(PLACEHOLDERS):
            allowed = " or ".join(f"{{{word}}}" for word in PLACEHOLDERS)
            msg = f"{self.template!r} must have {allowed} in it, and no other braces"
            raise ValueError(msg)


@frozen
class ByHook:
    """An executable prints addresses; it is told the member as JSON.

    Attributes:
        path: Absolute.
        patience_s: How long it may take, seconds.
    """

    path: Path
    patience_s: float = LOOK_S


AddressSource = ByName | ByHook


@frozen
class Whom:
    """Whose address is looked for.

    Attributes:
        group: Its group.
        name: The member.
        leased: The address that its group's pool gave it, if one did.
    """

    group: GroupId
    name: Name
    leased: str | None = None


async def find_address(source: AddressSource, whom: Whom) -> str:
    """Return where *whom* listens; it may have only just begun to boot.

    Raises:
        AddressError: It can't be told now.
    """
    match source:
        case ByName():
            return await _in_time(lambda: _by_name(source, whom), LOOK_S)
        case ByHook():
            return await _in_time(lambda: _by_hook(source, whom), source.patience_s)
        case _:
            assert_never(source)


async def _in_time(look: Callable[[], Awaitable[str]], patience_s: float) -> str:
    try:
        with trio.fail_after(patience_s):
            return await look()
    except trio.TooSlowError as error:
        msg = f"its address was not told within {patience_s:g} s"
        raise AddressError(msg) from error


async def _by_name(source: ByName, whom: Whom) -> str:
    values = {"name": whom.name.label or "", "index": str(_number(whom))}
    name = _PLACEHOLDER.sub(lambda found: values[found[1]], source.template)
    try:
        addresses = await source.resolve(name)
    except (OSError, UnicodeError) as error:
        # UnicodeError: a label that is too long for a name.
        reason = clean(getattr(error, "strerror", None) or str(error), 200)
        msg = f"the name {name} has no address: {reason}"
        raise AddressError(msg) from error
    if not addresses:
        msg = f"the name {name} has no address"
        raise AddressError(msg)
    return _address(addresses[0], f"the name {name}")


async def _by_hook(source: ByHook, whom: Whom) -> str:
    run = await run_program(source.path, _told(whom), MOST_PRINTED)
    if isinstance(run, OSError):
        msg = f"{source.path} can't be run: {run.strerror}"
        raise AddressError(msg) from run
    if run.code:
        said = clean(run.complaint.text.decode("utf-8", "replace").strip(), 300)
        msg = (
            f"{source.path} failed with exit code {run.code}: "
            f"{said or 'without a word'}"
        )
        raise AddressError(msg)
    printed = run.output.text.decode("utf-8", "replace").strip()
    return _address(printed, f"what {source.path} prints")


def _told(whom: Whom) -> bytes:
    told = {
        "host": whom.group.host,
        "group": str(whom.group.name),
        "name": str(whom.name),
        "label": whom.name.label,
        "index": _number(whom),
        "leased": whom.leased,
    }
    return json.dumps(told).encode("ascii") + b"\n"


def _number(whom: Whom) -> int:
    return whom.group.number_of(whom.name) or 0


def _address(text: str, source: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError as error:
        msg = f"{source} is no address: {clean(text, 60)!r}"
        raise AddressError(msg) from error
