import typing

import pytest
from attrs import evolve

from autoscaler.core.actions import Action
from autoscaler.core.group import new_group
from autoscaler.core.policy import Policy
from autoscaler.shell.log import Log
from autoscaler.shell.report import Reporters
from autoscaler.shell.web.tally import BOUNDS, KINDS, Tally
from tests.shell.harness import GROUP, Notebook
from tests.shell.kept import decision

ABOUT = {"action_id": 1, "reason": "high"}


@pytest.fixture
def tally():
    return Tally()


@pytest.fixture
def log(tally):
    return Log(lambda *_: None, now=lambda: 0.0, listener=tally.hear)


def test_decisions_are_counted_at_ticks_and_told_to_everybody(tally):
    notebook = Notebook()
    group = new_group(GROUP, Policy(max_clones=1))
    decided = evolve(group, decision=decision())
    reporters = Reporters((notebook, tally))

    reporters.ticked(decided)
    reporters.decided(decided, None)
    tally.ticked(group)

    told = decision()
    assert tally.decisions == {(told.outcome.value, told.reason.value): 1}
    assert notebook.decisions == [told]


def test_actions_are_counted_also_where_their_warning_is_repeated(tally, log):
    for took_s in (0.1, 0.11, 400.0):
        log.warning(
            "action_finished",
            group="a/b",
            action="CreateClones",
            **ABOUT,
            outcome="failed",
            took_s=took_s,
            error="no",
        )
    log.event("action_withdrawn", group="a/b", action="DestroyClone", **ABOUT)
    replaced = {"action": "ReplaceClone", "outcome": "done"}
    log.info("action_finished", group="a/b", **replaced, **ABOUT)

    assert tally.actions == {
        ("create", "failed"): 3,
        ("destroy", "withdrawn"): 1,
        ("replace", "done"): 1,
    }
    created = tally.durations["create"]
    assert created.counts == [1, 1, *[0] * (len(BOUNDS) - 2), 1]
    assert created.total == pytest.approx(400.21)
    assert not any(tally.durations["replace"].counts)


def test_every_kind_of_action_has_a_name():
    assert set(KINDS) == {kind.__name__ for kind in typing.get_args(Action)}


def test_subscriptions_that_end_are_counted_by_host(tally, log):
    ended = {"host": "a", "path": "x:", "error": "gone", "retry_in_s": 1.0}
    log.event("stream_lost", **ended)
    log.event("stream_contested", **ended, advice="end the other")
    log.event("stream_opened", host="a", path="x:")

    assert tally.lost == {"a": 2}


def test_bugs_are_counted_also_where_their_warning_is_repeated(tally, log):
    for number in range(3):
        asked = {"doing": f"answering /{number}", "error": "KeyError"}
        log.event("bug_contained", **asked, traceback="KeyError")

    assert tally.bugs == 3
