"""Printing: as JSON where ``--json`` says so, else for people."""

import argparse
import io
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from albatross_client.cli.ending import is_closed, unprintable
from albatross_client.cli.show import Json, table
from albatross_client.texts import as_unicode, clean

STDOUT = Path("-")
_LONGEST_LINE = 2000
_PIECE_BYTES = 1024 * 1024


def print_json(value: Json) -> None:
    """Print *value* on one line, ASCII alone, at once."""
    print_text(json.dumps(as_unicode(value)))


def print_text(text: str) -> None:
    """Print *text*, at once.

    Raises:
        ValueError: Standard output can't be written.
    """
    with _written():
        print(text, flush=True)


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print aligned columns."""
    print_text(table(header, rows))


def print_done(arguments: argparse.Namespace, done: str) -> None:
    """Say that the named thing is *done*."""
    if arguments.json:
        print_json({"name": str(arguments.name), "done": done})
    else:
        print_text(f"{done} {arguments.name}")


def print_complaint(text: str) -> None:
    """Print each line of *text* to standard error, escaped."""
    for line in text.splitlines():
        print(f"albatrossctl: {clean(line, _LONGEST_LINE)}", file=sys.stderr)


def write_content(arguments: argparse.Namespace, content: bytes) -> None:
    """Write *content* where ``--output`` says, and say what it is.

    Raises:
        ValueError: The file can't be written.
    """
    if arguments.output == STDOUT:
        _write_to_stdout(content)
        return
    try:
        arguments.output.write_bytes(content)
    except OSError as error:
        msg = f"{arguments.output} can't be written: {error.strerror}"
        raise ValueError(msg) from error
    digest = sha256(content).hexdigest()
    if arguments.json:
        said = {
            "name": str(arguments.name),
            "file": str(arguments.output),
            "bytes": len(content),
            "sha256": digest,
        }
        print_json(said)
    else:
        print_text(f"{arguments.output}: {len(content)} bytes, SHA-256 {digest}")


def _write_to_stdout(content: bytes) -> None:
    if is_closed():
        msg = "standard output is closed"
        raise ValueError(msg)
    with _written():
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


@contextmanager
def _written() -> Iterator[None]:
    """Tell of a full disk as of all else that can't be done."""
    try:
        yield
    except BrokenPipeError:
        # Whoever reads has read enough: that is no failure.
        raise
    except OSError as error:
        raise ValueError(unprintable(error)) from error


def read_content(path: Path, level: int = 0) -> bytes:
    """Return what is in the file at *path*; above *level* 0 as a zlib stream.

    Raises:
        ValueError: It can't be read.
    """
    try:
        return _deflated(path, level) if level else path.read_bytes()
    except OSError as error:
        msg = f"{path} can't be read: {error.strerror}"
        raise ValueError(msg) from error


def _deflated(path: Path, level: int) -> bytes:
    # Piece by piece: an image may have 100 MB, and one copy of it is enough.
    deflater = zlib.compressobj(level)
    stream = io.BytesIO()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            stream.write(deflater.compress(piece))
    stream.write(deflater.flush())
    return stream.getvalue()
