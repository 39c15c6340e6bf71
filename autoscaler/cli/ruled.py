"""Tables for a terminal: ruled, and never wider than that is.

Laws: names and numbers are never broken; what has no room beside them stands
below them, by name.
"""

import textwrap
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

GAP = "   "
# Less makes a sentence a column of single words.
LEAST_ROOM = 24
_LEFT = " "
_BELOW = "   "
_NOTHING = frozenset({"", "-"})


def ruled(
    header: Sequence[str], rows: Sequence[Sequence[str]], width: int, rule: str
) -> Iterator[Text]:
    """Yield the lines of a table, each in at most *width* cells.

    The first column alone may be wider: nothing in it is broken.

    Arguments:
        header: What the columns are called.
        rows: As many cells each.
        width: Of the terminal.
        rule: What is drawn below the header, a character.
    """
    # On the left stands a space.
    width -= len(_LEFT)
    widths = [max(map(cell_len, column)) for column in zip(header, *rows, strict=True)]
    beside = _fitting(widths, width)
    is_whole = beside == len(widths)
    if is_whole:
        widths[-1] = min(widths[-1], width - _length([*widths[:-1], 0]))
    shown = widths[:beside]
    yield Text(f"{_LEFT}{_line(header, shown)}".rstrip(), style="bold")
    yield Text(f"{_LEFT}{rule * _length(shown)}")
    for row in rows:
        if is_whole:
            yield from _wrapped(row, shown)
        else:
            yield Text(f"{_LEFT}{_line(row, shown)}".rstrip())
            yield from _below(header[beside:], row[beside:], width)


def _fitting(widths: Sequence[int], width: int) -> int:
    """Return how many columns have room beside each other, at least one."""
    *names, last = widths
    needed = [*names, min(last, LEAST_ROOM)]
    for count in range(len(needed), 1, -1):
        if _length(needed[:count]) <= width:
            return count
    return 1


def _length(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _wrapped(row: Sequence[str], widths: Sequence[int]) -> Iterator[Text]:
    """Yield *row*, its last cell on as many lines as it takes."""
    start = _line((*row[:-1], ""), widths)
    for part in _lines(row[-1], widths[-1]) or [""]:
        yield Text(f"{_LEFT}{start}{part}".rstrip())
        start = " " * cell_len(start)


def _below(header: Sequence[str], row: Sequence[str], width: int) -> Iterator[Text]:
    """Yield what there is of *row*, by name."""
    told = [
        f"{name}: {cell}"
        for name, cell in zip(header, row, strict=True)
        if cell not in _NOTHING
    ]
    room = max(width - len(_BELOW), 1)
    for line in _lines(GAP.join(told), room):
        yield Text(f"{_LEFT}{_BELOW}{line}")


def _lines(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return as many of *cells* as there are *widths*, the last as it is."""
    *names, last = cells[: len(widths)]
    padded = (
        f"{cell}{' ' * (width - cell_len(cell))}{GAP}"
        for cell, width in zip(names, widths, strict=False)
    )
    return f"{''.join(padded)}{last}"
