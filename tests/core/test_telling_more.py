"""What is told beside the reason."""

import pytest
from attrs import evolve

from autoscaler.core.decision import Outcome
from autoscaler.core.group import (
    Group,
)
from autoscaler.core.guards import Kind
from autoscaler.core.ledger import Backoff, Ledger
from autoscaler.core.policy import Mode
from autoscaler.core.telling import describe_lack, tell
from autoscaler.core.view import View
from tests.core.builders import (
    NOW,
    make_managed,
    make_policy,
    make_rules,
)
from tests.core.telling import (
    GIVEN_UP,
    HIGH,
    LOW,
    STALE,
    asked,
    high,
    low,
    recorded,
    text,
    world,
)


def said(group: Group, view: View) -> str:
    """Return what is missing, and how many are wanted."""
    _, sizes, flip = tell(recorded(group, view))
    return f"{sizes} | {flip}"


def test_what_is_only_observed_says_so_and_whose_word_that_is():
    """A daemon that ran with ``--mode observe`` said "blocked by high"."""
    sizes, _, flip = said(*high(mode=Mode.OBSERVE)).partition(" | ")

    assert sizes.endswith("; it would act, and is only observed")
    assert flip == (
        "to grow: it is only observed: by `--mode`, its configuration or an operator"
    )


def test_a_saturated_group_may_want_more_than_can_be_seen():
    group, view = world(100.0, 100.0, ticks=HIGH)

    assert said(group, view).startswith("wants 2 or more, can 9")


def test_the_newest_clone_is_waited_for():
    group, view = high()
    newest = evolve(group.clones[0], created=NOW - 10)
    group = evolve(group, clones=(newest,), policy=make_policy(warmup=20.0))

    assert "to grow: the newest clone warms up: 10 s left" in said(group, view)


def test_old_answers_are_asked_for_again_where_they_are_needed():
    group, view = world(50.0, min_clones=1)
    old = evolve(view, rules=make_rules(NOW - 1000))

    assert "to grow: the host has to answer `info`" in said(group, old)


def test_before_the_host_has_said_what_runs_it_has_to():
    group, view = world(50.0)

    assert "the host has to answer `info`" in said(group, evolve(view, listing=None))


def test_too_many_clones_go_whatever_the_load_is():
    ledger = Ledger(destroying=Backoff(1, NOW - 4, 10.0), next_number=2)
    group, view = world(95.0, 95.0, max_clones=0, ledger=ledger)

    words = "to shrink: the pause after a failed destroy: 6 s left"
    assert said(group, view).endswith(words)


def test_a_removal_that_failed_is_tried_again():
    ledger = Ledger(destroying=Backoff(1, NOW - 4, 10.0), next_number=2)

    assert "to shrink: the pause after a failed destroy: 6 s left" in said(
        *low(ledger=ledger)
    )


def test_of_many_that_are_missing_some_are_named():
    assert said(*world(*[STALE] * 6)).count(" is stale") == 3
    assert "and 3 more)" in said(*world(*[STALE] * 6))
    assert "3 more members have to report" in said(*world(*[STALE] * 6))


def test_what_was_useless_is_not_tried_again_at_once():
    ledger = Ledger(useless_at=NOW - 600, next_number=2)

    assert "a clone that got no work was removed: 3000 s left" in said(
        *high(ledger=ledger)
    )


def test_the_last_member_of_a_managed_group_stays():
    group, view = make_managed(0.0, ticks=LOW)

    assert "to shrink: the last member stays" in said(group, view)


def test_a_switched_off_direction_is_named():
    assert "scale_down is switched off" in said(*low(scale_down=False))


def test_a_given_up_clone_that_waits_for_its_replacement_is_no_lack_of_load():
    ledger = Ledger(replacing=Backoff(1, NOW - 4, 10.0), next_number=2)
    record = recorded(*world(50.0, GIVEN_UP, ledger=ledger))

    [guard] = [g for g in record.guards if g.kind is Kind.REPLACING]

    words = "the replacement of a given-up clone waits (backoff): 6 s left"
    assert describe_lack(guard, record) == words


def test_a_mean_that_nobody_tells_is_no_distance():
    record = recorded(*world(STALE, STALE))
    lacks = [describe_lack(g, record) for g in record.guards if g.holds]

    assert "the mean of those who report is not known" in lacks


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (4, "to grow: 4 members are wanted, and there are 4; 6 clones below"),
        (3, "to shrink: 4 members are to be kept, one to spare counted, and there "),
        (1, "nothing is missing"),
    ],
)
def test_what_requests_call_for_is_beside_what_there_is(wanted, words):
    assert words in said(*asked(wanted, 4))


def test_nothing_is_wanted_where_nothing_tells():
    record = recorded(*asked(1, 1, told_since=None))

    assert record.flip.aim is Outcome.UP
    assert "nothing tells how many members are wanted, and there is 1" in text(record)
