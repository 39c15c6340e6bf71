"""A machine that sleeps, and clocks that are stepped."""

from collections.abc import Mapping

import pytest
import trio
from attrs import define, evolve

from albatross_client.heard import Heard
from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.values import Info
from autoscaler.core.policy import Policy
from autoscaler.shell.hosts.host import StatsSource, Subscribe
from tests.fakes import WrappedHost
from tests.shell.harness import (
    GROUP,
    WEB,
    Machine,
    Nap,
    Wish,
    make_world,
    wait_until,
)

# Hours of virtual time, in whole daemons: traced they take three times as long.
pytestmark = pytest.mark.no_cover


# A machine that sleeps, and clocks that are stepped


@define
class Sleepless:
    """A stream of unikernels that go on while the daemon's machine sleeps."""

    source: StatsSource
    nap: Nap
    share: float

    @property
    def skipped(self) -> Mapping[str, int]:
        return self.source.skipped

    async def receive(self) -> Heard:
        heard = await self.source.receive()
        extra = round(self.nap.seconds * self.share * 1_000_000)
        sample = evolve(heard.sample, cpu_us=heard.sample.cpu_us + extra)
        return Heard(heard.name, sample, heard.at)

    async def aclose(self) -> None:
        await self.source.aclose()


@define
class SleeplessHost(WrappedHost):
    """A host that goes on while the daemon's machine sleeps."""

    nap: Nap

    async def stats(self, path: Name) -> Sleepless:
        return Sleepless(await self.client.stats(path), self.nap, 0.5)


def napping(**more):
    nap = Nap()
    return Machine(nap=nap, through=lambda client: SleeplessHost(client, nap), **more)


@pytest.mark.parametrize("seconds", [3.0, 10.0, 3600.0])
@pytest.mark.parametrize("subscribe", list(Subscribe))
async def test_a_machine_that_slept_sees_no_wrong_percent(
    autojump_clock, nursery, seconds, subscribe
):
    machine = napping(subscribe=subscribe)
    world = await make_world(nursery, Wish(machine=machine))
    await trio.sleep(303)

    machine.nap.seconds += seconds
    await trio.sleep(300)

    means = [t.load.mean_up for t in world.notebook.ticks if t.load.mean_up is not None]
    assert len(means) > 40
    assert max(means) <= 52
    assert len(world.events("stream_opened")) == 2


@define
class DownOnceAsleep(WrappedHost):
    """Can't be asked any more once the machine has slept."""

    nap: Nap

    async def info(self, name: Name) -> Mapping[Name, Info]:
        if self.nap.seconds:
            await trio.sleep_forever()
        return await self.client.info(name)


async def test_what_was_known_before_a_sleep_is_not_acted_on(autojump_clock, nursery):
    nap = Nap()
    machine = Machine(nap=nap, through=lambda client: DownOnceAsleep(client, nap))
    wish = Wish(policy=Policy(max_clones=3), machine=machine)
    world = await make_world(nursery, wish)
    await trio.sleep(303)

    nap.seconds += 3600
    world.live.set_demand(WEB, Demand.constant(3))
    await trio.sleep(600)

    assert world.events("action_started") == []
    assert world.daemon.fleet.view(GROUP).listing is None


async def test_a_cooldown_counts_the_seconds_that_the_machine_was_awake(
    autojump_clock, nursery
):
    policy = Policy(max_clones=2, cooldown_up=600, scale_up_trigger_ticks=1)
    machine = napping()
    wish = Wish(policy=policy, demand=Demand.constant(3), machine=machine)
    world = await make_world(nursery, wish)
    await wait_until(lambda: len(world.members) == 1, 200)
    ended = trio.current_time()
    await trio.sleep(100)

    machine.nap.seconds += 86_400
    await wait_until(lambda: len(world.members) == 2, 1000)

    assert 600 < trio.current_time() - ended < 700


@pytest.mark.parametrize("step", [3600.0, -3600.0, 0.5, -0.5])
async def test_a_wall_clock_that_is_stepped_changes_nothing(
    autojump_clock, nursery, step
):
    policy = Policy(max_clones=2, cooldown_up=300, scale_up_trigger_ticks=1)
    machine = Machine()
    wish = Wish(policy=policy, demand=Demand.constant(3), machine=machine)
    world = await make_world(nursery, wish)
    await wait_until(lambda: len(world.members) == 1, 200)
    ended = trio.current_time()

    # Frozen for all but the one who sets the clock.
    object.__setattr__(machine, "wall_step", step)
    await wait_until(lambda: len(world.members) == 2, 1000)

    assert 300 < trio.current_time() - ended < 400
    assert len(world.events("stream_opened")) == 1
