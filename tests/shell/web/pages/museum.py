"""A daemon with groups in all kinds of trouble, and pages that tell of them.

Each group is named after what it is in.  Time is virtual.
"""

import math
import random
from pathlib import Path

import trio
from attrs import evolve, frozen

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.sandbox.faults import Refused, Rule
from albatross_client.sandbox.live import LiveHost
from albatross_client.sandbox.live import Settings as HostSettings
from albatross_client.sandbox.model import ModelMachine
from albatross_client.values import Config
from autoscaler.core.decision import Reason
from autoscaler.core.group import GroupId
from autoscaler.core.policy import Mode, Policy
from autoscaler.shell.configuration.group_tables import GroupSettings
from autoscaler.shell.configuration.settings import Deployment, Settings
from autoscaler.shell.state.store import Store
from autoscaler.shell.web.pages.routes import Pages
from tests.shell.harness import ROOMY, Machine, World, build_world

MEMBER = Config(image=SANDBOX_IMAGE, memory=32)
MUCH = evolve(ROOMY, unikernels=10_000, memory=10_000_000)
TIGHT = evolve(ROOMY, unikernels=2)
USER, SMALL = Name(("user",)), Name(("small",))
# Load comes when everything is settled.
LOAD_AT = 600.0


@frozen
class Exhibit:
    """One group.

    Attributes:
        name: Of its primary.
        policy: What its operator wants.
        demand: What it is asked for.
        host: Where it is.
    """

    name: Name
    policy: Policy
    demand: Demand
    host: str = "alpha"

    @property
    def id(self) -> GroupId:
        return GroupId(self.host, self.name)


def later(before: float, after: float) -> Demand:
    return Demand(((0.0, before), (LOAD_AT, after)))


def user(label: str) -> Name:
    return Name(("user",), label)


def wave(seed: int, most: float = 1.6) -> Demand:
    """Return a demand that goes up and down."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    level, steps = chance.uniform(0.3, most), []
    for minute in range(0, 400, 1):
        level = min(most, max(0.1, level + chance.gauss(0, 0.09)))
        swing = 0.25 * math.sin(minute / 9 + seed)
        steps.append((minute * 60.0, max(0.05, level + swing)))
    return Demand(tuple(steps))


STEADY = Exhibit(user("web"), Policy(max_clones=4), Demand.constant(0.6))
COOLDOWN = Exhibit(
    user("cooldown"),
    Policy(max_clones=4, cooldown_up=3600.0),
    Demand(((0.0, 0.5), (300.0, 1.5), (LOAD_AT, 4.0))),
)
AT_MAX = Exhibit(user("at-max"), Policy(max_clones=1), later(0.5, 5.0))
NO_CAPACITY = Exhibit(
    Name(("small",), "no-capacity"), Policy(max_clones=4), later(0.5, 5.0)
)
NO_DATA = Exhibit(user("no-data"), Policy(max_clones=4), later(0.5, 5.0))
FAILING = Exhibit(Name(("failing",), "failing"), Policy(max_clones=4), later(0.5, 5.0))
PAUSED = Exhibit(
    user("paused"), Policy(max_clones=4, mode=Mode.PAUSED), later(0.5, 5.0)
)
OBSERVED = Exhibit(
    user("observed"), Policy(max_clones=4, mode=Mode.OBSERVE), later(0.5, 5.0)
)
DOWN = Exhibit(user("down"), Policy(max_clones=4), later(0.5, 5.0), "beta")
GROWING = Exhibit(user("growing"), Policy(max_clones=6), wave(3, 4.5))
TROUBLES = (
    *(STEADY, COOLDOWN, AT_MAX, NO_CAPACITY, NO_DATA, FAILING, PAUSED, DOWN, GROWING),
)


def crowd(count: int) -> tuple[Exhibit, ...]:
    """Return *count* groups that do well, more or less."""
    others = (
        Exhibit(user(f"service{n:03}"), Policy(max_clones=4), wave(n))
        for n in range(1, count)
    )
    return (STEADY, *others)


@frozen
class Museum:
    """What is to be seen.

    Attributes:
        world: The daemon.
        beta: A host that may go.
        pages: What tells of it.
        settings: The configuration in force.
    """

    world: World
    beta: LiveHost
    pages: Pages
    settings: Settings

    def reason(self, exhibit: Exhibit) -> Reason | None:
        """Return why a group does what it does; None: nothing was decided."""
        decision = self.world.daemon.fleet.groups[exhibit.id].decision
        return None if decision is None else decision.reason


async def open_museum(
    nursery: trio.Nursery, exhibits: tuple[Exhibit, ...], directory: Path
) -> Museum:
    """Show *exhibits*, of which `STEADY` is one; ends with *nursery*."""
    alpha, beta = (_host(nursery, exhibits, name) for name in ("alpha", "beta"))
    groups = {each.id: each.policy for each in exhibits}
    machine = Machine(
        others={"beta": beta} if _uses_beta(exhibits) else {}, groups=groups
    )
    store = await nursery.start(_keep, directory)
    world = await build_world(alpha, store, STEADY.policy, machine)
    settings = Settings(
        path=directory / "autoscaler.toml",
        deployment=Deployment(name="museum", state_dir=directory),
        hosts=(),
        groups=tuple(GroupSettings(each.id, each.policy) for each in exhibits),
    )
    pages = Pages(world.daemon, lambda: settings, world.told)
    world.told.listener = pages.hear
    nursery.start_soon(world.run)
    nursery.start_soon(pages.follow_for_ever)
    return Museum(world, beta, pages, settings)


def _uses_beta(exhibits: tuple[Exhibit, ...]) -> bool:
    return any(each.host == "beta" for each in exhibits)


def _host(nursery: trio.Nursery, exhibits: tuple[Exhibit, ...], name: str) -> LiveHost:
    mine = [each for each in exhibits if each.host == name]
    refuses = Rule(
        fault=Refused("solo5-hvt: cannot allocate a tap device"),
        times=None,
        verb="create",
        name=Name(("failing",), "failing-clone-1"),
    )
    live = LiveHost(
        HostSettings(
            root_policy=MUCH,
            policies={USER: MUCH, SMALL: TIGHT, Name(("failing",)): MUCH},
            demands={each.name: each.demand for each in mine},
            rules=(refuses,),
        ),
        ModelMachine(),
    )
    for each in mine:
        live.create(each.name, MEMBER)
    nursery.start_soon(live.run)
    return live


async def _keep(directory: Path, task_status=trio.TASK_STATUS_IGNORED) -> None:
    async with await Store.open(directory) as store:
        task_status.started(store)
        await trio.sleep_forever()
