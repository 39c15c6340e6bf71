"""Tests of clones that get no work."""

import pytest
from attrs import evolve

from autoscaler.core.decision import MemberClass, Outcome, Reason
from autoscaler.core.events import ActionEnded, Ticked
from autoscaler.core.group import Ticks
from autoscaler.core.ledger import Ledger
from autoscaler.core.traffic import Traffic
from tests.core.builders import (
    NOW,
    PRIMARY,
    clone_name,
    happens,
    make_policy,
    make_world,
    rule,
)


def world(*usages, packets=None, ticks=2, high=2, **policy):
    """Return a group with these usages, and packets a second of each."""
    idle = tuple((clone_name(n), ticks) for n, u in enumerate(usages) if n and u == 0.0)
    counted = Ticks(high=high, last=NOW - 10, conclusive=NOW - 10, idle=idle)
    group, view = make_world(*usages, ticks=counted, policy=make_policy(**policy))
    tracks = dict(view.tracks)
    for number, rate in enumerate(packets or [100 * (u > 0) for u in usages]):
        name = clone_name(number) if number else PRIMARY
        traffic = Traffic((), (NOW - 20, 0), (NOW, 20 * rate))
        tracks[name] = evolve(tracks[name], traffic=traffic)
    return group, evolve(view, tracks=tracks)


def ruled(*usages, **changes):
    decision = rule(*world(*usages, **changes)).decision
    return decision.outcome, decision.reason


HOLD, UP, DOWN = Outcome.HOLD, Outcome.UP, Outcome.DOWN
ALL_BUT_ONE = (100.0, 100.0, 100.0, 0.0)


def test_a_clone_without_work_stops_the_growing():
    group, view = world(*ALL_BUT_ONE, scale_up_threshold_percent=70.0)

    decision = rule(group, view).decision

    assert (decision.outcome, decision.reason) == (HOLD, Reason.NO_EFFECT)
    assert decision.evidence == (
        "user:web-clone-3 uses 0.0 % and moves 0.0 packets a second, beside 100.0 % "
        "of those that work"
    )


def test_a_mean_that_stays_high_proves_nothing_where_all_work():
    assert ruled(100.0, 100.0, 100.0) == (UP, Reason.HIGH)


def test_a_clone_that_idles_with_packets_gets_work():
    changes = {"scale_up_threshold_percent": 70.0, "packets": [100, 100, 100, 30]}

    assert ruled(*ALL_BUT_ONE, **changes) == (UP, Reason.HIGH)


def test_without_interfaces_packets_prove_nothing():
    changes = {"scale_up_threshold_percent": 70.0, "packets": [0, 0, 0, 0]}

    assert ruled(*ALL_BUT_ONE, **changes) == (UP, Reason.HIGH)


def test_a_clone_must_idle_for_as_long_as_a_load_must_last():
    changes = {"scale_up_threshold_percent": 70.0, "ticks": 1}

    assert ruled(*ALL_BUT_ONE, **changes) == (UP, Reason.HIGH)


def test_an_idle_clone_is_told_of_where_it_hides_the_load_of_the_others():
    group, view = world(100.0, 0.0)

    ruling = rule(group, view)

    assert ruling.decision.reason is Reason.NO_EFFECT
    assert ruling.ticks.idle == ((clone_name(1), 3),)


def test_an_idle_primary_is_no_idle_clone():
    assert ruled(0.0, 100.0, 100.0) == (HOLD, Reason.STEADY)


def test_clones_are_not_idle_where_nobody_has_too_much_to_do():
    assert ruled(80.0, 0.0, 80.0) == (HOLD, Reason.STEADY)


def test_others_that_have_too_little_together_need_no_more():
    assert ruled(95.0, 0.0, 50.0) == (HOLD, Reason.STEADY)


def test_a_useless_clone_is_removed_where_that_is_wanted():
    group, view = world(100.0, 0.0, roll_back_useless=True)

    decision = rule(group, view).decision

    assert (decision.outcome, decision.reason) == (DOWN, Reason.USELESS)
    assert decision.victim == clone_name(1)


@pytest.mark.parametrize(
    "changes", [{"min_clones": 1}, {"cooldown_up": 600.0}], ids=["least", "cooldown"]
)
def test_a_useless_clone_stays_where_none_may_go(changes):
    group, view = world(100.0, 0.0, roll_back_useless=True, **changes)
    ledger = evolve(group.ledger, changed_at=NOW - 100)

    decision = rule(evolve(group, ledger=ledger), view).decision

    assert (decision.outcome, decision.reason) == (HOLD, Reason.NO_EFFECT)


def test_what_was_removed_as_useless_is_not_made_again_at_once():
    group, view = make_world(100.0, ticks=Ticks(high=2, last=NOW - 10, conclusive=NOW))
    removed = evolve(group, ledger=Ledger(useless_at=NOW - 600))

    decision = rule(removed, view).decision

    assert (decision.reason, decision.left_s) == (Reason.NO_EFFECT, 3000)
    later = evolve(group, ledger=Ledger(useless_at=NOW - 3600))
    assert rule(later, view).decision.outcome is UP


def test_a_member_that_is_not_fresh_is_not_judged():
    group, view = make_world(100.0, MemberClass.STALE)

    assert rule(group, view).ticks.idle == ()


def test_a_removal_as_useless_is_remembered():
    group, view = world(100.0, 0.0, roll_back_useless=True)

    group, _ = happens(group, Ticked(view))
    group, _ = happens(group, ActionEnded(1))

    assert group.ledger.useless_at == NOW
