"""All clocks, read at one place.

Laws: intervals are measured by trio's clock, which tests can turn; what is
persisted carries the boot's and the wall's time beside it.

trio's clock stands still while the machine is suspended, and so do cooldowns,
silences and stalls: they count the time in which something could be seen.  A
cooldown is longer by the sleep then, never shorter, and ends at the latest its
length after the wake-up.  What was known before a sleep is another matter: its
age shows by the boot's clock alone, which goes on, and the fleet forgets it.
"""

import functools
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
    return Clocks(trio.current_time(), _this_boot(), boot_clock(), wall_clock())


def boot_id(path: Path = _BOOT_ID) -> str:
    """Return which boot this is, as the file at *path* says.

    Without such a file it is one that no other process has seen.
    """
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return _UNKNOWN_BOOT


@functools.cache
def _this_boot() -> str:
    """Return which boot this is: for the life of a process it is the same."""
    return boot_id()


def boot_clock() -> float:
    """Return the seconds since the boot, suspensions included where known."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def monotonic_us() -> int:
    """Return the microseconds of the clock that systemd measures by."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def wall_clock() -> float:
    """Return the seconds since 1970."""
    return time.time()
