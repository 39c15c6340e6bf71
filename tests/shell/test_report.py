"""The lines that operators read about groups."""

import pytest
from attrs import evolve

from autoscaler.core.events import Note, NoteKind
from autoscaler.core.group import Ticks
from autoscaler.core.ledger import Ledger
from autoscaler.core.policy import Mode
from autoscaler.shell.log import Log
from autoscaler.shell.report import LogReporter
from tests.core.builders import (
    PRIMARY,
    creating,
    make_policy,
    make_world,
    rule,
)


@pytest.fixture
def lines():
    return []


@pytest.fixture
def reporter(lines):
    def take(level, name, fields):
        lines.append((level, name, dict(fields)))

    return LogReporter(Log(take, lambda: 0.0))


def group_that(*states, mode=Mode.ACTIVE, **more):
    group, view = make_world(*states, policy=make_policy(mode=mode), **more)
    return evolve(group, decision=rule(group, view).decision)


def busy_group():
    return group_that(50.0, ledger=Ledger(actions=(creating(1),), next_number=2))


HIGH = Ticks(high=2)


def test_a_tick_is_one_line_for_those_who_debug(reporter, lines):
    reporter.ticked(group_that(50.0))

    ((level, name, fields),) = lines
    assert (level, name) == ("debug", "tick_decided")
    assert fields["group"] == "alpha/user:web"
    assert fields["mean_up_percent"] == 50.0


def test_a_changed_decision_says_why_in_a_sentence(reporter, lines):
    reporter.decided(group_that(95.0, ticks=HIGH), None)

    ((level, name, fields),) = lines
    assert (level, name) == ("info", "decision_changed")
    assert list(fields)[:2] == ["group", "why"]
    assert fields["why"].endswith("create 1 clone")


def test_a_number_that_is_not_known_is_left_out(reporter, lines):
    reporter.decided(evolve(group_that(50.0), decision=unheard()), None)

    assert "mean_up_percent" not in lines[0][2]


def test_an_action_under_way_is_told_by_its_own_lines(reporter, lines):
    reporter.decided(busy_group(), None)

    assert [(level, name) for level, name, _ in lines] == [
        ("debug", "decision_changed")
    ]


def test_what_an_observed_group_would_do_is_told_when_it_begins_and_ends(
    reporter, lines
):
    would = group_that(95.0, mode=Mode.OBSERVE, ticks=HIGH)
    steady = group_that(50.0, mode=Mode.OBSERVE)

    reporter.decided(would, steady.decision)
    reporter.decided(would, would.decision)
    reporter.decided(steady, would.decision)

    names = [name for _, name, _ in lines if name != "decision_changed"]
    assert names == ["would_act_began", "would_act_ended"]


def test_an_active_group_has_nothing_that_it_would_do(reporter, lines):
    reporter.decided(group_that(95.0, ticks=HIGH), group_that(50.0).decision)

    assert [name for _, name, _ in lines] == ["decision_changed"]


def test_a_group_without_a_decision_has_no_line(reporter, lines):
    group, _ = make_world(50.0)

    reporter.ticked(group)
    reporter.decided(group, None)

    assert lines == []


@pytest.mark.parametrize("kind", NoteKind)
def test_every_note_has_a_line(reporter, lines, kind):
    reporter.noted(group_that(50.0), Note(kind, PRIMARY))

    assert lines[0][1:] == (
        kind.value,
        {"group": "alpha/user:web", "name": "user:web"},
    )


def unheard():
    decision = group_that(50.0).decision
    assert decision is not None
    return evolve(decision, load=evolve(decision.load, mean_up=None))
