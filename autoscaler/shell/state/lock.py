"""One daemon per state directory: a lock that ends with the process."""

import fcntl
import os
from pathlib import Path
from typing import Self

import trio
from attrs import frozen

from autoscaler.shell.state.schema import StoreError

LOCK = "lock"
# Whoever only asks holds the lock for a moment.
TRIES = 10
PAUSE_S = 0.05


@frozen
class StateLock:
    """A lock that is held.

    Attributes:
        descriptor: Of the lock file.
    """

    descriptor: int

    @classmethod
    async def take(cls, directory: Path) -> Self:
        """Take the lock of *directory*, and write our process id there.

        Raises:
            StoreError: Another process has it.
        """
        path = directory / LOCK
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            msg = f"{path} can't be opened: {error.strerror}"
            raise StoreError(msg) from error
        for _ in range(TRIES):
            if _try(descriptor, fcntl.LOCK_EX):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
                return cls(descriptor)
            await trio.sleep(PAUSE_S)
        owner = _read_pid(descriptor)
        os.close(descriptor)
        msg = (
            f"another daemon (process {owner or 'unknown'}) uses {directory}: stop "
            "it, or set another state_dir"
        )
        raise StoreError(msg)

    def release(self) -> None:
        """Let another process have it."""
        os.close(self.descriptor)


@frozen
class Holder:
    """Who has the lock.

    Attributes:
        pid: The process; None: it has not said so yet.
    """

    pid: int | None


def holder(directory: Path) -> Holder | None:
    """Return who has the lock of *directory*, None if nobody has.

    Raises:
        StoreError: That can't be told.
    """
    path = directory / LOCK
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        msg = f"{path} can't be opened: {error.strerror}"
        raise StoreError(msg) from error
    try:
        if _try(descriptor, fcntl.LOCK_SH):
            return None
        return Holder(_read_pid(descriptor))
    finally:
        os.close(descriptor)


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_pid(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    return int(text) if text.isdecimal() else None
