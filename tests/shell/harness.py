"""A whole daemon on a sandbox host in memory, under trio's virtual clock."""

from collections.abc import Callable

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
from autoscaler.shell.assemble import make_watches, revive_groups
from autoscaler.shell.daemon import Daemon, Parts
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.images import ImagesInMemory
from autoscaler.shell.log import Field, Log
from autoscaler.shell.store import Store

HOST = "alpha"
USER = Name(("user",))
WEB = Name(("user",), "web")
ROOMY = ResourcePolicy(
    cpuids=frozenset(range(16)),
    unikernels=100,
    memory=16_000,
    block=100,
    bridges=frozenset({"service"}),
)


@define
class Notebook:
    """Keeps what happens to groups, as a log would."""

    ticks: list[Decision] = field(factory=list)
    decisions: list[Decision] = field(factory=list)
    notes: list[Note] = field(factory=list)

    def ticked(self, group: Group) -> None:
        assert group.decision is not None
        self.ticks.append(group.decision)

    def decided(self, group: Group, before: Decision | None) -> None:
        assert group.decision is not None
        self.decisions.append(group.decision)

    def noted(self, group: Group, note: Note) -> None:
        self.notes.append(note)

    @property
    def reasons(self) -> list[str]:
        return [decision.reason.value for decision in self.decisions]


@define
class World:
    """One sandbox host and the daemon that looks after it."""

    live: LiveHost
    daemon: Daemon
    store: Store
    notebook: Notebook
    log: list[tuple[str, dict[str, Field]]]

    @property
    def group(self) -> Group:
        return self.daemon.fleet.groups[GroupId(HOST, WEB)]

    @property
    def clones(self) -> list[str]:
        running = (str(name) for name in self.live.state.unikernels)
        return sorted(name for name in running if "-clone-" in name)

    @property
    def size(self) -> int:
        return 1 + len(self.clones)

    def events(self, name: str) -> list[dict[str, Field]]:
        return [fields for event, fields in self.log if event == name]


@frozen(kw_only=True)
class Wish:
    """What a world should be like; the defaults are the product's own."""

    policy: Policy = Policy(max_clones=9)
    demand: Demand = Demand.constant(0.5)
    interval: float = 10.0
    config: Config = Config(image=SANDBOX_IMAGE, memory=32)
    domain: ResourcePolicy = ROOMY
    rules: Rules = ()


async def make_world(nursery: trio.Nursery, wish: Wish) -> World:
    """Start a host with one primary, and a daemon; both end with *nursery*."""
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
    return await start_daemon(nursery, live, Store.in_memory(), wish.policy)


async def start_daemon(
    nursery: trio.Nursery, live: LiveHost, store: Store, policy: Policy
) -> World:
    """Start a daemon on *live* with what *store* has kept."""

    def clocks() -> Clocks:
        now = trio.current_time()
        return Clocks(now, "the only boot", now, live.now.milliseconds / 1000)

    log: list[tuple[str, dict[str, Field]]] = []
    notebook = Notebook()
    stored = await store.load()
    wanted = {GroupId(HOST, WEB): policy}
    fleet = Fleet(
        revive_groups(wanted, stored.snapshots, clocks()),
        make_watches(wanted, {HOST: None}, stored.intervals),
        notebook,
        clocks,
        60.0,
    )
    parts = Parts(
        hosts={HOST: MemoryClient(live)},
        store=store,
        images=ImagesInMemory(),
        log=Log(lambda _level, event, fields: log.append((event, dict(fields)))),
        clocks=clocks,
        shutdown_timeout=30,
        history_keep=7 * 86_400,
    )
    daemon = Daemon(fleet, parts)
    nursery.start_soon(daemon.run)
    return World(live, daemon, store, notebook, log)


async def wait_until(condition: Callable[[], bool], within: float) -> float:
    """Return how many seconds it took until *condition* held."""
    began = trio.current_time()
    with trio.fail_after(within):
        while not condition():
            await trio.sleep(0.1)
    return trio.current_time() - began
