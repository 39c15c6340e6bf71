"""Histories of requests, deaths and silences, and what holds in all of them.

The balancer, the host and the daemon are whole; a watch that looks ten times a
second knows what runs and what is worked on.
"""

from random import Random

import pytest
import trio
from attrs import define, evolve, field

from albatross_client.sandbox.faults import Killed
from autoscaler.core.backend import Duty
from autoscaler.core.demand import RequestPolicy
from autoscaler.core.serving import StandbyPolicy
from tests.shell.balancing.scene import AWAY, POLICY, Scene, make_scene

# Hours of virtual time, in whole daemons: traced they take three times as long.
pytestmark = pytest.mark.no_cover

LOOK_S = 0.1
DRAIN_S = 20.0
QUARANTINE_S = 60.0
# The sandbox boots at once; a look at the host comes before a create.
BOOT_S = 2.0
# What a tick and a look at the balancer take, beside a boot.
NOTICED_S = 3.0
LEAST = 1
DRIVEN = evolve(
    POLICY,
    min_clones=1,
    max_clones=6,
    poll_interval=1.0,
    boot_timeout=20.0,
    requests=RequestPolicy(target_in_flight=2, stabilise=10.0, cooldown_down=5.0),
)


@define
class Watch:
    """Sees what runs, and knows what may not be.

    Attributes:
        scene: What is watched.
        killed: Members that died by no doing of the daemon.
        draining: Since when each server gets no work, by its name.
        busy: How much each worked on when it was last looked at.
        held: Who had each address last, and until when.
        below: Since when too few stand by for no reason that is known.
        calm_since: When anything else than time happened last.
        broken: What should not have been.
    """

    scene: Scene
    killed: set[str] = field(factory=set)
    draining: dict[str, float] = field(factory=dict)
    busy: dict[str, int] = field(factory=dict)
    held: dict[str, tuple[str, float]] = field(factory=dict)
    below: float | None = None
    calm_since: float = 0.0
    broken: list[str] = field(factory=list)

    async def look_for_ever(self):
        while True:
            self._look(trio.current_time())
            await trio.sleep(LOOK_S)

    def _look(self, now):
        self._look_at_drains(now)
        self._look_at_addresses(now)
        self._look_at_numbers(now)

    def _look_at_drains(self, now):
        running = set(self.scene.running)
        for name in set(self.busy) - running - self.killed:
            drained = now - self.draining.get(name, now)
            if self.busy[name] and drained < DRAIN_S - 2 * LOOK_S:
                self.broken.append(f"{name} was destroyed after {drained:.1f} s")
        servers = self.scene.servers
        self.busy = {n: servers[n].sessions for n in running & set(servers)}
        for name, server in servers.items():
            if server.duty is Duty.READY:
                self.draining.pop(name, None)
            else:
                self.draining.setdefault(name, now)

    def _look_at_addresses(self, now):
        unikernels = self.scene.world.live.state.unikernels
        seen: set[str] = set()
        for name, unikernel in unikernels.items():
            for argument in unikernel.config.argv or ():
                if argument.startswith("--ipv4="):
                    self._look_at(argument, name.label or "", now, seen)

    def _look_at(self, address, label, now, seen):
        if address in seen:
            self.broken.append(f"{address} is held twice")
        seen.add(address)
        holder, until = self.held.get(address, (label, now))
        if holder != label and now - until < QUARANTINE_S - 2 * LOOK_S:
            self.broken.append(f"{address} was given to {label} too soon")
        self.held[address] = label, now

    def _look_at_numbers(self, now):
        group = self.scene.group
        if len(self.scene.running) > DRIVEN.max_clones:
            self.broken.append(f"{len(self.scene.running)} run")
        room = group.policy.max_clones - group.serving_and_slots
        ledger = group.ledger
        paused = ledger.refilling.left(now) or ledger.creating.left(now)
        there = sum(s.duty is Duty.DRAIN for s in self._standing_by())
        is_held = paused or ledger.busy or self.scene.balancer.trouble
        is_short = there < min(LEAST, room) and not is_held
        if not is_short or now - self.calm_since < NOTICED_S:
            self.below = None
        elif self.below is None:
            self.below = now
        elif now - self.below > BOOT_S + NOTICED_S:
            self.broken.append(f"{there} stood by for {now - self.below:.1f} s")

    def _standing_by(self):
        names = {standby.name.label for standby in self.scene.group.standbys}
        return [s for s in self.scene.servers.values() if s.name in names]


async def live_through(nursery, seed):
    """Return what was seen in a history of some minutes."""
    chance = Random(seed)  # noqa: S311 - the same ones each time
    scene = await make_scene(nursery, DRIVEN)
    serving = scene.policy.serving
    assert serving is not None
    standby = StandbyPolicy(size=2, min=LEAST, max_idle=90.0)
    scene.want(serving=evolve(serving, standby=standby))
    await trio.sleep(20)
    watch = Watch(scene)
    nursery.start_soon(watch.look_for_ever)
    for _ in range(60):
        watch.calm_since = trio.current_time()
        chance.choice(EVENTS)(chance, watch)
        await trio.sleep(chance.choice((0.3, 2.0, 5.0, 12.0, 30.0)))
        scene.balancer.trouble = None
    return watch


def requests_come(chance, watch):
    serving = watch.scene.serving
    for _ in range(chance.randint(1, 6) if serving else 0):
        watch.scene.balancer.model.begin(chance.choice(serving))


def all_are_answered(_chance, watch):
    model = watch.scene.balancer.model
    for name, server in tuple(model.servers.items()):
        for _ in range(server.sessions):
            model.end(name)


def one_dies(chance, watch):
    clones = watch.scene.group.clones
    if clones:
        name = chance.choice(clones).name
        watch.killed.add(name.label or "")
        watch.scene.world.live.strike(Killed(name, 1))


def one_falls_sick(chance, watch):
    clones = watch.scene.group.clones
    addresses = [clone.address for clone in clones if clone.address is not None]
    watch.scene.balancer.sick = {chance.choice(addresses)} if addresses else set()


def the_balancer_is_away(_chance, watch):
    watch.scene.balancer.trouble = AWAY


def the_operator_wants_another_size(chance, watch):
    watch.scene.want(max_clones=chance.choice((1, 3, DRIVEN.max_clones)))


EVENTS = (
    *(requests_come, requests_come, requests_come, all_are_answered),
    *(one_dies, one_falls_sick, the_balancer_is_away),
    *(the_operator_wants_another_size, the_operator_wants_another_size),
)


@pytest.mark.parametrize("seed", range(6))
async def test_no_history_breaks_a_promise(autojump_clock, nursery, seed):
    watch = await live_through(nursery, seed)

    assert watch.broken == []
    reasons = {f["reason"] for f in watch.scene.finished}
    assert "refill" in reasons
    assert watch.scene.world.notebook.notes != []
