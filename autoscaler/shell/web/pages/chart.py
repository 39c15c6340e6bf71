"""Charts of an hour as SVG: where lines and marks go; pure.

A chart is drawn 1:1 on a card: a minute is 5 pixels wide and a percent one
pixel high.  Coordinates are whole and relative: two hundred cards go over the
wire, and that halves them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import frozen
from markupsafe import Markup

from autoscaler.shell.web.pages.hour import MINUTE_S, MINUTES, Deed, Kind

STEP = 5
WIDTH = (MINUTES - 1) * STEP
TOP = 100
# More lines can't be told apart: of more members the busiest are drawn, and
# all others are one band.
MOST_LINES = 6
SIZE_TOP = 22

Series = tuple[float | None, ...]
Sizes = tuple[int | None, ...]


@frozen
class Line:
    """One member's line.

    Attributes:
        name: The member.
        number: Which of the styles it has.
        path: For SVG.
        values: By minute, percent; None: not known.
    """

    name: str
    number: int
    path: str
    values: Series

    @property
    def newest(self) -> float | None:
        """The last usage that is known, of the last two minutes."""
        return _newest(self.values[-2:])


@frozen
class Mark:
    """An action in the chart.

    Attributes:
        x: Where.
        deed: What was done.
        minutes_ago: How long ago that was.
    """

    x: int
    deed: Deed
    minutes_ago: int

    @property
    def shape(self) -> str:
        """The path of its mark, at the height 0."""
        match self.deed.kind:
            case _ if self.deed.has_failed:
                return "m-4 1 8 8m0-8-8 8"
            case Kind.CREATE:
                return "m-5 9 5-9 5 9z"
            case Kind.DESTROY:
                return "m-5 0 5 9 5-9z"
            case _:
                return "m-5 4.5 5-4.5 5 4.5-5 4.5z"


@frozen(kw_only=True)
class Chart:
    """An hour of a group, drawn.

    Attributes:
        lines: Of members, those first that have a style of their own.
        band: The path around all members that have none; None: all have one.
        more: How many members that band is of.
        up: Where the threshold for growing is, percent.
        down: Likewise for shrinking.
        size: The path of the area below the number of members.
        size_line: The path of its upper edge.
        largest: The most members in the hour.
        sizes: How many there were, by minute.
        marks: Actions.
    """

    lines: tuple[Line, ...]
    band: str | None
    more: int
    up: float
    down: float
    size: str
    size_line: str
    largest: int
    sizes: Sizes
    marks: tuple[Mark, ...]

    @property
    def levels(self) -> tuple[int, int]:
        """Where the thresholds are drawn."""
        return TOP - round(self.up), TOP - round(self.down)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw yet."""
        return not self.lines and not any(self.sizes)

    def rows(self, every: int) -> Markup:
        """Return the rows of a table as HTML, the newest first.

        Each has how many minutes ago, the members' usages, and the size.

        Arguments:
            every: So many minutes are one row, with the newest of them.
        """
        columns = [line.values for line in self.lines]
        lasts = range(MINUTES, 0, -every)
        rows = (
            (
                MINUTES - last,
                [_newest(values[last - every : last]) for values in columns],
                _newest(self.sizes[last - every : last]),
            )
            for last in lasts
        )
        # A template takes ten times as long, and numbers need no escapes.
        return Markup("".join(_row(*row) for row in rows))  # noqa: S704 - said above


def _newest(values: Sequence[float | None]) -> float | None:
    if values[-1] is not None:
        return values[-1]
    return next((value for value in reversed(values) if value is not None), None)


def _row(ago: int, usages: Sequence[float | None], size: float | None) -> str:
    cells = "".join(f"<td>{_whole(usage)}</td>" for usage in usages)
    if size is None and not any(usage is not None for usage in usages):
        return ""
    return f'<tr><th scope="row">{ago}</th>{cells}<td>{_whole(size)}</td></tr>'


def _whole(number: float | None) -> str:
    return "-" if number is None else f"{number:.0f}"


def draw(
    usages: Mapping[str, Series],
    sizes: Sizes,
    deeds: Iterable[Deed],
    until: int,
    thresholds: tuple[float, float],
) -> Chart:
    """Return the chart of the hour that ends with minute *until*.

    Arguments:
        usages: By member, each of `MINUTES` values.
        sizes: How many members might serve.
        deeds: Actions that have ended.
        until: Minutes since 1970.
        thresholds: Percent: of growing, and of shrinking.
    """
    names = _chosen(usages)
    rest = [values for name, values in usages.items() if name not in names]
    largest = max((size for size in sizes if size is not None), default=0)
    edge = _steps(sizes, largest)
    return Chart(
        lines=tuple(
            Line(name, number, _line(usages[name]), usages[name])
            for number, name in enumerate(names)
        ),
        band=_band(rest) if rest else None,
        more=len(rest),
        up=thresholds[0],
        down=thresholds[1],
        size="".join(f"{part}V{SIZE_TOP}H{x}z" for part, x in edge),
        size_line="".join(part for part, _ in edge),
        largest=largest,
        sizes=sizes,
        marks=tuple(_mark(deed, until) for deed in deeds),
    )


def _chosen(usages: Mapping[str, Series]) -> list[str]:
    """Return the members that are drawn, in their order."""
    names = list(usages)
    if len(names) <= MOST_LINES:
        return names

    def newest(name: str) -> tuple[bool, float]:
        known = [value for value in usages[name][-5:] if value is not None]
        return bool(known), known[-1] if known else 0.0

    busiest = set(sorted(names, key=newest, reverse=True)[: MOST_LINES - 1])
    return [name for name in names if name in busiest]


def _line(values: Sequence[float | None]) -> str:
    """Return a path through *values*, with gaps where there are none."""
    parts: list[str] = []
    before: int | None = None
    for index, value in enumerate(values):
        if value is None:
            before = None
            continue
        y = TOP - round(value)
        if before is None:
            alone = index + 1 == len(values) or values[index + 1] is None
            # A line of no length has round ends: a dot.
            parts.append(f"M{index * STEP} {y}{'h0' if alone else ''}")
        else:
            parts.append(_PIECES[y - before])
        before = y
    return "".join(parts)


# By how far a line goes down within a minute.
_PIECES = {
    dy: f"h{STEP}" if dy == 0 else f"l{STEP}{'' if dy < 0 else ' '}{dy}"
    for dy in range(-TOP, TOP + 1)
}


def _band(rest: Sequence[Series]) -> str:
    """Return the path around all values of *rest*."""
    path = ""
    for first, last in _runs([any(v is not None for v in at) for at in zip(*rest)]):  # noqa: B905 - all of an hour
        minutes = range(first, last + 1)
        known = [[v[m] for v in rest if v[m] is not None] for m in minutes]
        highs = [TOP - round(max(v for v in at if v is not None)) for at in known]
        lows = [TOP - round(min(v for v in at if v is not None)) for at in known]
        there = " ".join(f"{m * STEP} {y}" for m, y in zip(minutes, highs, strict=True))
        back = zip(reversed(minutes), reversed(lows), strict=True)
        path += f"M{there} {' '.join(f'{m * STEP} {y}' for m, y in back)}z"
    return path


def _runs(known: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last index of each run that is known."""
    first: int | None = None
    for index, is_known in enumerate((*known, False)):
        if is_known and first is None:
            first = index
        elif not is_known and first is not None:
            yield first, index - 1
            first = None


def _steps(sizes: Sizes, largest: int) -> list[tuple[str, int]]:
    """Return the upper edges of the size, each with where it begins."""
    edges: list[tuple[str, int]] = []
    for first, last in _runs([size is not None for size in sizes]):
        before, x = sizes[first], first * STEP
        path = f"M{x} {_height(before or 0, largest)}"
        for index in range(first + 1, last + 1):
            size = sizes[index]
            if size != before:
                path += f"H{index * STEP}V{_height(size or 0, largest)}"
                before = size
        edges.append((f"{path}H{last * STEP}", x))
    return edges


def _height(size: int, largest: int) -> int:
    return round(SIZE_TOP - SIZE_TOP * size / max(largest, 1))


def _mark(deed: Deed, until: int) -> Mark:
    ago = max(0, until - int(deed.at // MINUTE_S))
    return Mark(max(0, WIDTH - ago * STEP), deed, ago)
