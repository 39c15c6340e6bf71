"""Tables on terminals of any width."""

import pytest

from autoscaler.cli.ruled import ruled

HEADER = ("time", "group", "who", "decision", "why")
WHY = "the means, 76.4 % of those who report and 88.2 % of all, call for no change"
ROWS = (
    ("2026-03-01 14:30:05", "alpha/user:web", "rule", "6avm-tzwr", WHY),
    ("2026-03-01 14:30:09", "alpha/user:web", "root", "-", "user:web-clone-1 is ours"),
)
START = "2026-03-01 14:30:05   alpha/user:web   rule   6avm-tzwr"


def lines(width, rows=ROWS):
    return [line.plain for line in ruled(HEADER, rows, width, "-")]


@pytest.mark.parametrize("width", [200, 120, 100, 80, 60, 40, 24])
def test_a_table_is_as_narrow_as_the_terminal_and_has_everything(width):
    shown = lines(width)

    assert max(map(len, shown)) <= width
    words = " ".join(shown).split()
    for cell in (*ROWS[0], *ROWS[1]):
        assert set(cell.split()) - {"-"} <= set(words)


def test_where_there_is_room_the_last_column_stands_beside_the_others():
    assert lines(90)[1:5] == [
        " " + "-" * 89,
        f" {START}   the means, 76.4 % of those who",
        " " * 59 + "report and 88.2 % of all, call",
        " " * 59 + "for no change",
    ]


def test_what_has_no_room_stands_below_by_name():
    assert lines(60) == [
        " time                  group            who    decision",
        " " + "-" * 55,
        f" {START}",
        "    why: the means, 76.4 % of those who report and 88.2 % of",
        "    all, call for no change",
        " 2026-03-01 14:30:09   alpha/user:web   root   -",
        "    why: user:web-clone-1 is ours",
    ]


def test_what_is_not_known_is_not_told_below():
    assert "decision" not in " ".join(lines(45, ROWS[1:]))
    assert "decision: 6avm-tzwr" in " ".join(lines(45, ROWS[:1]))


def test_names_are_not_broken_at_their_hyphens():
    row = ("a", "b", "c", "d", "missing: user:web-clone-1, user:web-clone-2")

    for width in range(30, 80):
        words = " ".join(lines(width, [row])).split()
        assert {"user:web-clone-1,", "user:web-clone-2"} <= set(words)


def test_the_only_column_of_a_table_may_be_wider_than_the_terminal():
    shown = [line.plain for line in ruled(("file",), [("x" * 30,)], 20, "-")]

    assert "".join(shown).count("x") == 30
