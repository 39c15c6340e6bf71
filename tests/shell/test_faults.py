"""Whatever befalls a host: the daemon goes on, and nothing wrong is done."""

import pytest
import trio
from attrs import evolve

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.sandbox.faults import (
    CountersRestarted,
    ExpiredCertificate,
    ForeignCertificate,
    HostDown,
    Killed,
    MalformedFrame,
    NoFrame,
    OversizedFrame,
    PolicyFull,
    Refused,
    ReplyLost,
    Rule,
    Silenced,
    SlowReply,
    StreamCut,
    StreamEvicted,
    StreamStalled,
)
from albatross_client.values import Config, Typ
from autoscaler.core.decision import MemberClass, Outcome, Reason
from autoscaler.core.policy import Policy
from tests.fakes import DeafHost, UnwritableHost, WrongImageHost
from tests.shell.harness import (
    ROOMY,
    USER,
    WEB,
    Machine,
    Wish,
    make_world,
    wait_until,
)

# Hours of virtual time, in whole daemons: traced they take three times as long.
pytestmark = pytest.mark.no_cover

CLONE = Name(("user",), "web-clone-1")
STEADY = Policy(max_clones=3, min_clones=1)
QUICK = Policy(max_clones=9, cooldown_up=30, cooldown_down=60)
LOST, NO_FRAME = ReplyLost(), NoFrame()
REFUSED, SLOW = Refused("not today"), SlowReply(200)
BEFALLS = [
    *((verb, fault) for verb in ("create", "destroy") for fault in (LOST, NO_FRAME)),
    *((verb, REFUSED) for verb in ("create", "destroy", "stats")),
    *((verb, SLOW) for verb in ("create", "destroy", "image", "info", "stats")),
    *((verb, LOST) for verb in ("info", "policies", "image")),
]


def all_of(world):
    """Return every unikernel of the host, and those the daemon knows."""
    known = {world.group.primary.name, *(c.name for c in world.group.clones)}
    return set(world.live.state.unikernels), known


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(StreamCut(), id="cut"),
        pytest.param(StreamStalled(100), id="stalled"),
        pytest.param(StreamEvicted(), id="evicted"),
        pytest.param(MalformedFrame(), id="malformed"),
        pytest.param(OversizedFrame(), id="oversized"),
        pytest.param(CountersRestarted(WEB), id="restarted"),
        pytest.param(HostDown(30), id="down"),
    ],
)
async def test_what_befalls_a_host_now_and_then_changes_no_group(
    autojump_clock, nursery, event
):
    rule = Rule(fault=event, after=300, every=500, times=None)
    world = await make_world(nursery, Wish(policy=STEADY, rules=(rule,)))

    await trio.sleep(2400)

    running, known = all_of(world)
    assert running == known
    assert len(running) == 2
    assert len(world.events("action_started")) == 1
    assert world.notebook.ticks[-1].load.fresh == 2


@pytest.mark.parametrize(
    ("verb", "fault"),
    [pytest.param(v, f, id=f"{v}-{type(f).__name__}") for v, f in BEFALLS],
)
async def test_a_group_follows_its_load_though_commands_fail_now_and_then(
    autojump_clock, nursery, verb, fault
):
    demand = Demand(((0.0, 0.5), (100.0, 2.5)))
    rule = Rule(fault=fault, verb=verb, probability=0.3, times=10)
    world = await make_world(nursery, Wish(demand=demand, policy=QUICK, rules=(rule,)))

    await wait_until(lambda: world.size >= 3, 2000)
    most = world.size
    world.live.set_demand(WEB, Demand.constant(0.3))
    await wait_until(lambda: world.size == 1, 2000)
    await wait_until(lambda: world.members == [], 2000)

    running, known = all_of(world)
    assert most <= 4
    assert running == known == {WEB}


@pytest.mark.parametrize("fault", [ExpiredCertificate(), ForeignCertificate()])
async def test_a_certificate_that_is_not_accepted_is_said_and_tried_again(
    autojump_clock, nursery, fault
):
    rule = Rule(fault=fault, times=12)
    world = await make_world(nursery, Wish(policy=STEADY, rules=(rule,)))

    await wait_until(lambda: world.size == 2, 1200)

    said = world.events("stream_lost") + world.events("look_failed")
    assert all("certificate" in str(fields["error"]) for fields in said)
    assert said != []


async def test_a_host_whose_certificate_fails_during_an_action_ends_the_action(
    autojump_clock, nursery
):
    world = await make_world(nursery, Wish(policy=STEADY))
    await world.notebook.acted.wait()
    world.live.inject(Rule(fault=ExpiredCertificate(), times=6))

    await wait_until(lambda: world.events("action_finished") != [], 60)
    await wait_until(lambda: len(world.members) == 1, 600)

    assert "expired" in str(world.events("action_finished")[0]["error"])
    assert world.clones == world.members


async def test_a_full_policy_sends_no_create(autojump_clock, nursery):
    world = await make_world(nursery, Wish(demand=Demand.constant(2.5)))
    world.live.strike(PolicyFull(USER))

    await trio.sleep(1200)

    assert world.size == 1
    assert world.events("action_started") == []
    assert "no_capacity" in world.notebook.reasons


async def test_a_policy_that_fills_up_between_decision_and_create_sends_none(
    autojump_clock, nursery
):
    world = await make_world(nursery, Wish(policy=STEADY))
    await world.notebook.acted.wait()
    world.live.strike(PolicyFull(USER))

    await trio.sleep(300)

    (finished,) = world.events("action_finished")
    assert finished["error"] == (
        "no longer possible: a clone needs 1 of unikernels, and 1 of 1 are taken in "
        "the policy of user"
    )
    assert world.size == 1


async def test_a_killed_clone_is_replaced_for_min_clones(autojump_clock, nursery):
    world = await make_world(nursery, Wish(policy=STEADY))
    await wait_until(lambda: len(world.members) == 1, 100)
    await trio.sleep(100)

    world.live.strike(Killed(world.group.clones[0].name))
    await wait_until(lambda: world.members == ["user:web-clone-2"], 300)

    assert world.clones == ["user:web-clone-2"]


async def test_a_clone_that_dies_while_it_boots_has_failed(autojump_clock, nursery):
    world = await make_world(nursery, Wish(policy=STEADY))
    await wait_until(lambda: world.size == 2, 100)

    world.live.strike(Killed(CLONE))
    await wait_until(lambda: world.events("action_finished") != [], 100)

    error = world.events("action_finished")[0]["error"]
    assert error == (
        "user:web-clone-1 was created and is gone again, without one stats frame"
    )
    assert world.members == []


async def test_a_clone_that_never_speaks_is_kept_and_stale(autojump_clock, nursery):
    world = await make_world(nursery, Wish(policy=STEADY))
    await wait_until(lambda: world.size == 2, 100)

    world.live.strike(Silenced(CLONE))
    await wait_until(lambda: world.events("action_finished") != [], 100)
    await trio.sleep(60)

    assert world.events("action_finished")[0]["outcome"] == "done"
    stale = world.notebook.ticks[-1].load.names(MemberClass.STALE)
    assert [str(name) for name in stale] == ["user:web-clone-1"]


async def test_a_lost_primary_leaves_its_clones_alone(autojump_clock, nursery):
    world = await make_world(nursery, Wish(policy=STEADY))
    await wait_until(lambda: len(world.members) == 1, 100)
    await trio.sleep(100)

    world.live.strike(Killed(WEB))
    await trio.sleep(1200)

    assert world.clones == world.members == ["user:web-clone-1"]
    assert world.decision.reason.value == "orphaned"
    assert world.decision.outcome is Outcome.HOLD


@pytest.mark.parametrize(
    ("through", "error"),
    [
        pytest.param(UnwritableHost, "memory is more than 63 bits", id="unwritable"),
        pytest.param(
            WrongImageHost,
            "the host sent another image than the digest of user:web names",
            id="wrong-image",
        ),
        pytest.param(
            lambda client: DeafHost(client, frozenset({"image"})),
            "no answer in time",
            id="no-image",
        ),
        pytest.param(
            lambda client: DeafHost(client, frozenset({"create"})),
            "no answer in time",
            id="no-answer-to-create",
        ),
    ],
)
async def test_a_create_that_cannot_work_backs_off(
    autojump_clock, nursery, through, error
):
    machine = Machine(through=through)
    world = await make_world(nursery, Wish(policy=STEADY, machine=machine))

    await trio.sleep(1500)

    finished = world.events("action_finished")
    assert {fields["error"] for fields in finished} == {error}
    assert 3 <= len(finished) <= 15
    assert world.size == 1


async def test_a_destroy_that_is_not_answered_backs_off(autojump_clock, nursery):
    demand = Demand(((0.0, 2.0), (400.0, 0.1)))
    machine = Machine(through=lambda c: DeafHost(c, frozenset({"destroy"})))
    wish = Wish(policy=Policy(max_clones=1), demand=demand, machine=machine)
    world = await make_world(nursery, wish)

    await trio.sleep(2500)

    failed = [f for f in world.events("action_finished") if f["outcome"] == "failed"]
    assert {fields["error"] for fields in failed} == {"no answer in time"}
    assert 2 <= len(failed) <= 15
    assert world.clones == world.members == ["user:web-clone-1"]


async def test_a_refused_destroy_of_what_is_gone_is_done(autojump_clock, nursery):
    demand = Demand(((0.0, 2.0), (400.0, 0.1)))
    rule = Rule(fault=ReplyLost(), verb="destroy")
    wish = Wish(policy=Policy(max_clones=1), demand=demand, rules=(rule,))
    world = await make_world(nursery, wish)
    await wait_until(lambda: len(world.members) == 1, 400)

    await wait_until(lambda: world.size == 1, 1200)
    await wait_until(lambda: world.members == [], 10)

    assert [f["outcome"] for f in world.events("action_finished")] == ["done"] * 2


async def test_a_step_goes_on_from_the_clones_that_came(autojump_clock, nursery):
    step = Policy(max_clones=3, scale_up_step=3, scale_up_trigger_ticks=1)
    wish = Wish(policy=step, demand=Demand.constant(8))
    world = await make_world(nursery, wish)
    await wait_until(lambda: world.size == 2, 200)
    world.live.inject(Rule(fault=Refused("info is out of order"), verb="info"))

    await wait_until(lambda: world.events("action_finished") != [], 60)

    finished = world.events("action_finished")[0]
    assert finished["error"] == "info is out of order"
    assert world.members == world.clones == ["user:web-clone-1"]
    assert world.group.ledger.creating.failures == 1


@pytest.mark.parametrize("unikernels", [2, 3, 4])
async def test_a_clone_that_takes_the_last_room_is_the_last_that_is_tried(
    autojump_clock, nursery, unikernels
):
    """It was not listed yet when the next was decided, which then failed."""
    domain = evolve(ROOMY, unikernels=unikernels)
    wish = Wish(policy=Policy(max_clones=9, min_clones=9), domain=domain)
    world = await make_world(nursery, wish)

    await wait_until(lambda: world.size == unikernels, 300)
    await trio.sleep(300)

    outcomes = [fields["outcome"] for fields in world.events("action_finished")]
    assert outcomes == ["done"] * (unikernels - 1)
    assert world.decision.reason is Reason.NO_CAPACITY
    shortage = world.decision.shortage
    assert shortage is not None
    assert (shortage.used, shortage.limit) == (unikernels, unikernels)


async def test_a_bhyve_primary_is_never_cloned(autojump_clock, nursery):
    config = Config(image=SANDBOX_IMAGE, memory=32, typ=Typ.BHYVE)
    world = await make_world(nursery, Wish(demand=Demand.constant(2), config=config))

    await trio.sleep(600)

    assert world.size == 1
    assert "unsupported" in world.notebook.reasons
