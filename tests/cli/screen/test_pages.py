"""Screens as an operator sees them: the texts are in `screens/`."""

from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import ConsoleDimensions

from autoscaler.cli.screen.drawing import in_ascii
from autoscaler.cli.screen.keyboard import Key
from autoscaler.cli.screen.looking import Looking, press, read
from autoscaler.cli.screen.pages import paint
from autoscaler.cli.screen.showing import Showing, react
from autoscaler.cli.screen.sights import Seen
from autoscaler.cli.screen.table import Scene
from tests.cli.screen.fleets import HELD, SHORT, group, member, sight, stream

SCREENS = Path(__file__).with_name("screens")
FLEET = sight(SHORT, HELD, group())
MANY = sight(
    SHORT,
    *(group(f"west/user:g{n}") for n in range(40)),
    streams=[stream(), stream(domain="team", up=False)],
    need=3,
    needs=[
        "no statistics from west for team since 120 s",
        *(f"west/user:g{n}: its balancer does not answer" for n in range(9)),
    ],
)
WORKS = group(
    "west/user:web",
    decision=None,
    flip=None,
    sizes=None,
    members=[member(counts_as=None, usage=None)],
    actions=[
        {"id": 1, "what": "create user:web-clone-1", "reason": "high", "age_s": 3.0},
        {"id": 2, "what": "destroy user:web-clone-7", "reason": "low", "age_s": None},
    ],
    hour_percent=[],
)
LATE = evolve(Showing(Scene(sight=FLEET)), late="the daemon has not answered for 7 s")


def shown(seen, title="autoscaler top: test"):
    showing, _ = react(Showing(Scene(sight=None, title=title)), seen)
    return showing


def typed(showing, *keys):
    looking = showing.looking
    for key in keys:
        looking, _ = press(looking, key)
    return evolve(showing, looking=looking)


def painted(showing, width, height):
    size = ConsoleDimensions(width, height)
    return paint(showing.visible, showing.looking, size)


def screen(showing, width, height):
    lines = painted(showing, width, height).lines
    return "\n".join(line.plain.rstrip() for line in lines)


EXPLAINED = ("west/user:shop: hold no_capacity", "", *(f"line {n}" for n in range(40)))
DOWN = Seen(FLEET, complaint="no daemon runs: showing the state of 14:03:11")


@pytest.mark.parametrize(
    ("name", "showing", "width", "height"),
    [
        pytest.param("wide", shown(Seen(FLEET)), 132, 30, id="wide"),
        pytest.param("usual", shown(Seen(MANY)), 80, 24, id="usual"),
        pytest.param("narrow", shown(Seen(FLEET)), 60, 24, id="narrow"),
        pytest.param("tiny", shown(Seen(MANY)), 30, 8, id="tiny"),
        pytest.param("down", shown(DOWN), 100, 16, id="the daemon is down"),
        pytest.param("late", LATE, 80, 6, id="the daemon takes long"),
        pytest.param("empty", shown(Seen(sight())), 80, 10, id="no group"),
        pytest.param(
            "further",
            typed(shown(Seen(MANY)), *[Key.DOWN] * 12),
            80,
            24,
            id="a group further down",
        ),
        pytest.param("asked", typed(shown(Seen(FLEET)), "p"), 80, 16, id="pause?"),
        pytest.param(
            "resumed",
            typed(shown(Seen(FLEET)), Key.DOWN, "p"),
            80,
            16,
            id="resume?",
        ),
        pytest.param("works", shown(Seen(sight(WORKS))), 80, 16, id="at work"),
        pytest.param(
            "held", typed(shown(Seen(FLEET)), Key.DOWN), 80, 24, id="paused by ada"
        ),
        pytest.param("help", typed(shown(Seen(FLEET)), "?"), 60, 20, id="help"),
    ],
)
def test_a_screen_is_as_it_is_kept(name, showing, width, height):
    wanted = (SCREENS / f"{name}.txt").read_text("utf-8")

    assert screen(showing, width, height) + "\n" == wanted


def test_what_is_read_is_shown_page_by_page():
    looking = read(Looking(height=8), "west/user:shop", EXPLAINED)
    showing = evolve(shown(Seen(FLEET)), looking=looking)

    first = screen(showing, 60, 10).splitlines()
    later = screen(typed(showing, Key.PAGE_DOWN), 60, 10).splitlines()
    last = screen(typed(showing, Key.END), 60, 10).splitlines()

    assert first[:2] == ["explain west/user:shop", EXPLAINED[0]]
    assert first[-1] == "Esc, q or e: back; 34 more lines below"
    assert later[1] == "line 6"
    assert last[-2:] == ["line 39", "Esc, q or e: back"]


def test_before_anything_is_known_the_title_is_there():
    lines = screen(Showing(Scene(sight=None, title="autoscaler top: test")), 40, 5)

    assert lines.splitlines()[0] == "autoscaler top: test"


SHOWN = st.sampled_from(
    [shown(Seen(FLEET)), shown(Seen(MANY)), shown(DOWN), typed(shown(DOWN), "?")]
)


@given(SHOWN, st.integers(1, 200), st.integers(1, 60))
def test_a_screen_is_never_larger_than_its_terminal(showing, width, height):
    lines = painted(showing, width, height).lines

    assert len(lines) == height
    assert all(cell_len(line.plain) <= width for line in lines)


@given(SHOWN, st.integers(1, 200), st.integers(1, 60))
def test_without_unicode_a_screen_is_as_wide_in_ascii(showing, width, height):
    for line in painted(showing, width, height).lines:
        ascii_line = in_ascii(line)

        assert ascii_line.plain.isascii()
        assert cell_len(ascii_line.plain) == cell_len(line.plain)


def test_names_of_other_scripts_are_as_wide_as_they_look():
    wide = group("west/user:東京", members=[member("user:東京")])

    [line] = [
        line
        for line in painted(shown(Seen(sight(wide, group()))), 80, 24).lines
        if line.plain.startswith(">")
    ]

    assert cell_len(line.plain) == 80
    assert "user:????" in in_ascii(line).plain
