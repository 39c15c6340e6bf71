"""Groups that share a host with other domains, which take part of it."""

import pytest
import trio
from attrs import evolve

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.values import Config, ResourcePolicy
from autoscaler.core.decision import Reason
from autoscaler.core.events import Reconfigured
from autoscaler.core.group import GroupId
from autoscaler.core.policy import Policy
from autoscaler.shell.state.store import Store
from tests.shell.harness import (
    HOST,
    ROOMY,
    Machine,
    Wish,
    World,
    make_host,
    start_daemon,
    wait_until,
)

ORG, TEAM, OTHER = Name(("org",)), Name(("org", "team")), Name(("org", "other"))
WEB, API, DB = Name(TEAM.path, "web"), Name(OTHER.path, "api"), Name(OTHER.path, "db")
TEAM_GROUP, OTHER_GROUP = GroupId(HOST, WEB), GroupId(HOST, API)
ALONE, PAIR = Policy(max_clones=0), Policy(max_clones=1)


async def make_org(nursery: trio.Nursery, org: ResourcePolicy) -> World:
    """Start a host with a team's primary and two unikernels beside it."""
    live = make_host(nursery, Wish())
    live.set_policy(ORG, org)
    for domain in (TEAM, OTHER):
        live.set_policy(domain, org)
    live.create(WEB, Config(image=SANDBOX_IMAGE, memory=32))
    for name, cpuid in ((API, 1), (DB, 2)):
        pinned = Config(image=SANDBOX_IMAGE, memory=64, cpuids=frozenset({cpuid}))
        live.create(name, pinned)
    machine = Machine(groups={TEAM_GROUP: PAIR, OTHER_GROUP: ALONE})
    return await start_daemon(nursery, live, Store.in_memory(), ALONE, machine)


@pytest.mark.parametrize(
    ("limit", "resource"),
    [
        pytest.param({"unikernels": 3}, "unikernels", id="unikernels"),
        pytest.param({"memory": 191}, "memory", id="memory"),
    ],
)
async def test_what_a_domain_above_allows_is_shared_with_its_other_domains(
    autojump_clock, nursery, limit, resource
):
    """Only the group's own domain was listed: the others took no room."""
    world = await make_org(nursery, evolve(ROOMY, **limit))
    world.live.set_demand(WEB, Demand.constant(2))

    await trio.sleep(300)

    decision = world.daemon.fleet.groups[TEAM_GROUP].decision
    assert decision is not None
    shortage = decision.shortage
    assert shortage is not None
    assert (shortage.reason, shortage.resource) == (Reason.NO_CAPACITY, resource)
    assert shortage.domain == ORG
    assert world.events("action_started") == []
    assert len(world.live.state.unikernels) == 4


@pytest.mark.parametrize(
    ("busy", "free"), [pytest.param(API, 2, id="api"), pytest.param(DB, 1, id="db")]
)
async def test_a_clone_goes_to_a_cpu_that_no_other_domain_uses(
    autojump_clock, nursery, busy, free
):
    """Who is listened to for another group's sake counts here, too."""
    three = evolve(ROOMY, cpuids=frozenset({0, 1, 2}))
    world = await make_org(nursery, three)
    world.live.set_demand(busy, Demand.constant(0.5))
    world.live.set_demand(WEB, Demand.constant(2))
    clone = TEAM_GROUP.clone(1)

    await wait_until(lambda: clone in world.live.state.unikernels, 300)

    assert world.live.state.unikernels[clone].config.cpuids == frozenset({free})


async def test_what_one_domain_is_told_another_knows_too(autojump_clock, nursery):
    """The last room was taken elsewhere: for a minute nobody knew."""
    world = await make_org(nursery, evolve(ROOMY, unikernels=5))
    fleet, eager = world.daemon.fleet, Policy(max_clones=9, scale_up_trigger_ticks=1)
    for group_id in (TEAM_GROUP, OTHER_GROUP):
        fleet.tell(group_id, Reconfigured(eager))
    # The last room is taken halfway between two looks of the other domain.
    await trio.sleep(55)
    world.live.set_demand(WEB, Demand.constant(9))
    await wait_until(lambda: len(world.live.state.unikernels) == 6, 600)

    world.live.set_demand(API, Demand.constant(9))
    await trio.sleep(600)

    outcomes = [fields["outcome"] for fields in world.events("action_finished")]
    assert outcomes == ["done"] * 2
    for group_id in (TEAM_GROUP, OTHER_GROUP):
        decision = fleet.groups[group_id].decision
        assert decision is not None
        assert decision.reason is Reason.NO_CAPACITY
