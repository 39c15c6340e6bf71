"""A step is written down while a connection comes about, before it speaks."""

import trio

from autoscaler.core.policy import Policy
from autoscaler.shell.state.store import Step, Store
from tests.fakes import WrappedHost
from tests.shell.harness import Machine, Wish, make_world, wait_until

ONE_CLONE = Policy(max_clones=1, min_clones=1)
SLOW_S = 7.0


class SlowStore(Store):
    """Takes its time to write down that a command is sent."""

    async def note(self, snapshot, action, name, step):
        if step is Step.SENT:
            await trio.sleep(SLOW_S)
        await super().note(snapshot, action, name, step)


class TimedHost(WrappedHost):
    """Notes when it is called, and when it may speak."""

    moments: dict[str, float]

    async def create(self, name, config, image, before):
        async def noted():
            await before()
            self.moments["may speak"] = trio.current_time()

        self.moments["called"] = trio.current_time()
        await self.client.create(name, config, image, noted)


async def test_a_create_is_called_while_it_is_written_down_and_told_afterwards(
    autojump_clock, nursery
):
    moments: dict[str, float] = {}

    def timed(client):
        host = TimedHost(client)
        host.moments = moments
        return host

    wish = Wish(
        policy=ONE_CLONE, machine=Machine(through=timed), store=SlowStore.in_memory
    )
    world = await make_world(nursery, wish)

    await wait_until(lambda: world.size == 2, 60)

    assert moments["may speak"] - moments["called"] == SLOW_S
