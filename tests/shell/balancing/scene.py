"""A whole daemon with a managed group behind a balancer in memory."""

from collections.abc import Callable, Mapping
from math import inf
from typing import Any

import trio
from attrs import define, evolve, field, frozen

from albatross_client.names import Name
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.solo5 import read_image
from albatross_client.values import Interface
from autoscaler.core.activation import ActivatorSettings
from autoscaler.core.addresses import AddressPool
from autoscaler.core.arrange import Step
from autoscaler.core.backend import Backend, Duty, Health, Place, Server
from autoscaler.core.events import Reconfigured
from autoscaler.core.group import Group, GroupId
from autoscaler.core.idle import IdlePolicy
from autoscaler.core.policy import Policy
from autoscaler.shell.acting.turns import Turns
from autoscaler.shell.balancing.exchange import Exchange
from autoscaler.shell.balancing.keeper import Keeper
from autoscaler.shell.configuration.recipes import Recipe
from autoscaler.shell.configuration.traffic_tables import (
    BalancerSettings,
    TrafficSettings,
)
from autoscaler.shell.drafts import ImageFile, draft_of
from autoscaler.shell.marks import Mark
from autoscaler.shell.traffic.balancer import Balancer, BalancerError, Trouble
from autoscaler.shell.traffic.runtime_socket import TcpSocket
from tests.balancing import FakeBalancer
from tests.shell.harness import (
    HOST,
    Machine,
    Wish,
    World,
    make_world,
    start_daemon,
    wait_until,
)
from tests.shell.shop import FILE

SHOP = GroupId(HOST, Name(("user",), "shop"), is_managed=True)
POOL = AddressPool.parse("10.0.0.1-10.0.0.99")
GATE = Place("127.0.0.1", 9001)
POLICY = Policy(
    max_clones=5,
    min_clones=2,
    cooldown_up=0.0,
    cooldown_down=0.0,
    address_pool=POOL,
    argument_template=("--ipv4={address}/24",),
)
AWAY = BalancerError("nobody listens there", Trouble.UNREACHABLE)


@define
class LiveBalancer(FakeBalancer):
    """Its checks pass where a member of the host runs that isn't sick.

    Attributes:
        world: With the host.
        sick: Addresses where no check passes.
        refusals: What it says to steps, by the name of their server.
        told: Is told each step before it is done.
        looks: How often it was asked.
        began: When its process began, by trio's clock.
        others: Where checks pass too.
        slow_s: How long it takes to answer.
        hangs: Whether it doesn't answer at all.
    """

    world: World | None = None
    sick: set[str] = field(factory=set)
    refusals: dict[str, BalancerError] = field(factory=dict)
    told: Callable[[Step], None] = lambda _step: None
    looks: int = 0
    began: float = 0.0
    others: set[Place] = field(factory=set)
    slow_s: float = 0.0
    hangs: bool = False

    async def observe(self) -> Backend:
        self.looks += 1
        await trio.sleep(inf if self.hangs else self.slow_s)
        healthy = {Place(address, 80) for address in self._running() - self.sick}
        self.model.healthy = healthy | self.others
        backend = await super().observe()
        return evolve(backend, up_s=backend.at - self.began)

    def intrude(self, *servers: Server) -> None:
        """Let somebody else have *servers*, which work."""
        self.model.servers |= {server.name: server for server in servers}
        self.others |= {Place(s.address, s.port) for s in servers}

    async def perform(self, step: Step) -> None:
        self.told(step)
        if step.name in self.refusals:
            raise self.refusals[step.name]
        await super().perform(step)

    def _running(self) -> set[str]:
        if self.world is None:
            return set()
        configs = (u.config for u in self.world.live.state.unikernels.values())
        arguments = [argument for c in configs for argument in c.argv or ()]
        return {
            argument.removeprefix("--ipv4=").partition("/")[0]
            for argument in arguments
            if argument.startswith("--ipv4=")
        }


@frozen(kw_only=True)
class FakeSettings(BalancerSettings):
    """Opens one and the same balancer in memory."""

    fake: FakeBalancer = field(factory=LiveBalancer, eq=False)

    def opened(self) -> Balancer:
        return self.fake


def settings(balancer: FakeBalancer, **changes: Any) -> TrafficSettings:
    """Return what a group with *balancer* says; *changes* are of its table."""
    activator = changes.pop("activator", None)
    fields: dict[str, Any] = {
        "backend": "shop",
        "port": 80,
        "socket": TcpSocket("127.0.0.1", 9999),
        "drain_timeout": 20.0,
        **changes,
    }
    listen = None if activator is None else ActivatorSettings(listen=activator)
    return TrafficSettings(FakeSettings(fake=balancer, **fields), listen)


def gate(health: Health = Health.PASSED) -> Server:
    return Server(
        name="activator",
        address=GATE.address,
        port=GATE.port,
        duty=Duty.READY,
        health=health,
        is_backup=True,
    )


@define
class Scene:
    """A world whose managed group is behind a balancer."""

    world: World
    balancer: LiveBalancer
    policy: Policy
    machine: Machine
    turns: Turns = field(factory=Turns)

    @property
    def group(self) -> Group:
        return self.world.daemon.fleet.groups[SHOP]

    @property
    def exchange(self) -> Exchange:
        return self.world.daemon.exchange

    @property
    def keeper(self) -> Keeper:
        keeper = self.exchange.of(SHOP)
        assert keeper is not None
        return keeper

    @property
    def running(self) -> list[str]:
        names = self.world.live.state.unikernels
        return sorted(n.label or "" for n in names if SHOP.number_of(n) is not None)

    @property
    def servers(self) -> Mapping[str, Server]:
        return self.balancer.model.servers

    @property
    def serving(self) -> list[str]:
        """Those that get work, and are no backup."""
        serving = (s for s in self.servers.values() if s.serves and not s.is_backup)
        return sorted(server.name for server in serving)

    @property
    def finished(self) -> list[dict[str, Any]]:
        return self.world.events("action_finished")

    @property
    def failures(self) -> list[str]:
        return [str(f["error"]) for f in self.finished if f["outcome"] == "failed"]

    def want(self, **changes: Any) -> None:
        """Let the operator want something else of the group."""
        self.policy = evolve(self.policy, **changes)
        self.world.daemon.fleet.tell(SHOP, Reconfigured(self.policy))

    async def settled(self, *labels: str) -> float:
        """Wait until just *labels* run and serve; return how long it took."""
        names = sorted(labels)
        return await wait_until(
            lambda: (
                names == self.running == self.serving and not self.group.ledger.actions
            ),
            300,
        )

    async def restarted(self, nursery: trio.Nursery) -> "Scene":
        """Kill the daemon, and start another with what it has kept."""
        await self.world.kill()
        old = self.world
        world = await start_daemon(
            nursery, old.live, old.store, Wish().policy, self.machine
        )
        self.balancer.world = world
        return Scene(world, self.balancer, self.policy, self.machine)


async def make_scene(
    nursery: trio.Nursery,
    policy: Policy = POLICY,
    idle: IdlePolicy | None = None,
    balancer: LiveBalancer | None = None,
    **changes: Any,
) -> Scene:
    """Start it all; *changes* concern the table of the balancer."""
    balancer = balancer or LiveBalancer()
    traffic = evolve(settings(balancer, **changes), idle=idle)
    policy = evolve(policy, serving=traffic.policy)
    recipe = Recipe(
        image=FILE, memory=32, bridges=(Interface("service", "service"),), arguments=()
    )
    image = ImageFile(SANDBOX_IMAGE, read_image(SANDBOX_IMAGE), Mark(1, 1, 1))
    turns = Turns()
    machine = Machine(
        groups={SHOP: policy},
        drafts={SHOP: draft_of(recipe, image)},
        traffic={SHOP: traffic},
        turns=lambda: turns,
    )
    world = await make_world(
        nursery, Wish(policy=Policy(max_clones=0), machine=machine)
    )
    balancer.world = world
    await world.daemon.images.put(
        next(iter(machine.drafts.values())).template.digest, SANDBOX_IMAGE
    )
    # The daemon has begun by then.
    await trio.sleep(0.1)
    return Scene(world, balancer, policy, machine, turns)
