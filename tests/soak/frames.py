"""Subscriptions that are handed whole rounds of frames."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from random import Random

import trio
from attrs import define, field

from albatross_client.errors import AlbatrossError, RemoteProtocolError
from albatross_client.framing import FrameReader, frame
from albatross_client.heard import Heard
from albatross_client.names import Name
from albatross_client.replies import (
    Header,
    StatsData,
    Wire,
)
from albatross_client.stats import Sample, read_stats
from albatross_client.values import InterfaceStats, KinfoMem, Rusage, Stats, Timeval
from albatross_client.wire import encode

Reading = tuple[Name, Sample]
Carrier = Callable[[Name, list[Reading]], Iterable[Reading]]
MAX_FRAME_BYTES = 4096


def as_values(_path: Name, readings: list[Reading]) -> Iterable[Reading]:
    """Hand *readings* over as they are."""
    return readings


@define
class AsOctets:
    """Hand readings over as frames of DER, cut anywhere, and read them again.

    Attributes:
        random: Where they are cut.
        frames: How many were read.
    """

    random: Random
    frames: int = 0
    _reader: FrameReader = field(factory=lambda: FrameReader(MAX_FRAME_BYTES))

    def __call__(self, path: Name, readings: list[Reading]) -> Iterable[Reading]:
        """Return what the client's reader makes of *readings*."""
        octets = b"".join(frame(_encoded(name, path, s)) for name, s in readings)
        while octets:
            size = self.random.randint(1, 3000)
            for body in self._reader.feed(octets[:size]):
                sample = read_stats(body)
                assert sample is not None
                self.frames += 1
                yield Name.parse(sample.name).under(path), sample
            octets = octets[size:]
        assert self._reader.is_at_boundary


@define
class Stream:
    """One subscription.

    Attributes:
        path: What is subscribed to.
        carrier: How frames get here.
        held_until: Until then frames pile up at the host.
    """

    path: Name
    carrier: Carrier
    held_until: float = 0.0
    skipped: Mapping[str, int] = field(factory=dict, init=False)
    _held: list[Reading] = field(factory=list, init=False)
    _ready: deque[Heard] = field(factory=deque, init=False)
    _end: AlbatrossError | None = field(default=None, init=False)
    _changed: trio.Event = field(factory=trio.Event, init=False)

    async def receive(self) -> Heard:
        while not self._ready:
            if self._end is not None:
                raise self._end
            self._changed = trio.Event()
            await self._changed.wait()
        return self._ready.popleft()

    async def aclose(self) -> None:
        self.end(RemoteProtocolError("closed"))
        await trio.lowlevel.checkpoint()

    @property
    def is_over(self) -> bool:
        return self._end is not None

    def push(self, readings: list[Reading]) -> None:
        """Send *readings*, or let them pile up."""
        now = trio.current_time()
        self._held += readings
        if now < self.held_until:
            return
        self._ready += [
            Heard(name, sample, now)
            for name, sample in self.carrier(self.path, self._held)
        ]
        self._held = []
        self._changed.set()

    def end(self, error: AlbatrossError) -> None:
        """Let *error* come after what was sent."""
        self._end = self._end or error
        self._changed.set()


def _encoded(name: Name, path: Name, sample: Sample) -> bytes:
    assert sample.runtime_us is not None
    assert sample.start_us is not None
    stats = Stats(
        rusage=Rusage(
            utime=Timeval(*divmod(sample.cpu_us, 1_000_000)),
            stime=Timeval(0, 0),
            minflt=sample.minflt,
            majflt=sample.majflt,
            nvcsw=sample.nvcsw,
            nivcsw=sample.nivcsw,
        ),
        interfaces=(
            InterfaceStats(
                bridge="service",
                input_packets=sample.packets_in,
                output_packets=sample.packets_out,
                input_bytes=sample.bytes_in,
                output_bytes=sample.bytes_out,
            ),
        ),
        kinfo=KinfoMem(
            rss=sample.rss_pages or 0,
            runtime=sample.runtime_us,
            start=Timeval(*divmod(sample.start_us, 1_000_000)),
        ),
    )
    relative = Name(name.path[len(path.path) :], name.label)
    return encode(Wire(Header(relative), StatsData(stats)))
