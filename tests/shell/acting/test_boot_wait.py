"""How long a new clone is waited for that sends no frame."""

import pytest
import trio

from albatross_client.sandbox.faults import Rule, Silenced
from autoscaler.core.policy import Policy
from tests.shell.harness import GROUP, Wish, make_world, wait_until

ONE_CLONE = Policy(max_clones=1, min_clones=1)
SILENCED = Rule(fault=Silenced(GROUP.clone(1)), after=0.5, every=1.0, times=20)
# More looks at one instant than anything has to take.
TOO_MANY = 2000


def bounded(view):
    """Return *view*, which fails when time no longer passes."""
    looks: dict[float, int] = {}

    def look(group_id):
        now = trio.current_time()
        looks[now] = looks.get(now, 0) + 1
        assert looks[now] < TOO_MANY, "time stands still"
        return view(group_id)

    return look


@pytest.mark.parametrize("begin", [0.0, 42 * 0.137])
async def test_a_clone_that_is_never_heard_is_waited_for_and_kept(
    autojump_clock, nursery, monkeypatch, begin
):
    """A wait for the last bit of a float was a wait for no time at all.

    Whether one is met depends on the instant at which the clone is made.
    """
    await trio.sleep(begin)
    world = await make_world(nursery, Wish(policy=ONE_CLONE, rules=(SILENCED,)))
    fleet = world.daemon.fleet
    monkeypatch.setattr(fleet, "view", bounded(fleet.view))

    await wait_until(lambda: world.events("action_finished") != [], 120)

    assert world.members == world.clones == ["user:web-clone-1"]
    assert world.events("action_finished")[0]["took_s"] >= 60
