"""Load rises and nothing happens: the first screen says why.

A whole daemon on a sandbox host in memory; `top` is asked as over the socket,
and `explain` is told what the daemon has in memory.  Both have 24 lines of 80.
"""

import json

import trio
from attrs import evolve
from rich.console import ConsoleDimensions

from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.faults import Silenced
from autoscaler.cli.explain import Explained
from autoscaler.cli.screen.pages import paint
from autoscaler.cli.screen.showing import Showing, react
from autoscaler.cli.screen.sights import Seen, read_sight
from autoscaler.cli.screen.source import explained_lines
from autoscaler.cli.screen.table import Scene
from autoscaler.core.decision import Reason
from autoscaler.core.policy import Policy
from autoscaler.core.record import Instant
from autoscaler.shell.operators.top_form import top_form
from tests.shell.harness import GROUP, ROOMY, WEB, Wish, make_world, wait_until

SIZE = ConsoleDimensions(80, 24)
IDLE, BUSY = Demand.constant(0.5), Demand.constant(3.0)


async def rise_until(world, reason):
    """Raise the load; wait until *reason* holds the group."""
    await wait_until(lambda: world.group.decision is not None, 300)
    world.live.set_demand(WEB, BUSY)
    await wait_until(lambda: world.decision.reason is reason, 600)


def top(world):
    """Return the first screen of `top`, its words one space apart."""
    at = Instant(trio.current_time(), world.daemon.fleet.clocks().wall)
    # As it comes over the socket.
    form = json.loads(json.dumps(top_form(world.daemon.fleet, at)))
    showing, _ = react(Showing(Scene(sight=None)), Seen(read_sight(form)))
    lines = paint(showing.scene, showing.looking, SIZE).lines
    return " ".join(" ".join(line.plain for line in lines).split())


def explain(world):
    """Return the first screen of `explain`, its words one space apart."""
    record = world.daemon.fleet.newest(GROUP)
    assert record is not None
    found = Explained(GROUP, record, "daemon", ())
    lines = explained_lines(found, world.daemon.fleet.clocks().wall, SIZE.width)
    return " ".join(" ".join(lines[: SIZE.height]).split())


async def test_a_cooldown_is_named_with_what_is_left_of_it(autojump_clock, nursery):
    policy = Policy(max_clones=9, cooldown_up=600.0)
    world = await make_world(nursery, Wish(policy=policy, demand=IDLE))
    await rise_until(world, Reason.COOLDOWN)

    for screen in (top(world), explain(world)):
        assert "the last change is too young (" in screen
        assert "to grow: cooldown_up: " in screen
        assert "blocked by cooldown" in screen
    assert "> alpha/user:web" in top(world)
    assert " cooldown " in top(world)


async def test_the_most_clones_are_named_with_their_number(autojump_clock, nursery):
    policy = Policy(max_clones=1, cooldown_up=0.0)
    world = await make_world(nursery, Wish(policy=policy, demand=IDLE))
    await rise_until(world, Reason.AT_MAX)

    for screen in (top(world), explain(world)):
        assert "there are as many clones as are wanted at most (1)" in screen
        assert "max_clones is reached (1 of 1)" in screen
        assert "blocked by at max" in screen
    assert ">! alpha/user:web" in top(world)
    assert "! alpha/user:web: wants 2 or more, can 1, has 1" in top(world)


async def test_what_the_host_lacks_is_named_with_its_numbers(autojump_clock, nursery):
    domain = evolve(ROOMY, unikernels=1)
    wish = Wish(policy=Policy(max_clones=9), demand=IDLE, domain=domain)
    world = await make_world(nursery, wish)
    await rise_until(world, Reason.NO_CAPACITY)

    for screen in (top(world), explain(world)):
        assert (
            "a clone needs 1 of unikernels, and 1 of 1 are taken in the policy of user)"
            in screen
        )
        assert "blocked by no capacity" in screen
    assert ">! alpha/user:web" in top(world)


async def test_a_silent_member_is_named(autojump_clock, nursery):
    world = await make_world(nursery, Wish(policy=Policy(max_clones=9), demand=IDLE))
    await wait_until(lambda: "steady" in world.notebook.reasons, 300)

    world.live.strike(Silenced(WEB))
    world.live.set_demand(WEB, BUSY)
    await wait_until(lambda: world.decision.reason is Reason.NO_DATA, 600)
    # After this long it is no moment's silence any more, and needs somebody.
    await trio.sleep(150)

    for screen in (top(world), explain(world)):
        assert "0 members report, and 1 is needed" in screen
        assert "1 more member has to report (user:web is stale)" in screen
    assert ">! alpha/user:web" in top(world)
    assert " no data " in top(world)
