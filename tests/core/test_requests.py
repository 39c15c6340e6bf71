"""What requests and usage together call for, decision by decision."""

import pytest
from attrs import evolve

from autoscaler.core.backend import Backend
from autoscaler.core.decide import decide_bounds
from autoscaler.core.decision import MemberClass, Outcome, Reason
from autoscaler.core.demand import (
    Signal,
    SignalKind,
)
from autoscaler.core.events import Ticked
from autoscaler.core.group import Ticks
from autoscaler.core.ledger import Backoff, Ledger
from autoscaler.core.standing import assess
from autoscaler.core.ticking import next_tick
from autoscaler.core.view import closed
from tests.core.builders import (
    NOW,
    clone_name,
    creating,
    destroying,
    happens,
    make_managed,
    make_policy,
    make_rules,
    replacing,
)
from tests.core.requesting import BUSY, REQUESTS, SILENT, called, ruled, world


def test_the_decision_tells_what_called_for_it():
    decision = ruled(*world(30.0, 30.0, demand=called(4))).decision

    assert (decision.outcome, decision.reason) == (Outcome.UP, Reason.HIGH)
    assert (decision.wanted, decision.count) == (4, 2)
    assert decision.signal == Signal(SignalKind.IN_FLIGHT, 12.0, 3, 4)
    assert decision.signals == (decision.signal,)


def test_the_signal_that_calls_for_most_decides():
    rps = Signal(SignalKind.RPS, 60.0, 10, 6)
    both = (*called(4).signals, rps)

    decision = ruled(*world(50.0, demand=called(4, signals=both))).decision

    assert (decision.wanted, decision.signal) == (6, rps)
    assert decision.signals == both


@pytest.mark.parametrize(
    ("members", "wanted", "step", "count"),
    [
        pytest.param(1, 30, 4, 4, id="by four"),
        pytest.param(6, 30, 4, 6, id="double"),
        pytest.param(2, 30, 1, 2, id="always double"),
        pytest.param(2, 4, 4, 2, id="no more than wanted"),
    ],
)
def test_a_step_is_bounded(members, wanted, step, count):
    requests = evolve(REQUESTS, max_step_up=step)
    states = [SILENT] * members

    made = world(*states, demand=called(wanted), requests=requests, max_clones=50)

    assert ruled(*made).decision.count == count


def test_members_that_are_reserved_count_and_those_that_go_do_not():
    going = evolve(destroying(1), id=2)
    ledger = Ledger(actions=(creating(3), going), next_number=4, next_action=3)

    decision = ruled(*world(50.0, 50.0, 50.0, demand=called(5), ledger=ledger)).decision

    # The primary, clone 2 and the reserved one; clone 1 drains.
    assert decision.load.capacity == 3
    assert decision.count == 2


def test_who_drains_still_takes_the_room_of_another():
    ledger = Ledger(actions=(destroying(1),), next_number=3, next_action=2)

    made = world(50.0, 50.0, 50.0, demand=called(9), ledger=ledger, max_clones=2)

    assert ruled(*made).decision.reason is Reason.AT_MAX


@pytest.mark.parametrize(
    ("changes", "reason", "left"),
    [
        pytest.param({"grew_at": NOW - 1}, Reason.COOLDOWN, 2.0, id="just grown"),
        pytest.param({"grew_at": NOW - 3}, Reason.HIGH, None, id="a while ago"),
        pytest.param({}, Reason.HIGH, None, id="never"),
    ],
)
def test_after_growing_the_next_step_waits(changes, reason, left):
    decision = ruled(*world(50.0, demand=called(9, **changes))).decision

    assert (decision.reason, decision.left_s) == (reason, left)


def test_from_nothing_no_cooldown_holds():
    # A given-up primary serves nobody.
    made = world(MemberClass.GIVEN_UP, demand=called(1, grew_at=NOW))

    assert ruled(*made).decision.reason is Reason.HIGH


def test_what_is_known_of_the_host_must_be_young():
    group, view = world(50.0, 50.0, 50.0, demand=called(9))
    old = evolve(view, rules=make_rules(NOW - 1000))

    up = ruled(group, old).decision.reason
    shrunk = evolve(group, ticks=evolve(group.ticks, demand=called(0)))
    down = ruled(shrunk, old).decision.reason

    assert (up, down) == (Reason.NO_DATA, Reason.NO_DATA)


def test_a_pause_after_failures_holds_the_next_create():
    ledger = Ledger(creating=Backoff(1, NOW - 4, 10.0), next_number=2)

    decision = ruled(*world(50.0, demand=called(9), ledger=ledger)).decision

    assert (decision.reason, decision.left_s) == (Reason.BACKOFF, 6.0)
    assert decision.wanted == 9


def test_fewer_are_wanted_one_goes():
    ruling = ruled(*world(50.0, 40.0, 20.0, 30.0, demand=called(1)))

    assert ruling.decision.outcome is Outcome.DOWN
    assert ruling.decision.victim == clone_name(2)
    assert ruling.decision.more_victims == ()


def test_several_go_where_the_operator_allows_but_one_to_spare_stays():
    requests = evolve(REQUESTS, max_step_down=5)
    states = [SILENT] * 6

    group, view = world(*states, demand=called(2), requests=requests)
    backend = Backend(at=NOW - 1, in_flight=6)

    group, actions = happens(group, Ticked(evolve(view, backend=backend)))

    assert [action.victim for action in actions] == [
        clone_name(number) for number in (5, 4, 3)
    ]
    assert group.ledger.actions == actions
    assert group.decision.victim == clone_name(5)
    assert group.decision.more_victims == (clone_name(4), clone_name(3))


def test_no_more_go_than_there_are_clones_to_spare():
    requests = evolve(REQUESTS, max_step_down=5)

    made = world(*[SILENT] * 4, demand=called(0), requests=requests, min_clones=2)

    assert ruled(*made).decision.more_victims == ()


@pytest.mark.parametrize(
    ("states", "changes", "reason"),
    [
        pytest.param((50.0,) * 4, {}, Reason.LOW, id="two more than wanted"),
        pytest.param((50.0,) * 3, {}, Reason.STEADY, id="one to spare"),
        pytest.param((50.0,) * 2, {}, Reason.STEADY, id="just as many"),
        pytest.param(
            (50.0,) * 4, {"told_since": None}, Reason.NO_SIGNAL, id="half of it known"
        ),
        pytest.param(
            (50.0,) * 4,
            {"told_since": NOW - 20},
            Reason.STABILISING,
            id="not known for long",
        ),
        pytest.param(
            (50.0,) * 4,
            {"peaks": ((NOW - 25, 9), (NOW - 20, 3))},
            Reason.STABILISING,
            id="more were wanted lately",
        ),
        pytest.param(
            (50.0,) * 4, {"peaks": ((NOW - 60, 9),)}, Reason.LOW, id="long ago"
        ),
        pytest.param((BUSY, 60.0), {}, Reason.STEADY, id="a busy CPU"),
        pytest.param((85.0,) * 4, {}, Reason.WOULD_FLAP, id="not without this one"),
    ],
)
def test_a_member_goes_only_when_it_is_not_missed(states, changes, reason):
    decision = ruled(*world(*states, demand=called(2, **changes))).decision

    assert decision.reason is reason


def test_it_is_said_how_long_a_peak_counts():
    demand = called(2, peaks=((NOW - 25, 9), (NOW - 20, 3)))

    assert ruled(*world(*[50.0] * 4, demand=demand)).decision.left_s == 40


def test_after_a_change_nobody_goes_at_once():
    ledger = Ledger(changed_at=NOW - 5, next_number=4)

    decision = ruled(*world(*[50.0] * 4, demand=called(0), ledger=ledger)).decision

    assert (decision.reason, decision.left_s) == (Reason.COOLDOWN, 10.0)


@pytest.mark.parametrize("action", [creating(4), destroying(1), replacing(4, 1)])
def test_nobody_goes_while_others_come_or_go(action):
    ledger = Ledger(actions=(action,), next_number=5, next_action=2)

    made = world(*[50.0] * 4, demand=called(0), ledger=ledger)

    assert ruled(*made).decision.reason is Reason.BUSY


def test_without_clones_there_is_nothing_to_remove():
    assert ruled(*world(50.0, demand=called(0))).decision.reason is Reason.STEADY


def test_at_the_least_that_is_said():
    made = world(*[50.0] * 4, demand=called(0), min_clones=3)

    assert ruled(*made).decision.reason is Reason.AT_MIN


def test_a_group_without_members_sleeps_until_somebody_asks():
    group, view = make_managed(policy=make_policy(requests=REQUESTS))
    asleep = evolve(group, ticks=Ticks(demand=called(0)))
    asked = evolve(group, ticks=Ticks(demand=called(1, grew_at=NOW)))

    assert ruled(asleep, view).decision.reason is Reason.ASLEEP
    assert ruled(asked, view).decision.count == 1


# The other rules


def test_a_given_up_clone_is_replaced_before_the_load_is_looked_at():
    states = (50.0, MemberClass.GIVEN_UP)
    busy = Ledger(actions=(creating(2),), next_number=3, next_action=2)

    alone = ruled(*world(*states, demand=called(4))).decision
    acting = ruled(*world(*states, demand=called(4), ledger=busy)).decision

    assert (alone.outcome, alone.reason) == (Outcome.REPLACE, Reason.GIVEN_UP)
    assert (acting.outcome, acting.reason) == (Outcome.UP, Reason.HIGH)


def test_the_operators_numbers_hold_whatever_requests_want():
    few = ruled(*world(50.0, min_clones=3, demand=called(9))).decision
    many = ruled(*world(50.0, 50.0, 50.0, max_clones=1, demand=called(9))).decision

    assert (few.reason, few.count) == (Reason.BELOW_MIN, 3)
    assert (many.reason, many.outcome) == (Reason.ABOVE_MAX, Outcome.DOWN)


def test_too_many_are_removed_once_nobody_comes_or_goes():
    ledger = Ledger(actions=(creating(4),), next_number=5, next_action=2)

    made = world(*[50.0] * 4, max_clones=1, ledger=ledger, demand=called(9))

    assert ruled(*made).decision.reason is Reason.BUSY


def test_an_answer_to_info_says_nothing_against_requests():
    group, view = world(SILENT, SILENT, demand=called(4))

    assert decide_bounds(group, view, assess(group, view, NOW), NOW) is None


def test_a_tick_hears_the_balancer_and_acts_at_once():
    group, view = world(SILENT)
    backend = Backend(at=NOW - 1, in_flight=12)

    group, actions = happens(group, Ticked(evolve(view, backend=backend)))

    assert [len(action.slots) for action in actions] == [1, 1, 1]
    assert [action.id for action in actions] == [1, 2, 3]
    assert group.ledger.actions == actions
    assert (group.ledger.next_action, group.ledger.next_number) == (4, 4)
    assert len(group.ledger.budget.acted) == 1
    assert group.ticks.demand.grew_at == NOW
    assert group.ticks.polled == NOW


def test_usage_that_is_not_due_is_left_for_later():
    group, view = world(50.0, 50.0, demand=called(2))
    group = evolve(group, ticks=evolve(group.ticks, last=NOW - 1))
    clock = evolve(view, tracks={})

    after, _ = happens(group, Ticked(clock))

    assert (after.ticks.polled, after.ticks.last) == (NOW, NOW - 1)


def test_a_group_that_requests_drive_is_looked_at_by_the_clock():
    group, view = world(SILENT, poll_interval=2.0)
    polled = evolve(group, ticks=evolve(group.ticks, polled=NOW - 0.5))

    assert next_tick(group, view, NOW) == NOW
    assert next_tick(polled, view, NOW) == NOW + 1.5
    assert next_tick(polled, evolve(view, feed=closed(view.feed, NOW)), NOW)
    assert next_tick(polled, evolve(view, listing=None), NOW) is None
