"""What is looked at, and what keys change of it.

Laws: no I/O; a key answers with what is looked at then, and with what is to be
done; nothing is asked of the daemon before somebody has said yes to it.  Groups
are meant by name, not by place: they change places while they are looked at.
"""

import enum
from collections.abc import Mapping
from typing import assert_never

from attrs import evolve, field, frozen

from autoscaler.cli.screen.keyboard import Key, Press


@frozen
class Row:
    """A group that may be chosen.

    Attributes:
        group: Its name.
        is_held: Whether it is paused or observed by an operator's word.
    """

    group: str
    is_held: bool = False


@frozen
class Reading:
    """Why a group does what it does is read.

    Attributes:
        group: Which group.
        lines: The text.
        first: The first line that is shown.
    """

    group: str
    lines: tuple[str, ...]
    first: int = 0


@frozen
class Asked:
    """Something may be done, once somebody has said yes.

    Attributes:
        verb: What, as the daemon calls it.
        group: Of which group.
    """

    verb: str
    group: str


class Choosing(enum.Enum):
    """Groups are looked at, and one may be chosen."""

    CHOOSING = "choosing"


class Helping(enum.Enum):
    """The keys are explained."""

    HELPING = "helping"


CHOOSING, HELPING = Choosing.CHOOSING, Helping.HELPING
Page = Choosing | Helping | Reading | Asked


@frozen
class Looking:
    """What is looked at.

    Attributes:
        rows: The groups, in the order of their need.
        chosen: The chosen one; None: the first, whichever that is.
        page: What is on the screen.
        height: Lines that a page of text or groups has room for.
        said: What came of the last thing that was done; empty: nothing.
    """

    rows: tuple[Row, ...] = ()
    chosen: str | None = None
    page: Page = CHOOSING
    height: int = field(default=1)
    said: str = ""

    @property
    def place(self) -> int:
        """Which row is chosen; 0 where there are none."""
        names = [row.group for row in self.rows]
        return names.index(self.chosen) if self.chosen in names else 0

    @property
    def row(self) -> Row | None:
        """The chosen row."""
        return self.rows[self.place] if self.rows else None


@frozen
class Explain:
    """Explain a group.

    Attributes:
        group: Its name.
    """

    group: str


@frozen
class Obey:
    """Ask the daemon.

    Attributes:
        verb: What for.
        group: Of which group.
    """

    verb: str
    group: str


class Own(enum.Enum):
    """What the terminal itself has to do."""

    QUIT = "quit"
    REDRAW = "redraw"


Command = Explain | Obey | Own
Pressed = tuple[Looking, Command | None]

_LEAVES = frozenset({"q", "e", "?", Key.ESCAPE, Key.ENTER})


def press(looking: Looking, key: Press) -> Pressed:
    """Return what is looked at after *key*, and what is to be done."""
    if key is Key.REDRAW:
        return looking, Own.REDRAW
    looking = evolve(looking, said="")
    page = looking.page
    match page:
        case Choosing():
            return _choose(looking, key)
        case Helping():
            leaves = key in _LEAVES
            return evolve(looking, page=CHOOSING if leaves else page), None
        case Reading():
            return _read(looking, page, key), None
        case Asked():
            return _answer(looking, page, key)
        case _:
            assert_never(page)


def show_rows(looking: Looking, rows: tuple[Row, ...]) -> Looking:
    """Return what is looked at when the groups are *rows*."""
    names = {row.group for row in rows}
    chosen = looking.chosen if looking.chosen in names else None
    return evolve(looking, rows=rows, chosen=chosen)


def read(looking: Looking, group: str, lines: tuple[str, ...]) -> Looking:
    """Return what is looked at when *lines* about *group* are read.

    Those that are read anew stay where they are.
    """
    page, first = looking.page, 0
    if isinstance(page, Reading) and page.group == group:
        first = page.first
    return _scrolled(looking, Reading(group, lines), first)


def resized(looking: Looking, height: int) -> Looking:
    """Return what is looked at when there is room for *height* lines."""
    looking = evolve(looking, height=max(1, height))
    page = looking.page
    return (
        _scrolled(looking, page, page.first) if isinstance(page, Reading) else looking
    )


def _choose(looking: Looking, key: Press) -> Pressed:
    row = looking.row
    if key == "q":
        return looking, Own.QUIT
    if key == "?":
        return evolve(looking, page=HELPING), None
    if row is None:
        return looking, None
    if key in {"e", Key.ENTER}:
        return looking, Explain(row.group)
    if key == "p":
        verb = "resume" if row.is_held else "pause"
        return evolve(looking, page=Asked(verb, row.group)), None
    return _moved(looking, key), None


def _moved(looking: Looking, key: Press) -> Looking:
    if key is Key.HOME:
        # The first stays chosen, whichever group that will be.
        return evolve(looking, chosen=None)
    last = len(looking.rows) - 1
    place = _place(key, looking.place, looking.height, last)
    if place is None:
        return looking
    return evolve(looking, chosen=looking.rows[place].group)


def _read(looking: Looking, page: Reading, key: Press) -> Looking:
    if key in _LEAVES:
        return evolve(looking, page=CHOOSING)
    first = _place(key, page.first, looking.height, len(page.lines))
    return looking if first is None else _scrolled(looking, page, first)


def _scrolled(looking: Looking, page: Reading, first: int) -> Looking:
    last = max(0, len(page.lines) - looking.height)
    return evolve(looking, page=evolve(page, first=min(max(0, first), last)))


def _answer(looking: Looking, page: Asked, key: Press) -> Pressed:
    looking = evolve(looking, page=CHOOSING)
    if key in {"y", "Y"}:
        return looking, Obey(page.verb, page.group)
    return evolve(looking, said="nothing was done"), None


_STEPS: Mapping[Press, int] = {Key.UP: -1, "k": -1, Key.DOWN: 1, "j": 1}
_PAGES: Mapping[Press, int] = {Key.PAGE_UP: -1, Key.PAGE_DOWN: 1, " ": 1}


def _place(key: Press, place: int, page: int, last: int) -> int | None:
    """Return where *key* leads from *place*; None: nowhere."""
    step = _STEPS.get(key, 0) + _PAGES.get(key, 0) * page
    if key is Key.HOME:
        step = -place
    elif key is Key.END:
        step = last - place
    return min(max(0, place + step), last) if step else None
