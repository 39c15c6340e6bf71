"""A load on the CPUs comes and goes: one unikernel becomes three, and one."""

from pathlib import Path

import trio
from attrs import frozen
from rich.console import Console, ConsoleDimensions, RenderableType

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import Options, Sandbox, run_sandbox
from albatross_client.sandbox.live import Settings as HostSettings
from albatross_client.values import Config, ResourcePolicy
from autoscaler.cli.demos.stage import Play, prepare, put_on, story_log
from autoscaler.cli.demos.story import Story
from autoscaler.cli.demos.usage_view import UsageView
from autoscaler.cli.run import serve
from autoscaler.core.group import Group
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.log import configure

PRIMARY = Name(("user",), "web")
DOMAIN = Name(("user",))
# Cores asked for, from which second on: one unikernel is plenty, then two are
# not enough, then one is plenty again.
DEMAND = Demand(((0.0, 0.3), (6.0, 2.4), (36.0, 0.3)))
WANTED = (1, 3, 1)
# What is burned of a core for each core that the unikernels seem to use.
CORE_SHARE = 0.2
CONFIG = "sandbox.toml"
ADDRESS = "127.0.0.1:11025"
POLICY = ResourcePolicy(
    cpuids=frozenset(range(8)), unikernels=8, memory=512, block=0, bridges=frozenset()
)


async def play(directory: Path, console: Console | None) -> Story:
    """Run sandbox and daemon until the story is told, or for too long.

    Arguments:
        directory: Where keys and state are kept meanwhile.
        console: Where the live view goes; None: log lines instead.
    """
    story = Story(WANTED)
    view = UsageView("autoscaler demo: user:web on a sandbox host")
    log = story_log(story, view.latest, configure() if console is None else None)

    async def begin(nursery: trio.Nursery) -> Play:
        sandbox = await nursery.start(run_sandbox, _options(directory))
        settings = prepare(directory, CONFIG, {ADDRESS: sandbox.address})
        fleet = await nursery.start(serve, settings, log, ())
        return UsagePlay(sandbox, fleet, story, view)

    await put_on(begin, console)
    return story


@frozen
class UsagePlay:
    """What is looked at while the story goes on."""

    sandbox: Sandbox
    fleet: Fleet
    story: Story
    view: UsageView

    @property
    def group(self) -> Group:
        """The only group."""
        return next(iter(self.fleet.groups.values()))

    @property
    def is_over(self) -> bool:
        """Whether the group is back where it was, with nothing under way."""
        idle = not self.group.ledger.actions
        return self.story.is_as_wanted and idle

    def look(self) -> None:
        """Note how many members run."""
        host = self.sandbox.host
        self.story.note_size(host.second, len(host.state.unikernels))

    def screen(self, size: ConsoleDimensions) -> RenderableType:
        """Return the live view."""
        second = self.sandbox.host.second
        footer = f"{second:4.0f} s   demand: {DEMAND.cores(second):g} unikernels"
        return self.view.render(self.group, footer, size.width)


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
