"""What keys do, as playbooks."""

import pytest
from attrs import evolve

from autoscaler.cli.screen.keyboard import Key
from autoscaler.cli.screen.looking import (
    CHOOSING,
    HELPING,
    Asked,
    Explain,
    Looking,
    Obey,
    Own,
    Reading,
    Row,
    press,
    read,
    resized,
    show_rows,
)

ROWS = tuple(Row(f"west/user:g{n}") for n in range(10))
TEN = Looking(rows=ROWS, height=4)


def play(looking, *keys):
    """Press *keys*; return what is looked at then, and what they asked for."""
    commands = []
    for key in keys:
        looking, command = press(looking, key)
        commands.append(command)
    return looking, [command for command in commands if command is not None]


def first_line(looking):
    assert isinstance(looking.page, Reading)
    return looking.page.first


def chosen(*keys):
    looking, _ = play(TEN, *keys)
    return looking.place


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        pytest.param([], 0, id="at first the most urgent"),
        pytest.param([Key.DOWN, Key.DOWN], 2, id="down"),
        pytest.param([Key.DOWN, Key.UP], 0, id="up"),
        pytest.param([Key.UP], 0, id="not above the first"),
        pytest.param([Key.PAGE_DOWN], 4, id="a page down"),
        pytest.param([Key.END], 9, id="end"),
        pytest.param([Key.END, Key.PAGE_DOWN], 9, id="not below the last"),
        pytest.param([Key.END, Key.PAGE_UP], 5, id="a page up"),
        pytest.param([Key.END, Key.HOME], 0, id="home"),
        pytest.param(["j", "j", "k"], 1, id="as in vi"),
        pytest.param(["x", Key.ESCAPE], 0, id="no key of ours"),
    ],
)
def test_keys_choose_a_group(keys, place):
    assert chosen(*keys) == place


def test_the_chosen_group_stays_chosen_when_it_changes_places():
    looking, _ = play(TEN, Key.DOWN)

    looking = show_rows(looking, (*ROWS[2:], *ROWS[:2]))

    assert looking.row == ROWS[1]
    assert looking.place == 9


def test_who_has_chosen_nothing_sees_the_most_urgent():
    looking = show_rows(TEN, (ROWS[5], *ROWS[:5]))

    assert looking.row == ROWS[5]


def test_home_follows_the_most_urgent_again():
    looking, _ = play(TEN, Key.DOWN, Key.HOME)

    assert show_rows(looking, (ROWS[5], *ROWS[:5])).row == ROWS[5]


def test_a_chosen_group_that_is_gone_is_chosen_no_more():
    looking, _ = play(TEN, Key.END)

    assert show_rows(looking, ROWS[:3]).row == ROWS[0]


@pytest.mark.parametrize("key", ["e", Key.ENTER])
def test_the_chosen_group_is_explained(key):
    _, commands = play(TEN, Key.DOWN, key)

    assert commands == [Explain("west/user:g1")]


@pytest.mark.parametrize("key", ["q", "e", Key.ESCAPE])
def test_what_is_read_is_left_to_the_group_it_was_about(key):
    looking = read(play(TEN, Key.DOWN)[0], "west/user:g1", ("why",))

    looking, commands = play(looking, key)

    assert (looking.page, looking.place, commands) == (CHOOSING, 1, [])


@pytest.mark.parametrize(
    ("keys", "first"),
    [
        pytest.param([Key.DOWN], 1, id="down"),
        pytest.param([Key.PAGE_DOWN, Key.PAGE_DOWN], 6, id="to the last page"),
        pytest.param([" "], 4, id="a page by space"),
        pytest.param([Key.END, Key.UP], 5, id="up from the end"),
        pytest.param([Key.END, Key.HOME], 0, id="back to the begin"),
    ],
)
def test_what_is_read_is_scrolled(keys, first):
    reading = read(TEN, "west/user:g0", tuple(map(str, range(10))))

    looking, _ = play(reading, *keys)

    assert looking.page == Reading("west/user:g0", tuple(map(str, range(10))), first)


def test_what_is_read_anew_stays_where_it_was():
    text = tuple(map(str, range(10)))
    looking, _ = play(read(TEN, "west/user:g0", text), Key.DOWN, Key.DOWN)

    assert first_line(read(looking, "west/user:g0", (*text, "more"))) == 2
    assert first_line(read(looking, "west/user:g0", ("short",))) == 0
    assert first_line(read(looking, "west/user:g1", text)) == 0


def test_a_terminal_that_grows_shows_more_of_what_is_read():
    text = tuple(map(str, range(10)))
    looking, _ = play(read(TEN, "west/user:g0", text), Key.END)

    assert first_line(resized(looking, 8)) == 2


def test_pausing_asks_first():
    looking, commands = play(TEN, "p")

    assert (looking.page, commands) == (Asked("pause", "west/user:g0"), [])
    assert play(looking, "y")[1] == [Obey("pause", "west/user:g0")]


@pytest.mark.parametrize("key", ["n", "p", "q", Key.ENTER, Key.ESCAPE])
def test_whatever_is_not_yes_is_no(key):
    looking, commands = play(TEN, "p", key)

    assert commands == []
    assert (looking.page, looking.said) == (CHOOSING, "nothing was done")


def test_a_group_that_is_held_is_resumed():
    held = evolve(TEN, rows=(Row("west/user:g0", is_held=True),))

    assert play(held, "p", "y")[1] == [Obey("resume", "west/user:g0")]


def test_what_was_asked_about_is_done_though_the_order_changes_meanwhile():
    looking, _ = play(TEN, "p")

    looking = show_rows(looking, tuple(reversed(ROWS)))

    assert play(looking, "y")[1] == [Obey("pause", "west/user:g0")]


@pytest.mark.parametrize("key", ["q", "?", Key.ESCAPE])
def test_the_help_is_left_as_it_was_come_to(key):
    looking, commands = play(TEN, "?")

    assert (looking.page, commands) == (HELPING, [])
    assert play(looking, key) == (TEN, [])


def test_what_was_said_is_gone_with_the_next_key():
    looking, _ = play(TEN, "p", "n", Key.DOWN)

    assert looking.said == ""


@pytest.mark.parametrize("key", ["e", "p", Key.DOWN, Key.END, Key.HOME])
def test_without_groups_there_is_nothing_to_do(key):
    assert play(Looking(), key) == (Looking(), [])


def test_it_is_left_and_drawn_anew():
    assert play(TEN, "q")[1] == [Own.QUIT]
    assert play(read(TEN, "west/user:g0", ()), Key.REDRAW)[1] == [Own.REDRAW]
