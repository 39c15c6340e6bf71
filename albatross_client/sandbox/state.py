"""What a sandbox host is, what it is asked and what it then does: values.

Laws: a host is a value and changes only by `albatross_client.sandbox.host`;
names are absolute; a process is known by its serial number, which grows by one
with every start, so a unikernel that is restarted is a new process under its
old name.
"""

from collections.abc import Mapping

from attrs import evolve, field, frozen

from albatross_client.commands import (
    BlockAdd,
    BlockDump,
    BlockInfoAsked,
    BlockRemove,
    BlockSet,
    ConsoleListInactive,
    ConsoleSubscribe,
    OldBlockAdd,
    OldBlockDump,
    OldBlockSet,
    OldUnikernelInfo4,
    OldUnikernelInfo5,
    PolicyInfo,
    StatsSubscribe,
    UnikernelCreate,
    UnikernelDestroy,
    UnikernelForceCreate,
    UnikernelGet,
    UnikernelInfo,
    UnikernelRestart,
)
from albatross_client.names import ROOT, Name
from albatross_client.replies import (
    ConsoleLine,
    Failure,
    Said,
    Success,
    Wire,
)
from albatross_client.values import Config, ResourcePolicy, Timestamp

# albatross_console.ml - the ring of each console holds this many lines.
RING_LINES = 1024

UnikernelCommand = (
    UnikernelInfo
    | OldUnikernelInfo4
    | OldUnikernelInfo5
    | UnikernelGet
    | UnikernelCreate
    | UnikernelForceCreate
    | UnikernelRestart
    | UnikernelDestroy
)
BlockCommand = (
    BlockInfoAsked
    | BlockAdd
    | BlockRemove
    | BlockSet
    | BlockDump
    | OldBlockAdd
    | OldBlockSet
    | OldBlockDump
)
TakenCommand = (
    UnikernelCommand
    | BlockCommand
    | PolicyInfo
    | StatsSubscribe
    | ConsoleSubscribe
    | ConsoleListInactive
)


@frozen
class Unikernel:
    """A unikernel that runs.

    Attributes:
        name: Its absolute name.
        config: What it was created from, with its image.
        digest: SHA-256 of the uncompressed image (Solo5), else the image.
        started: When this process began.
        process: The serial number of the process.
    """

    name: Name
    config: Config
    digest: bytes = field(repr=lambda digest: digest.hex()[:16])
    started: Timestamp
    process: int


@frozen
class Device:
    """A block device.

    Attributes:
        size: MB.
        content: What is on it; bytes never written are left out.
    """

    size: int
    content: bytes = field(default=b"", repr=lambda octets: f"<{len(octets)} bytes>")


@frozen
class Console:
    """The console of one name; it outlives the unikernel.

    Attributes:
        lines: The last `RING_LINES`; None: no unikernel had this name yet.
        followers: The callers that are sent new lines, oldest first.
    """

    lines: tuple[ConsoleLine, ...] | None = None
    followers: tuple[int, ...] = ()


@frozen(kw_only=True)
class Host:
    """All that a host knows.

    Attributes:
        policies: By domain; the root's is made from the machine at start.
        unikernels: What runs.
        devices: Block devices.
        consoles: Rings and followers.
        listeners: Who hears the statistics, by the exact name subscribed to.
        processes: How many were started so far.
        commands: How many were taken so far: the sequence number of
            subscriptions.
    """

    policies: Mapping[Name, ResourcePolicy]
    unikernels: Mapping[Name, Unikernel] = field(factory=dict)
    devices: Mapping[Name, Device] = field(factory=dict)
    consoles: Mapping[Name, Console] = field(factory=dict)
    listeners: Mapping[Name, int] = field(factory=dict)
    processes: int = 0
    commands: int = 0

    @property
    def root_policy(self) -> ResourcePolicy:
        """What the machine has."""
        return self.policies[ROOT]


@frozen(kw_only=True)
class Request:
    """What one connection asks.

    Attributes:
        caller: The connection; every one has its own number.
        name: The absolute name that the command acts at.
        policies: Those of the certificate chain, by domain, outermost first.
        command: What to do.
        upload: What was streamed after the handshake; None: nothing was.
    """

    caller: int
    name: Name
    policies: tuple[tuple[Name, ResourcePolicy], ...] = ()
    command: TakenCommand
    upload: bytes | None = field(default=None, repr=False)


@frozen
class Send:
    """Send *wire* to *caller*."""

    caller: int
    wire: Wire


@frozen
class Close:
    """End the connection of *caller* after all that it was sent."""

    caller: int


@frozen
class Start:
    """Start the process of *unikernel*."""

    unikernel: Unikernel


@frozen
class Stop:
    """End the process of *unikernel*; it is gone when this is done."""

    unikernel: Unikernel


Effect = Send | Close | Start | Stop


@frozen
class Refusal:
    """The host says no: *text* is what its failure will say."""

    text: str


Step = tuple[Host, tuple[Effect, ...], Success | Failure]
"""What most commands come to: the host after them, what is done, the reply."""


def said(host: Host, text: str, *effects: Effect) -> Step:
    """Return success in words."""
    return host, effects, Said(text)


def refused(host: Host, text: str) -> Step:
    """Return a failure that changes nothing."""
    return host, (), Failure(text)


def with_unikernel(host: Host, unikernel: Unikernel) -> Host:
    """Return *host* with *unikernel* in place of any of its name."""
    return evolve(host, unikernels={**host.unikernels, unikernel.name: unikernel})


def without_unikernel(host: Host, name: Name) -> Host:
    """Return *host* without the unikernel *name*."""
    others = {key: value for key, value in host.unikernels.items() if key != name}
    return evolve(host, unikernels=others)


def descending(name: Name) -> tuple[str, ...]:
    """Return a sort key; hosts list names by it in descending order."""
    # vmm_trie.ml:fold - conses while it walks the labels upwards.
    return (*name.path, name.label or "")


def relative(name: Name, base: Name) -> Name:
    """Return *name* as a host says it to who asked at *base*'s path."""
    return Name(name.path[len(base.path) :], name.label)


def below(host_names: Mapping[Name, object], path: Name) -> list[Name]:
    """Return the names at and below *path*, in the order hosts list them."""
    found = [name for name in host_names if name.is_within(path)]
    return sorted(found, key=descending, reverse=True)
