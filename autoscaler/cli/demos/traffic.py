"""Visitors come, go and come back: a group follows them, down to no member.

Everything is real but the host: HAProxy, its requests, the CPU that they cost.
"""

import socket
from pathlib import Path

import trio
from attrs import define, field
from rich.console import Console, ConsoleDimensions, RenderableType

from albatross_client.names import Name
from albatross_client.sandbox import haproxy
from albatross_client.sandbox.embed import (
    LOOPBACK,
    SANDBOX_IMAGE,
    Options,
    Sandbox,
    run_sandbox,
)
from albatross_client.sandbox.haproxy import run_haproxy
from albatross_client.sandbox.live import Settings as HostSettings
from albatross_client.sandbox.process import Serving
from albatross_client.sandbox.visitors.crowd import Habits
from albatross_client.sandbox.visitors.embed import Visitors, run_visitors
from albatross_client.sandbox.visitors.tally import Second
from albatross_client.sandbox.visitors.visit import Target
from albatross_client.values import ResourcePolicy
from autoscaler.cli.demos.scenes import SCENES, WANTED, Scene
from autoscaler.cli.demos.stage import REFRESH_S, Play, prepare, put_on, story_log
from autoscaler.cli.demos.traffic_view import Sight, TrafficView
from autoscaler.cli.demos.visits import NO_REQUESTS, VisitedStory, milliseconds
from autoscaler.cli.run import serve
from autoscaler.core.backend import Backend
from autoscaler.core.group import Group
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.log import Field, Log, configure

DOMAIN = Name(("user",))
CONFIG = "traffic.toml"
IMAGE = "web.hvt"
# What stands in the configuration for what is free here.
HOST, ACTIVATOR = "127.0.0.1:11025", "127.0.0.1:11026"
SOCKET, PORT = "/run/haproxy.sock", "8080"
POLICY = ResourcePolicy(
    cpuids=frozenset(range(8)), unikernels=8, memory=512, bridges=frozenset()
)
# A unikernel answers 50 requests a second, for a twentieth of a real core.
CORE_SHARE = 0.05
SERVING = Serving(request_seconds=0.02, boot_seconds=0.5)
# More patient than whoever holds them: what fails has been refused.
HABITS = Habits(keep_alive=0.5, patience=25.0)
TOLD_EVERY_S = 5


async def play(directory: Path, console: Console | None) -> VisitedStory:
    """Run sandbox, HAProxy, daemon and visitors until the story is told.

    Arguments:
        directory: Where keys, sockets and state are kept meanwhile.
        console: Where the live view goes; None: log lines instead.

    Raises:
        OSError: HAProxy has ended, in a group.
    """
    story = VisitedStory(WANTED)
    plain = configure() if console is None else None
    view = TrafficView(
        "autoscaler demo --traffic: user:web behind HAProxy on a sandbox host"
    )
    log = story_log(story, view.latest, plain)

    async def begin(nursery: trio.Nursery) -> Play:
        activator = f"{LOOPBACK}:{_free_port()}"
        sandbox = await nursery.start(run_sandbox, _options(directory))
        before = haproxy.Options(directory=directory, activator=activator)
        balancer = await nursery.start(run_haproxy, before)
        (directory / IMAGE).write_bytes(SANDBOX_IMAGE)
        found = {
            HOST: sandbox.address,
            ACTIVATOR: activator,
            SOCKET: str(balancer.socket),
            PORT: str(_free_port()),
        }
        settings = prepare(directory, CONFIG, found)
        fleet = await nursery.start(serve, settings, log, ())
        visitors = await nursery.start(run_visitors, Target.parse(balancer.url), HABITS)
        playing = TrafficPlay(sandbox, fleet, visitors, story, view, log, plain)
        nursery.start_soon(playing.direct)
        return playing

    await put_on(begin, console)
    return story


@define
class TrafficPlay:
    """What goes on: scene after scene.

    Attributes:
        sandbox: Where members run.
        fleet: Of the daemon.
        visitors: Ask for the group.
        story: What has happened.
        view: What is shown of it.
        log: Told of scenes.
        plain: Told of answers too; None: they are on the screen.
        scene: The one that goes on.
        is_over: Whether the last one is.
    """

    sandbox: Sandbox
    fleet: Fleet
    visitors: Visitors
    story: VisitedStory
    view: TrafficView
    log: Log
    plain: Log | None
    scene: Scene = SCENES[0]
    is_over: bool = field(default=False, init=False)

    @property
    def group(self) -> Group:
        """The only group."""
        return next(iter(self.fleet.groups.values()))

    @property
    def backend(self) -> Backend | None:
        """What HAProxy told last."""
        return self.fleet.backends.get(self.group.id)

    @property
    def held(self) -> int:
        """How many connections wait for a member."""
        holder = self.fleet.holders.get(self.group.id)
        return 0 if holder is None else holder.held

    async def direct(self) -> None:
        """Put on one scene after the other."""
        for scene in SCENES:
            await self._begin(scene)
            await self._until_reached(scene)
            await trio.sleep(scene.then_s)
        await self.visitors.leave()
        self.look()
        self.is_over = True

    async def _begin(self, scene: Scene) -> None:
        self.scene = scene
        self.log.sink("info", "scene_began", {"scene": scene.title})
        if not self._size and scene.size:
            self.story.waking = scene.who
        await self.visitors.come(scene.load)

    async def _until_reached(self, scene: Scene) -> None:
        """Return once the group is as it should be, with nothing under way."""
        while True:
            await trio.sleep(REFRESH_S)
            if self._is_reached(scene):
                return

    def _is_reached(self, scene: Scene) -> bool:
        servers = {} if self.backend is None else self.backend.servers
        is_served = any(server.serves for server in servers.values())
        is_calm = not self.group.ledger.actions
        return self._size == scene.size and is_calm and is_served

    @property
    def _size(self) -> int:
        return len(self.sandbox.host.state.unikernels)

    def look(self) -> None:
        """Note how many members run, and what came of requests."""
        self.story.note_size(self.sandbox.host.second, self._size)
        for second in self.visitors.seconds[len(self.story.course) :]:
            self.story.hear(second)
            if self.plain is not None and second.number % TOLD_EVERY_S == 0:
                self._tell(self.plain, second)

    def _tell(self, plain: Log, second: Second) -> None:
        """Tell *plain* what came of the requests of *second*."""
        told: dict[str, Field] = {
            "second": second.number,
            "answered": second.tally.answered,
            "p50": milliseconds(second.tally, 50),
            "p95": milliseconds(second.tally, 95),
            "failed": self.story.tally.failed,
            "held": self.held,
            "members": self._size,
        }
        plain.sink("info", "visitors_asked", told)

    def screen(self, size: ConsoleDimensions) -> RenderableType:
        """Return the live view."""
        latest = self.visitors.latest
        sight = Sight(
            heading=f"{self.sandbox.host.second:4.0f} s   {self.scene.title}",
            group=self.group,
            backend=self.backend,
            held=self.held,
            latest=NO_REQUESTS if latest is None else latest.tally,
            total=self.story.tally,
            course=self.story.course,
        )
        return self.view.render(sight, size)


def _options(directory: Path) -> Options:
    return Options(
        directory=directory,
        kind="process",
        core_share=CORE_SHARE,
        serving=SERVING,
        settings=HostSettings(interval=1.0, policies={DOMAIN: POLICY}),
    )


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
