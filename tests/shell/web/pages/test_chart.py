"""Charts: what is drawn where."""

import re

import pytest

from autoscaler.shell.web.pages.chart import MOST_LINES, draw
from autoscaler.shell.web.pages.hour import MINUTES, Deed, Kind

UNTIL = 30_000_000


def series(*newest):
    return (None,) * (MINUTES - len(newest)) + newest


def chart(usages=None, sizes=(), deeds=()):
    return draw(usages or {}, series(*sizes), deeds, UNTIL, (90.0, 40.0))


@pytest.mark.parametrize(
    ("newest", "path"),
    [
        pytest.param((10.0, 13.0, 13.4, 5.0), "M280 90l5-3h5l5 8", id="up and down"),
        pytest.param((10.0, None, 20.0), "M285 90h0M295 80h0", id="dots"),
        pytest.param((10.0, 20.0, None), "M285 90l5-10", id="it has ended"),
        pytest.param((0.0, 100.0), "M290 100l5-100", id="from end to end"),
    ],
)
def test_a_line_goes_through_what_is_known(newest, path):
    [line] = chart({"web": series(*newest)}).lines

    assert line.path == path


def test_of_many_members_the_busiest_have_lines_and_the_others_a_band():
    usages = {f"m{n}": series(float(n), float(n)) for n in range(10)}

    made = chart(usages)

    assert [line.name for line in made.lines] == ["m5", "m6", "m7", "m8", "m9"]
    assert len(made.lines) == MOST_LINES - 1
    assert made.more == 5
    assert made.band == "M290 96 295 96 295 100 290 100z"


def test_size_goes_in_steps_and_ends_where_nothing_is_known():
    made = chart(sizes=(1, 1, 2, None, 2))

    assert made.size_line == "M275 11H285V0H285M295 0H295"
    assert made.size.count("z") == 2
    assert made.largest == 2


def test_actions_stand_where_they_ended():
    deeds = [
        Deed(UNTIL * 60.0, Kind.CREATE, "create a"),
        Deed(UNTIL * 60.0 - 600, Kind.DESTROY, "destroy a", has_failed=True),
    ]

    marks = chart(deeds=deeds).marks

    assert [(mark.x, mark.minutes_ago) for mark in marks] == [(295, 0), (245, 10)]
    assert marks[0].shape != marks[1].shape


def test_a_table_has_the_same_numbers():
    made = chart({"web": series(10.0, 20.0), "api": series(None, 30.0)}, (1, 2))

    cells = re.findall(r"<t[hd][^>]*>([^<]*)", made.rows(1))

    assert cells == ["0", "20", "30", "2", "1", "10", "-", "1"]


def test_a_row_may_be_of_some_minutes_and_has_the_newest_of_them():
    made = chart({"web": series(7.0, None)}, (1, None))

    assert re.findall(r"<t[hd][^>]*>([^<]*)", made.rows(5)) == ["0", "7", "1"]


def test_a_table_may_be_shorter():
    made = chart({"web": tuple(float(n) for n in range(MINUTES))})

    assert made.rows(5).count("<tr>") == 12
    assert made.rows(1).count("<tr>") == MINUTES


def test_a_chart_of_nothing_says_so():
    assert chart().is_empty
    assert chart({"web": series(1.0)}).is_empty is False
