"""A whole screen: the table or a text, and a line about keys below it.

Laws: no I/O.
"""

from typing import assert_never

from attrs import evolve, frozen
from rich.console import ConsoleDimensions
from rich.text import Text

from autoscaler.cli.screen.drawing import fitted
from autoscaler.cli.screen.looking import (
    Asked,
    Choosing,
    Helping,
    Looking,
    Page,
    Reading,
    resized,
)
from autoscaler.cli.screen.table import Drawn, Scene, draw

# For 60 columns.
_HELP = (
    "up, down, j, k          choose a group",
    "PgUp, PgDn, Home, End   choose one further away",
    "e, Enter                explain the chosen group",
    "p                       pause it, or resume it: asks first",
    "Esc, q                  back",
    "q, Ctrl-C               leave",
    "Ctrl-L                  draw everything anew",
    "",
    "!! look at it now   ! look at it soon",
    "",
    "wants   clones that the load asks for",
    "can     that policies, cores and max_clones allow",
    "has     that run",
    "load    the mean of those who report; the bar has a line",
    "        at each threshold",
    "hour    the mean of each minute, oldest first",
    "holds   what stands in the way, and for how long",
)


@frozen
class Painted:
    """A screen, and what is looked at on it."""

    lines: tuple[Text, ...]
    looking: Looking


def paint(scene: Scene, looking: Looking, size: ConsoleDimensions) -> Painted:
    """Return all lines of a screen of *size*, and *looking* fitted to it."""
    below = ConsoleDimensions(size.width, max(0, size.height - 1))
    drawn = _body(scene, looking, below)
    looking = resized(looking, drawn.rows)
    if isinstance(looking.page, Reading):
        # It may have been scrolled further than there is now.
        drawn = _body(scene, looking, below)
    blank = (Text(),) * (below.height - len(drawn.lines))
    footer = fitted(_footer(looking), size.width)
    lines = (*drawn.lines[: below.height], *blank, footer)
    return Painted(lines[: size.height] or (footer,), looking)


def _body(scene: Scene, looking: Looking, size: ConsoleDimensions) -> Drawn:
    page = looking.page
    match page:
        case Choosing() | Asked():
            return draw(evolve(scene, place=looking.place), size)
        case Helping():
            return _text("autoscaler top", _HELP, size)
        case Reading():
            return _text(f"explain {page.group}", page.lines[page.first :], size)
        case _:
            assert_never(page)


def _text(title: str, lines: tuple[str, ...], size: ConsoleDimensions) -> Drawn:
    shown = [Text(title, style="bold"), *map(Text, lines)][: size.height]
    cut = tuple(fitted(line, size.width) for line in shown)
    return Drawn(cut, max(1, size.height - 1))


def _footer(looking: Looking) -> Text:
    page: Page = looking.page
    match page:
        case Asked():
            question = f"{page.verb} {page.group}? y: yes, any other key: no"
            return Text(question, style="bold reverse")
        case Choosing():
            if looking.said:
                return Text(looking.said, style="bold")
            return Text(_keys(looking), style="dim")
        case Helping():
            return Text("Esc or q: back", style="dim")
        case Reading():
            rest = len(page.lines) - page.first - looking.height
            more = f"; {rest} more lines below" if rest > 0 else ""
            return Text(f"Esc, q or e: back{more}", style="dim")
        case _:
            assert_never(page)


def _keys(looking: Looking) -> str:
    row = looking.row
    if row is None:
        return "q: leave  ?: help"
    verb = "resume" if row.is_held else "pause"
    place = f"{looking.place + 1} of {len(looking.rows)}"
    return f"q: leave  e: explain  p: {verb}  arrows: choose  ?: help  ({place})"
