"""Tests of the gates: what may hold an action that is decided."""

import pytest
from attrs import evolve

from autoscaler.core.budget import Budget
from autoscaler.core.decision import MemberClass, Outcome, Reason
from autoscaler.core.group import Ticks, Watched
from autoscaler.core.traffic import Traffic
from tests.core.builders import NOW, PRIMARY, clone_name, make_policy, make_world, rule

GIVEN_UP = MemberClass.GIVEN_UP
LOW = Ticks(low=4, last=NOW - 10, conclusive=NOW - 10)
HIGH = Ticks(high=2, last=NOW - 10, conclusive=NOW - 10)


def low_world(*usages, **policy):
    return make_world(
        *(usages or (10.0, 10.0)), ticks=LOW, policy=make_policy(**policy)
    )


def high_world(**changes):
    return make_world(95.0, 95.0, ticks=HIGH, policy=make_policy(**changes))


def moving(view, *since, mean=100.0):
    """Return *view* with the traffic of the primary and its clones."""
    names = [PRIMARY, *(clone_name(n) for n in range(1, len(since)))]
    tracks = dict(view.tracks)
    for name, at in zip(names, since, strict=True):
        traffic = Traffic(((0.0, 0),), None, (NOW, 0), mean, at)
        tracks[name] = evolve(tracks[name], traffic=traffic)
    return evolve(view, tracks=tracks)


def ruled(group, view):
    decision = rule(group, view).decision
    return decision.outcome, decision.reason, decision.barred


def test_nothing_holds_what_is_decided_where_all_is_well():
    assert ruled(*low_world()) == (Outcome.DOWN, Reason.LOW, None)
    assert ruled(*high_world()) == (Outcome.UP, Reason.HIGH, None)


def test_a_direction_that_is_switched_off_is_not_taken():
    off = (Outcome.HOLD, Reason.SWITCHED_OFF)

    assert ruled(*high_world(scale_up=False)) == (*off, Reason.HIGH)
    assert ruled(*low_world(scale_down=False)) == (*off, Reason.LOW)
    assert ruled(*high_world(scale_down=False))[1] is Reason.HIGH
    assert ruled(*low_world(scale_up=False))[1] is Reason.LOW


def test_a_given_up_clone_is_replaced_where_nothing_may_be_removed():
    group, view = make_world(10.0, 10.0, GIVEN_UP, policy=make_policy(scale_down=False))

    assert rule(group, view).decision.outcome is Outcome.REPLACE


def test_nothing_begins_while_the_state_cannot_be_written():
    for group, view in (low_world(), high_world()):
        held = ruled(group, evolve(view, is_writable=False))

        assert held[:2] == (Outcome.HOLD, Reason.STATE_UNWRITABLE)


def test_what_is_held_keeps_its_counters():
    group, view = low_world()

    ruling = rule(group, evolve(view, is_writable=False))

    assert ruling.ticks.low == 5


def test_a_group_that_has_stood_down_tells_what_it_would_do_and_how_long_it_waits():
    group, view = high_world()
    budget = Budget(stood_down_at=NOW - 600)
    group = evolve(group, ledger=evolve(group.ledger, budget=budget))

    decision = rule(group, view).decision

    assert (decision.reason, decision.barred) == (Reason.STOOD_DOWN, Reason.HIGH)
    assert decision.left_s == 3000
    assert decision.mode.value == "observe"


def test_a_contested_group_grows_and_does_not_shrink():
    signs = Watched(signs=(NOW - 300, NOW - 100))
    low, low_view = low_world()
    high, high_view = high_world()

    held = rule(evolve(low, watched=signs), low_view).decision

    assert (held.reason, held.left_s) == (Reason.CONTESTED, 500)
    assert ruled(evolve(high, watched=signs), high_view)[0] is Outcome.UP


# The outage gate


def test_packets_that_collapsed_make_low_usage_doubtful():
    group, view = low_world()

    decision = rule(group, moving(view, NOW - 40, NOW - 50)).decision

    assert (decision.reason, decision.barred) == (Reason.SUSPECTED_OUTAGE, Reason.LOW)
    assert (decision.age_s, decision.left_s) == (40, 560)
    assert decision.evidence == "the packets of 2 members collapsed"


def test_a_member_that_still_works_makes_low_usage_believable():
    group, view = low_world()

    assert ruled(group, moving(view, NOW - 40, None))[1] is Reason.LOW


def test_a_member_without_traffic_does_not_vote():
    group, view = low_world()
    view = moving(view, NOW - 40, None)
    silent = evolve(view.tracks[clone_name(1)], traffic=Traffic())
    view = evolve(view, tracks={**view.tracks, clone_name(1): silent})

    decision = rule(group, view).decision

    assert decision.evidence == "the packets of 1 member collapsed"


def test_an_outage_is_believed_after_its_hold():
    group, view = low_world(outage_hold=600)

    assert ruled(group, moving(view, NOW - 599, NOW - 599))[0] is Outcome.HOLD
    assert ruled(group, moving(view, NOW - 600, NOW - 600))[0] is Outcome.DOWN


def test_a_spare_clone_is_not_removed_in_a_suspected_outage():
    group, view = make_world(10.0, 10.0, GIVEN_UP)
    tracks = dict(view.tracks)
    view = moving(view, NOW - 40, NOW - 40)

    held = ruled(group, view)

    assert held == (Outcome.HOLD, Reason.SUSPECTED_OUTAGE, Reason.GIVEN_UP)
    assert ruled(group, evolve(view, tracks=tracks))[0] is Outcome.DOWN


def test_growing_is_not_held_by_a_suspected_outage():
    group, view = high_world()

    assert ruled(group, moving(view, NOW - 40, NOW - 40))[0] is Outcome.UP


@pytest.mark.parametrize(("lost", "is_held"), [(4, False), (5, True)])
def test_too_many_members_lost_at_once_make_low_usage_doubtful(lost, is_held):
    group, view = low_world()
    names = [(clone_name(k), NOW - 100 + k) for k in range(lost)]

    held = ruled(group, evolve(view, lost=tuple(names), peers=10))

    assert (held[1] is Reason.SUSPECTED_OUTAGE) == is_held


def test_members_lost_one_after_another_are_no_outage():
    group, view = low_world()
    names = [(clone_name(k), NOW - 200 + 15 * k) for k in range(8)]

    assert ruled(group, evolve(view, lost=tuple(names), peers=10))[0] is Outcome.DOWN


def test_one_member_that_restarts_again_and_again_is_counted_once():
    group, view = low_world()
    times = tuple((clone_name(1), NOW - 100 + k) for k in range(5))

    assert ruled(group, evolve(view, lost=times, peers=10))[0] is Outcome.DOWN


def test_low_ticks_before_a_gap_of_the_stream_do_not_count():
    group, view = low_world()
    view = evolve(view, feed=evolve(view.feed, up_since=NOW - 5))
    tracks = {n: evolve(t, usage_at=NOW - 1) for n, t in view.tracks.items()}

    ruling = rule(group, evolve(view, tracks=tracks))

    assert ruling.decision.reason is Reason.SUSPECTED_OUTAGE
    assert ruling.decision.evidence == "the statistics stream was interrupted"
    assert (ruling.ticks.low, ruling.ticks.gap) == (5, 4)


def test_as_many_low_ticks_after_a_gap_are_believed():
    ticks = Ticks(low=8, last=NOW - 10, conclusive=NOW - 10, gap=4)
    group, view = make_world(10.0, 10.0, ticks=ticks)

    assert ruled(group, view)[0] is Outcome.DOWN


def test_a_stream_that_is_down_has_no_gap_yet():
    ticks = Ticks(low=7, last=NOW - 10, conclusive=NOW - 10, gap=4)
    group, view = make_world(10.0, 10.0, ticks=ticks)
    view = evolve(view, feed=evolve(view.feed, up_since=None))

    assert ruled(group, view)[0] is Outcome.HOLD


def test_a_contested_stream_is_told_from_a_lost_one():
    group, view = make_world(MemberClass.STALE)

    assert ruled(group, view)[1] is Reason.NO_DATA
    assert ruled(group, evolve(view, is_contested=True))[1] is Reason.CONTESTED


def test_the_gates_hold_what_keeps_the_bounds_too():
    group, view = make_world(
        50.0, 50.0, policy=make_policy(max_clones=0, scale_down=False)
    )

    assert ruled(group, view) == (Outcome.HOLD, Reason.SWITCHED_OFF, Reason.ABOVE_MAX)
