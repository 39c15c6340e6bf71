"""A daemon in a process of its own that is killed at one chosen point.

Points are before, in the middle of and after everything that the daemon asks
of its store and its hosts, from when an action is written down until it is
closed.  Each has a name, such as ``before create #1``.
"""

import os
import signal
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

import trio
from attrs import define, field, frozen

from albatross_client.certificates import load_authority, load_certificate
from albatross_client.client import Client
from albatross_client.endpoint import Endpoint
from albatross_client.names import Name
from albatross_client.sandbox.authority import ca_files
from albatross_client.tls_stream import Before
from albatross_client.values import Config, Info, ResourcePolicy
from autoscaler.core.actions import Action
from autoscaler.core.group import GroupId
from autoscaler.core.policy import Policy
from autoscaler.core.snapshot import Snapshot
from autoscaler.shell.acting import perform
from autoscaler.shell.assemble import make_watches, revive_groups
from autoscaler.shell.clock import read_clocks
from autoscaler.shell.daemon import Daemon, Parts
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.hosts.host import ConsoleSource, StatsSource
from autoscaler.shell.log import Log, configure
from autoscaler.shell.report import LogReporter
from autoscaler.shell.state.images import ImageFiles
from autoscaler.shell.state.store import Step, Store

T = TypeVar("T")

HOST = "alpha"
INTERVAL_S = 0.5
# The middle of something that takes a few milliseconds.
MIDDLE_S = 0.002
# What has been true for so long stays true.
SETTLED_S = 1.5
PATIENCE_S = 40.0


@frozen(kw_only=True)
class Job:
    """One life of a daemon.

    Attributes:
        directory: Of its state; beside that, `points` and `commands` are
            written, one line each.
        port: Of the sandbox.
        keys: The sandbox's directory.
        group: What it looks after.
        policy: How.
        clones: How many clones it should end with.
        kill_at: The point where it is killed; None: it lives.
    """

    directory: Path
    port: int
    keys: Path
    group: GroupId
    policy: Policy
    clones: int
    kill_at: str | None = None


def live(job: Job) -> None:
    """Live as *job* says; ends with an exit code other than 0 if it fails."""
    # A pause after a failure is 10 s in production.
    perform.LEAST_JITTER = perform.MOST_JITTER = 0.02
    with (job.directory / "log").open("a") as file:
        trio.run(_serve, job, configure("logfmt", "debug", file))


@define
class Reaper:
    """Knows the points, and kills this process at one of them."""

    directory: Path
    kill_at: str | None
    is_awake: bool = False
    passed: Counter[str] = field(factory=Counter)

    async def watch(self, what: str, work: Awaitable[T]) -> T:
        """Await *work* with a point before, in the middle and after."""
        self.passed[what] += 1
        name = f"{what} #{self.passed[what]}"
        self._pass(f"before {name}")
        if self._pass(f"within {name}", is_now=False):
            threading.Timer(MIDDLE_S, _die).start()
        done = await work
        self._pass(f"after {name}")
        return done

    def _pass(self, point: str, *, is_now: bool = True) -> bool:
        if not self.is_awake:
            return False
        self.note("points", point)
        if point == self.kill_at and is_now:
            _die()
        return point == self.kill_at

    def note(self, file: str, line: str) -> None:
        """Write *line*, which a kill doesn't undo."""
        with (self.directory / file).open("a") as lines:
            lines.write(f"{line}\n")


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class WatchedStore(Store):
    """A store with points around each write."""

    reaper: Reaper

    async def begin(
        self, snapshot: Snapshot, action: Action, wall: float | None = None
    ) -> None:
        self.reaper.is_awake = True
        await self.reaper.watch("begin", super().begin(snapshot, action, wall))

    async def note(
        self, snapshot: Snapshot, action: Action, name: Name, step: Step
    ) -> None:
        noting = super().note(snapshot, action, name, step)
        await self.reaper.watch(step.value, noting)

    async def end(
        self,
        snapshot: Snapshot,
        action: Action,
        outcome: str,
        error: str | None,
        took_s: float | None,
    ) -> None:
        ending = super().end(snapshot, action, outcome, error, took_s)
        await self.reaper.watch("end", ending)
        self.reaper.is_awake = False

    async def save(
        self, snapshots: Iterable[Snapshot], *, are_all: bool = False
    ) -> None:
        await self.reaper.watch("save", super().save(snapshots, are_all=are_all))


@frozen
class WatchedHost:
    """A host with points around each command."""

    client: Client
    reaper: Reaper

    @property
    def domain(self) -> Name:
        return self.client.endpoint.authority.domain

    async def info(self, name: Name) -> Mapping[Name, Info]:
        return await self.reaper.watch("info", self.client.info(name))

    async def policies(self, domain: Name) -> Mapping[Name, ResourcePolicy]:
        return await self.reaper.watch("policies", self.client.policies(domain))

    async def console(self, name: Name, count: int) -> ConsoleSource:
        return await self.client.console(name, count)

    async def image(self, name: Name) -> bytes:
        return await self.reaper.watch("image", self.client.image(name))

    def prepare(self, name: Name, config: Config) -> None:
        self.client.prepare(name, config)

    async def create(
        self, name: Name, config: Config, image: bytes, before: Before
    ) -> None:
        creating = partial(self.client.create, name, config, image, before)
        await self._command("create", name, creating)

    async def destroy(self, name: Name) -> None:
        await self._command("destroy", name, partial(self.client.destroy, name))

    async def stats(self, path: Name) -> StatsSource:
        return await self.client.stats(path)

    async def _command(
        self, verb: str, name: Name, command: Callable[[], Awaitable[None]]
    ) -> None:
        async def told() -> None:
            self.reaper.note("commands", f"{verb} {name}")
            await command()

        await self.reaper.watch(verb, told())


async def _serve(job: Job, log: Log) -> None:
    reaper = Reaper(job.directory, job.kill_at)
    host = WatchedHost(_client(job), reaper)
    async with await WatchedStore.open(job.directory / "state") as store:
        store.reaper = reaper
        stored = await store.load()
        wanted = {job.group: job.policy}
        fleet = Fleet(
            revive_groups(wanted, stored.snapshots, read_clocks()),
            make_watches(wanted, {HOST: INTERVAL_S}, {}),
            LogReporter(log),
            read_clocks,
            1.0,
        )
        parts = Parts(
            hosts={HOST: host},
            store=store,
            images=ImageFiles(job.directory / "images", log),
            log=log,
            clocks=read_clocks,
            shutdown_timeout=10,
            history_keep=86_400,
        )
        daemon = Daemon(fleet, parts)
        await daemon.run((), (partial(_stop_when_settled, daemon, job),))


async def _stop_when_settled(daemon: Daemon, job: Job) -> None:
    """End the daemon once its group is as it should be, and stays so."""
    since = trio.current_time()
    with trio.fail_after(PATIENCE_S):
        while trio.current_time() - since < SETTLED_S:
            await trio.sleep(0.1)
            if not _is_settled(daemon.fleet, job):
                since = trio.current_time()
    daemon.stop()


def _is_settled(fleet: Fleet, job: Job) -> bool:
    group, view = fleet.groups[job.group], fleet.view(job.group)
    primary = view.info(job.group.name)
    clones = [view.info(clone.name) for clone in group.clones]
    return (
        not group.ledger.actions
        and len(clones) == job.clones
        and primary is not None
        and all(clone and clone.digest == primary.digest for clone in clones)
    )


def _client(job: Job) -> Client:
    files = ca_files(job.keys)
    return Client(
        Endpoint(
            host="127.0.0.1",
            port=job.port,
            server_ca=load_certificate(files.certificate),
            authority=load_authority(files.certificate, files.key),
        )
    )
