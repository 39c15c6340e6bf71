"""Subscriptions: what a host sends for as long as somebody listens.

Laws: a stream exists only once the host has said `subscribed`; one bad message
is counted and skipped, a broken framing ends the stream, and an end is always
an error that says why.  Blocks until something comes: callers own time.
"""

from abc import abstractmethod
from collections import Counter, deque
from collections.abc import Mapping
from typing import ClassVar, Generic, Self, TypeVar

import trio

from albatross_client.commands import Unknown
from albatross_client.connection import Connection, Connector
from albatross_client.errors import (
    AlbatrossError,
    CommandRefusedError,
    HostUnreachableError,
    RemoteProtocolError,
)
from albatross_client.heard import Heard, all_skipped
from albatross_client.minting import Ask
from albatross_client.names import Name
from albatross_client.replies import (
    ConsoleLine,
    Failure,
    Said,
    Wire,
)
from albatross_client.stats import read_stats
from albatross_client.transfer import CONSOLE_TAKEN, STATS_TAKEN, reply, success
from albatross_client.wire import decode

T = TypeVar("T")

# Far above the unikernels of a host; names come and go over the weeks.
MAX_NAMES = 16_384
# A chain of nine certificates names no more than 600 characters.
LONGEST_NAME = 1024
# Newer hosts have a few.
MAX_KINDS = 16
_OTHER_KINDS = "other kinds"
# A stream's other messages are a word, or why it ends; to decode one of a
# megabyte would hold up all other hosts for seconds.
LONGEST_OTHER = 16_384
_LONG = "long messages"


class Subscription(trio.abc.ReceiveChannel[T], Generic[T]):
    """What both streams share: one task receives; `aclose` ends it.

    Attributes:
        malformed: Messages that break the grammar, skipped.
        unknown: Messages of other kinds, skipped, by kind.
        greeting: What the host said to the subscription.
    """

    # What it means where the host hangs up.
    _hung_up: ClassVar[str]

    def __init__(self, connection: Connection, path: Name, greeting: str) -> None:
        """Use `open`."""
        self.malformed = 0
        self.unknown: Counter[str] = Counter()
        self.greeting = greeting
        self._path = path
        self._connection = connection
        self._ready: deque[T] = deque()
        self._end: AlbatrossError | None = None
        self._closed = False

    @classmethod
    async def open(cls, connector: Connector, ask: Ask) -> Self:
        """Subscribe by *ask*; returns once the host has agreed.

        Raises:
            AlbatrossError: Any failure; a refusal is `CommandRefusedError`.
        """
        limit = connector.endpoint.limits.stream_bytes
        connection = await connector.open(ask, limit)
        try:
            greeting = _greeting(await reply(connection))
        except BaseException:
            await connection.aclose()
            raise
        return cls(connection, ask.name, greeting)

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many messages were skipped, by kind, malformed ones included."""
        return all_skipped(self.malformed, self.unknown)

    async def receive(self) -> T:
        """Return the next item.

        Raises:
            CommandRefusedError: The host ended the stream and says why.
            HostUnreachableError: The connection ended or was lost.
            RemoteProtocolError: A message is too long, or cut off.
            trio.ClosedResourceError: `aclose` was called.
        """
        if self._closed:
            raise trio.ClosedResourceError
        if self._ready:
            # No task switch: the next read of the socket brings one.
            await trio.lowlevel.checkpoint_if_cancelled()
        while not self._ready:
            if self._end is not None:
                raise self._end
            await self._fill()
        return self._ready.popleft()

    async def aclose(self) -> None:
        """Close the connection; the host forgets the subscription."""
        if not self._closed:
            self._closed = True
            await self._connection.say_goodbye()
        self._end = None
        await self._connection.aclose()

    async def _fill(self) -> None:
        bodies = await self._connection.bodies()
        at = trio.current_time()
        if not bodies:
            msg = "the host has closed the stream"
            raise HostUnreachableError(msg, sent=True)
        for body in bodies:
            try:
                self._take(body, at)
            except RemoteProtocolError:
                self.malformed += 1
            except CommandRefusedError as error:
                # What came before it is still good.
                self._end = error
                return

    @abstractmethod
    def _take(self, body: bytes, at: float) -> None:
        """Make what *body* holds ready.

        Raises:
            RemoteProtocolError: It is malformed.
            CommandRefusedError: It is a failure.
        """

    def _take_other(self, body: bytes) -> None:
        """Count a message that is none of this stream's."""
        if len(body) > LONGEST_OTHER:
            self._count(_LONG)
            return
        wire = decode(body)
        if isinstance(wire.payload, Failure):
            success(wire, self._hung_up)
        self._count(_kind(wire.payload))

    def _count(self, kind: str) -> None:
        if len(self.unknown) >= MAX_KINDS and kind not in self.unknown:
            kind = _OTHER_KINDS
        self.unknown[kind] += 1


class StatsStream(Subscription[Heard]):
    """Readings of all unikernels below a path, as they come.

    Never stop receiving: after some 250 unread messages the host's statistics
    daemon starts to pile up memory.
    """

    _hung_up = STATS_TAKEN

    def __init__(self, connection: Connection, path: Name, greeting: str) -> None:
        super().__init__(connection, path, greeting)
        self._names: dict[str, Name] = {}

    def _take(self, body: bytes, at: float) -> None:
        sample = read_stats(body)
        if sample is None:
            self._take_other(body)
            return
        name = self._names.get(sample.name)
        if name is None:
            name = self._intern(sample.name)
        self._ready.append(Heard(name, sample, at))

    def _intern(self, text: str) -> Name:
        if len(text) > LONGEST_NAME:
            # A message may have a megabyte, and each name is kept.
            msg = f"a name of {len(text)} characters"
            raise RemoteProtocolError(msg)
        if len(self._names) >= MAX_NAMES:
            self._names.clear()
        # Statistics are named relative to the path that was subscribed to.
        name = Name.parse(text).under(self._path)
        self._names[text] = name
        return name


class ConsoleStream(Subscription[ConsoleLine]):
    """Lines of one console: its history, then what is written."""

    _hung_up = CONSOLE_TAKEN

    @property
    def waiting(self) -> bool:
        """Whether the host knows no such unikernel yet."""
        return self.greeting != "subscribed"

    def _take(self, body: bytes, at: float) -> None:  # noqa: ARG002 - one shape
        payload = decode(body).payload
        if isinstance(payload, ConsoleLine):
            self._ready.append(payload)
        else:
            self._take_other(body)


def _greeting(wire: Wire) -> str:
    said = success(wire)
    if not isinstance(said, Said):
        msg = f"the host answered subscribe by {type(said).__name__}"
        raise RemoteProtocolError(msg)
    return said.text


def _kind(payload: object) -> str:
    if isinstance(payload, Unknown):
        return f"{payload.within} tag {payload.tag}"
    return type(payload).__name__
