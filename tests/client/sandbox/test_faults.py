"""When things go wrong: rules as data."""

import pytest

from albatross_client import commands as c
from albatross_client.names import ROOT
from albatross_client.sandbox.faults import ExpiredCertificate as Expired
from albatross_client.sandbox.faults import (
    HostDown,
    Killed,
    Moment,
    NoFrame,
    ReplyLost,
    Rule,
    Rules,
    StreamCut,
    due,
    next_due,
    on_command,
    on_connection,
    verb_of,
)
from albatross_client.values import Config
from tests.sandbox_fixtures import API, USER, WEB

NOW = Moment(second=10.0, draw=0.5)
CREATE = c.UnikernelCreate(Config())


def befalls(*rules, command=CREATE, name=WEB, moment=NOW):
    return on_command(rules, moment, command, name)


@pytest.mark.parametrize(
    ("command", "verb"),
    [
        (CREATE, "create"),
        (c.UnikernelForceCreate(Config()), "create"),
        (c.UnikernelDestroy(), "destroy"),
        (c.UnikernelRestart(None), "restart"),
        (c.UnikernelGet(0), "image"),
        (c.UnikernelInfo(), "info"),
        (c.OldUnikernelInfo4(), "info"),
        (c.PolicyInfo(), "policies"),
        (c.StatsSubscribe(), "stats"),
        (c.ConsoleSubscribe(1), "console"),
        (c.BlockAdd(1), "block"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_command_has_the_verb_of_the_client(command, verb):
    assert verb_of(command) == verb


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (Rule(fault=NoFrame()), True),
        (Rule(fault=NoFrame(), verb="create"), True),
        (Rule(fault=NoFrame(), verb="destroy"), False),
        (Rule(fault=NoFrame(), name=WEB), True),
        (Rule(fault=NoFrame(), name=API), False),
        (Rule(fault=NoFrame(), name=USER), True),
        (Rule(fault=NoFrame(), name=ROOT), True),
        (Rule(fault=NoFrame(), after=10.0), True),
        (Rule(fault=NoFrame(), after=10.5), False),
        (Rule(fault=NoFrame(), probability=0.51), True),
        (Rule(fault=NoFrame(), probability=0.5), False),
        (Rule(fault=StreamCut()), False),
        (Rule(fault=Expired()), False),
    ],
)
def test_a_fault_befalls_the_commands_that_match(rule, matches):
    _, fault = befalls(rule)

    assert (fault == NoFrame()) is matches


def test_a_fault_happens_as_often_as_it_says_and_the_next_rule_then():
    rules: Rules = (Rule(fault=NoFrame(), times=2), Rule(fault=ReplyLost(), times=None))

    faults = []
    for _ in range(5):
        rules, fault = befalls(*rules)
        faults.append(fault)

    assert faults == [NoFrame(), NoFrame(), ReplyLost(), ReplyLost(), ReplyLost()]


def test_equal_rules_are_used_up_one_by_one():
    rules: Rules = (Rule(fault=NoFrame()), Rule(fault=NoFrame()))

    rules, _ = befalls(*rules)

    assert rules == (Rule(fault=NoFrame()),)


def test_a_fault_of_a_connection_does_not_wait_for_a_command():
    rules, fault = on_connection((Rule(fault=Expired()),), NOW)

    assert (rules, fault) == ((), Expired())
    assert on_connection((Rule(fault=NoFrame()),), NOW)[1] is None


def test_an_event_happens_at_its_second_and_once():
    rules: Rules = (Rule(fault=Killed(WEB), after=5.0),)

    early = due(rules, 4.9)
    later = due(rules, 5.0)

    assert early == (rules, ())
    assert later == ((), (Killed(WEB),))


def test_an_event_comes_again_until_it_has_happened_often_enough():
    rules: Rules = (Rule(fault=HostDown(1), after=5.0, every=60.0, times=2),)

    rules, first = due(rules, 5.0)
    assert next_due(rules) == 65.0
    rules, second = due(rules, 65.0)

    assert (first, second) == ((HostDown(1),), (HostDown(1),))
    assert rules == ()
    assert next_due(rules) is None


def test_an_event_without_end_comes_again_and_again():
    rules: Rules = (Rule(fault=HostDown(1), every=60.0, times=None),)

    for count in range(5):
        assert next_due(rules) == count * 60.0
        rules, events = due(rules, count * 60.0)
        assert events == (HostDown(1),)


@pytest.mark.parametrize(
    "wrong",
    [
        {"times": 0},
        {"after": -1.0},
        {"every": 0.0},
        {"probability": 1.5},
        {"verb": "explode"},
        {"every": 5.0},
        {"fault": StreamCut(), "verb": "stats"},
        {"fault": Expired(), "name": WEB},
        {"fault": StreamCut(), "probability": 0.5},
    ],
    ids=str,
)
def test_a_rule_that_means_nothing_cannot_be_made(wrong):
    with pytest.raises(ValueError, match=r".+"):
        Rule(**{"fault": NoFrame(), **wrong})
