"""A whole daemon on a sandbox host in memory, under trio's virtual clock."""

from collections.abc import Callable, Mapping
from typing import Any

import trio
from attrs import define, field, frozen

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.sandbox.faults import Rules
from albatross_client.sandbox.live import LiveHost, Settings
from albatross_client.sandbox.memory import MemoryClient
from albatross_client.sandbox.model import ModelMachine
from albatross_client.values import Config, ResourcePolicy
from autoscaler.core.decision import Decision
from autoscaler.core.events import Note
from autoscaler.core.group import Group, GroupId
from autoscaler.core.moments import Clocks
from autoscaler.core.policy import Policy
from autoscaler.shell.acting.turns import Turns
from autoscaler.shell.assemble import make_watches, revive_groups
from autoscaler.shell.configuration.traffic_tables import TrafficSettings
from autoscaler.shell.daemon import Daemon, Parts
from autoscaler.shell.deploy import Files, Lookout, Shelf
from autoscaler.shell.drafts import Draft
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.hosts.host import Host, Subscribe
from autoscaler.shell.log import Field, Log
from autoscaler.shell.report import LogReporter, Reporters
from autoscaler.shell.state.images import ImagesInMemory
from autoscaler.shell.state.store import Store

HOST = "alpha"
USER = Name(("user",))
WEB = Name(("user",), "web")
GROUP = GroupId(HOST, WEB)
ROOMY = ResourcePolicy(
    cpuids=frozenset(range(16)),
    unikernels=100,
    memory=16_000,
    block=100,
    bridges=frozenset({"service"}),
)


@define
class Notebook:
    """Keeps what happens to groups, as a log would.

    Attributes:
        acted: Set with the first decision that acts, before the action begins.
    """

    ticks: list[Decision] = field(factory=list)
    decisions: list[Decision] = field(factory=list)
    notes: list[Note] = field(factory=list)
    acted: trio.Event = field(factory=trio.Event)

    def ticked(self, group: Group) -> None:
        assert group.decision is not None
        self.ticks.append(group.decision)

    def decided(self, group: Group, before: Decision | None) -> None:
        assert group.decision is not None
        self.decisions.append(group.decision)
        if group.decision.acts:
            self.acted.set()

    def noted(self, group: Group, note: Note) -> None:
        self.notes.append(note)

    @property
    def reasons(self) -> list[str]:
        return [decision.reason.value for decision in self.decisions]


# Without a repr: a failing assertion would write everything out.
@define(repr=False)
class World:
    """One sandbox host and the daemon that looks after it.

    Attributes:
        life: Of the daemon: cancelled, it ends as if it was killed; what it
            has not written to the store is lost.
    """

    live: LiveHost
    daemon: Daemon
    store: Store
    notebook: Notebook
    log: list[tuple[str, dict[str, Field]]]
    told: Log
    shelf: Shelf
    life: trio.CancelScope = field(factory=trio.CancelScope)
    ended: trio.Event = field(factory=trio.Event)

    @property
    def group(self) -> Group:
        return self.daemon.fleet.groups[GROUP]

    @property
    def clones(self) -> list[str]:
        running = (str(name) for name in self.live.state.unikernels)
        return sorted(name for name in running if "-clone-" in name)

    @property
    def members(self) -> list[str]:
        """The clones as the daemon knows them."""
        return sorted(str(clone.name) for clone in self.group.clones)

    @property
    def size(self) -> int:
        return 1 + len(self.clones)

    @property
    def decision(self) -> Decision:
        assert self.group.decision is not None
        return self.group.decision

    def events(self, name: str) -> list[dict[str, Any]]:
        return [fields for event, fields in self.log if event == name]

    @property
    def lookout(self) -> Lookout:
        """What notices new images, on the shelf that the daemon uses."""
        return Lookout(self.daemon.fleet, self.shelf, self.told)

    async def kill(self) -> None:
        """End the daemon at once."""
        self.life.cancel()
        await self.ended.wait()

    async def run(self) -> None:
        with self.life:
            await self.daemon.run()
        self.ended.set()


@define
class Nap:
    """How long a machine was suspended since its boot, seconds."""

    seconds: float = 0.0


@frozen(kw_only=True)
class Machine:
    """The machine that a daemon runs on: its clocks and what it reaches.

    Attributes:
        boot_id: Which boot of it.
        booted: Seconds that were over on the virtual clock at that boot.
        wall_step: Seconds that its wall clock is ahead of the host's.
        nap: Its suspensions, which the clock of intervals knows nothing of.
        subscribe: At which paths it listens.
        turns: Makes what says how many actions run at once.
        through: Puts something between the daemon and its hosts.
        others: More hosts, by name.
        groups: More groups.
        drafts: What the managed ones of them are made from.
        files: The files with their images.
        traffic: How groups get their requests, of those with a balancer.
    """

    boot_id: str = "the only boot"
    booted: float = 0.0
    wall_step: float = 0.0
    nap: Nap = field(factory=Nap)
    subscribe: Subscribe = Subscribe.DOMAIN
    turns: Callable[[], Turns] = Turns
    through: Callable[[MemoryClient], Host] = lambda client: client
    others: Mapping[str, LiveHost] = field(factory=dict)
    groups: Mapping[GroupId, Policy] = field(factory=dict)
    drafts: Mapping[GroupId, Draft] = field(factory=dict)
    files: Files = field(factory=Files)
    traffic: Mapping[GroupId, TrafficSettings] = field(factory=dict)


ONE_MACHINE = Machine()


@frozen(kw_only=True)
class Wish:
    """What a world should be like; the defaults are the product's own."""

    policy: Policy = Policy(max_clones=9)
    demand: Demand = Demand.constant(0.5)
    interval: float = 10.0
    config: Config = Config(image=SANDBOX_IMAGE, memory=32)
    domain: ResourcePolicy = ROOMY
    rules: Rules = ()
    store: Callable[[], Store] = Store.in_memory
    machine: Machine = ONE_MACHINE


def make_host(nursery: trio.Nursery, wish: Wish) -> LiveHost:
    """Start a host with one primary; it ends with *nursery*."""
    live = LiveHost(
        Settings(
            interval=wish.interval,
            root_policy=ROOMY,
            policies={USER: wish.domain},
            demands={WEB: wish.demand},
            rules=wish.rules,
        ),
        ModelMachine(),
    )
    live.create(WEB, wish.config)
    nursery.start_soon(live.run)
    return live


async def make_world(nursery: trio.Nursery, wish: Wish) -> World:
    """Start a host with one primary, and a daemon; both end with *nursery*."""
    live = make_host(nursery, wish)
    world = await build_world(live, wish.store(), wish.policy, wish.machine)
    nursery.start_soon(world.run)
    return world


async def start_daemon(
    nursery: trio.Nursery,
    live: LiveHost,
    store: Store,
    policy: Policy,
    machine: Machine = ONE_MACHINE,
) -> World:
    """Start a daemon on *live* with what *store* has kept."""
    world = await build_world(live, store, policy, machine)
    nursery.start_soon(world.run)
    return world


async def build_world(
    live: LiveHost, store: Store, policy: Policy, machine: Machine
) -> World:
    """Return a daemon on *live*, which does nothing yet."""

    def clocks() -> Clocks:
        now = trio.current_time()
        wall = live.now.milliseconds / 1000 + machine.wall_step
        boot = now - machine.booted + machine.nap.seconds
        return Clocks(now, machine.boot_id, boot, wall + machine.nap.seconds)

    log: list[tuple[str, dict[str, Field]]] = []
    told = Log(lambda _level, event, fields: log.append((event, dict(fields))))
    notebook = Notebook()
    stored = await store.load()
    wanted = {GROUP: policy, **machine.groups}
    templates = {group_id: draft.template for group_id, draft in machine.drafts.items()}
    hosts = {HOST: live, **machine.others}
    fleet = Fleet(
        revive_groups(wanted, stored.snapshots, clocks(), templates),
        make_watches(
            wanted,
            dict.fromkeys(hosts),
            stored.intervals,
            dict.fromkeys(hosts, machine.subscribe),
        ),
        Reporters((notebook, LogReporter(told))),
        clocks,
        60.0,
    )
    fleet.drafts, fleet.last_id = dict(machine.drafts), stored.last_id
    shelf = Shelf(ImagesInMemory(), fleet, machine.files)
    parts = Parts(
        hosts={name: machine.through(MemoryClient(h)) for name, h in hosts.items()},
        store=store,
        images=shelf,
        log=told,
        clocks=clocks,
        shutdown_timeout=30,
        history_keep=7 * 86_400,
        turns=machine.turns(),
        traffic=machine.traffic,
    )
    return World(live, Daemon(fleet, parts), store, notebook, log, told, shelf)


async def wait_until(condition: Callable[[], bool], within: float) -> float:
    """Return how many seconds it took until *condition* held."""
    began = trio.current_time()
    pause = min(max(within / 1000, 0.1), 1.0)
    with trio.fail_after(within):
        while not condition():
            await trio.sleep(pause)
    return trio.current_time() - began
