"""A live view of one group for a terminal: members, mean, decision, events."""

from collections.abc import Iterator

from attrs import define, field
from rich.console import Group as Rows
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from autoscaler.cli.demos.blocks import Latest, why
from autoscaler.cli.screen.drawing import BAR_CELLS, bar, colour_of, percent
from autoscaler.core.decision import Decision
from autoscaler.core.group import Group

# Narrower terminals have shorter bars, or none, and less beside the mean's.
NARROW = 80
_SHORTEST_BAR = 5
# The borders, usages and gaps of a line.
_OTHER_CELLS = 4 + 5 + 3 * 2


@define
class UsageView:
    """What is on the screen: one group and the latest events.

    Attributes:
        title: Above everything.
        latest: The latest events.
    """

    title: str
    latest: Latest = field(factory=Latest)

    def render(self, group: Group, footer: str, width: int) -> RenderableType:
        """Return the screen for *group*, *width* cells wide."""
        decision = group.decision
        rows: list[RenderableType] = []
        if decision is None:
            rows.append(Text("waiting for the host's first frames", style="dim"))
        else:
            rows += [*_bars(decision, width), why(decision)]
        rows.append(self.latest.block())
        rows.append(Text(footer, style="dim"))
        return Panel(Rows(*rows), title=self.title, title_align="left")


def _bars(decision: Decision, width: int) -> Iterator[RenderableType]:
    """Yield the members' lines, and that of their mean."""
    down, up = decision.down_threshold, decision.up_threshold
    limits = f"< {down:g}  > {up:g}"
    if width >= NARROW:
        limits = f"down < {down:g}   up > {up:g}"
    standings = decision.load.standings
    names = max((len(str(s.name)) for s in standings), default=0)
    room = width - _OTHER_CELLS - names - len(limits)
    cells = min(room, BAR_CELLS) if room >= _SHORTEST_BAR else 0
    members = _lines()
    for standing in standings:
        colour = colour_of(standing.counts_as)
        members.add_row(
            Text(str(standing.name)),
            *([bar(standing.usage, (), colour, cells)] if cells else ()),
            Text(percent(standing.usage)),
            Text(standing.counts_as.value, style=colour),
        )
    yield members
    mean = _lines()
    mean.add_row(
        Text("mean".ljust(names), style="bold"),
        *(
            [bar(decision.load.mean_up, (down, up), "bold blue", cells)]
            if cells
            else ()
        ),
        Text(percent(decision.load.mean_up), style="bold"),
        Text(limits, style="dim"),
    )
    yield mean


def _lines() -> Table:
    return Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
