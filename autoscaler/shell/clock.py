"""All clocks, read at one place.

Laws: intervals are measured by trio's clock, which tests can turn; what is
persisted carries the boot's and the wall's time beside it.
"""

import time
import uuid
from pathlib import Path

import trio

from autoscaler.core.moments import Clocks

# random(4) - made afresh by Linux at every boot.
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Where the kernel tells no boot id, what an earlier process kept is never of
# this boot: its age is then told by the wall clock.
_UNKNOWN_BOOT = f"unknown-{uuid.uuid4()}"


def read_clocks() -> Clocks:
    """Return all clocks as they are now.

    Has to be called inside of a trio run.
    """
    return Clocks(trio.current_time(), boot_id(), boot_clock(), wall_clock())


def boot_id(path: Path = _BOOT_ID) -> str:
    """Return which boot this is, as the file at *path* says.

    Without such a file it is one that no other process has seen.
    """
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return _UNKNOWN_BOOT


def boot_clock() -> float:
    """Return the seconds since the boot, suspensions included where known."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def wall_clock() -> float:
    """Return the seconds since 1970."""
    return time.time()
