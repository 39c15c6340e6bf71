"""Tests of what of a group survives a restart."""

from typing import Any

import pytest
from attrs import evolve

from autoscaler.core.budget import Budget
from autoscaler.core.decision import Reason
from autoscaler.core.demand import RequestPolicy
from autoscaler.core.doubts import Doubt
from autoscaler.core.group import (
    Group,
    Member,
    Ticks,
    new_group,
)
from autoscaler.core.ledger import (
    Backoff,
    Ledger,
    Prewarm,
)
from autoscaler.core.moments import Clocks
from autoscaler.core.policy import Mode
from autoscaler.core.serving import ServePolicy
from autoscaler.core.snapshot import restore, take
from tests.core.builders import (
    GROUP,
    IMAGE,
    clone_name,
    creating,
    make_policy,
    make_world,
    replacing,
)

POLICY = make_policy(serving=ServePolicy(port=80))
BEFORE = Clocks(now=5000.0, boot_id="a", boot=90_000.0, wall=1e9)


def rich_group() -> Group:
    """Return a group of which there is something to say in every field."""
    group, _ = make_world(50.0, 60.0, 70.0)
    first, second = group.clones
    return evolve(
        group,
        clones=(
            evolve(first, created=4000.0, address="10.0.0.3"),
            evolve(second, is_standby=True),
        ),
        foreign=frozenset({clone_name(9), clone_name(8)}),
        ticks=Ticks(2, 3, 4990.0, 4980.0),
        ledger=Ledger(
            next_number=10,
            next_action=7,
            actions=(replacing(9, 2),),
            changed_by=frozenset({1}),
            changed_at=4900.0,
            settled_at=4950.0,
            creating=Backoff(2, 4999.0, 20.0, IMAGE),
            destroying=Backoff(1, 4998.0, 10.0),
            replacing=Backoff(3, 4997.0, 40.0),
            replaced=(4000.0, 4500.0),
            gave_up_at=4700.0,
            doubts=(Doubt(5, 4800.0, IMAGE, is_standby=True),),
            refilling=Backoff(1, 4996.0, 10.0),
            needed_at=4940.0,
            prewarm=Prewarm(3, 4930.0),
        ),
    )


def after(pause: float, **changes: Any) -> Clocks:
    """Return the clocks of a new daemon, *pause* seconds later."""
    later = Clocks(100.0, "a", BEFORE.boot + pause, BEFORE.wall + pause)
    return evolve(later, **changes)


def test_all_that_no_host_can_tell_survives():
    group = rich_group()

    revived = restore(take(group, BEFORE), POLICY, after(10))

    def age(at: float) -> Any:
        return pytest.approx(at - 5000 + 100 - 10)

    ledger = revived.ledger
    assert [(c.name, c.number, c.address) for c in revived.clones] == [
        (clone_name(1), 1, "10.0.0.3"),
        (clone_name(2), 2, None),
    ]
    assert revived.clones[0].created == age(4000)
    assert revived.clones[1].created is None
    assert [clone.is_standby for clone in revived.clones] == [False, True]
    assert ledger.refilling.failures == 1
    assert ledger.needed_at == age(4940)
    assert ledger.prewarm == Prewarm(3, age(4930))
    assert revived.foreign == group.foreign
    assert (ledger.next_number, ledger.next_action) == (10, 7)
    assert ledger.actions == (replacing(9, 2),)
    assert ledger.changed_by == {1}
    assert ledger.changed_at == age(4900)
    assert ledger.gave_up_at == age(4700)
    assert ledger.replaced == (age(4000), age(4500))
    assert ledger.doubts == (Doubt(5, age(4800), IMAGE, is_standby=True),)


def test_pauses_survive_with_what_is_left_of_them():
    revived = restore(take(rich_group(), BEFORE), POLICY, after(4)).ledger

    assert (revived.creating.failures, revived.creating.digest) == (2, IMAGE)
    assert revived.creating.left(100) == pytest.approx(15)
    assert revived.destroying.left(100) == pytest.approx(4)
    assert revived.replacing.left(100) == pytest.approx(33)


def test_usage_counters_and_what_a_listing_settles_start_afresh():
    revived = restore(take(rich_group(), BEFORE), POLICY, after(10))

    assert revived.ticks == Ticks()
    assert revived.decision is None
    assert revived.ledger.settled_at is None
    assert revived.primary == Member(name=GROUP.name)
    assert {clone.usage for clone in revived.clones} == {None}
    assert {clone.listening_since for clone in revived.clones} == {0.0}


def test_a_group_of_which_nothing_is_known_stays_so():
    group = new_group(GROUP, POLICY)

    assert restore(take(group, BEFORE), POLICY, after(10)) == group


@pytest.mark.parametrize(
    ("clocks", "left"),
    [
        pytest.param(after(50), 150, id="the same boot"),
        pytest.param(after(50, wall=9e9), 150, id="wall stepped in the same boot"),
        pytest.param(after(50, boot_id="b", boot=3.0), 150, id="another boot"),
        pytest.param(after(0, boot_id="b", wall=0.0), 300, id="stepped back"),
        pytest.param(after(0, boot_id="b", wall=9e9), 0, id="stepped forward"),
    ],
)
def test_no_clock_can_pin_or_skip_a_cooldown(clocks, left):
    snapshot = take(rich_group(), BEFORE)

    changed_at = restore(snapshot, POLICY, clocks).ledger.changed_at

    assert changed_at is not None
    assert changed_at + POLICY.cooldown_down - clocks.now == pytest.approx(left)


def test_a_cooldown_of_requests_survives_however_long_it_is():
    requests = RequestPolicy(target_rps=1, cooldown_down=5000.0)
    snapshot = take(rich_group(), BEFORE)

    short = restore(snapshot, POLICY, after(1000)).ledger.changed_at
    policy = evolve(POLICY, requests=requests)
    long = restore(snapshot, policy, after(1000)).ledger.changed_at

    assert short is not None
    assert long is not None
    assert long < short


def test_a_clone_of_last_year_is_only_an_old_one():
    revived = restore(take(rich_group(), BEFORE), POLICY, after(3e7))

    assert revived.clones[0].created == 100.0 - 3600


def test_the_operators_newest_policy_counts():
    other = make_policy(max_clones=3)

    assert restore(take(rich_group(), BEFORE), other, after(1)).policy == other


def test_a_second_restart_loses_nothing_of_the_first():
    once = restore(take(rich_group(), BEFORE), POLICY, after(10))
    snapshot = take(once, after(10))

    assert take(restore(snapshot, POLICY, after(10)), after(10)) == snapshot


def test_what_the_operator_said_and_what_was_spent_outlive_the_daemon():
    budget = Budget(
        acted=(4990.0,),
        mended=(4991.0,),
        turns=(4992.0,),
        last=Reason.LOW,
        failures=3,
        stood_down_at=4995.0,
    )
    ledger = Ledger(
        mode=Mode.PAUSED,
        adopted=frozenset({clone_name(7)}),
        disowned=frozenset({clone_name(8)}),
        is_ownership_lost=True,
        budget=budget,
        rolling=Backoff(1, 4995.0, 10.0, IMAGE),
        surge=clone_name(2),
        useless_at=4993.0,
    )
    group = evolve(rich_group(), ledger=ledger)

    assert restore(take(group, BEFORE), POLICY, BEFORE).ledger == ledger


def test_a_replacement_half_done_is_kept_as_it_is():
    half = evolve(replacing(9, 2), victim=None)
    group = evolve(rich_group(), ledger=Ledger(actions=(half,)))

    assert restore(take(group, BEFORE), POLICY, after(1)).ledger.actions == (half,)


def test_reservations_are_kept_with_their_addresses():
    group = evolve(rich_group(), ledger=Ledger(actions=(creating(4, 5),)))

    assert restore(take(group, BEFORE), POLICY, after(1)).ledger.slots == (
        group.ledger.slots
    )
