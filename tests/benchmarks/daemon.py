"""The daemon: frames into its state, decisions into creates, its size."""

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import trio
from attrs import define, field
from trio.lowlevel import Task, checkpoint, current_task

from albatross_client import connection
from albatross_client.client import Client
from albatross_client.heard import Heard
from albatross_client.names import ROOT, Name
from albatross_client.sandbox.authority import domain_files
from albatross_client.streams import StatsStream
from albatross_client.tls_stream import Before, TlsStream
from albatross_client.values import Config, Info, ResourcePolicy
from autoscaler.core.group import Group, GroupId, new_group
from autoscaler.core.policy import Policy
from autoscaler.core.rhythm import Rhythm
from autoscaler.shell.clock import read_clocks
from autoscaler.shell.daemon import Daemon, Parts
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.garbage import collect_seldom
from autoscaler.shell.hosts.host import ConsoleSource
from autoscaler.shell.hosts.line import Line
from autoscaler.shell.hosts.stream import follow_stats
from autoscaler.shell.hosts.watch import Watch
from autoscaler.shell.log import Log
from autoscaler.shell.report import LogReporter
from autoscaler.shell.state.images import ImageFiles
from autoscaler.shell.state.store import Store
from autoscaler.shell.ticker import tick_for_ever
from tests.benchmarks import ROUNDS, Result, at_least, at_most
from tests.benchmarks.client import client_of, sandbox
from tests.benchmarks.firehose import firehose

T = TypeVar("T")
USER = Name(("user",))
UNIKERNELS, TICKS, INTERVAL_S = 100, 600, 10.0
CLONES = 12
MANY, GROUPS = 1000, 200
SETTLE_S = 20.0
MS_PER_S, KB_PER_MB = 1000, 1024


def run() -> Iterable[Result]:
    """Yield what the daemon costs."""
    collect_seldom()  # as it does
    yield at_most("autoscaler --help", "ms", [_help_ms() for _ in range(ROUNDS)], 500)
    yield at_least(
        "frames into the daemon's state",
        "frames/s",
        [_frames_per_second() for _ in range(ROUNDS)],
        30_000,
    )
    with tempfile.TemporaryDirectory() as directory:
        begun, told = trio.run(_decision_to_create, Path(directory))
    yield at_most("from decision to the first byte of the create", "ms", begun, 10)
    yield Result("from decision to its command, on disk", "ms", told)
    what = f"resident memory, {MANY} unikernels in {GROUPS} groups"
    yield at_most(what, "MB", [_resident_mb()], 90)


def _help_ms() -> float:
    started = perf_counter()
    command = [sys.executable, "-c", _main("autoscaler"), "--help"]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - ours
    return (perf_counter() - started) * MS_PER_S


def _main(package: str) -> str:
    return f"import sys; from {package}.cli import main; sys.exit(main())"


@define
class _Replayed:
    """A stream whose frames come as far apart as a host sends them."""

    stream: StatsStream
    heard: int = 0

    @property
    def skipped(self) -> Mapping[str, int]:
        return self.stream.skipped

    async def receive(self) -> Heard:
        heard = await self.stream.receive()
        at = self.heard // UNIKERNELS * INTERVAL_S
        self.heard += 1
        return Heard(heard.name, heard.sample, at)

    async def aclose(self) -> None:
        await self.stream.aclose()


@define
class _Pouring:
    """A host that has nothing but a stream, at its root."""

    client: Client

    async def stats(self, path: Name) -> _Replayed:
        return _Replayed(await self.client.stats(ROOT))


def _frames_per_second() -> float:
    with (
        tempfile.TemporaryDirectory() as directory,
        firehose(Path(directory), UNIKERNELS, TICKS) as port,
    ):
        return trio.run(_hear_all, client_of(Path(directory), port))


async def _hear_all(client: Client) -> float:
    log = Log(lambda _level, _event, _fields: None)
    watch = Watch("alpha", USER, Rhythm())
    names = [Name(("user",), f"u{number:04}") for number in range(UNIKERNELS)]
    groups = [new_group(GroupId("alpha", n), Policy(max_clones=9)) for n in names]
    fleet = Fleet(groups, [watch], LogReporter(log), read_clocks, 60.0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tick_for_ever, fleet)
        line = Line("alpha", USER, lambda: (watch,), fleet)
        nursery.start_soon(follow_stats, _Pouring(client), line, log)
        while not watch.verdicts:
            await trio.lowlevel.checkpoint()
        before, started = watch.verdicts.total(), perf_counter()
        while watch.verdicts.total() < UNIKERNELS * TICKS:
            await trio.sleep(0.01)
        took = perf_counter() - started
        nursery.cancel_scope.cancel()
    return (UNIKERNELS * TICKS - before) / took


@define
class _Stopwatch:
    """A client that notes when a create speaks to its host.

    Attributes:
        begun: When its connection sends the first byte.
        told: When it sends the command, which is on disk then.
    """

    client: Client
    begun: list[float] = field(factory=list)
    told: list[float] = field(factory=list)
    creating: Task | None = None

    @property
    def domain(self) -> Name:
        return self.client.endpoint.authority.domain

    async def info(self, name: Name) -> Mapping[Name, Info]:
        return await self.client.info(name)

    async def policies(self, domain: Name) -> Mapping[Name, ResourcePolicy]:
        return await self.client.policies(domain)

    async def console(self, name: Name, count: int) -> ConsoleSource:
        return await self.client.console(name, count)

    async def image(self, name: Name) -> bytes:
        return await self.client.image(name)

    def prepare(self, name: Name, config: Config) -> None:
        self.client.prepare(name, config)

    async def create(
        self, name: Name, config: Config, image: bytes, before: Before
    ) -> None:
        self.creating = current_task()
        await self.client.create(name, config, image, before)

    def watched(self) -> type[TlsStream]:
        """Return the client's TLS, which tells of first bytes."""
        stopwatch = self

        class Watched(TlsStream):
            async def handshake(
                self, check: Callable[[bytes], T], before: Before = checkpoint
            ) -> T:
                if stopwatch.creating is not current_task():
                    return await super().handshake(check, before)

                async def noted() -> None:
                    await before()
                    stopwatch.told.append(perf_counter())

                stopwatch.creating = None
                stopwatch.begun.append(perf_counter())
                return await super().handshake(check, noted)

        return Watched

    async def destroy(self, name: Name) -> None:
        await self.client.destroy(name)

    async def stats(self, path: Name) -> StatsStream:
        return await self.client.stats(path)


async def _decision_to_create(
    directory: Path,
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the milliseconds from each of many decisions to its create.

    To the first byte on the create's own connection, when the host has been
    asked and the image is there; and to the last flight of its handshake, which
    carries the command and waits until that is on disk.
    """
    decided: list[float] = []

    class Reporter(LogReporter):
        def decided(self, group: Group, before: object) -> None:
            if group.decision is not None and group.decision.acts:
                decided.append(perf_counter())

    log = Log(lambda _level, _event, _fields: None)
    group_id = GroupId("alpha", Name(("user",), "web"))
    policy = Policy(max_clones=CLONES, min_clones=CLONES, share_cpuids=True)
    options = ["--unikernel", "user:web", "--interval", "100ms"]
    with sandbox(directory, options) as port:
        host = _Stopwatch(client_of(directory, port, domain_files(directory, USER)))
        setattr(connection, "TlsStream", host.watched())  # noqa: B010 - not its own
        watch = Watch("alpha", USER, Rhythm())
        fleet = Fleet(
            [new_group(group_id, policy)], [watch], Reporter(log), read_clocks, 0.3
        )
        async with await Store.open(directory / "state") as store:
            images = ImageFiles(directory / "images", log)
            parts = Parts({"alpha": host}, store, images, log, read_clocks, 5.0, 60.0)
            daemon = Daemon(fleet, parts)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(daemon.run)
                with trio.fail_after(60):
                    while len(fleet.groups[group_id].clones) < CLONES:
                        await trio.sleep(0.05)
                daemon.stop()
    # The first fetches the image, which is cached from then on.
    return tuple(_since(decided, host.begun)), tuple(_since(decided, host.told))


def _since(earlier: list[float], later: list[float]) -> Iterator[float]:
    for before, after in list(zip(earlier, later, strict=False))[1:]:
        yield (after - before) * MS_PER_S


def _resident_mb() -> float:
    with of_many("2s") as pid:
        time.sleep(SETTLE_S)
        return resident_mb(pid)


def resident_mb(pid: int) -> float:
    """Return the resident memory of the process *pid*."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines["VmRSS"].split()[0]) / KB_PER_MB


@contextlib.contextmanager
def of_many(interval: str, more: str = "") -> Iterator[int]:
    """Run a daemon for a thousand unikernels, and give its pid.

    Arguments:
        interval: How often each of them is told of.
        more: More of the daemon's configuration.
    """
    names = [
        f"user:web{group}" + (f"-clone-{number}" if number else "")
        for group in range(GROUPS)
        for number in range(MANY // GROUPS)
    ]
    options = [word for name in names for word in ("--unikernel", name)]
    options += ["--interval", interval]
    with tempfile.TemporaryDirectory() as directory:
        here = Path(directory)
        with sandbox(here, options) as port, _daemon(here, port, more) as pid:
            yield pid


@contextlib.contextmanager
def _daemon(directory: Path, port: int, more: str) -> Iterator[int]:
    """Run the daemon for all groups, and give its pid."""
    file = directory / "autoscaler.toml"
    host = (
        f'[deployment]\nname = "big"\nstate_dir = "state"\n'
        f'[[hosts]]\nname = "alpha"\naddress = "127.0.0.1:{port}"\n'
        'server_ca = "ca.pem"\nca = "user.pem"\nca_key = "user.key"\n'
    )
    groups = [
        f'[[groups]]\nhost = "alpha"\nprimary = "user:web{group}"\nmax_clones = 9\n'
        for group in range(GROUPS)
    ]
    file.write_text(host + "".join(groups) + more, "utf-8")
    command = [sys.executable, "-c", _main("autoscaler"), "run", "--config", str(file)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as child:  # noqa: S603
        try:
            yield child.pid
        finally:
            child.terminate()
