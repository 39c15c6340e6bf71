"""What needs a person, how urgently, and what doesn't."""

from collections.abc import Mapping

import pytest
from attrs import evolve

from autoscaler.core.decision import Reason
from autoscaler.core.describe import explain
from autoscaler.core.events import Ticked
from autoscaler.core.ledger import Backoff, Ledger
from autoscaler.core.policy import Mode
from autoscaler.core.record import Instant, take
from autoscaler.shell.operators.attention import (
    DOWN_S,
    FORGOTTEN_S,
    SILENT_S,
    Surroundings,
    Urgency,
    look_after,
    most_urgent,
)
from tests.core.builders import NOW, happens, make_world
from tests.core.telling import CASES, EVENTS

ALARM, WARNING, NOTICE = Urgency.ALARM, Urgency.WARNING, Urgency.NOTICE
QUIET = Surroundings()
# Those that end by themselves, or are what the configuration says.
NEEDED: Mapping[Reason, Urgency] = {
    Reason.ORPHANED: ALARM,
    Reason.NO_PRIMARY: ALARM,
    Reason.PRIMARY_LOST: ALARM,
    Reason.STOOD_DOWN: ALARM,
    Reason.GIVEN_UP: WARNING,
    Reason.AT_MAX: WARNING,
    Reason.BACKOFF: WARNING,
    Reason.BLOCK_DEVICE: WARNING,
    Reason.UNSUPPORTED: WARNING,
    Reason.NO_CAPACITY: WARNING,
    Reason.NO_ADDRESS: WARNING,
    Reason.CONTESTED: WARNING,
    Reason.SUSPECTED_OUTAGE: WARNING,
    Reason.NO_EFFECT: WARNING,
    Reason.NO_ACTIVATOR: WARNING,
    Reason.NO_SIGNAL: WARNING,
    Reason.IMAGE_UNHEALTHY: WARNING,
}


def needs(group, around=QUIET, record=None):
    found = look_after(group, record, around, NOW)
    return [(need.urgency, need.says) for need in found]


@pytest.mark.parametrize("reason", CASES, ids=lambda reason: reason.value)
def test_a_reason_needs_somebody_or_nobody(reason):
    before, view = CASES[reason]
    event = EVENTS.get(reason, Ticked)(view)
    after, _ = happens(before, event)
    record = take(before, after, view, Instant(NOW, 1_800_000_000.0))

    found = look_after(after, record, QUIET, NOW)

    assert most_urgent(found) is NEEDED.get(reason, Urgency.NOTHING), found
    assert [need.urgency for need in found] == sorted(
        (need.urgency for need in found), reverse=True
    )


def test_a_stream_that_is_down_for_long_is_all_that_is_told_of_hearing():
    group, _ = make_world(50.0)

    assert needs(group, Surroundings(down_s=DOWN_S - 1)) == []
    assert needs(group, Surroundings(down_s=300, is_answered=False, decided_s=300)) == [
        (ALARM, "no statistics of user: from alpha for 5.0m")
    ]


@pytest.mark.parametrize(
    ("around", "told"),
    [
        pytest.param(
            Surroundings(is_answered=False, decided_s=SILENT_S),
            (ALARM, "alpha does not say what runs there"),
            id="no answer",
        ),
        pytest.param(
            Surroundings(decided_s=SILENT_S),
            (WARNING, "nothing was decided yet: no member was heard"),
            id="nothing heard",
        ),
        pytest.param(
            Surroundings(is_balanced=False),
            (WARNING, "its balancer does not answer"),
            id="balancer",
        ),
        pytest.param(
            Surroundings(is_contested=True),
            (WARNING, "somebody else keeps taking the statistics of user: from alpha"),
            id="contested",
        ),
    ],
)
def test_what_a_group_does_not_hear_is_told(around, told):
    group, _ = make_world(50.0)

    assert needs(group, around) == [told]


def test_soon_after_a_start_nothing_is_missed():
    group, _ = make_world(50.0)

    assert needs(group, Surroundings(is_answered=False, decided_s=SILENT_S - 1)) == []


def test_no_data_is_told_after_a_while():
    before, view = CASES[Reason.NO_DATA]
    after, _ = happens(before, Ticked(view))

    assert needs(after) == []
    assert needs(after, Surroundings(decided_s=SILENT_S)) == [
        (WARNING, explain(after.decision))
    ]


def test_one_failure_may_be_chance():
    group, _ = make_world(50.0)
    failing = Ledger(creating=Backoff(1, NOW - 8, 20.0))

    assert needs(evolve(group, ledger=failing)) == [
        (NOTICE, "creates fail: 1 failure in a row, the next attempt in 12s")
    ]


@pytest.mark.parametrize(
    ("around", "told"),
    [
        pytest.param(Surroundings(), "paused by an operator, until resumed", id="?"),
        pytest.param(
            Surroundings(said_by="ann", said_s=FORGOTTEN_S * 3),
            "paused by ann for 3.0h, until resumed",
            id="long ago",
        ),
        pytest.param(Surroundings(said_by="ann", said_s=60), None, id="just now"),
    ],
)
def test_who_may_have_forgotten_a_pause_is_named(around, told):
    group, _ = make_world(50.0)
    paused = evolve(group, ledger=Ledger(mode=Mode.PAUSED))

    assert needs(paused, around) == ([] if told is None else [(NOTICE, told)])


def test_what_the_configuration_pauses_needs_nobody():
    group, _ = make_world(50.0)

    assert needs(evolve(group, policy=evolve(group.policy, mode=Mode.PAUSED))) == []
