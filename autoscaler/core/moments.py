"""Instants that outlive the process: what is persisted of a monotonic clock.

In the same boot the boot clock counts, which also runs while the machine is
suspended; after another boot only the wall clock is left, and it may have been
stepped.  So ages are clamped: a clock can neither pin nor skip a cooldown.
"""

from attrs import frozen


@frozen
class Clocks:
    """All clocks, read at once.

    Attributes:
        now: Monotonic, arbitrary origin, seconds.
        boot_id: Which boot of this machine.
        boot: Since that boot, suspensions included, seconds.
        wall: Since 1970, seconds.
    """

    now: float
    boot_id: str
    boot: float
    wall: float


@frozen
class Stamp:
    """An instant by the clocks that outlive the process."""

    boot_id: str
    boot: float
    wall: float


def stamp(instant: float, clocks: Clocks) -> Stamp:
    """Return *instant*, monotonic, as it can be kept."""
    age = clocks.now - instant
    return Stamp(clocks.boot_id, clocks.boot - age, clocks.wall - age)


def revive(kept: Stamp, clocks: Clocks, longest: float) -> float:
    """Return *kept* as an instant of the monotonic clock.

    Arguments:
        kept: The instant.
        clocks: All clocks, now.
        longest: No age above it matters, seconds.
    """
    same_boot = kept.boot_id == clocks.boot_id
    age = clocks.boot - kept.boot if same_boot else clocks.wall - kept.wall
    return clocks.now - min(max(age, 0.0), longest)
