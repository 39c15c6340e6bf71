"""The lean reader of stats frames: only what usage is computed from.

A host sends one frame per unikernel and interval, so this is the hot path; it
accepts and refuses exactly the frames that `albatross_client.wire` does.
"""

from attrs import frozen


@frozen
class Sample:
    """What one stats frame says of one unikernel; counters are cumulative.

    Attributes:
        name: The header's name as sent, relative to the path subscribed to.
        cpu_us: User and system time together, microseconds.
        minflt: Page faults without I/O.
        majflt: Page faults with I/O.
        nvcsw: Voluntary context switches.
        nivcsw: Involuntary context switches.
        runtime_us: CPU time as the kernel's process table has it,
            microseconds; None: not told.
        start_us: The process's start as hosts tell it, microseconds since
            1970; on Linux it may move while the process lives. None: not told.
        rss_pages: Resident memory, pages; None: not told.
        packets_in: Packets the unikernel sent, all interfaces together.
        packets_out: Packets it received.
        bytes_in: Bytes it sent.
        bytes_out: Bytes it received.
    """

    name: str
    cpu_us: int
    minflt: int
    majflt: int
    nvcsw: int
    nivcsw: int
    runtime_us: int | None
    start_us: int | None
    rss_pages: int | None
    packets_in: int
    packets_out: int
    bytes_in: int
    bytes_out: int
