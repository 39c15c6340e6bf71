"""What the processes of unikernels are to a sandbox host: one small protocol.

A host starts and stops processes by their serial number, tells each what it
has to burn, and reads their counters.  Which kind does the burning is the
host's only difference between kinds.
"""

from typing import Protocol

from attrs import frozen

from albatross_client.sandbox.demand import Load
from albatross_client.sandbox.limits import bridge_of
from albatross_client.sandbox.state import Unikernel
from albatross_client.values import (
    US_PER_S,
    InterfaceStats,
    KinfoMem,
    Rusage,
    Stats,
    Timeval,
)

# Linux hosts account CPU time in ticks of this many microseconds.
TICK_US = 10_000
# Every this-manieth tick is told as system time, the others as user time.
_SYSTEM_SHARE = 20
_US_PER_PACKET = 1000
_PACKET_BYTES = 600


@frozen(kw_only=True)
class Counters:
    """What the kernel counted of one process.

    Attributes:
        cpu_us: CPU time, microseconds, finer than a host tells it.
        minflt: Page faults without I/O.
        majflt: Page faults with I/O.
        nvcsw: Voluntary context switches.
        nivcsw: Involuntary context switches.
        rss_pages: Resident memory, pages.
        vsize: Bytes.
    """

    cpu_us: int = 0
    minflt: int = 0
    majflt: int = 0
    nvcsw: int = 0
    nivcsw: int = 0
    rss_pages: int = 0
    vsize: int = 0

    def since(self, before: "Counters") -> "Counters":
        """Return what was counted after *before*; memory is as it is now."""
        return Counters(
            cpu_us=self.cpu_us - before.cpu_us,
            minflt=self.minflt - before.minflt,
            majflt=self.majflt - before.majflt,
            nvcsw=self.nvcsw - before.nvcsw,
            nivcsw=self.nivcsw - before.nivcsw,
            rss_pages=self.rss_pages,
            vsize=self.vsize,
        )


class Machine(Protocol):
    """Runs the processes of unikernels."""

    def cpus(self, unikernel: Unikernel) -> float:
        """Return the most cores that *unikernel* can burn."""

    def start(self, unikernel: Unikernel, now: float) -> None:
        """Start the process of *unikernel*; it burns nothing yet."""

    def stop(self, process: int) -> None:
        """End *process*; it is gone on return, and no exit is reported."""

    def kill(self, process: int, exit_code: int) -> None:
        """Make *process* end by itself, with *exit_code* where it can."""

    def burn(self, process: int, load: Load, now: float) -> None:
        """Let *process* burn *load* from *now* on."""

    def read(self, process: int, now: float) -> Counters | None:
        """Return its counters; None: it can't be read any more."""

    def exits(self) -> tuple[tuple[int, int], ...]:
        """Return (process, exit code) of those that ended since last asked."""

    def close(self) -> None:
        """End all processes."""


def stats_of(unikernel: Unikernel, counters: Counters) -> Stats:
    """Return what a Linux host tells of *counters*."""
    # albatross_stats_stubs.c:vmmanage_sysctl_rusage - /proc counts ticks, so
    # what isn't a whole one is not told yet.
    ticks = counters.cpu_us // TICK_US
    system = ticks // _SYSTEM_SHARE
    return Stats(
        rusage=Rusage(
            utime=_timeval((ticks - system) * TICK_US),
            stime=_timeval(system * TICK_US),
            maxrss=counters.rss_pages,
            minflt=counters.minflt,
            majflt=counters.majflt,
            nvcsw=counters.nvcsw,
            nivcsw=counters.nivcsw,
        ),
        interfaces=tuple(
            _traffic(bridge_of(interface), ticks * TICK_US // _US_PER_PACKET)
            for interface in unikernel.config.interfaces
        ),
        kinfo=KinfoMem(
            vsize=counters.vsize,
            rss=counters.rss_pages,
            runtime=ticks * TICK_US,
            start=_timeval(unikernel.started.milliseconds * 1000),
        ),
    )


def _timeval(microseconds: int) -> Timeval:
    return Timeval(*divmod(microseconds, US_PER_S))


def _traffic(bridge: str, packets: int) -> InterfaceStats:
    """Return counters of an interface that moved *packets* both ways."""
    return InterfaceStats(
        bridge=bridge,
        input_packets=packets,
        output_packets=packets,
        input_bytes=packets * _PACKET_BYTES,
        output_bytes=packets * _PACKET_BYTES,
    )
