"""albatrossctl decode and encode: their options alone.

What they do is in `albatross_client.cli.transcode`, imported when one runs.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from albatross_client.cli.help import Formatter, examples

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

WIRE: Final = "wire"
CERT_EXTENSION: Final = "cert-extension"


def add_commands(subparsers: "Subparsers") -> None:
    """Register ``decode`` and ``encode``."""
    decoder = subparsers.add_parser(
        "decode",
        help="show a message as JSON",
        description="Read hexadecimal digits from standard input, print JSON.",
        epilog=examples(
            ("albatrossctl decode < message.hex", ""),
            ("albatrossctl decode --frames capture.bin", "one line for each message"),
        ),
        formatter_class=Formatter,
    )
    _add_kind(decoder)
    decoder.add_argument(
        "--frames",
        metavar="FILE",
        type=Path,
        help="read length-prefixed messages from FILE instead, one line each",
    )
    decoder.set_defaults(run=_decode)
    encoder = subparsers.add_parser(
        "encode",
        help="make a message from JSON",
        description="Read JSON, as decode prints it, from standard input; "
        "print hexadecimal digits.",
        epilog=examples(("albatrossctl encode < message.json", "")),
        formatter_class=Formatter,
    )
    _add_kind(encoder)
    encoder.set_defaults(run=_encode)


def _add_kind(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--kind",
        choices=(WIRE, CERT_EXTENSION),
        default=WIRE,
        help="a whole message (the default), or the command in a certificate",
    )


def _decode(arguments: argparse.Namespace) -> int:
    from albatross_client.cli import transcode  # noqa: PLC0415 - --help is quick

    return transcode.run_decode(arguments)


def _encode(arguments: argparse.Namespace) -> int:
    from albatross_client.cli import transcode  # noqa: PLC0415 - --help is quick

    return transcode.run_encode(arguments)
