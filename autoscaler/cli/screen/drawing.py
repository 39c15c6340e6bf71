"""What views for a terminal are drawn from: bars, courses, cut and ruled lines.

Laws: no I/O; what is drawn is as wide as it was asked to be, whatever the texts
in it; a terminal without Unicode gets the same drawing in ASCII.
"""

import textwrap
from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.text import Text

from autoscaler.core.decision import MemberClass

BAR_CELLS = 40
_STEPS = "▁▂▃▄▅▆▇█"
# As wide in ASCII, one for one.
_IN_ASCII = str.maketrans(f"{_STEPS}·│─…", "_.-:=+*#.|-~")
_COLOURS = {
    MemberClass.FRESH: "green",
    MemberClass.WARMING: "yellow",
    MemberClass.RESERVED: "cyan",
    MemberClass.DRAINING: "magenta",
    MemberClass.STANDBY: "bright_black",
    MemberClass.GIVEN_UP: "red",
    MemberClass.DEAD: "red",
}


def colour_of(counts_as: MemberClass) -> str:
    """Return the colour of members that count as that."""
    return _COLOURS.get(counts_as, "white")


def percent(usage: float | None) -> str:
    """Return *usage* in five cells."""
    return "    -" if usage is None else f"{usage:4.0f}%"


def bar(
    usage: float | None, marks: Iterable[float], style: str, cells: int = BAR_CELLS
) -> Text:
    """Return a bar of *usage* percent, with a line at each of *marks*."""
    filled = min(round((usage or 0.0) / 100 * cells), cells)
    text = Text("█" * filled, style=style)
    text.append("·" * (cells - filled), style="dim")
    for mark in marks:
        place = min(round(mark / 100 * cells), cells - 1)
        text = text[:place] + Text("│", style="bold red") + text[place + 1 :]
    return text


def course(usages: Sequence[float | None], down: float, up: float, cells: int) -> Text:
    """Return the last *cells* of *usages*, percent, as a column each.

    Those above *up* are red and those below *down* blue; None is a gap.
    """
    text = Text()
    for usage in usages[-cells:]:
        text.append(*_column(usage, down, up))
    return text


def _column(usage: float | None, down: float, up: float) -> tuple[str, str]:
    if usage is None:
        return " ", ""
    step = min(int(usage / 100 * len(_STEPS)), len(_STEPS) - 1)
    style = "red" if usage > up else "blue" if usage < down else "green"
    return _STEPS[max(0, step)], style


def fitted(text: Text, width: int) -> Text:
    """Return *text* in exactly *width* cells, cut where it is longer."""
    if width < 1:
        return Text()
    made = text.copy()
    made.truncate(width, overflow="ellipsis", pad=True)
    return made


def column(text: str, width: int, style: str = "") -> Text:
    """Return *text* in exactly *width* cells."""
    return fitted(Text(text, style=style), width)


def wrapped(text: str, width: int, most: int, indent: str = "") -> list[Text]:
    """Return *text* on at most *most* lines; later ones begin with *indent*."""
    lines = textwrap.wrap(
        text,
        max(width, len(indent) + 1),
        subsequent_indent=indent,
        max_lines=most,
        placeholder=" …",
    )
    return [Text(line) for line in lines]


def in_ascii(text: Text) -> Text:
    """Return *text* in ASCII, as wide as it was."""
    made = text.copy()
    made.plain = "".join(map(_ascii, text.plain.translate(_IN_ASCII)))
    return made


def _ascii(character: str) -> str:
    return character if character.isascii() else "?" * cell_len(character)
