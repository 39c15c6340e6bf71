"""Tests of rules 1 to 5: what is decided before any usage is looked at."""

from typing import Any

import pytest
from attrs import evolve

from albatross_client.values import BlockInfo, Typ
from autoscaler.core.actions import CreateClones
from autoscaler.core.decide import decide, decide_bounds
from autoscaler.core.decision import MemberClass, Outcome, Reason
from autoscaler.core.events import Informed
from autoscaler.core.group import Group, Ticks
from autoscaler.core.ledger import Backoff, Ledger
from autoscaler.core.policy import Mode
from autoscaler.core.scaling import order_of_going
from autoscaler.core.standing import assess
from autoscaler.core.view import View
from tests.core.builders import (
    IMAGE,
    NOW,
    OTHER_IMAGE,
    PRIMARY,
    clone_name,
    creating,
    destroying,
    happens,
    make_feed,
    make_info,
    make_listing,
    make_policy,
    make_rules,
    make_world,
    rule,
)

DEAD, GIVEN_UP = MemberClass.DEAD, MemberClass.GIVEN_UP
STALE, UNKNOWN = MemberClass.STALE, MemberClass.UNKNOWN
WARMING = MemberClass.WARMING
COUNTED = Ticks(high=2, low=4, last=NOW - 10, conclusive=NOW - 10)
OVERDUE = Ledger(changed_at=NOW - 1, next_number=9)


def outcome(group: Group, view: View) -> tuple[Outcome, Reason]:
    decision = rule(group, view).decision
    return decision.outcome, decision.reason


def with_primary(view: View, **changes: Any) -> View:
    assert view.listing is not None
    infos = {**view.listing.infos, PRIMARY: make_info(**changes)}
    return evolve(view, listing=make_listing(infos))


def test_a_paused_group_does_nothing_whatever_applies():
    group, view = make_world(
        DEAD,
        policy=make_policy(mode=Mode.PAUSED, min_clones=3),
        ledger=Ledger(actions=(creating(1),)),
    )

    assert outcome(group, view) == (Outcome.HOLD, Reason.PAUSED)


def test_one_action_at_a_time():
    group, view = make_world(DEAD, ledger=Ledger(actions=(creating(1),)))

    assert outcome(group, view) == (Outcome.HOLD, Reason.BUSY)


def test_before_the_first_info_nothing_is_decided():
    group, view = make_world(95.0, policy=make_policy(min_clones=2))

    assert outcome(group, evolve(view, listing=None)) == (Outcome.HOLD, Reason.NO_DATA)


@pytest.mark.parametrize(
    ("clones", "reason"), [(1, Reason.ORPHANED), (0, Reason.NO_PRIMARY)]
)
def test_without_a_primary_a_group_neither_grows_nor_shrinks(clones, reason):
    group, view = make_world(
        DEAD, *[99.0] * clones, policy=make_policy(min_clones=3), ticks=COUNTED
    )

    assert outcome(group, view) == (Outcome.HOLD, reason)


def test_a_primary_that_is_only_silent_or_only_not_listed_is_not_dead():
    group, view = make_world(STALE, 50.0)
    assert view.listing is not None
    infos = {n: i for n, i in view.listing.infos.items() if n != PRIMARY}

    unlisted = evolve(view, listing=make_listing(infos))

    assert outcome(group, unlisted) == (Outcome.HOLD, Reason.STEADY)


@pytest.mark.parametrize(
    ("clones", "expected"),
    [
        pytest.param(3, (Outcome.DOWN, Reason.ABOVE_MAX), id="above"),
        pytest.param(2, (Outcome.HOLD, Reason.STEADY), id="at"),
    ],
)
def test_more_clones_than_max_clones_are_removed(clones, expected):
    group, view = make_world(
        60.0, *[60.0] * clones, policy=make_policy(max_clones=2), ledger=OVERDUE
    )

    assert outcome(group, view) == expected


@pytest.mark.parametrize(
    ("clones", "expected"),
    [
        pytest.param(1, (Outcome.UP, Reason.BELOW_MIN), id="below"),
        pytest.param(2, (Outcome.HOLD, Reason.STEADY), id="at"),
    ],
)
def test_fewer_clones_than_min_clones_are_added(clones, expected):
    group, view = make_world(
        60.0, *[60.0] * clones, policy=make_policy(min_clones=2), ledger=OVERDUE
    )

    assert outcome(group, view) == expected


def test_missing_clones_come_one_at_a_time():
    group, view = make_world(99.9, policy=make_policy(min_clones=4, scale_up_step=4))

    ruling = rule(group, view)

    assert (ruling.decision.count, len(ruling.slots)) == (1, 1)


@pytest.mark.parametrize("state", [STALE, UNKNOWN, WARMING, GIVEN_UP])
def test_bounds_need_no_metrics(state):
    many, view = make_world(state, state, state, policy=make_policy(max_clones=1))
    few = evolve(many, policy=make_policy(min_clones=3))

    assert outcome(many, view) == (Outcome.DOWN, Reason.ABOVE_MAX)
    assert outcome(few, view) == (Outcome.UP, Reason.BELOW_MIN)


def test_a_given_up_clone_counts_as_a_clone():
    within = make_policy(min_clones=1, max_clones=1)

    group, view = make_world(60.0, GIVEN_UP, policy=within)

    assert rule(group, view).decision.reason is Reason.GIVEN_UP


@pytest.mark.parametrize("age", [119.9, 120.0], ids=["young", "old"])
@pytest.mark.parametrize("answer", ["info", "policies"])
@pytest.mark.parametrize("bounds", [{"max_clones": 1}, {"min_clones": 3}])
def test_bounds_need_young_answers(age, answer, bounds):
    group, view = make_world(60.0, 60.0, 60.0, policy=make_policy(**bounds))
    assert view.listing is not None
    listing = make_listing(view.listing.infos, asked=NOW - age)
    if answer == "info":
        view = evolve(view, listing=listing)
    else:
        view = evolve(view, rules=make_rules(NOW - age))

    decision = rule(group, view).decision

    assert decision.acts is (age < 120)
    assert decision.acts or decision.reason is Reason.NO_DATA


@pytest.mark.parametrize(
    ("digest", "since", "reason"),
    [
        pytest.param(IMAGE, NOW - 9, Reason.BACKOFF, id="this image"),
        pytest.param(b"", NOW - 9, Reason.BACKOFF, id="no image known"),
        pytest.param(IMAGE, NOW - 10, Reason.BELOW_MIN, id="over"),
        pytest.param(OTHER_IMAGE, NOW - 9, Reason.BELOW_MIN, id="another image"),
    ],
)
def test_after_a_failed_create_of_this_image_no_other_is_tried_at_once(
    digest, since, reason
):
    ledger = Ledger(creating=Backoff(1, since, 10.0, digest))
    group, view = make_world(60.0, policy=make_policy(min_clones=1), ledger=ledger)

    decision = rule(group, view).decision

    assert decision.reason is reason
    assert decision.left_s == (1.0 if reason is Reason.BACKOFF else None)


def test_while_the_primary_is_not_listed_its_image_is_the_one_that_failed():
    ledger = Ledger(creating=Backoff(1, NOW - 1, 10.0, OTHER_IMAGE))
    group, view = make_world(60.0, policy=make_policy(min_clones=1), ledger=ledger)

    held = rule(group, evolve(view, listing=make_listing({}))).decision

    assert held.reason is Reason.BACKOFF


def test_a_clone_that_lives_ends_the_pause_before_the_same_look_decides():
    failed = Backoff(3, NOW - 80, 600.0, IMAGE)
    group, view = make_world(
        60.0,
        60.0,
        policy=make_policy(min_clones=2),
        ledger=Ledger(next_number=2, creating=failed),
    )
    [clone] = group.clones
    group = evolve(group, clones=(evolve(clone, created=NOW - 70),))

    after, [action] = happens(group, Informed(view))

    assert after.decision is not None
    assert after.decision.reason is Reason.BELOW_MIN
    assert isinstance(action, CreateClones)
    assert after.ledger.creating == Backoff()


@pytest.mark.parametrize(
    ("primary", "rules", "reason"),
    [
        pytest.param(
            {"blocks": (BlockInfo("a", "a", 512, 1),), "typ": Typ.BHYVE},
            {"unikernels": 0},
            Reason.BLOCK_DEVICE,
            id="block device",
        ),
        pytest.param(
            {"typ": Typ.BHYVE}, {"unikernels": 0}, Reason.UNSUPPORTED, id="unsupported"
        ),
        pytest.param({}, {"unikernels": 0}, Reason.NO_CAPACITY, id="no capacity"),
    ],
)
def test_below_min_passes_every_gate_in_order(primary, rules, reason):
    group, view = make_world(60.0, policy=make_policy(min_clones=1))
    view = evolve(with_primary(view, **primary), rules=make_rules(**rules))
    failed = Ledger(creating=Backoff(1, NOW, 10.0, IMAGE))

    decision = rule(group, view).decision

    assert (decision.outcome, decision.reason) == (Outcome.HOLD, reason)
    assert decision.shortage is not None
    backing_off = rule(evolve(group, ledger=failed), view).decision
    assert backing_off.reason is Reason.BACKOFF


def test_after_a_failed_destroy_no_other_is_tried_at_once():
    ledger = Ledger(destroying=Backoff(1, NOW - 4, 10.0))
    group, view = make_world(60.0, 60.0, policy=make_policy(max_clones=0))
    held = rule(evolve(group, ledger=ledger), view).decision

    assert (held.outcome, held.reason) == (Outcome.HOLD, Reason.BACKOFF)
    assert held.left_s == 6.0
    assert rule(group, view).decision.victim == clone_name(1)


@pytest.mark.parametrize(
    ("states", "victim"),
    [
        pytest.param((1.0, GIVEN_UP, 2.0), 2, id="a given up one"),
        pytest.param((30.0, 10.0, 20.0), 2, id="the least busy"),
        pytest.param((10.0, 10.0, 20.0), 2, id="of equals the newest"),
        pytest.param((UNKNOWN, 100.0), 2, id="one without a usage last"),
        pytest.param((UNKNOWN, UNKNOWN), 2, id="the newest unknown one"),
        pytest.param((), None, id="none"),
    ],
)
def test_the_clone_that_serves_least_is_the_victim(states, victim):
    group, view = make_world(0.0, *states)

    going = order_of_going(group, assess(group, view, NOW))

    assert [clone.number for clone in going[:1]] == ([victim] if victim else [])


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        pytest.param((STALE,), Reason.NO_DATA, id="a silent primary"),
        pytest.param((UNKNOWN, 50.0, STALE), Reason.NO_DATA, id="a third"),
        pytest.param((WARMING,), Reason.WARMING, id="only warming"),
        pytest.param((WARMING, WARMING), Reason.WARMING, id="all warming"),
        pytest.param((WARMING, STALE), Reason.NO_DATA, id="warming and silent"),
        pytest.param((GIVEN_UP,), Reason.NO_DATA, id="only given up"),
    ],
)
def test_without_a_quorum_nothing_is_decided(states, reason):
    group, view = make_world(*states, ticks=COUNTED)

    ruling = rule(group, view)

    assert (ruling.decision.outcome, ruling.decision.reason) == (Outcome.HOLD, reason)
    assert (ruling.ticks.high, ruling.ticks.low) == (2, 4)


def test_half_of_the_members_are_a_quorum():
    assert outcome(*make_world(50.0, STALE)) == (Outcome.HOLD, Reason.STEADY)


@pytest.mark.parametrize(
    ("interval", "ago", "kept"),
    [
        pytest.param(10.0, 60.0, True, id="60 s"),
        pytest.param(10.0, 60.1, False, id="longer than 60 s"),
        pytest.param(1.0, 60.0, True, id="never less than 60 s"),
        pytest.param(20.0, 120.0, True, id="6 intervals"),
        pytest.param(20.0, 120.1, False, id="longer than 6 intervals"),
    ],
)
@pytest.mark.parametrize("state", [STALE, 95.0], ids=["no quorum", "quorum"])
def test_ticks_are_forgotten_after_a_minute_without_a_conclusive_one(
    interval, ago, kept, state
):
    ticks = Ticks(high=1, low=0, last=NOW - ago, conclusive=NOW - ago)
    group, view = make_world(state, ticks=ticks)
    load = assess(group, view, NOW)
    view = evolve(view, feed=make_feed(interval))

    left = decide(group, view, load, NOW).ticks

    assert left.high == kept + (state != STALE)
    assert left.conclusive == (NOW if state != STALE else NOW - ago)


@pytest.mark.parametrize(
    ("ago", "kept"),
    [
        pytest.param(180.0, True, id="the latest that is in time"),
        pytest.param(240.0, True, id="two periods"),
        pytest.param(240.1, False, id="longer than two periods"),
    ],
)
def test_ticks_that_come_less_than_once_a_minute_are_consecutive(ago, kept):
    """A group with a poll_interval above a minute counted to one for ever."""
    ticks = Ticks(high=1, low=0, last=NOW - ago, conclusive=NOW - ago)
    policy = make_policy(poll_interval=120.0)
    group, view = make_world(95.0, ticks=ticks, policy=policy)

    left = decide(group, view, assess(group, view, NOW), NOW).ticks

    assert left.high == kept + 1


@pytest.mark.parametrize(
    ("ledger", "mode"),
    [(Ledger(actions=(destroying(5),)), Mode.ACTIVE), (Ledger(), Mode.PAUSED)],
    ids=["busy", "paused"],
)
def test_a_tick_with_a_quorum_is_conclusive_whatever_holds_it(ledger, mode):
    group, view = make_world(50.0, policy=make_policy(mode=mode), ledger=ledger)

    assert rule(group, view).ticks.conclusive == NOW


def test_between_ticks_only_bounds_are_looked_at():
    group, view = make_world(99.0, ticks=evolve(COUNTED, high=9))
    few = evolve(group, policy=make_policy(min_clones=1))
    load = assess(group, view, NOW)

    assert decide_bounds(group, view, load, NOW) is None
    bounded = decide_bounds(few, view, load, NOW)
    assert bounded is not None
    assert bounded.decision.reason is Reason.BELOW_MIN


def test_a_decision_carries_what_it_was_made_from():
    policy = make_policy(min_clones=1, max_clones=7, mode=Mode.OBSERVE)
    group, view = make_world(60.0, STALE, policy=policy)

    decision = rule(group, view).decision

    assert decision.load == assess(group, view, NOW)
    assert (decision.up_threshold, decision.down_threshold) == (90, 40)
    assert (decision.high_needed, decision.low_needed) == (3, 5)
    assert (decision.clones, decision.min_clones, decision.max_clones) == (1, 1, 7)
    assert (decision.mode, decision.acts) == (Mode.OBSERVE, False)
