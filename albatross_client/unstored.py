"""Octets under a path that never reach a disk, for a library that wants paths.

OpenSSL reads certificate chains and keys from paths alone.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def unstored(octets: bytes) -> Iterator[str]:
    """Yield a path from which *octets* can be read once, then forget them."""
    if _has_memory_files():
        way = in_memory_file
    elif _has_descriptor_paths():
        way = in_pipe
    else:
        way = in_private_file
    with way(octets) as path:
        yield path


@contextmanager
def in_memory_file(octets: bytes) -> Iterator[str]:
    """Yield the path of an anonymous file in memory (Linux)."""
    descriptor = os.memfd_create("albatross", os.MFD_CLOEXEC)
    try:
        _write_all(descriptor, octets)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


@contextmanager
def in_pipe(octets: bytes) -> Iterator[str]:
    """Yield the path of a pipe that holds *octets*.

    Raises:
        BlockingIOError: They are more than the pipe takes, 16 KiB or more; a
            chain of nine certificates has about half of that.
    """
    reading, writing = os.pipe()
    try:
        try:
            os.set_blocking(writing, False)
            _write_all(writing, octets)
        finally:
            os.close(writing)
        yield f"/dev/fd/{reading}"
    finally:
        os.close(reading)


@contextmanager
def in_private_file(octets: bytes) -> Iterator[str]:
    """Yield the path of a 0600 file in a 0700 directory; both go at once.

    The last resort: the file is on a disk for as long as it is read.
    """
    with tempfile.TemporaryDirectory(prefix="albatross-") as directory:
        path = Path(directory) / "file"
        path.touch(mode=0o600)
        path.write_bytes(octets)
        yield str(path)


def _write_all(descriptor: int, octets: bytes) -> None:
    view = memoryview(octets)
    while view:
        view = view[os.write(descriptor, view) :]


def _has_memory_files() -> bool:
    return hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir()


def _has_descriptor_paths() -> bool:
    return Path("/dev/fd").is_dir()
