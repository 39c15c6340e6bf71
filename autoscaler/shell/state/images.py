"""Unikernel images that were fetched once, one file per digest.

Laws: an image is checked against its SHA-256 at every use; a file is whole or
isn't there; what the disk refuses is only fetched again, never a failure.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import trio
from attrs import define, field

from autoscaler.shell.log import Log

T = TypeVar("T")

# A few tens of images of the usual 2 to 20 MB; several of the largest.
MOST_BYTES = 1024 * 1024 * 1024
_UNFINISHED = ".unfinished"


@define
class ImageFiles:
    """Images in a directory, those that were used last.

    Attributes:
        directory: Made when the first image comes.
        log: Told about files that are damaged or can't be written.
        most_bytes: How much is kept, beside the newest.
    """

    directory: Path
    log: Log
    most_bytes: int = MOST_BYTES
    _turn: trio.Lock = field(factory=trio.Lock, init=False)

    async def get(self, digest: bytes) -> bytes | None:
        """Return the image with this *digest*, None where there is none.

        Arguments:
            digest: SHA-256 of the image.
        """
        path = self.directory / digest.hex()
        image, is_damaged = await self._do(lambda: _read(path, digest))
        if is_damaged:
            self.log.event("image_damaged", file=str(path))
        return image

    async def put(self, digest: bytes, image: bytes) -> None:
        """Keep *image*, whose SHA-256 is *digest*."""
        path = self.directory / digest.hex()
        try:
            await self._do(lambda: _write(path, image))
            await self._do(lambda: _shrink(self.directory, path, self.most_bytes))
        except OSError as error:
            self.log.event("image_not_kept", file=str(path), error=str(error))

    async def _do(self, work: Callable[[], T]) -> T:
        async with self._turn:
            return await trio.to_thread.run_sync(work)


@define
class ImagesInMemory:
    """Images that end with the process; for a virtual clock, without threads.

    Attributes:
        images: By digest.
    """

    images: dict[bytes, bytes] = field(factory=dict)

    async def get(self, digest: bytes) -> bytes | None:
        """Return the image with this *digest*, None where there is none."""
        await trio.lowlevel.checkpoint()
        image = self.images.get(digest)
        if image is not None and hashlib.sha256(image).digest() != digest:
            del self.images[digest]
            return None
        return image

    async def put(self, digest: bytes, image: bytes) -> None:
        """Keep *image*, whose SHA-256 is *digest*."""
        await trio.lowlevel.checkpoint()
        self.images[digest] = image


def _read(path: Path, digest: bytes) -> tuple[bytes | None, bool]:
    """Return the image at *path*, and whether a damaged one had to go."""
    try:
        image = path.read_bytes()
    except OSError:
        return None, False
    if hashlib.sha256(image).digest() != digest:
        _remove(path)
        return None, True
    # The time of change is the time of use: what is used last is kept longest.
    with contextlib.suppress(OSError):
        os.utime(path)
    return image, False


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _write(path: Path, image: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(_UNFINISHED, dir=path.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(image)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        _remove(unfinished)
        raise
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    """Have the new name on disk too."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _shrink(directory: Path, newest: Path, most_bytes: int) -> None:
    """Remove what is too much, and what a crash has left unfinished."""
    images = []
    for path in directory.iterdir():
        if path.name.endswith(_UNFINISHED):
            _remove(path)
        elif path != newest:
            status = path.stat()
            images.append((status.st_mtime_ns, status.st_size, path))
    kept = newest.stat().st_size
    for _, size, path in sorted(images, reverse=True):
        kept += size
        if kept > most_bytes:
            _remove(path)
