"""A group that is only observed changes nothing, whatever happens to it."""

import pytest
import trio
from attrs import evolve

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.sandbox.faults import Killed, Silenced
from autoscaler.core.policy import Mode, OnPrimaryLoss, Policy
from tests.shell.harness import WEB, Machine, Wish, make_world

# Hours of virtual time, in whole daemons: traced they take three times as long.
pytestmark = pytest.mark.no_cover

CLONES = tuple(Name(WEB.path, f"{WEB.label}-clone-{n}") for n in (1, 2))
POLICY = Policy(
    max_clones=3,
    mode=Mode.OBSERVE,
    death_timeout=60.0,
    on_primary_loss=OnPrimaryLoss.DESTROY_CLONES,
    roll_back_useless=True,
)
ASKING = frozenset({"info", "policies", "stats"})


class OnlyAsked:
    """A host that takes no command but what asks."""

    def __init__(self, client):
        self._client = client
        self.domain = client.domain

    def __getattr__(self, verb):
        assert verb in ASKING, f"{verb} of a host that is only observed"
        return getattr(self._client, verb)


def overload(world):
    world.live.set_demand(WEB, Demand.constant(9))


def idle(world):
    world.live.set_demand(WEB, Demand.constant(0.01))


def silence(world):
    world.live.strike(Silenced(CLONES[0]))


def lose_the_primary(world):
    world.live.strike(Killed(WEB))


def deploy(world):
    lose_the_primary(world)
    image = SANDBOX_IMAGE + b" of another day"
    world.live.create(WEB, evolve(Wish().config, image=image))


@pytest.mark.parametrize(
    ("happens", "policy", "would"),
    [
        pytest.param(overload, {}, "high", id="overload"),
        pytest.param(idle, {}, "low", id="idle"),
        pytest.param(silence, {}, "given_up", id="silence"),
        pytest.param(lose_the_primary, {}, "primary_lost", id="no primary"),
        pytest.param(deploy, {}, "rollout", id="a new image"),
        pytest.param(overload, {"max_clones": 1}, "above_max", id="too many"),
        pytest.param(overload, {"min_clones": 3}, "below_min", id="too few"),
    ],
)
async def test_an_observed_group_only_says_what_it_would_do(
    autojump_clock, nursery, happens, policy, would
):
    wish = Wish(
        policy=evolve(POLICY, **policy),
        demand=Demand.constant(1.8),
        machine=Machine(through=OnlyAsked),
    )
    world = await make_world(nursery, wish)
    for name in CLONES:
        world.live.create(name, wish.config)
    await trio.sleep(100)

    happens(world)
    await trio.sleep(900)

    assert would in {d.reason.value for d in world.notebook.decisions if d.acts}
    assert world.events("action_started") == []
