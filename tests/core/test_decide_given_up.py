"""Tests of rule 6: what becomes of a clone that is listed and useless."""

import pytest
from attrs import evolve

from autoscaler.core.decision import MemberClass, Outcome, Reason
from autoscaler.core.group import Ticks
from autoscaler.core.ledger import Backoff, Ledger
from tests.core.builders import (
    IMAGE,
    NOW,
    clone_name,
    make_policy,
    make_rules,
    make_world,
    rule,
)

GIVEN_UP, STALE = MemberClass.GIVEN_UP, MemberClass.STALE
COUNTED = Ticks(high=2, low=4, last=NOW - 10, conclusive=NOW - 10)


def decided(*states, **changes):
    """Return the decision about a group that has all its clones' numbers."""
    ledger = changes.pop("ledger", Ledger(next_number=len(states)))
    rules = changes.pop("rules", {})
    group, view = make_world(
        *states, policy=make_policy(**changes), ledger=ledger, ticks=COUNTED
    )
    return rule(group, evolve(view, rules=make_rules(**rules))).decision


def test_a_given_up_clone_is_replaced():
    decision = decided(60.0, GIVEN_UP)

    assert (decision.outcome, decision.reason) == (Outcome.REPLACE, Reason.GIVEN_UP)
    assert (decision.victim, decision.count) == (clone_name(1), 1)
    assert decision.acts


def test_given_up_clones_are_replaced_one_at_a_time():
    decision = decided(60.0, GIVEN_UP, 60.0, GIVEN_UP)

    assert (decision.victim, decision.count) == (clone_name(1), 1)


@pytest.mark.parametrize(
    ("states", "min_clones", "outcome"),
    [
        pytest.param((39.9, GIVEN_UP), 0, Outcome.DOWN, id="idle"),
        pytest.param((40.0, GIVEN_UP), 0, Outcome.REPLACE, id="not below"),
        pytest.param((39.9, GIVEN_UP), 1, Outcome.REPLACE, id="at min_clones"),
        pytest.param((9.0, 9.0, GIVEN_UP), 1, Outcome.DOWN, id="more than min_clones"),
        pytest.param(
            (*[0.0] * 5, STALE, GIVEN_UP), 0, Outcome.REPLACE, id="someone is missing"
        ),
    ],
)
def test_a_given_up_clone_that_nobody_needs_is_only_destroyed(
    states, min_clones, outcome
):
    decision = decided(*states, min_clones=min_clones)

    assert (decision.outcome, decision.reason) == (outcome, Reason.GIVEN_UP)
    assert decision.victim == clone_name(len(states) - 1)


def test_a_removal_of_a_given_up_clone_is_not_kept_from_flapping():
    """It serves nobody, so its removal moves no load."""
    assert decided(39.0, GIVEN_UP, flap_margin=99).outcome is Outcome.DOWN


@pytest.mark.parametrize(
    ("ago", "outcome", "held"),
    [
        pytest.param(59.0, Outcome.HOLD, Reason.COOLDOWN, id="during"),
        pytest.param(60.0, Outcome.REPLACE, None, id="after"),
    ],
)
def test_a_replacement_waits_for_cooldown_up(ago, outcome, held):
    decision = decided(
        60.0, GIVEN_UP, ledger=Ledger(changed_at=NOW - ago, next_number=2)
    )

    assert (decision.outcome, decision.replacement_held) == (outcome, held)


@pytest.mark.parametrize(
    ("max_clones", "unikernels", "outcome"),
    [
        pytest.param(2, 4, Outcome.REPLACE, id="room for both"),
        pytest.param(2, 3, Outcome.HOLD, id="max_clones allows what no policy does"),
        pytest.param(1, 3, Outcome.REPLACE, id="the old one's place is taken"),
        pytest.param(1, 2, Outcome.HOLD, id="not even that"),
    ],
)
def test_a_replacement_needs_room_before_or_after_the_old_one_goes(
    max_clones, unikernels, outcome
):
    # Beside the primary and the clone a neighbour runs in the domain.
    decision = decided(
        60.0, GIVEN_UP, max_clones=max_clones, rules={"unikernels": unikernels}
    )

    assert decision.outcome is outcome


HELD = {
    "a back-off of its own": {"replacing": Backoff(1, NOW - 1, 10.0)},
    "15 replacements in an hour": {
        "replaced": tuple(NOW - 3599 + n for n in range(15))
    },
}


@pytest.mark.parametrize("ledger", HELD.values(), ids=HELD.keys())
def test_a_held_replacement_lets_the_load_decide(ledger):
    held = Ledger(next_number=3, **ledger)

    up = decided(95.0, 95.0, GIVEN_UP, ledger=held)
    falling = decided(30.0, 30.0, GIVEN_UP, ledger=held, min_clones=2)

    assert (up.outcome, up.reason) == (Outcome.UP, Reason.HIGH)
    assert up.replacement_held is Reason.BACKOFF
    assert falling.reason is Reason.AT_MIN


def test_a_closed_gate_lets_the_load_decide():
    decision = decided(60.0, GIVEN_UP, rules={"unikernels": 0})

    assert decision.reason is Reason.STEADY
    assert decision.replacement_held is Reason.NO_CAPACITY


@pytest.mark.parametrize(
    "ledger",
    [
        {"replacing": Backoff(1, NOW - 10, 10.0)},
        {"replaced": tuple(NOW - 3599 + n for n in range(14))},
        {"replaced": tuple(NOW - 3600 + n for n in range(15))},
        {"creating": Backoff(5, NOW, 600.0, IMAGE)},
    ],
    ids=["back-off over", "14 in an hour", "the first is an hour old", "creates fail"],
)
def test_nothing_else_holds_a_replacement(ledger):
    decision = decided(60.0, GIVEN_UP, ledger=Ledger(next_number=2, **ledger))

    assert (decision.outcome, decision.replacement_held) == (Outcome.REPLACE, None)


def test_the_back_off_of_replacements_does_not_hold_below_min():
    held = Ledger(next_number=2, replacing=Backoff(9, NOW, 600.0))

    decision = decided(60.0, GIVEN_UP, ledger=held, min_clones=2)

    assert (decision.outcome, decision.reason) == (Outcome.UP, Reason.BELOW_MIN)


def test_a_failed_destroy_holds_the_next_removal_of_a_given_up_clone():
    failed = Ledger(next_number=2, destroying=Backoff(1, NOW, 10.0))

    decision = decided(10.0, GIVEN_UP, ledger=failed)

    assert (decision.outcome, decision.replacement_held) == (
        Outcome.HOLD,
        Reason.BACKOFF,
    )


def test_a_given_up_primary_is_not_replaced():
    assert decided(GIVEN_UP, 60.0).reason is Reason.STEADY


def test_the_clones_of_a_given_up_primary_go_on_by_themselves():
    assert decided(GIVEN_UP, 95.0).reason is Reason.HIGH


def test_a_decided_replacement_leaves_the_counters_alone():
    """Where it is only observed nothing may change."""
    group, view = make_world(60.0, GIVEN_UP, ticks=COUNTED)

    assert (rule(group, view).ticks.high, rule(group, view).ticks.low) == (2, 4)
