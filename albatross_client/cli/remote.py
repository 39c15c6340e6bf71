"""The commands that talk to a host: their options alone.

What they do is in `albatross_client.cli.actions`, imported when one runs.
"""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from albatross_client.cli.examples import EXAMPLES
from albatross_client.cli.help import Formatter, examples

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001
    from albatross_client.names import Name

T = TypeVar("T")
_ONE = "PATH:LABEL, such as user:web"
_ANY = "PATH:LABEL, or PATH: for all of a domain; without it all"
DEFAULT_TIMEOUT = 30.0
TRANSFER_TIMEOUT = 600.0
_MOST = (1 << 62) - 1  # what an INTEGER holds on the wire


def add_commands(subparsers: "Subparsers") -> None:
    """Register ``info policy stats console create destroy ...``."""
    _add_reading(subparsers)
    _add_watching(subparsers)
    _add_changing(subparsers)
    _add_block(subparsers)


def _add_reading(subparsers: "Subparsers") -> None:
    info = _command(subparsers, "info", "what runs: one unikernel or a domain's")
    info.add_argument("name", type=_name, nargs="?", metavar="NAME", help=_ANY)
    policy = _command(subparsers, "policy", "what domains may use")
    policy.add_argument("name", type=_name, nargs="?", metavar="NAME", help=_ANY)
    image = _command(subparsers, "image", "fetch a unikernel's image", TRANSFER_TIMEOUT)
    image.add_argument("name", type=_name, metavar="NAME", help=_ONE)
    _add_output(image)
    _command(
        subparsers,
        "check",
        "try the connection; show what the certificates may do and until when",
    )


def _add_watching(subparsers: "Subparsers") -> None:
    stats = _command(subparsers, "stats", "follow CPU and traffic as readings come")
    stats.add_argument("name", type=_name, nargs="?", metavar="NAME", help=_ANY)
    stats.add_argument(
        "--count", type=_count, help="end after this many readings (default: never)"
    )
    console = _command(subparsers, "console", "follow a unikernel's console")
    console.add_argument("name", type=_name, metavar="NAME", help=_ONE)
    console.add_argument(
        "--lines", type=_count, default=20, help="lines of history (default: 20)"
    )
    console.add_argument(
        "--count", type=_count, help="end after this many lines (default: never)"
    )


def _add_changing(subparsers: "Subparsers") -> None:
    create = _command(
        subparsers, "create", "create a unikernel from an image file", TRANSFER_TIMEOUT
    )
    create.add_argument("name", type=_name, metavar="NAME", help=_ONE)
    create.add_argument("image", type=Path, metavar="IMAGE", help="the image's file")
    create.add_argument(
        "--compress", type=_level, default=0, metavar="LEVEL", help="zlib level, 0 to 9"
    )
    _add_arguments(create)
    restart = _command(
        subparsers,
        "restart",
        "restart a unikernel: as it is, or with --replace as the options say",
    )
    restart.add_argument("name", type=_name, metavar="NAME", help=_ONE)
    restart.add_argument(
        "--replace", action="store_true", help="run with these options from now on"
    )
    _add_arguments(restart)
    destroy = _command(subparsers, "destroy", "destroy a unikernel")
    destroy.add_argument("name", type=_name, metavar="NAME", help=_ONE)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    how = parser.add_argument_group("how it runs")
    how.add_argument(
        "--memory",
        type=_count,
        default=32,
        metavar="MB",
        help="how much it gets; default: 32",
    )
    how.add_argument(
        "--cpuid",
        type=_count,
        action="append",
        metavar="N",
        help="a core that it may run on; may be repeated",
    )
    how.add_argument(
        "--net",
        action="append",
        default=[],
        metavar="NAME[:BRIDGE[:MAC]]",
        help="an interface; may be repeated",
    )
    how.add_argument(
        "--block",
        action="append",
        default=[],
        metavar="NAME[:DEVICE[@SECTOR]]",
        help="a block device; may be repeated",
    )
    how.add_argument(
        "--arg",
        action="append",
        metavar="ARGUMENT",
        help="passed on, e.g. --arg=--port=80; may be repeated",
    )
    how.add_argument(
        "--restart-on-exit",
        metavar="CODES",
        help="start again on these exit codes: 1,2 or any",
    )
    how.add_argument(
        "--startup",
        type=_count,
        metavar="PRIORITY",
        help="when it is started with its host",
    )
    how.add_argument("--no-add-name", action="store_true", help="don't pass --name=")


def _add_block(subparsers: "Subparsers") -> None:
    block = subparsers.add_parser(
        "block", help="block devices", description="Work with block devices."
    )
    commands = block.add_subparsers(metavar="COMMAND", required=True)
    listing = _command(commands, "list", "block devices of a domain", run="block_list")
    listing.add_argument("name", type=_name, nargs="?", metavar="NAME", help=_ANY)
    add = _command(commands, "add", "make a block device", run="block_add")
    add.add_argument("name", type=_name, metavar="NAME", help=_ONE)
    add.add_argument("size", type=_count, metavar="MB", help="how large")
    remove = _command(commands, "remove", "remove a block device", run="block_remove")
    remove.add_argument("name", type=_name, metavar="NAME", help=_ONE)
    fill = _command(
        commands, "set", "replace the content", TRANSFER_TIMEOUT, run="block_set"
    )
    fill.add_argument("name", type=_name, metavar="NAME", help=_ONE)
    fill.add_argument("content", type=Path, metavar="FILE", help="the content")
    dump = _command(
        commands, "dump", "fetch the content", TRANSFER_TIMEOUT, run="block_dump"
    )
    dump.add_argument("name", type=_name, metavar="NAME", help=_ONE)
    _add_output(dump)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output", "-o", type=Path, required=True, help="file to write (- for stdout)"
    )
    parser.add_argument(
        "--limit",
        type=_count,
        metavar="MIB",
        help="the most that is taken (default: 256); it is held in memory",
    )


def _command(
    subparsers: "Subparsers",
    name: str,
    summary: str,
    timeout: float = DEFAULT_TIMEOUT,
    run: str | None = None,
) -> argparse.ArgumentParser:
    action = run or name
    parser = subparsers.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=examples(*EXAMPLES[action]),
        formatter_class=Formatter,
    )
    parser.set_defaults(run=_run, action=action)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=timeout,
        metavar="SECONDS",
        help=f"give up on the host after this long (default: {timeout:g})",
    )
    _add_host(parser)
    return parser


def _add_host(parser: argparse.ArgumentParser) -> None:
    host = parser.add_argument_group(
        "the host", "from a configuration file, or by options"
    )
    host.add_argument("--config", type=Path, metavar="FILE", help="TOML with [[hosts]]")
    host.add_argument("--host", metavar="NAME", help="which one of several")
    host.add_argument("--address", metavar="HOST:PORT", help="where it listens")
    host.add_argument(
        "--server-ca", type=Path, metavar="PEM", help="the CA of its own certificate"
    )
    host.add_argument(
        "--ca", type=Path, metavar="PEM", help="your CA: the root's, or a domain's"
    )
    host.add_argument("--ca-key", type=Path, metavar="PEM", help="the key of --ca")
    host.add_argument(
        "--ca-key-passphrase-file",
        type=Path,
        metavar="FILE",
        help="what opens that key, in a file",
    )


def _run(arguments: argparse.Namespace) -> int:
    from albatross_client.cli import actions  # noqa: PLC0415 - 0.3 s

    return actions.run(arguments)


def _name(text: str) -> "Name":
    from albatross_client.names import Name  # noqa: PLC0415 - when there is one

    return _or_usage(lambda: Name.parse(text))


def _count(text: str) -> int:
    # int() takes what nobody means, such as 1_000, and complains of a literal.
    if not (text.isascii() and text.isdecimal()):
        msg = f"{text!r} is no whole number of 0 or more"
        raise argparse.ArgumentTypeError(msg)
    # Python reads no number of thousands of digits.
    if len(text) > len(str(_MOST)) or int(text) > _MOST:
        msg = f"{text} is more than {_MOST}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _level(text: str) -> int:
    levels = 9
    number = _count(text)
    if number > levels:
        msg = f"{text} is more than {levels}"
        raise argparse.ArgumentTypeError(msg)
    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        msg = f"{text!r} is no number of seconds above 0"
        raise argparse.ArgumentTypeError(msg)
    return seconds


def _or_usage(read: Callable[[], T]) -> T:
    try:
        return read()
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
