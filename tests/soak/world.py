"""Hosts, weather, a judge, and one daemon after the other on one state.

Everything of the daemon is the real thing: its streams, reconcilers, ticker,
actions, writer and minutes, on trio's virtual clock.  Only what looks for news
several times a second looks less often, for in a month that alone would take
longer than all the rest.
"""

import math
import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from time import process_time

import trio
from attrs import define, field, frozen

from albatross_client.names import Name
from albatross_client.sandbox.live import LiveHost, Settings
from albatross_client.sandbox.model import ModelMachine
from albatross_client.values import Config, ResourcePolicy, RestartOnExit
from autoscaler.core.decision import Decision
from autoscaler.core.events import Event, ModeSet, Note, Reconfigured
from autoscaler.core.group import Group, GroupId
from autoscaler.core.moments import Clocks
from autoscaler.core.policy import Mode, Policy
from autoscaler.shell import reconcile, writer
from autoscaler.shell.acting import creating
from autoscaler.shell.assemble import make_watches, revive_groups
from autoscaler.shell.daemon import Daemon, Parts
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.log import Log
from autoscaler.shell.state.images import ImagesInMemory
from autoscaler.shell.state.schema import prepare
from autoscaler.shell.state.store import Store
from tests.soak.audit import Judge
from tests.soak.frames import Carrier, as_values
from tests.soak.host import SoakHost, Verb
from tests.soak.promises import (
    LOOK_S,
    Growth,
    check_orphans,
    check_progress,
    forget_gone,
)
from tests.soak.weather import IMAGES, Weather, any_policy

HOUR_S, DAY_S = 3600.0, 86_400.0
DOMAIN = Name(("user",))
GROUPS_A_HOST = 10
BORN_S = 1_767_225_600.0
# Instead of 1 s, 0.2 s and 0.5 s.
SELDOM_LOOK_S, SELDOM_WRITE_S, SELDOM_BOOT_LOOK_S = 10.0, 5.0, 5.0
# As an operator with patience would have it.
RECONCILE_S = 180.0
ROOMY = ResourcePolicy(
    cpuids=frozenset(range(64)),
    unikernels=1000,
    memory=1_000_000,
    block=100,
    bridges=frozenset({"service"}),
)


@frozen(kw_only=True)
class Wish:
    """What a soak should be like.

    Attributes:
        seconds: How long, simulated.
        groups: How many groups.
        seed: Of all chance.
        slow_share: Share of the hosts that speak once a minute.
        carrier: How frames get to their reader.
        longest_s: Give up after so many seconds of one core.
    """

    seconds: float
    groups: int
    seed: int
    slow_share: float = 0.0
    carrier: Carrier = as_values
    longest_s: float = 2400.0


class JudgedFleet(Fleet):
    """A fleet that is looked at with every event."""

    judge: Judge

    def tell(self, group_id: GroupId, event: Event) -> None:
        before = self.groups[group_id]
        super().tell(group_id, event)
        after = self.groups[group_id]
        self.judge.told(before, after, event, self.watch(group_id))


@define
class Reports:
    """Hands on what the daemon says about members."""

    judge: Judge

    def ticked(self, group: Group) -> None: ...

    def decided(self, group: Group, before: Decision | None) -> None: ...

    def noted(self, group: Group, note: Note) -> None:
        self.judge.noted(group, note)


@define
class Soak:
    """All of it; `run` lets time pass.

    Attributes:
        hosts: By name.
        policies: What the operator wants now.
        connection: The state, which outlives every daemon.
        judge: Looks at everything.
        growth: The most that was kept.
        daemons: How many daemons there were.
    """

    wish: Wish
    hosts: dict[str, SoakHost] = field(factory=dict)
    policies: dict[GroupId, Policy] = field(factory=dict)
    connection: sqlite3.Connection = field(init=False)
    judge: Judge = field(init=False)
    weather: Weather = field(init=False)
    growth: Growth = field(factory=Growth)
    daemons: int = 0
    began: float = field(factory=process_time)
    _life: trio.CancelScope = field(factory=trio.CancelScope, init=False)
    _daemon: Daemon | None = field(default=None, init=False)
    _down: float = field(default=0.0, init=False)
    _wall_step: float | None = field(default=None, init=False)
    _boots: int = field(default=0, init=False)
    _booted: float = field(default=0.0, init=False)
    _wall_ahead: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        chance = Random(self.wish.seed)  # noqa: S311 - no secret
        random.seed(self.wish.seed)
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        prepare(self.connection, "the state of the soak")
        self.weather = Weather(self, Random(chance.random()))  # noqa: S311 - no secret
        self.judge = Judge(
            self.hosts, self.connection, lambda: list(self.weather.history)
        )
        for number in range(self.wish.groups):
            self._deploy(number, chance)

    def _deploy(self, number: int, chance: Random) -> None:
        name = f"host{number // GROUPS_A_HOST}"
        if name not in self.hosts:
            hosts = -(-self.wish.groups // GROUPS_A_HOST)
            is_slow = len(self.hosts) < self.wish.slow_share * hosts
            interval = 60.0 if is_slow else 10.0
            live = LiveHost(
                Settings(root_policy=ROOMY, policies={DOMAIN: ROOMY}), ModelMachine()
            )
            self.hosts[name] = SoakHost(
                live,
                Random(chance.random()),  # noqa: S311 - no secret
                interval,
                0.05 * interval,
                carrier=self.wish.carrier,
                on_command=self._tell_judge_of(name),
            )
        group_id = GroupId(name, Name(DOMAIN.path, f"app{number}"))
        self.hosts[name].live.create(
            group_id.name,
            Config(image=IMAGES[0], memory=32, fail_behaviour=RestartOnExit()),
        )
        self.policies[group_id] = any_policy(chance)
        self.judge.account(group_id)

    def _tell_judge_of(self, host: str):
        def tell(verb: Verb, name: Name) -> None:
            self.judge.commanded(host, verb, name)

        return tell

    async def run(self) -> None:
        """Let the wished time pass."""
        with _seldom():
            async with trio.open_nursery() as nursery:  # noqa: TID251 - a world
                for host in self.hosts.values():
                    nursery.start_soon(host.run)
                nursery.start_soon(self.weather.run)
                nursery.start_soon(self._run_daemons)
                nursery.start_soon(self._look)
                nursery.start_soon(self._measure)
                await self._until_over()
                nursery.cancel_scope.cancel()

    async def _until_over(self) -> None:
        while trio.current_time() < self.wish.seconds:
            await trio.sleep(60)
            if self.judge.violations or self.took_s > self.wish.longest_s:
                return

    @property
    def took_s(self) -> float:
        """Seconds of one core that were used so far."""
        return process_time() - self.began

    @property
    def fleet(self) -> Fleet | None:
        return None if self._daemon is None else self._daemon.fleet

    # The daemon

    async def _run_daemons(self) -> None:
        while True:
            self._boot()
            daemon = await self._build()
            self._life, self._daemon = trio.CancelScope(), daemon
            self.daemons += 1
            with self._life:
                await daemon.run()
            self._daemon = None
            await trio.sleep(self._down)

    def _boot(self) -> None:
        if self._wall_step is not None:
            self._boots += 1
            self._booted = trio.current_time()
            self._wall_ahead += self._wall_step

    def clocks(self) -> Clocks:
        now = trio.current_time()
        wall = BORN_S + now + self._wall_ahead
        return Clocks(now, f"boot {self._boots}", now - self._booted, wall)

    async def _build(self) -> Daemon:
        store = Store(self.connection, None, lambda: self.clocks().wall)
        stored = await store.load()
        groups = revive_groups(self.policies, stored.snapshots, self.clocks())
        step, self._wall_step = self._wall_step, None
        for group in groups:
            self.judge.restarted(group, step or 0.0)
        watches = make_watches(
            self.policies, dict.fromkeys(self.hosts), stored.intervals
        )
        reports = Reports(self.judge)
        fleet = JudgedFleet(groups, watches, reports, self.clocks, RECONCILE_S)
        fleet.judge = self.judge
        parts = Parts(
            hosts=self.hosts,
            store=store,
            images=ImagesInMemory(),
            log=Log(lambda _level, _event, _fields: None),
            clocks=self.clocks,
            shutdown_timeout=30,
            history_keep=DAY_S,
        )
        return Daemon(fleet, parts)

    # What the weather does to it

    def restart(self, *, kindly: bool, down: float, wall_step: float | None) -> None:
        if self._daemon is None or self._daemon.fleet.is_stopping:
            return
        self._down, self._wall_step = down, wall_step
        self.disturb(list(self.policies))
        if kindly:
            self._daemon.stop()
        else:
            self._life.cancel()

    def configure(self, group_id: GroupId, policy: Policy) -> None:
        self.policies[group_id] = policy
        if self.fleet is not None:
            self.fleet.tell(group_id, Reconfigured(policy))

    def say(self, group_id: GroupId, mode: Mode | None) -> None:
        if self.fleet is None:
            # Nobody listens; the operator comes back later.
            self.weather.later(60.0, lambda: self.say(group_id, mode))
        else:
            self.fleet.tell(group_id, ModeSet(mode))

    def write_protect(self, *, on: bool) -> None:
        self.judge.unwritable_at = math.inf if on else trio.current_time()
        self.connection.execute(f"PRAGMA query_only = {int(on)}")

    def disturb(self, group_ids: list[GroupId]) -> None:
        self.judge.disturb(*group_ids)

    # Looks

    async def _look(self) -> None:
        while True:
            await trio.sleep(LOOK_S)
            if self.fleet is not None:
                check_progress(self.judge, self.fleet)

    async def _measure(self) -> None:
        while True:
            await trio.sleep(HOUR_S)
            for host in self.hosts.values():
                host.tidy()
            if self.fleet is not None:
                check_orphans(self.judge, self.fleet)
                self.growth.measure(self.fleet, self.clocks())
                for excess in self.growth.excess():
                    self.judge.accuse("everything", excess)
                forget_gone(self.judge)


@contextmanager
def _seldom() -> Iterator[None]:
    """Let the daemon look less often for what seldom comes."""
    before = reconcile.LOOK_S, writer.GATHER_S, creating.BOOT_LOOK_S
    reconcile.LOOK_S, writer.GATHER_S = SELDOM_LOOK_S, SELDOM_WRITE_S
    creating.BOOT_LOOK_S = SELDOM_BOOT_LOOK_S
    try:
        yield
    finally:
        reconcile.LOOK_S, writer.GATHER_S, creating.BOOT_LOOK_S = before
