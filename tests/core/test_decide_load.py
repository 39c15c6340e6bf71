"""Tests of rules 7 to 9: what the load of the members decides."""

from typing import Any

import pytest
from attrs import evolve

from albatross_client.values import Typ
from autoscaler.core.case import Ruling
from autoscaler.core.decision import MemberClass, Outcome, Reason
from autoscaler.core.group import Group, Ticks
from autoscaler.core.ledger import Backoff, Ledger
from autoscaler.core.view import View
from tests.core.builders import (
    IMAGE,
    NOW,
    PRIMARY,
    clone_name,
    make_info,
    make_listing,
    make_policy,
    make_rules,
    make_world,
    rule,
)

STALE, UNKNOWN = MemberClass.STALE, MemberClass.UNKNOWN
WARMING, GIVEN_UP = MemberClass.WARMING, MemberClass.GIVEN_UP


def ticks(high: int = 0, low: int = 0) -> Ticks:
    return Ticks(high=high, low=low, last=NOW - 10, conclusive=NOW - 10)


def ended(ago: float) -> Ledger:
    """Return what is known of a group whose last action ended so long ago."""
    return Ledger(changed_at=NOW - ago, next_number=9)


def said(ruling: Ruling) -> tuple[Outcome, Reason, int, int]:
    """Return outcome, reason and both counters."""
    decision = ruling.decision
    return decision.outcome, decision.reason, ruling.ticks.high, ruling.ticks.low


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        pytest.param(90.0, (Outcome.HOLD, Reason.STEADY, 0, 0), id="at"),
        pytest.param(90.1, (Outcome.HOLD, Reason.RISING, 3, 0), id="above"),
    ],
)
def test_a_mean_above_the_threshold_makes_a_high_tick(usage, expected):
    policy = make_policy(scale_up_trigger_ticks=5)

    assert said(rule(*make_world(usage, policy=policy, ticks=ticks(2, 4)))) == expected


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        pytest.param(0, (Outcome.HOLD, Reason.RISING, 1, 0), id="first"),
        pytest.param(1, (Outcome.HOLD, Reason.RISING, 2, 0), id="second"),
        pytest.param(2, (Outcome.UP, Reason.HIGH, 3, 0), id="third"),
        pytest.param(7, (Outcome.UP, Reason.HIGH, 8, 0), id="eighth"),
    ],
)
def test_the_third_high_tick_in_a_row_adds_a_clone(before, expected):
    ruling = rule(*make_world(95.0, ticks=ticks(before, 4)))

    assert said(ruling) == expected
    assert ruling.decision.high == min(before + 1, 3)
    assert ruling.decision.count == (before >= 2)


def test_those_who_report_decide_about_growing():
    assert rule(*make_world(95.0, STALE)).decision.reason is Reason.RISING
    assert rule(*make_world(95.0, 80.0)).decision.reason is Reason.STEADY


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        pytest.param(59.0, (Outcome.HOLD, Reason.COOLDOWN, 2, 0), id="during"),
        pytest.param(60.0, (Outcome.UP, Reason.HIGH, 3, 0), id="after"),
    ],
)
def test_high_ticks_do_not_count_during_cooldown_up(ago, expected):
    group, view = make_world(95.0, ledger=ended(ago), ticks=ticks(2, 4))

    ruling = rule(group, view)

    assert said(ruling) == expected
    assert ruling.decision.left_s == (1.0 if ago < 60 else None)


def test_load_during_a_cooldown_is_ignored_even_beyond_the_trigger():
    group, view = make_world(99.9, ledger=ended(0), ticks=ticks(9))

    assert rule(group, view).decision.reason is Reason.COOLDOWN


def world_with(**what: Any) -> tuple[Group, View]:
    """Return a group that would grow but for *what* holds it."""
    ledger = what.get("ledger", Ledger(next_number=2))
    policy = make_policy(max_clones=what.get("max_clones", 9))
    group, view = make_world(95.0, 95.0, policy=policy, ledger=ledger, ticks=ticks(2))
    if "created" in what:
        young = evolve(group.clones[0], created=what["created"])
        group = evolve(group, clones=(young,))
    if "typ" in what:
        assert view.listing is not None
        infos = {**view.listing.infos, PRIMARY: make_info(typ=what["typ"])}
        view = evolve(view, listing=make_listing(infos))
    if "unikernels" in what:
        view = evolve(view, rules=make_rules(unikernels=what["unikernels"]))
    return group, view


GATES: dict[Reason, dict[str, Any]] = {
    Reason.AT_MAX: {"max_clones": 1},
    Reason.BACKOFF: {"ledger": Ledger(creating=Backoff(1, NOW - 3, 10.0, IMAGE))},
    Reason.UNSUPPORTED: {"typ": Typ.BHYVE},
    Reason.NO_CAPACITY: {"unikernels": 0},
    Reason.WARMING: {"created": NOW - 29},
}


@pytest.mark.parametrize("reason", list(GATES), ids=[reason.value for reason in GATES])
def test_of_all_that_holds_growing_the_first_is_told(reason):
    order = list(GATES)
    later: dict[str, Any] = {}
    for gate in order[order.index(reason) :]:
        later |= GATES[gate]

    ruling = rule(*world_with(**later))

    assert said(ruling) == (Outcome.HOLD, reason, 3, 0)
    assert said(rule(*world_with(**GATES[reason])))[1] is reason


def test_at_max_there_is_no_room_and_below_it_there_is():
    assert said(rule(*world_with(max_clones=1)))[1] is Reason.AT_MAX
    assert said(rule(*world_with(max_clones=2)))[:2] == (Outcome.UP, Reason.HIGH)


@pytest.mark.parametrize(
    ("created", "left", "reason"),
    [
        pytest.param(NOW - 29, 1.0, Reason.WARMING, id="young"),
        pytest.param(NOW - 30, None, Reason.HIGH, id="old enough"),
        pytest.param(None, None, Reason.HIGH, id="adopted"),
    ],
)
def test_a_clone_created_less_than_warmup_ago_holds_growing(created, left, reason):
    decision = rule(*world_with(created=created)).decision

    assert (decision.reason, decision.left_s) == (reason, left)


def test_a_clone_that_only_restarted_does_not_hold_growing():
    group, view = make_world(95.0, WARMING, ticks=ticks(2))

    assert said(rule(group, view))[:2] == (Outcome.UP, Reason.HIGH)


def test_a_backoff_tells_for_how_long():
    assert rule(*world_with(**GATES[Reason.BACKOFF])).decision.left_s == 7.0


@pytest.mark.parametrize(
    ("states", "step", "max_clones", "count"),
    [
        pytest.param((95.0,), 1, 9, 1, id="one by default"),
        pytest.param((95.0,) * 3, 3, 9, 3, id="a step of three"),
        pytest.param((95.0,) * 3, 3, 4, 2, id="no more than the room"),
        pytest.param((95.0,), 3, 9, 1, id="47.5 % stays above 40, 31.7 % not"),
        pytest.param((98.9,) * 2, 5, 9, 2, id="49 % stays, 39.6 % not"),
        pytest.param((99.0,) * 2, 5, 9, 5, id="saturated: any demand"),
        pytest.param((91.0, STALE), 3, 9, 2, id="silent members share the load"),
    ],
)
def test_a_step_leaves_the_mean_above_the_down_threshold(
    states, step, max_clones, count
):
    policy = make_policy(scale_up_step=step, max_clones=max_clones)

    ruling = rule(*make_world(*states, policy=policy, ticks=ticks(2)))

    assert ruling.decision.count == len(ruling.slots) == count


def test_a_mean_that_would_fall_exactly_to_the_down_threshold_is_too_low():
    policy = make_policy(scale_up_step=2, scale_down_threshold_percent=32.0)

    exactly = rule(*make_world(96.0, policy=policy, ticks=ticks(2)))
    above = rule(*make_world(96.1, policy=policy, ticks=ticks(2)))

    assert (exactly.decision.count, above.decision.count) == (1, 2)


def test_a_step_is_at_least_one():
    policy = make_policy(
        scale_up_threshold_percent=60.0, scale_down_threshold_percent=45.0
    )

    assert rule(*make_world(61.0, policy=policy, ticks=ticks(2))).decision.count == 1


def test_as_many_clones_are_added_as_the_policy_of_the_domain_allows():
    policy = make_policy(scale_up_step=3)
    group, view = make_world(99.0, policy=policy, ticks=ticks(2))

    ruling = rule(group, evolve(view, rules=make_rules(unikernels=4)))

    assert ruling.decision.count == 2


@pytest.mark.parametrize(
    ("usages", "expected"),
    [
        pytest.param((40.0, 40.0), (Outcome.HOLD, Reason.STEADY, 0, 0), id="at"),
        pytest.param((39.9, 39.9), (Outcome.HOLD, Reason.FALLING, 0, 3), id="below"),
    ],
)
def test_a_mean_below_the_threshold_makes_a_low_tick(usages, expected):
    assert said(rule(*make_world(*usages, ticks=ticks(2, 2)))) == expected


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        pytest.param(3, (Outcome.HOLD, Reason.FALLING, 0, 4), id="fourth"),
        pytest.param(4, (Outcome.DOWN, Reason.LOW, 0, 5), id="fifth"),
    ],
)
def test_the_fifth_low_tick_in_a_row_removes_one_clone(before, expected):
    ruling = rule(*make_world(20.0, 20.0, 10.0, ticks=ticks(2, before)))

    assert said(ruling) == expected
    victim = clone_name(2) if before == 4 else None
    assert ruling.decision.victim == victim
    assert ruling.decision.low == before + 1


def test_without_clones_there_is_nothing_to_remove():
    assert said(rule(*make_world(1.0, ticks=ticks(2, 9)))) == (
        Outcome.HOLD,
        Reason.STEADY,
        0,
        0,
    )


def test_a_group_of_one_that_serves_is_not_judged_as_if_it_could_shrink():
    """Its only clone is given up, and a replacement is held."""
    group, view = make_world(10.0, GIVEN_UP, ledger=ended(1), ticks=ticks(1, 4))

    assert said(rule(group, view)) == (Outcome.HOLD, Reason.STEADY, 0, 0)


@pytest.mark.parametrize(
    ("usage", "margin", "reason"),
    [
        pytest.param(30.0, 30.0, Reason.WOULD_FLAP, id="60 + 30 reaches 90"),
        pytest.param(29.9, 30.0, Reason.LOW, id="59.8 + 30 does not"),
        pytest.param(30.0, 29.9, Reason.LOW, id="a smaller margin"),
    ],
)
def test_a_removal_that_would_lead_straight_to_an_up_is_not_made(usage, margin, reason):
    policy = make_policy(flap_margin=margin)

    ruling = rule(*make_world(usage, usage, policy=policy, ticks=ticks(1, 4)))

    assert ruling.decision.reason is reason
    if reason is Reason.WOULD_FLAP:
        assert (ruling.ticks.high, ruling.ticks.low) == (0, 0)


def test_would_flap_is_told_before_a_cooldown():
    policy = make_policy(flap_margin=50)

    group, view = make_world(30.0, 30.0, policy=policy, ledger=ended(1))

    assert rule(group, view).decision.reason is Reason.WOULD_FLAP


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        pytest.param(299.0, (Outcome.HOLD, Reason.COOLDOWN, 0, 4), id="during"),
        pytest.param(300.0, (Outcome.DOWN, Reason.LOW, 0, 5), id="after"),
    ],
)
def test_low_ticks_do_not_count_during_cooldown_down(ago, expected):
    group, view = make_world(10.0, 10.0, ledger=ended(ago), ticks=ticks(2, 4))

    ruling = rule(group, view)

    assert said(ruling) == expected
    assert ruling.decision.left_s == (1.0 if ago < 300 else None)


def test_each_direction_has_a_cooldown_of_its_own():
    after_a_minute = ended(61)

    up = rule(*make_world(95.0, 95.0, ledger=after_a_minute))
    down = rule(*make_world(10.0, 10.0, ledger=after_a_minute))

    assert up.decision.reason is Reason.RISING
    assert down.decision.reason is Reason.COOLDOWN


def test_no_clone_is_removed_below_min_clones():
    group, view = make_world(
        10.0, 10.0, policy=make_policy(min_clones=1), ticks=ticks(0, 4)
    )

    assert said(rule(group, view)) == (Outcome.HOLD, Reason.AT_MIN, 0, 5)
    lower = evolve(group, policy=make_policy(min_clones=0))
    assert rule(lower, view).decision.reason is Reason.LOW


@pytest.mark.parametrize("state", [STALE, UNKNOWN, WARMING])
def test_nothing_is_removed_while_a_member_is_missing(state):
    group, view = make_world(*[0.0] * 9, state, ticks=ticks(0, 4))

    ruling = rule(group, view)

    assert said(ruling) == (Outcome.HOLD, Reason.MISSING, 0, 5)
    assert ruling.decision.load.missing == (clone_name(9),)


def test_a_missing_member_counts_as_busy_when_a_removal_is_judged():
    assert rule(*make_world(10.0, STALE)).decision.reason is Reason.STEADY


def test_at_min_is_told_before_missing():
    policy = make_policy(min_clones=9)
    group, view = make_world(*[0.0] * 9, STALE, policy=policy, ticks=ticks(0, 4))

    assert rule(group, view).decision.reason is Reason.AT_MIN


def test_a_failed_destroy_holds_the_next():
    ledger = Ledger(destroying=Backoff(1, NOW - 2, 10.0), next_number=2)

    decision = rule(*make_world(10.0, 10.0, ledger=ledger, ticks=ticks(0, 4))).decision

    assert (decision.outcome, decision.reason) == (Outcome.HOLD, Reason.BACKOFF)
    assert decision.left_s == 8.0


def test_an_ordinary_load_ends_both_rows():
    assert said(rule(*make_world(60.0, 60.0, ticks=ticks(2, 4)))) == (
        Outcome.HOLD,
        Reason.STEADY,
        0,
        0,
    )
