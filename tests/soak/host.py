"""A host of values: the sandbox's own state, and frames without octets.

Commands go to the pure sandbox host, as the client in memory sends them.  CPU
time is a number for each process, and all frames of an interval are handed
over at once: a month of them has to pass in less than an hour.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from random import Random
from typing import Literal

import trio
from attrs import define, evolve, field

from albatross_client.commands import (
    UnikernelDestroy,
    UnikernelRestart,
)
from albatross_client.errors import (
    AlbatrossError,
    CommandRefusedError,
    HostUnreachableError,
)
from albatross_client.names import Name
from albatross_client.sandbox.demand import primary_of
from albatross_client.sandbox.faults import HostDown, Killed
from albatross_client.sandbox.live import LiveHost
from albatross_client.sandbox.memory import MemoryClient
from albatross_client.sandbox.state import Unikernel
from albatross_client.sandbox.subscriptions import EVICTED
from albatross_client.stats import Sample
from albatross_client.tls_stream import Before
from albatross_client.values import US_PER_S, Config, Info, ResourcePolicy
from autoscaler.shell.hosts.host import ConsoleSource
from tests.soak.frames import Carrier, Reading, Stream, as_values

# Linux counts CPU time in steps of 10 ms.
CPU_STEP_US = 10_000
US_PER_PACKET = 1000
PACKET_BYTES = 600
FAULTS_AT_START = 200

Verb = Literal["create", "destroy"]
family_of = lru_cache(maxsize=4096)(primary_of)


@define
class Process:
    """What one process has burned so far."""

    serial: int
    cpu_us: float = 0.0


@define
class SoakHost:
    """One Albatross host under a virtual clock; `run` lets its time pass.

    Attributes:
        live: What it knows; its own clock and streams are not used.
        random: Of the delays of frames.
        interval: Between two readings, seconds.
        jitter: Most delay of a reading, seconds.
        demand: Cores that each group is asked for, by its primary.
        silent: Unikernels that are listed and not read.
        looping: Unikernels that crash in every interval.
        on_command: Told what a client is about to change.
        carrier: How frames get to their reader.
        readings: How many there were so far.
        usual_interval: The interval that it has most of the time.
        unikernels: How many may run in a domain most of the time.
    """

    live: LiveHost
    random: Random
    interval: float = 10.0
    jitter: float = 0.5
    demand: dict[Name, float] = field(factory=dict)
    silent: set[Name] = field(factory=set)
    looping: set[Name] = field(factory=set)
    on_command: Callable[[Verb, Name], None] = lambda _verb, _name: None
    carrier: Carrier = as_values
    readings: int = 0
    usual_interval: float = field(init=False)
    unikernels: int = field(init=False)
    _client: MemoryClient = field(init=False)
    _streams: list[Stream] = field(factory=list, init=False)
    _processes: dict[Name, Process] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._client = MemoryClient(self.live)
        self.usual_interval = self.interval
        self.unikernels = max(
            p.unikernels for p in self.live.settings.policies.values()
        )

    # What the daemon sees of it

    @property
    def domain(self) -> Name:
        return self._client.domain

    async def info(self, name: Name) -> Mapping[Name, Info]:
        return await self._client.info(name)

    async def policies(self, domain: Name) -> Mapping[Name, ResourcePolicy]:
        return await self._client.policies(domain)

    async def console(self, name: Name, count: int) -> ConsoleSource:
        return await self._client.console(name, count)

    async def image(self, name: Name) -> bytes:
        return await self._client.image(name)

    def prepare(self, name: Name, config: Config) -> None:
        self._client.prepare(name, config)

    async def create(
        self, name: Name, config: Config, image: bytes, before: Before
    ) -> None:
        self.on_command("create", name)
        await self._client.create(name, config, image, before)

    async def destroy(self, name: Name) -> None:
        self.on_command("destroy", name)
        await self._client.destroy(name)

    async def stats(self, path: Name) -> Stream:
        await trio.sleep(0.003)
        if self.live.is_down:
            msg = "the host is down"
            raise HostUnreachableError(msg)
        self.evict(path)
        stream = Stream(path, self.carrier)
        self._streams.append(stream)
        return stream

    # What befalls it

    def evict(self, path: Name) -> None:
        """Let somebody else have the statistics of *path*."""
        for stream in self._streams:
            if stream.path == path:
                stream.end(CommandRefusedError(EVICTED))

    def cut(self, error: AlbatrossError | None = None) -> None:
        """Lose all streams."""
        for stream in self._streams:
            stream.end(error or HostUnreachableError("cut", sent=True))

    @property
    def is_irregular(self) -> bool:
        """Whether frames of anybody pile up."""
        now = trio.current_time()
        return any(now < stream.held_until for stream in self._streams)

    def stall(self, seconds: float) -> None:
        """Let frames pile up for so long."""
        for stream in self._streams:
            stream.held_until = trio.current_time() + seconds

    def go_down(self, seconds: float) -> None:
        """Answer nobody for so long."""
        self.live.strike(HostDown(seconds))
        self.cut()

    def reboot(self, seconds: float) -> None:
        """Be down for so long; everything that runs starts anew."""
        self.go_down(seconds)
        for name in self.live.state.unikernels:
            self.live.open(name, UnikernelRestart(None))

    def remove(self, name: Name) -> None:
        """Destroy *name* as the host's operator."""
        if name in self.live.state.unikernels:
            self.live.open(name, UnikernelDestroy())

    def set_unikernels(self, domain: Name, most: int) -> None:
        """Allow *most* unikernels in *domain*."""
        policies = self.live.state.policies
        roomy = {**policies, domain: evolve(policies[domain], unikernels=most)}
        self.live.state = evolve(self.live.state, policies=roomy)

    # Its time

    async def run(self) -> None:
        """Read all counters every interval, and tell who listens."""
        read_at = trio.current_time() + self.random.uniform(0, self.interval)
        before = read_at - self.interval
        while True:
            await trio.sleep_until(read_at + self.random.uniform(0, self.jitter))
            readings = self._read(read_at - before)
            before, read_at = read_at, max(read_at + self.interval, trio.current_time())
            self._streams = [each for each in self._streams if not each.is_over]
            for stream in self._streams:
                stream.push(readings)
            self._crash()

    def _read(self, elapsed: float) -> list[Reading]:
        """Return a frame of each unikernel, after so many seconds more."""
        unikernels = self.live.state.unikernels
        sizes: dict[Name, int] = {}
        for name in unikernels:
            family = family_of(name)
            sizes[family] = sizes.get(family, 0) + 1
        readings = []
        for name, unikernel in unikernels.items():
            family = family_of(name)
            share = min(1.0, self.demand.get(family, 0.0) / sizes[family])
            process = self._processes.get(name)
            if process is None or process.serial != unikernel.process:
                process = self._processes[name] = Process(unikernel.process)
            process.cpu_us += share * elapsed * US_PER_S
            if name not in self.silent:
                readings.append((name, _sample(unikernel, process)))
        self.readings += len(readings)
        return readings

    def _crash(self) -> None:
        """Let everything that crashes start anew."""
        for name in self.looping & set(self.live.state.unikernels):
            self.live.strike(Killed(name))

    def tidy(self) -> None:
        """Forget what real hosts keep for ever: consoles of what is gone."""
        running = self.live.state.unikernels
        self.live.state = evolve(self.live.state, consoles={})
        self.silent &= set(running)
        self.looping &= set(running)
        for gone in set(self._processes) - set(running):
            del self._processes[gone]


def _sample(unikernel: Unikernel, process: Process) -> Sample:
    cpu_us = int(process.cpu_us) // CPU_STEP_US * CPU_STEP_US
    packets = cpu_us // US_PER_PACKET
    return Sample(
        name=f":{unikernel.name.label}",
        cpu_us=cpu_us,
        minflt=FAULTS_AT_START,
        majflt=0,
        nvcsw=packets,
        nivcsw=packets,
        runtime_us=cpu_us,
        start_us=unikernel.started.milliseconds * 1000,
        rss_pages=8192,
        packets_in=packets,
        packets_out=packets,
        bytes_in=packets * PACKET_BYTES,
        bytes_out=packets * PACKET_BYTES,
    )
