"""`autoscaler demo`: a sandbox host, a load that comes and goes, the daemon.

Everything is real but the host: TLS, certificates, statistics of processes
whose CPU the kernel counts.  It ends by itself.
"""

import argparse
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import trio
from attrs import define, evolve, field, frozen
from rich.console import Console
from rich.live import Live

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import Options, Sandbox, run_sandbox
from albatross_client.sandbox.live import Settings as HostSettings
from albatross_client.values import Config, ResourcePolicy
from autoscaler.cli.live_view import LiveView
from autoscaler.cli.run import serve
from autoscaler.core.group import Group
from autoscaler.shell.configuration.settings import Settings, load_settings
from autoscaler.shell.events import Level
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.log import Field, Log, configure

PRIMARY = Name(("user",), "web")
DOMAIN = Name(("user",))
# Cores asked for, from which second on: one unikernel is plenty, then two are
# not enough, then one is plenty again.
DEMAND = Demand(((0.0, 0.3), (6.0, 2.4), (36.0, 0.3)))
EXPECTED_SIZES = (1, 2, 3, 2, 1)
LONGEST_S = 88.0
# What is burned of a core for each core that the unikernels seem to use.
CORE_SHARE = 0.2
REFRESH_S = 0.25
CONFIG = Path(__file__).parents[2] / "config" / "sandbox.toml"
POLICY = ResourcePolicy(
    cpuids=frozenset(range(8)), unikernels=8, memory=512, block=0, bridges=frozenset()
)


def add_command(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``demo``."""
    parser = subparsers.add_parser(
        "demo",
        help="watch a group grow and shrink on a host in a sandbox",
        description="Start a sandbox host with one unikernel, load it, and let the "
        "daemon follow. Ends by itself in at most 90 seconds; the exit code is 0 if "
        "the group went from 1 to 3 members and back.",
    )
    parser.add_argument(
        "--plain", action="store_true", help="log lines, also on a terminal"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; return 0 if the group grew and shrank as it should."""
    console = Console()
    is_live = console.is_terminal and not arguments.plain
    with tempfile.TemporaryDirectory(prefix="albatross-demo-") as directory:
        story = trio.run(play, Path(directory), console if is_live else None)
    for line in story.summary():
        print(line)
    return 0 if story.is_as_expected else 1


@define
class Story:
    """What has happened so far.

    Attributes:
        sizes: From which second on how many members ran.
        actions: The lines of the log about finished actions.
    """

    sizes: list[tuple[float, int]] = field(factory=list)
    actions: list[Mapping[str, Field]] = field(factory=list)

    @property
    def is_as_expected(self) -> bool:
        """Whether the group has grown and shrunk as it should."""
        return tuple(size for _, size in self.sizes) == EXPECTED_SIZES

    def note_size(self, second: float, size: int) -> None:
        """Note how many members run."""
        if not self.sizes or self.sizes[-1][1] != size:
            self.sizes.append((second, size))

    def summary(self) -> list[str]:
        """Return what there is to say at the end."""
        lines = ["", "members over time:"]
        lines += [
            f"  {second:5.1f} s  {'#' * size} {size}" for second, size in self.sizes
        ]
        lines.append("actions:")
        for action in self.actions:
            what = action.get("clones") or action.get("victim")
            took = f" in {action['took_s']} s" if "took_s" in action else ""
            lines.append(
                f"  {action['action']} {what} ({action['reason']}): "
                f"{action['outcome']}{took}"
            )
        shown = " -> ".join(str(size) for _, size in self.sizes)
        wanted = " -> ".join(map(str, EXPECTED_SIZES))
        if self.is_as_expected:
            lines.append(f"The group went {shown} by itself.")
        else:
            lines.append(f"The group went {shown or 'nowhere'}, and not {wanted}.")
        return lines


async def play(directory: Path, console: Console | None) -> Story:
    """Run sandbox and daemon until the story is told, or for too long.

    Arguments:
        directory: Where keys and state are kept meanwhile.
        console: Where the live view goes; None: log lines instead.
    """
    story = Story()
    view = LiveView("autoscaler demo: user:web on a sandbox host")
    log = _story_log(story, view, configure() if console is None else None)
    async with trio.open_nursery() as nursery:
        sandbox = await nursery.start(run_sandbox, _options(directory))
        settings = _settings(sandbox)
        fleet = await nursery.start(serve, settings, log, ())
        stage = Stage(sandbox, fleet, story)
        with trio.move_on_after(LONGEST_S):
            if console is None:
                await stage.watch()
            else:
                await _show(stage, view, console)
        nursery.cancel_scope.cancel()
    return story


@frozen
class Stage:
    """What is looked at while the story goes on."""

    sandbox: Sandbox
    fleet: Fleet
    story: Story

    @property
    def group(self) -> Group:
        """The only group."""
        return next(iter(self.fleet.groups.values()))

    @property
    def second(self) -> float:
        """How long the sandbox has run."""
        return self.sandbox.host.second

    @property
    def is_over(self) -> bool:
        """Whether the group is back where it was, with nothing under way."""
        idle = not self.group.ledger.actions
        return self.story.is_as_expected and idle

    async def watch(self) -> None:
        """Look on until the story is over."""
        while not self.is_over:
            self.look()
            await trio.sleep(REFRESH_S)

    def look(self) -> None:
        """Note how many members run."""
        size = len(self.sandbox.host.state.unikernels)
        self.story.note_size(self.second, size)


async def _show(stage: Stage, view: LiveView, console: Console) -> None:
    with Live(console=console, auto_refresh=False, transient=False) as live:
        while not stage.is_over:
            stage.look()
            demand = DEMAND.cores(stage.second)
            footer = f"{stage.second:4.0f} s   demand: {demand:g} unikernels"
            live.update(view.render(stage.group, footer), refresh=True)
            await trio.sleep(REFRESH_S)


def _options(directory: Path) -> Options:
    host = HostSettings(
        interval=1.0, policies={DOMAIN: POLICY}, demands={PRIMARY: DEMAND}
    )
    return Options(
        directory=directory,
        kind="process",
        core_share=CORE_SHARE,
        settings=host,
        unikernels={PRIMARY: Config(memory=32)},
    )


def _settings(sandbox: Sandbox) -> Settings:
    """Return the demo's configuration, with the address of *sandbox*."""
    file = sandbox.directory / CONFIG.name
    shutil.copy(CONFIG, file)
    settings = load_settings(file)
    hosts = tuple(
        evolve(host, access=evolve(host.access, port=sandbox.port))
        for host in settings.hosts
    )
    return evolve(settings, hosts=hosts)


def _story_log(story: Story, view: LiveView, plain: Log | None) -> Log:
    """Return a log that tells *story*, *view* and, if given, *plain*."""

    def take(level: Level, name: str, fields: Mapping[str, Field]) -> None:
        if name == "action_finished":
            story.actions.append(fields)
        if level != "debug":
            view.note(name, fields)
        if plain is not None:
            plain.sink(level, name, fields)

    return Log(take)
