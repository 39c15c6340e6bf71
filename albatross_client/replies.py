"""What hosts answer and stream, and the envelope of every message.

One small class per alternative of the grammar, as in `commands`.
"""

from attrs import field, frozen

from albatross_client.commands import Command, Unknown, show_size
from albatross_client.names import Name
from albatross_client.values import Info, ResourcePolicy, Stats, Timestamp

# version.ml - the only version that is spoken; hosts refuse every other one.
WIRE_VERSION = 5


# What replies with success carry


@frozen
class Done:
    """Success with nothing to say."""


@frozen
class Said:
    """Success, in words: ``created unikernel``, ``subscribed`` and the like."""

    text: str


@frozen
class Policies:
    """Policies; each name is a domain, relative to the path asked."""

    policies: tuple[tuple[Name, ResourcePolicy], ...]


@frozen
class Block:
    """A block device of a host.

    Attributes:
        name: The device.
        size: MB.
        active: Whether a unikernel uses it.
    """

    name: Name
    size: int
    active: bool


@frozen
class Blocks:
    """Block devices."""

    blocks: tuple[Block, ...]


@frozen
class UnikernelImage:
    """The image of a unikernel.

    Attributes:
        compressed: Whether *image* is a zlib stream.
        image: The bytes.
    """

    compressed: bool
    image: bytes = field(repr=show_size)


@frozen
class OldBlockImage:
    """The content of a block device, in one piece."""

    compressed: bool
    content: bytes = field(repr=show_size)


@frozen
class BlockImage:
    """The content of a block device follows as `BlockChunk`."""

    compressed: bool


@frozen
class Infos:
    """Unikernels; an unknown name gives none."""

    infos: tuple[tuple[Name, Info], ...]


@frozen
class OldInfos5:
    """`Infos` for `OldUnikernelInfo5`: one CPU each."""

    infos: tuple[tuple[Name, Info], ...]


@frozen
class OldInfos4:
    """`Infos` for `OldUnikernelInfo4`: one CPU each and no startup priority."""

    infos: tuple[tuple[Name, Info], ...]


@frozen
class Consoles:
    """Names of consoles."""

    names: tuple[Name, ...]


Success = (
    Done
    | Said
    | Policies
    | Blocks
    | UnikernelImage
    | OldBlockImage
    | BlockImage
    | Infos
    | OldInfos5
    | OldInfos4
    | Consoles
    | Unknown
)


@frozen
class Failure:
    """The host refused; *text* says why."""

    text: str


# Data of subscriptions and dumps


@frozen
class StatsData:
    """One reading of the unikernel that the header names."""

    stats: Stats


@frozen
class ConsoleLine:
    """One line of the console of the unikernel that the header names.

    Attributes:
        timestamp: When it was written.
        text: Raw bytes, not necessarily UTF-8.
    """

    timestamp: Timestamp
    text: bytes


@frozen
class BlockChunk:
    """A piece of a block device's content; None ends it."""

    content: bytes | None = field(repr=show_size)


Data = StatsData | ConsoleLine | BlockChunk | Unknown

Payload = Command | Success | Failure | Data


@frozen
class Header:
    """What stands before every payload.

    Attributes:
        name: What the message is about.
        sequence: A counter, signed 64 bits.
        version: Always `WIRE_VERSION` in what is decoded.
    """

    name: Name
    sequence: int = 0
    version: int = WIRE_VERSION


@frozen
class Wire:
    """One whole message."""

    header: Header
    payload: Payload
