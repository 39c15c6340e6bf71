"""Whether somebody else keeps taking a path."""

import pytest

from autoscaler.shell.hosts.contest import Contest


def taken(*moments):
    contest = Contest()
    for at in moments:
        contest = contest.taken(at)
    return contest


@pytest.mark.parametrize(
    ("moments", "ends_at"),
    [
        pytest.param([], None, id="never"),
        pytest.param([5], None, id="somebody-looked-once"),
        pytest.param([5, 604], 1204, id="again-within-ten-minutes"),
        pytest.param([5, 606], None, id="long-after"),
        pytest.param([0, 100, 200], 800, id="again-and-again"),
    ],
)
def test_a_contest_is_a_second_takeover_within_ten_minutes(moments, ends_at):
    contest = taken(*moments)

    assert contest.ends_at == ends_at


def test_pauses_double_up_to_a_minute_however_long_it_lasts():
    pauses = [taken(*range(count)).pause for count in range(1, 30)]

    assert pauses[:7] == [2, 4, 8, 16, 32, 60, 60]
    assert pauses[7:] == [60] * 22


def test_only_the_newest_takeovers_are_kept():
    contest = taken(*range(500))

    assert len(contest.takeovers) == 8
    assert contest.takeovers[-1] == 499
