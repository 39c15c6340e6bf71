"""What Albatross hosts tell and are told: plain values, no encoding.

Laws: values are immutable; what the wire leaves out is None; memory and block
sizes are in MB, as on the wire; sets are frozensets, and what has an order on
the wire is a tuple in that order.
"""

import enum
from datetime import UTC, datetime, timedelta

from attrs import field, frozen
from attrs.validators import optional

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAC_BYTES = 6
US_PER_S = 1_000_000


class Typ(enum.Enum):
    """What runs the unikernel."""

    SOLO5 = "solo5"
    BHYVE = "bhyve"


@frozen(order=True)
class Timestamp:
    """An instant as hosts write it, whole milliseconds.

    Attributes:
        milliseconds: Since 1970-01-01T00:00:00Z; negative before.
    """

    milliseconds: int

    @classmethod
    def of(cls, when: datetime) -> "Timestamp":
        """Return *when*, an aware datetime, cut to milliseconds."""
        return cls((when - _EPOCH) // timedelta(milliseconds=1))

    def to_datetime(self) -> datetime:
        """Return the instant as an aware datetime in UTC.

        Raises:
            OverflowError: The year is not one of 1 to 9999.
        """
        return _EPOCH + timedelta(milliseconds=self.milliseconds)


@frozen
class Quit:
    """The unikernel is not started again when it exits."""


@frozen
class RestartOnExit:
    """The unikernel is started again when it exits.

    Attributes:
        exit_codes: With which codes; empty: with every one.
    """

    exit_codes: frozenset[int] = frozenset()


FailBehaviour = Quit | RestartOnExit


@frozen
class BlockDevice:
    """A block device that a unikernel asks for.

    Attributes:
        name: What the unikernel's manifest calls it.
        device: The host's name of it; None: the same.
        sector_size: Bytes; None: the default.
    """

    name: str
    device: str | None = None
    sector_size: int | None = None


def _valid_mac(_instance: object, _attribute: object, mac: bytes) -> None:
    if len(mac) != MAC_BYTES:
        msg = f"a MAC address has {MAC_BYTES} bytes, not {len(mac)}"
        raise ValueError(msg)


@frozen
class Interface:
    """A network interface that a unikernel asks for.

    Attributes:
        name: What the unikernel's manifest calls it.
        bridge: The host's bridge; None: the same name.
        mac: Six bytes; None: the host derives one from the unikernel's name.
    """

    name: str
    bridge: str | None = None
    mac: bytes | None = field(default=None, validator=optional(_valid_mac))


@frozen(kw_only=True)
class Arguments:
    """How a unikernel runs: all of its configuration but the image.

    Attributes:
        fail_behaviour: What happens when it exits.
        startup: Priority at the host's start, lower is earlier.
        add_name: Whether the host puts ``--name=LABEL`` before the arguments.
        cpuids: The CPUs it is pinned to.
        memory: MB.
        blocks: Block devices, in the order of the wire.
        interfaces: Network interfaces, in the order of the wire.
        argv: Its arguments; None and empty differ on the wire.
        numcpus: Virtual CPUs; Solo5 has one.
        linux_boot_partition: BHyve only.
    """

    fail_behaviour: FailBehaviour = Quit()
    startup: int | None = None
    add_name: bool = True
    cpuids: frozenset[int] = frozenset({0})
    memory: int = 32
    blocks: tuple[BlockDevice, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    argv: tuple[str, ...] | None = None
    numcpus: int = 1
    linux_boot_partition: str | None = None


@frozen(kw_only=True)
class Config(Arguments):
    """What a unikernel is created from.

    Attributes:
        typ: What runs it.
        compressed: Whether *image* is a zlib stream.
        image: The bytes, or empty: they are streamed after the handshake.
    """

    typ: Typ = Typ.SOLO5
    compressed: bool = False
    image: bytes = field(default=b"", repr=lambda image: f"<{len(image)} bytes>")


@frozen
class BlockInfo:
    """A block device that a unikernel has.

    Attributes:
        name: What the unikernel's manifest calls it.
        device: The host's name of it.
        sector_size: Bytes.
        size: MB.
    """

    name: str
    device: str
    sector_size: int
    size: int


@frozen
class InterfaceInfo:
    """A network interface that a unikernel has.

    Attributes:
        name: What the unikernel's manifest calls it.
        bridge: The host's bridge.
        mac: Six bytes.
    """

    name: str
    bridge: str
    mac: bytes = field(validator=_valid_mac)


@frozen(kw_only=True)
class Info:
    """What a host says of a running unikernel; ``add_name`` is not told.

    Attributes:
        typ: What runs it.
        fail_behaviour: What happens when it exits.
        startup: Priority at the host's start.
        cpuids: The CPUs it is pinned to.
        memory: MB.
        digest: SHA-256 of the uncompressed image (Solo5), as raw bytes.
        blocks: Block devices, in the order of the wire.
        interfaces: Network interfaces, in the order of the wire.
        argv: Its arguments, ``--name=`` included where the host added it.
        started: When this process began; None: not told.
        numcpus: Virtual CPUs.
        linux_boot_partition: BHyve only.
    """

    typ: Typ = Typ.SOLO5
    fail_behaviour: FailBehaviour = Quit()
    startup: int | None = None
    cpuids: frozenset[int] = frozenset({0})
    memory: int = 32
    digest: bytes = b""
    blocks: tuple[BlockInfo, ...] = ()
    interfaces: tuple[InterfaceInfo, ...] = ()
    argv: tuple[str, ...] | None = None
    started: Timestamp | None = None
    numcpus: int = 1
    linux_boot_partition: str | None = None


@frozen(kw_only=True)
class ResourcePolicy:
    """What a domain may use: Albatross's own policy, not the autoscaler's.

    Attributes:
        cpuids: CPUs that may be pinned to.
        unikernels: Most unikernels at and below the path.
        memory: Most MB of them together.
        block: Most MB of block devices; None: none allowed.
        bridges: Bridges that may be used.
    """

    cpuids: frozenset[int] = frozenset()
    unikernels: int = 0
    memory: int = 0
    block: int | None = None
    bridges: frozenset[str] = frozenset()


@frozen
class Timeval:
    """A duration or instant of the kernel's accounting."""

    seconds: int
    microseconds: int

    @property
    def total_us(self) -> int:
        """The whole in microseconds."""
        return self.seconds * US_PER_S + self.microseconds


@frozen(kw_only=True)
class Rusage:
    """getrusage(2) of the process that runs a unikernel, cumulative."""

    utime: Timeval
    stime: Timeval
    maxrss: int = 0
    ixrss: int = 0
    idrss: int = 0
    isrss: int = 0
    minflt: int = 0
    majflt: int = 0
    nswap: int = 0
    inblock: int = 0
    outblock: int = 0
    msgsnd: int = 0
    msgrcv: int = 0
    nsignals: int = 0
    nvcsw: int = 0
    nivcsw: int = 0


@frozen(kw_only=True)
class KinfoMem:
    """Memory and run time of the process, as the kernel has them.

    Attributes:
        vsize: Bytes.
        rss: Pages.
        tsize: Pages of text.
        dsize: Pages of data.
        ssize: Pages of stack.
        runtime: CPU time, microseconds.
        cow: Copy-on-write faults.
        start: On Linux not the start of the process: it may change while the
            process lives.
    """

    vsize: int = 0
    rss: int = 0
    tsize: int = 0
    dsize: int = 0
    ssize: int = 0
    runtime: int = 0
    cow: int = 0
    start: Timeval = Timeval(0, 0)


@frozen(kw_only=True)
class InterfaceStats:
    """Counters of one tap device; *input* is what the unikernel sent."""

    bridge: str
    flags: int = 0
    send_length: int = 0
    max_send_length: int = 0
    send_drops: int = 0
    mtu: int = 1500
    baudrate: int = 0
    input_packets: int = 0
    input_errors: int = 0
    output_packets: int = 0
    output_errors: int = 0
    collisions: int = 0
    input_bytes: int = 0
    output_bytes: int = 0
    input_mcast: int = 0
    output_mcast: int = 0
    input_dropped: int = 0
    output_dropped: int = 0


@frozen(kw_only=True)
class Stats:
    """One reading of one unikernel.

    Attributes:
        rusage: CPU time and faults.
        interfaces: One per network interface.
        vmm: Counters of the hypervisor, name and value; None: not told.
        kinfo: None: not told.
    """

    rusage: Rusage
    interfaces: tuple[InterfaceStats, ...] = ()
    vmm: tuple[tuple[str, int], ...] | None = None
    kinfo: KinfoMem | None = None
