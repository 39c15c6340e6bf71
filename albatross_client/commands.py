"""What is asked of a host.

One small class per alternative of the grammar, grouped in unions, so that a
`match` over them can be proven complete.  Versions 4 and 5 of older hosts keep
their own classes only where both directions are needed.
"""

from typing import Literal

from attrs import field, frozen

from albatross_client.values import (
    Arguments,
    Config,
    ResourcePolicy,
    Timestamp,
)


def show_size(octets: bytes | None) -> str:
    """Return what stands for *octets* in a `repr`: never the octets."""
    return "None" if octets is None else f"<{len(octets)} bytes>"


@frozen
class Unknown:
    """An alternative with a tag that this client does not know.

    Attributes:
        within: The choice that it stands in.
        tag: Its context-specific tag.
        der: The whole element, its tag and length included.
    """

    within: Literal["command", "success", "data"]
    tag: int
    der: bytes


# Commands of the console service


@frozen
class ConsoleAdd:
    """Internal to hosts: a new console ring of *size* lines."""

    size: int


@frozen
class ConsoleSubscribe:
    """Follow a console, with history.

    Attributes:
        start: From this instant, or this many of the last lines.
    """

    start: Timestamp | int


@frozen
class ConsoleListInactive:
    """List the consoles whose unikernel no longer runs."""


# Commands of the statistics service


@frozen
class StatsAdd:
    """Internal to hosts: gather statistics of a process.

    Attributes:
        vmmdev: The hypervisor's device.
        pid: The process.
        taps: Bridge and tap device of each interface.
    """

    vmmdev: str
    pid: int
    taps: tuple[tuple[str, str], ...]


@frozen
class StatsRemove:
    """Internal to hosts: stop gathering."""


@frozen
class StatsSubscribe:
    """Follow the statistics of a unikernel, or of all below a path."""


@frozen
class StatsInitial:
    """Internal to hosts: the first message to the statistics service."""


# Commands about unikernels


@frozen
class UnikernelInfo:
    """Tell of one unikernel, or of all below a path."""


@frozen
class OldUnikernelInfo5:
    """`UnikernelInfo` as hosts before 2.7 spoke it: answered by `OldInfos5`."""


@frozen
class OldUnikernelInfo4:
    """`UnikernelInfo` of still older hosts: answered by `OldInfos4`."""


@frozen
class UnikernelGet:
    """Send the image of a unikernel.

    Attributes:
        compression: zlib level; 0 is plain.
    """

    compression: int


@frozen
class UnikernelCreate:
    """Create a unikernel; refused when one of this name runs."""

    config: Config


@frozen
class UnikernelForceCreate:
    """Create a unikernel; one of this name that runs is destroyed first."""

    config: Config


@frozen
class UnikernelRestart:
    """Restart a unikernel, with other arguments where they are given."""

    arguments: Arguments | None


@frozen
class UnikernelDestroy:
    """Destroy a unikernel."""


# Commands about policies


@frozen
class PolicyInfo:
    """Tell the policies at and below a path."""


@frozen
class PolicyAdd:
    """Store a policy at a path; only valid in an intermediate certificate."""

    policy: ResourcePolicy


@frozen
class PolicyRemove:
    """Remove the policy of a path."""


# Commands about block devices


@frozen
class BlockInfoAsked:
    """Tell of one block device, or of all below a path."""


@frozen
class BlockAdd:
    """Make a block device of *size* MB."""

    size: int


@frozen
class BlockRemove:
    """Remove a block device."""


@frozen
class BlockSet:
    """Replace the content of a block device by what is streamed.

    Attributes:
        compressed: Whether the stream is zlib.
    """

    compressed: bool


@frozen
class BlockDump:
    """Stream the content of a block device.

    Attributes:
        compression: zlib level; 0 is plain.
    """

    compression: int


@frozen
class OldBlockAdd:
    """`BlockAdd` of older clients, with the content in the command."""

    size: int
    compressed: bool
    content: bytes | None = field(repr=show_size)


@frozen
class OldBlockSet:
    """`BlockSet` of older clients, with the content in the command."""

    compressed: bool
    content: bytes = field(repr=show_size)


@frozen
class OldBlockDump:
    """`BlockDump` of older clients: answered by one `OldBlockImage`."""

    compression: int


Command = (
    ConsoleAdd
    | ConsoleSubscribe
    | ConsoleListInactive
    | StatsAdd
    | StatsRemove
    | StatsSubscribe
    | StatsInitial
    | UnikernelInfo
    | OldUnikernelInfo5
    | OldUnikernelInfo4
    | UnikernelGet
    | UnikernelCreate
    | UnikernelForceCreate
    | UnikernelRestart
    | UnikernelDestroy
    | PolicyInfo
    | PolicyAdd
    | PolicyRemove
    | BlockInfoAsked
    | BlockAdd
    | BlockRemove
    | BlockSet
    | BlockDump
    | OldBlockAdd
    | OldBlockSet
    | OldBlockDump
    | Unknown
)

# Hosts do nothing for these but answer.
READING = (
    ConsoleSubscribe,
    ConsoleListInactive,
    StatsSubscribe,
    UnikernelInfo,
    OldUnikernelInfo5,
    OldUnikernelInfo4,
    UnikernelGet,
    PolicyInfo,
    BlockInfoAsked,
    BlockDump,
    OldBlockDump,
)

# Those that say nothing more.
BareCommand = (
    ConsoleListInactive
    | StatsRemove
    | StatsSubscribe
    | StatsInitial
    | UnikernelInfo
    | OldUnikernelInfo5
    | OldUnikernelInfo4
    | UnikernelDestroy
    | PolicyInfo
    | PolicyRemove
    | BlockInfoAsked
    | BlockRemove
)
