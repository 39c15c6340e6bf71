"""A daemon whose group follows requests, under a virtual clock."""

import pytest
import trio
from attrs import evolve

from albatross_client.sandbox.faults import Refused, Rule, SlowReply
from autoscaler.core.backend import Backend
from autoscaler.core.decision import Reason
from autoscaler.core.demand import RequestPolicy
from autoscaler.core.policy import Policy
from autoscaler.shell.acting.turns import Turns
from tests.shell.harness import (
    GROUP,
    HOST,
    ROOMY,
    Machine,
    Wish,
    make_world,
    start_daemon,
    wait_until,
)

# Hours of virtual time, in whole daemons: traced they take three times as long.
pytestmark = pytest.mark.no_cover

POLICY = Policy(
    max_clones=9,
    poll_interval=1.0,
    requests=RequestPolicy(target_in_flight=3, cooldown_up=0.0, stabilise=20.0),
)


class Balancer:
    """Tells the daemon of *world* once a second what is in flight."""

    def __init__(self, world, in_flight=0):
        self.in_flight = in_flight
        self.is_silent = False
        self._backends = world.daemon.fleet.backends

    async def tell_for_ever(self):
        while True:
            if not self.is_silent:
                now = trio.current_time()
                self._backends[GROUP] = Backend(at=now, in_flight=self.in_flight)
            await trio.sleep(1)


async def behind_a_balancer(nursery, in_flight=0, **wish):
    world = await make_world(nursery, Wish(policy=POLICY, **wish))
    balancer = Balancer(world, in_flight)
    nursery.start_soon(balancer.tell_for_ever)
    await trio.sleep(30)
    return world, balancer


@pytest.mark.parametrize("at_once", [1, 2])
async def test_clones_boot_beside_each_other(autojump_clock, nursery, at_once):
    """A frame comes every ten seconds: nine in turn would take ninety."""
    machine = Machine(turns=lambda: Turns(8, {HOST: at_once}))
    world, balancer = await behind_a_balancer(nursery, machine=machine)

    balancer.in_flight = 30
    took = await wait_until(lambda: len(world.group.clones) == 9, 100)

    assert took < 15
    assert world.size == 10
    assert len(world.events("action_started")) == 9


async def test_creates_are_sent_in_turn(autojump_clock, nursery):
    slow = Rule(fault=SlowReply(5), verb="create", times=None)
    machine = Machine(turns=lambda: Turns(8, {HOST: 2}))
    world, balancer = await behind_a_balancer(nursery, machine=machine, rules=(slow,))

    balancer.in_flight = 30
    await trio.sleep(4)
    at_first = world.size
    await wait_until(lambda: len(world.group.clones) == 9, 100)

    assert at_first == 3
    assert world.size == 10


async def test_every_step_of_growing_is_told(autojump_clock, nursery):
    world, balancer = await behind_a_balancer(nursery)

    balancer.in_flight = 30
    await wait_until(lambda: world.size == 10, 100)

    ups = [d for d in world.notebook.decisions if d.count]
    assert [(up.count, up.wanted) for up in ups] == [(4, 10), (5, 10)]


async def test_one_that_is_refused_stops_no_other(autojump_clock, nursery):
    refused = Rule(fault=Refused("no room"), verb="create", times=1)
    world, balancer = await behind_a_balancer(nursery, rules=(refused,))

    balancer.in_flight = 12
    await wait_until(lambda: len(world.group.clones) == 3, 100)

    assert world.size == 4
    assert len(world.events("action_started")) == 4
    assert world.events("action_finished")[-1]["outcome"] == "done"


async def test_what_was_just_created_is_seen_before_more_is_decided(
    autojump_clock, nursery
):
    """Creates beside each other: none was listed when others asked the host."""
    domain, reply = (
        evolve(ROOMY, unikernels=7),
        Rule(fault=SlowReply(0.3), verb="create", times=None),
    )
    world, balancer = await behind_a_balancer(
        nursery, domain=domain, interval=0.5, rules=(reply,)
    )

    balancer.in_flight = 30
    await wait_until(lambda: world.size == 7, 100)
    await wait_until(lambda: not world.group.ledger.actions, 100)
    await trio.sleep(2)

    ended = [end["outcome"] for end in world.events("action_finished")]
    assert ended == 6 * ["done"]
    assert world.decision.reason is Reason.NO_CAPACITY


async def test_a_silent_balancer_removes_nobody(autojump_clock, nursery):
    world, balancer = await behind_a_balancer(nursery)
    balancer.in_flight = 12
    await wait_until(lambda: len(world.group.clones) == 3, 100)

    balancer.in_flight, balancer.is_silent = 0, True
    await trio.sleep(600)

    assert world.size == 4
    assert world.decision.reason is Reason.NO_SIGNAL


async def test_a_daemon_that_is_killed_while_several_boot_finds_them_all(
    autojump_clock, nursery
):
    world, balancer = await behind_a_balancer(nursery)
    balancer.in_flight = 12
    await wait_until(lambda: world.size == 4, 100)
    assert len(world.group.ledger.actions) == 3

    await world.kill()
    again = await start_daemon(nursery, world.live, world.store, POLICY)
    await wait_until(lambda: len(again.group.clones) == 3, 100)

    assert again.group.ledger.actions == ()
    assert again.size == 4
