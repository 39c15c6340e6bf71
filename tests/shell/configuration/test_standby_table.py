"""Tests of `[groups.standby]`: how many members stand by."""

import pytest

from autoscaler.core.serving import StandbyPolicy
from autoscaler.shell.configuration.changes import changes
from tests.shell.configuration.tables import DEPLOYMENT, GROUP, WEST, parse, problems

BALANCED = (
    DEPLOYMENT
    + WEST
    + GROUP
    + 'address_pool = "10.0.0.1-10.0.0.9"\n'
    + '[groups.balancer]\nsocket = "/run/haproxy.sock"\nbackend = "web"\nport = 80\n'
)
TABLE = "[groups.standby]\n"


def standby(text):
    [group] = parse(BALANCED + text).groups
    assert group.policy.serving is not None
    return group.policy.serving.standby


def test_what_the_table_says_is_part_of_the_policy():
    text = f'{TABLE}size = 2\nmin = 1\nmax_idle = "5m"\n'

    assert standby(text) == StandbyPolicy(size=2, min=1, max_idle=300.0)


def test_without_the_table_nobody_stands_by_unless_that_is_asked():
    assert standby("") == StandbyPolicy(size=0, min=0, max_idle=600.0)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("size = -1", "must be a whole number from 0", id="negative"),
        pytest.param("size = 1\nmin = 2", "min (2) must be at most size", id="less"),
        pytest.param('max_idle = "0s"', "must be a duration", id="no time"),
        pytest.param("siez = 1", "did you mean size?", id="misspelt"),
        pytest.param(
            "size = 5",
            "has a size of 5, and min_clones (0) leaves room for 4 within "
            "max_clones (4)",
            id="no room",
        ),
    ],
)
def test_what_can_not_be_is_told(text, complaint):
    [problem] = problems(BALANCED + TABLE + text + "\n")

    assert complaint in problem


def test_it_needs_a_balancer():
    [problem] = problems(DEPLOYMENT + WEST + GROUP + TABLE + "size = 1\n")

    assert "needs a [groups.balancer] table beside [groups.standby]" in problem


def test_what_changes_is_told():
    before = parse(BALANCED)
    after = parse(BALANCED + TABLE + 'size = 1\nmax_idle = "5m"\n')

    told = {change.key: change.says for change in changes(before, after)}

    assert told == {
        "standby.size": "not set -> 1",
        "standby.min": "not set -> 0",
        "standby.max_idle": "not set -> 5m",
    }
