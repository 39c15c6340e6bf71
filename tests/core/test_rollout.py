"""Tests of a new image of the primary: clones are replaced one by one."""

from typing import Any

import pytest
from attrs import evolve

from autoscaler.core.decision import MemberClass, Outcome, Reason
from autoscaler.core.events import (
    ActionEnded,
    CloneCreated,
    CloneDestroyed,
    Interrupted,
    Ticked,
)
from autoscaler.core.group import Ticks
from autoscaler.core.ledger import Backoff, Ledger
from autoscaler.core.observe import observe
from tests.core.builders import (
    NOW,
    OTHER_IMAGE,
    PRIMARY,
    clone_name,
    happens,
    listed,
    make_listing,
    make_policy,
    make_rules,
    make_world,
    rule,
)

NEW = OTHER_IMAGE
GIVEN_UP = MemberClass.GIVEN_UP


def world(*states: Any, new=(0,), ledger=None, ticks=None, **policy):
    """Return a group; those in *new* have the new image, the primary has."""
    states = states or (60.0, 60.0, 60.0)
    group, view = make_world(
        *states, policy=make_policy(**policy), ledger=ledger, ticks=ticks
    )
    infos = listed(view)
    for number in new:
        name = clone_name(number) if number else PRIMARY
        infos[name] = evolve(infos[name], digest=NEW)
    view = evolve(view, listing=make_listing(infos))
    return observe(group, view, NOW)[0], view


def decided(*states: Any, **changes: Any):
    return rule(*world(*states, **changes)).decision


def what(decision):
    return decision.outcome, decision.reason, decision.victim


HELD, NO_PAUSE = Outcome.HOLD, Backoff()


def test_the_oldest_clone_of_another_image_is_replaced_first():
    decision = decided()

    assert what(decision) == (Outcome.REPLACE, Reason.ROLLOUT, clone_name(1))
    assert decision.rollout == (0, 2)


def test_progress_counts_the_clones_that_have_the_image():
    decision = decided(new=(0, 1))

    assert what(decision) == (Outcome.REPLACE, Reason.ROLLOUT, clone_name(2))
    assert decision.rollout == (1, 2)
    assert decided(new=(0, 1, 2)).rollout is None


def test_the_new_clone_comes_first_and_has_to_be_stable():
    group, view = world(min_stable=45.0)

    _, [action] = happens(group, Ticked(view))

    assert (action.create_first, action.stable_for) == (True, 45)


def test_where_no_more_clones_are_allowed_the_old_one_goes_first():
    group, view = world(max_clones=2)

    _, [action] = happens(group, Ticked(view))

    assert not action.create_first


def test_where_the_host_has_no_room_the_old_one_goes_first():
    group, view = world()
    full = evolve(view, rules=make_rules(unikernels=4))

    assert not rule(group, full).create_first
    nothing = evolve(view, rules=make_rules(unikernels=3))
    assert rule(group, nothing).decision.reason is Reason.STEADY


def test_a_cooldown_neither_holds_a_rollout_nor_begins_with_it():
    group, view = world(ledger=Ledger(next_number=3, changed_at=NOW - 1))
    before = group.ledger.changed_at

    group, [action] = happens(group, Ticked(view))
    group, _ = happens(group, CloneCreated(action.slots[0].name, NOW, NOW))
    group, _ = happens(group, CloneDestroyed(clone_name(1)))
    group, _ = happens(group, ActionEnded(1))

    assert action.reason is Reason.ROLLOUT
    assert group.ledger.changed_at == before
    assert group.ledger.surge is None
    assert group.ledger.replaced == ()


def test_a_given_up_clone_goes_before():
    assert decided(60.0, 60.0, GIVEN_UP).reason is Reason.GIVEN_UP


def test_the_load_goes_before():
    rising = Ticks(high=0, last=NOW - 10, conclusive=NOW - 10)
    high = Ticks(high=2, last=NOW - 10, conclusive=NOW - 10)

    assert decided(95.0, 95.0, ticks=rising).reason is Reason.RISING
    assert decided(95.0, 95.0, ticks=high).reason is Reason.HIGH


def test_an_image_that_the_primary_does_not_live_with_is_not_spread():
    assert decided(MemberClass.WARMING, 60.0, 60.0).reason is Reason.STEADY


def test_answers_that_are_old_begin_no_rollout():
    group, view = world()

    old = evolve(view, rules=make_rules(NOW - 500))

    assert rule(group, old).decision.reason is Reason.STEADY


def failed(digest=NEW, since=NOW - 5):
    return Backoff(1, since, 10.0, digest)


def test_an_image_that_failed_is_not_tried_again_at_once():
    decision = decided(ledger=Ledger(next_number=3, rolling=failed()))

    assert (decision.outcome, decision.reason) == (HELD, Reason.IMAGE_UNHEALTHY)
    assert decision.left_s == 5
    later = Ledger(next_number=3, rolling=failed(since=NOW - 10))
    assert decided(ledger=later).outcome is Outcome.REPLACE


def test_the_next_image_is_tried_at_once():
    decision = decided(ledger=Ledger(next_number=3, rolling=failed(b"\x03" * 32)))

    assert decision.outcome is Outcome.REPLACE


def test_a_load_that_holds_is_told_before_an_image_that_failed():
    ticks = Ticks(high=2, last=NOW - 10, conclusive=NOW - 10)
    ledger = Ledger(next_number=3, rolling=failed())

    decision = decided(95.0, 95.0, 95.0, max_clones=2, ledger=ledger, ticks=ticks)

    assert decision.reason is Reason.AT_MAX


def test_no_old_clone_is_risked_for_an_image_that_failed():
    ledger = Ledger(next_number=3, rolling=failed(since=NOW - 60))

    assert decided(max_clones=2, ledger=ledger).reason is Reason.IMAGE_UNHEALTHY
    # Another clone lives with it: then it was not the image.
    alive = decided(max_clones=2, ledger=ledger, new=(0, 1))
    assert alive.outcome is Outcome.REPLACE


def ended(failure, digest=b""):
    group, view = world()
    group, _ = happens(group, Ticked(view))
    group, _ = happens(group, ActionEnded(1, failure, digest=digest), NOW + 60)
    return group


def test_a_new_clone_that_fails_holds_its_image():
    rolling = ended("it restarted", NEW).ledger.rolling

    assert (rolling.failures, rolling.digest) == (1, NEW)
    assert ended(None).ledger.rolling == Backoff()


def surged(*, new_is_fresh=True, destroying=NO_PAUSE):
    """Return a group whose new clone runs and whose old one stayed."""
    state = 60.0 if new_is_fresh else MemberClass.STALE
    ledger = Ledger(next_number=3, surge=clone_name(2), destroying=destroying)
    return decided(60.0, 60.0, state, new=(0, 2), ledger=ledger)


def test_an_old_clone_that_stayed_only_has_to_go():
    assert what(surged()) == (Outcome.DOWN, Reason.ROLLOUT, clone_name(1))


@pytest.mark.parametrize(
    "changes",
    [{"new_is_fresh": False}, {"destroying": Backoff(1, NOW, 10.0)}],
    ids=["not heard", "back-off"],
)
def test_an_old_clone_that_stayed_waits(changes):
    assert surged(**changes).outcome is HELD


def test_a_rollout_that_the_end_of_the_daemon_cut_says_nothing_of_the_image():
    group, view = world()
    group, [action] = happens(group, Ticked(view))
    new = action.slots[0].name
    group, _ = happens(group, CloneCreated(new, NOW, NOW))

    group, _ = happens(group, Interrupted(1, view), NOW + 5)

    assert group.ledger.surge == new
    assert group.ledger.rolling.digest == b""
    assert group.ledger.budget.failures == 0


def test_a_new_clone_that_is_removed_again_leaves_nothing_over():
    group, view = world()
    group, [action] = happens(group, Ticked(view))
    new = action.slots[0].name
    group, _ = happens(group, CloneCreated(new, NOW, NOW))
    group, _ = happens(group, CloneDestroyed(new))

    assert group.ledger.surge is None
    assert group.ledger.actions[0].victim == clone_name(1)


def test_an_image_is_learnt_only_where_the_primary_is_listed():
    group, view = world()
    infos = {n: i for n, i in listed(view).items() if n != PRIMARY}

    seen, _ = observe(group, evolve(view, listing=make_listing(infos)), NOW)

    assert seen.outdated == ()
