"""Subscriptions to a sandbox host in the same process."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping
from typing import ClassVar, Generic, Self, TypeVar, assert_never

import trio

from albatross_client.errors import (
    CommandRefusedError,
    HostUnreachableError,
    RemoteProtocolError,
)
from albatross_client.heard import Heard, all_skipped
from albatross_client.names import Name
from albatross_client.replies import (
    ConsoleLine,
    Failure,
    Payload,
    Said,
    StatsData,
    Wire,
)
from albatross_client.sandbox.live import LiveHost
from albatross_client.sandbox.outbox import Garbled, Huge, Outbox, Outgoing
from albatross_client.stats import Sample
from albatross_client.transfer import CONSOLE_TAKEN, STATS_TAKEN, success
from albatross_client.values import Stats

P = TypeVar("P")
T = TypeVar("T")


async def next_wire(outbox: Outbox) -> Wire:
    """Return the next message of a conversation.

    Raises:
        CommandRefusedError: It ended without one.
        HostUnreachableError: It was lost.
        RemoteProtocolError: What came is no message.
    """
    outgoing = await _next(outbox)
    if outgoing is None:
        msg = "the sandbox ended the connection without an answer"
        raise CommandRefusedError(msg)
    if isinstance(outgoing, Wire):
        return outgoing
    msg = "the sandbox sent what is no message"
    raise RemoteProtocolError(msg)


def expect(kind: type[P], payload: Payload) -> P:
    """Return *payload*, which is a *kind*.

    Raises:
        RemoteProtocolError: It isn't.
    """
    if not isinstance(payload, kind):
        msg = f"the sandbox sent {type(payload).__name__}, not {kind.__name__}"
        raise RemoteProtocolError(msg)
    return payload


class MemorySubscription(trio.abc.ReceiveChannel[T], Generic[T]):
    """What both streams share: one task receives; `aclose` ends it.

    Attributes:
        malformed: Messages that break the grammar, skipped.
        unknown: Messages of other kinds, skipped, by kind: there are none.
        greeting: What the host said to the subscription.
    """

    # What it means where the host hangs up.
    _hung_up: ClassVar[str]

    def __init__(
        self, host: LiveHost, outbox: Outbox, path: Name, greeting: str
    ) -> None:
        """Use `open`."""
        self.malformed = 0
        self.unknown: Counter[str] = Counter()
        self.greeting = greeting
        self._host = host
        self._outbox = outbox
        self._path = path
        self._closed = False

    @classmethod
    async def open(cls, host: LiveHost, outbox: Outbox, path: Name) -> Self:
        """Return the stream of *outbox* once the host has agreed."""
        try:
            said = success(await next_wire(outbox))
        except BaseException:
            host.hang_up(outbox)
            raise
        return cls(host, outbox, path, expect(Said, said).text)

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many messages were skipped, by kind, malformed ones included."""
        return all_skipped(self.malformed, self.unknown)

    async def receive(self) -> T:
        """Return the next item.

        Raises:
            CommandRefusedError: The host ended the stream and says why.
            HostUnreachableError: The connection ended or was lost.
            RemoteProtocolError: A message is too long.
            trio.ClosedResourceError: `aclose` was called.
        """
        while not self._closed:
            outgoing = await _next(self._outbox)
            match outgoing:
                case None:
                    msg = "the host has closed the stream"
                    raise HostUnreachableError(msg, sent=True)
                case Garbled():
                    self.malformed += 1
                case Huge():
                    msg = "the host announces a message that is too long"
                    raise RemoteProtocolError(msg)
                case Wire(header, payload):
                    if isinstance(payload, Failure):
                        success(Wire(header, payload), self._hung_up)
                    return self._item(header.name, payload, trio.current_time())
                case _:
                    assert_never(outgoing)
        raise trio.ClosedResourceError

    async def aclose(self) -> None:
        """Hang up; the host forgets the subscription."""
        self._closed = True
        self._host.hang_up(self._outbox)
        await trio.lowlevel.checkpoint()

    @abstractmethod
    def _item(self, name: Name, payload: Payload, at: float) -> T:
        """Return what *payload* about *name* is to the receiver."""


class MemoryStatsStream(MemorySubscription[Heard]):
    """Readings of all unikernels below a path, as they come."""

    _hung_up = STATS_TAKEN

    def _item(self, name: Name, payload: Payload, at: float) -> Heard:
        stats = expect(StatsData, payload).stats
        # Statistics are named relative to the path that was subscribed to.
        return Heard(name.under(self._path), sample_of(str(name), stats), at)


class MemoryConsoleStream(MemorySubscription[ConsoleLine]):
    """Lines of one console: its history, then what is written."""

    _hung_up = CONSOLE_TAKEN

    @property
    def waiting(self) -> bool:
        """Whether the host knows no such unikernel yet."""
        return self.greeting != "subscribed"

    def _item(self, name: Name, payload: Payload, at: float) -> ConsoleLine:  # noqa: ARG002 - one shape
        return expect(ConsoleLine, payload)


def sample_of(name: str, stats: Stats) -> Sample:
    """Return what the lean reader reads of *stats* under the text *name*."""
    rusage, kinfo = stats.rusage, stats.kinfo
    return Sample(
        name=name,
        cpu_us=rusage.utime.total_us + rusage.stime.total_us,
        minflt=rusage.minflt,
        majflt=rusage.majflt,
        nvcsw=rusage.nvcsw,
        nivcsw=rusage.nivcsw,
        runtime_us=None if kinfo is None else kinfo.runtime,
        start_us=None if kinfo is None else kinfo.start.total_us,
        rss_pages=None if kinfo is None else kinfo.rss,
        packets_in=sum(each.input_packets for each in stats.interfaces),
        packets_out=sum(each.output_packets for each in stats.interfaces),
        bytes_in=sum(each.input_bytes for each in stats.interfaces),
        bytes_out=sum(each.output_bytes for each in stats.interfaces),
    )


async def _next(outbox: Outbox) -> Outgoing | None:
    """Return what comes next; None at a proper end."""
    try:
        return await outbox.receive()
    except trio.EndOfChannel:
        return None
    except trio.BrokenResourceError as error:
        msg = "the connection to the sandbox was lost"
        raise HostUnreachableError(msg, sent=True) from error
