"""Stories of groups that requests drive, told with values and virtual time."""

import math
from itertools import pairwise

import pytest
from attrs import evolve

from autoscaler.core.actions import CreateClones
from autoscaler.core.decision import Outcome, Reason
from autoscaler.core.demand import RequestPolicy, SignalKind
from autoscaler.core.events import ModeSet
from autoscaler.core.policy import Mode
from tests.core.builders import PRIMARY
from tests.core.requesting import TARGET, Service, downs, serving, ups

# Hours of virtual time, in whole daemons: traced they take three times as long.
pytestmark = pytest.mark.no_cover


def loaded(world: Service, load: float) -> Service:
    """Return *world* with *load* from now on."""
    world.load = lambda _now: load
    return world


def reason(world: Service) -> Reason:
    assert world.group.decision is not None
    return world.group.decision.reason


@pytest.mark.parametrize("has_frames", [True, False], ids=["frames", "no frames"])
def test_12_in_flight_with_a_target_of_3_make_exactly_4_members(has_frames):
    world = loaded(serving(has_frames=has_frames), 12)

    world.passes_for(600)

    assert world.members == 4
    assert len(ups(world)) == 3
    assert downs(world) == 0
    assert reason(world) is Reason.STEADY


def test_100_in_flight_make_as_many_as_there_may_be_and_not_one_more():
    world = loaded(serving(), 100)

    world.passes_for(600)

    assert world.members == 10
    assert len(ups(world)) == 9
    assert reason(world) is Reason.AT_MAX


def test_one_member_becomes_ten_within_seconds():
    world = loaded(serving(), 30)
    since = world.now

    world.passes_for(20)

    times = [at - since for at, _ in world.begun]
    assert len(times) == 9
    # Four more at the first tick, five at the next: no boot is waited for.
    assert times[0] <= 1
    assert times[-1] <= 2


@pytest.mark.parametrize("step", [12, 30, 45])
@pytest.mark.parametrize("period", [7.0, 60.0, 290.0])
@pytest.mark.parametrize("has_frames", [True, False], ids=["frames", "no frames"])
def test_a_load_that_oscillates_around_a_step_is_followed_once(
    step, period, has_frames
):
    """15 % up and down for ten minutes: one decision, and none back."""
    requests = RequestPolicy(target_in_flight=15, cooldown_up=0.0, stabilise=300.0)
    world = serving(step, requests=requests, has_frames=has_frames)
    world.passes_for(60)
    before = len(world.begun)
    began = world.now

    world.load = lambda now: (
        step * (1 + 0.15 * math.sin((now - began) * 2 * math.pi / period))
    )
    world.passes_for(600)

    assert len(world.begun) - before <= 1
    assert downs(world) == 0


@pytest.mark.parametrize("boot_s", [0.3, 5.0, 55.0])
def test_members_that_boot_are_not_decided_twice(boot_s):
    world = loaded(serving(), 30)
    world.boot_s = boot_s

    world.passes_for(120)

    assert len(ups(world)) == 9
    assert max(world.sizes) == 10


def test_ups_go_on_while_others_boot():
    world = loaded(serving(), 12)
    world.boot_s = 50.0
    world.passes_for(10)

    loaded(world, 24).passes_for(10)

    assert len(ups(world)) == 7
    assert world.group.clones == ()


def test_a_burst_leaves_one_member_to_spare():
    world = loaded(serving(), 30)
    world.level = 0.6
    world.passes_for(60)

    loaded(world, 9).passes_for(600)

    assert world.members == 4
    assert reason(world) is Reason.STEADY


def test_the_spare_member_goes_when_the_cpu_has_little_to_do_too():
    world = loaded(serving(), 30)
    world.passes_for(60)
    world.level = 0.1

    loaded(world, 9).passes_for(2000)

    assert world.members == 3


def test_a_burst_to_nothing_ends_at_the_least():
    world = loaded(serving(min_clones=2), 30)
    world.passes_for(60)
    world.level = 0.1

    loaded(world, 0).passes_for(600)

    assert world.members == 3
    assert reason(world) is Reason.AT_MIN


def test_members_go_one_by_one_with_a_pause_after_each():
    world = loaded(serving(), 30)
    world.passes_for(60)
    world.level = 0.1
    world.begun.clear()

    loaded(world, 0).passes_for(600)

    times = [at for at, _ in world.begun]
    assert len(times) == 9
    assert times[0] - (world.now - 600) >= TARGET.stabilise - 10
    gaps = [after - at for at, after in pairwise(times)]
    assert min(gaps) >= TARGET.cooldown_down + 5


def test_several_may_go_at_once_where_the_operator_allows():
    requests = evolve(TARGET, max_step_down=4)
    world = loaded(serving(requests=requests), 30)
    world.passes_for(60)
    world.level = 0.1
    world.begun.clear()

    loaded(world, 0).passes_for(200)

    times = [round(at) for at, _ in world.begun]
    assert [times.count(at) for at in sorted(set(times))] == [4, 4, 1]
    assert world.members == 1


def test_a_short_dip_removes_nothing():
    world = loaded(serving(), 30)
    world.passes_for(60)

    for _ in range(20):
        loaded(world, 0).passes_for(10)
        loaded(world, 30).passes_for(10)

    assert world.members == 10
    assert downs(world) == 0


@pytest.mark.parametrize("has_frames", [True, False], ids=["frames", "no frames"])
def test_a_balancer_that_falls_silent_is_no_reason_to_shrink(has_frames):
    world = loaded(serving(has_frames=has_frames), 12)
    world.passes_for(60)
    world.level = 0.1

    world.is_silent = True
    loaded(world, 0).passes_for(900)

    assert world.members == 4
    assert reason(world) is Reason.NO_SIGNAL


def test_a_balancer_that_began_anew_is_believed_after_a_while():
    requests = evolve(TARGET, target_rps=100.0)
    world = loaded(serving(requests=requests), 12)
    world.rps = 1.0
    world.passes_for(60)
    world.level = 0.1

    restarted, world.rps = world.now, 0.0
    world.restart_balancer()
    loaded(world, 0).passes_for(300)

    first = next(at for at, a in world.begun if not isinstance(a, CreateClones))
    assert first - restarted >= TARGET.stabilise
    assert world.members == 1


def test_a_balancer_that_restarts_again_and_again_never_shrinks_anything():
    world = loaded(serving(), 12)
    world.passes_for(60)

    loaded(world, 0)
    for _ in range(40):
        world.restart_balancer()
        world.passes_for(20)

    assert world.members == 4
    assert downs(world) == 0


def test_a_busy_cpu_adds_members_that_requests_do_not_ask_for():
    world = serving(3)
    world.level = 0.97

    world.passes_for(60)

    decision = world.group.decision
    assert decision is not None
    assert len(ups(world)) >= 1
    assert world.members == 1 + len(ups(world))


def test_a_member_that_the_others_can_not_do_without_stays():
    world = loaded(serving(), 9)
    world.level = 0.7
    world.passes_for(60)

    loaded(world, 0).passes_for(300)

    assert world.members == 3
    assert reason(world) is Reason.WOULD_FLAP


def test_a_refused_create_is_not_tried_without_a_pause():
    world = loaded(serving(), 100)
    world.boot_s = None

    for _ in range(30):
        world.passes(1)
        for action in world.group.ledger.actions:
            world.fail(action)

    # Two steps, pauses of 10, 20, 40 and 80 s, then it stands down.
    assert len({round(at) for at, _ in world.begun}) == 6
    assert world.group.ledger.budget.stood_down_at is not None


def test_what_fails_together_has_failed_once():
    world = loaded(serving(), 15)
    world.boot_s = None
    world.passes_for(2)
    assert len(world.group.ledger.actions) == 4

    for action in world.group.ledger.actions:
        world.fail(action)

    ledger = world.group.ledger
    assert (ledger.creating.failures, ledger.budget.failures) == (1, 1)


def test_only_those_that_failed_are_made_anew():
    world = loaded(serving(), 15)
    world.boot_s = None
    world.passes_for(2)
    first, *others = world.group.ledger.actions

    world.fail(first)
    for action in others:
        world.finish(action)
    world.boot_s = 1.0
    world.passes_for(60)

    assert world.members == 5
    assert len(ups(world)) == 5


def test_a_group_that_is_below_its_least_gets_all_that_are_missing():
    world = serving(min_clones=4)

    assert len({round(at) for at, _ in world.begun}) == 1
    assert world.members == 5
    assert all(action.reason is Reason.BELOW_MIN for _, action in world.begun)


def test_a_new_image_is_rolled_out_while_requests_are_steady():
    world = loaded(serving(), 9)
    world.passes_for(120)
    world.begun.clear()

    world.deploy(b"\x03" * 32)
    world.passes_for(600)

    assert [action.reason for _, action in world.begun] == [Reason.ROLLOUT] * 2
    assert world.group.outdated == ()


def test_a_group_that_is_only_observed_says_what_it_would_do():
    world = loaded(serving(), 12)

    world.tell(ModeSet(Mode.OBSERVE))
    world.passes_for(60)

    decision = world.group.decision
    assert decision is not None
    assert world.begun == []
    assert (decision.outcome, decision.reason) == (Outcome.UP, Reason.HIGH)
    assert (decision.wanted, decision.count) == (4, 3)
    assert decision.signal is not None
    assert decision.signal.kind is SignalKind.IN_FLIGHT
    assert PRIMARY in world.processes
