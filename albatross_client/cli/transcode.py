"""What decode and encode do: messages between octets and JSON.

Laws: standard input is read whole; what is not valid is one line on standard
error and exit code 1, whatever the bytes.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from albatross_client.cli.codec import WIRE
from albatross_client.cli.output import print_complaint, print_text
from albatross_client.errors import RemoteProtocolError
from albatross_client.framing import LENGTH_BYTES, FrameReader
from albatross_client.meaning import (
    Json,
    command_from_meaning,
    command_to_meaning,
    from_meaning,
    to_meaning,
)
from albatross_client.wire import decode, decode_command, encode, encode_command

# Images are the longest bodies, 20 MB or so; this only stops a length that
# was never one.
MAX_FRAME_BYTES: Final = 256 * 1024 * 1024
_SEGMENT_BYTES: Final = 64 * 1024


def run_decode(arguments: argparse.Namespace) -> int:
    """Print a message, or the frames of a file, as JSON; give the exit code."""
    try:
        if arguments.frames is not None:
            return _decode_frames(arguments.frames, arguments.kind)
        print_text(json.dumps(_decode(_read_hex(), arguments.kind)))
    except (RemoteProtocolError, ValueError) as error:
        return _complain(str(error))
    return 0


def run_encode(arguments: argparse.Namespace) -> int:
    """Print the message that standard input describes; return the exit code."""
    try:
        print_text(_encode(_read_json(), arguments.kind).hex())
    except ValueError as error:
        return _complain(str(error))
    return 0


def _decode(octets: bytes, kind: str) -> Json:
    if kind == WIRE:
        return to_meaning(decode(octets))
    return command_to_meaning(decode_command(octets))


def _encode(meaning: object, kind: str) -> bytes:
    if kind == WIRE:
        return encode(from_meaning(meaning))
    return encode_command(command_from_meaning(meaning))


def _complain(text: str) -> int:
    """Say *text* on exactly one line."""
    print_complaint(" ".join(text.split()))
    return 1


def _read_stdin() -> bytes:
    try:
        content = sys.stdin.buffer.read()
    except OSError as error:
        msg = f"standard input can't be read: {error.strerror}"
        raise ValueError(msg) from error
    if not content:
        msg = "standard input is empty, or closed"
        raise ValueError(msg)
    return content


def _read_hex() -> bytes:
    digits = _read_stdin()
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError as error:
        msg = "standard input is not an even number of hexadecimal digits"
        raise ValueError(msg) from error


def _read_json() -> object:
    text = _read_stdin()
    try:
        return json.loads(text.decode(), object_pairs_hook=_unique)
    except RecursionError as error:
        msg = "standard input is JSON that nests too deep"
        raise ValueError(msg) from error
    except ValueError as error:
        msg = f"standard input is not JSON: {error}"
        raise ValueError(msg) from error


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        msg = "a name occurs twice in one object"
        raise ValueError(msg)
    return made


def _decode_frames(path: Path, kind: str) -> int:
    """Print every good frame; complain of every bad one, with its place."""
    if kind != WIRE:
        msg = "frames hold whole messages: --frames goes with --kind wire"
        raise ValueError(msg)
    bad = 0
    number = offset = 0
    frames = FrameReader(MAX_FRAME_BYTES)
    try:
        for body in _bodies(path, frames):
            bad += _decode_frame(body, f"frame {number} at offset {offset}")
            number += 1
            offset += LENGTH_BYTES + len(body)
    except RemoteProtocolError as error:
        return _complain(f"frame {number} at offset {offset}: {error}")
    if not frames.is_at_boundary:
        return _complain(f"frame {number} at offset {offset}: the file ends within it")
    return 1 if bad else 0


def _decode_frame(body: bytes, place: str) -> int:
    """Print one frame; return 1 where it is bad."""
    try:
        meaning = to_meaning(decode(body))
    except RemoteProtocolError as error:
        return _complain(f"{place}: {error}")
    print_text(json.dumps(meaning))
    return 0


def _bodies(path: Path, frames: FrameReader) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while segment := file.read(_SEGMENT_BYTES):
                yield from frames.feed(segment)
    except OSError as error:
        msg = f"{path} can't be read: {error.strerror}"
        raise ValueError(msg) from error
