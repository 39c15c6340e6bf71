"""A live view of one group for a terminal: members, mean, decision, events."""

from attrs import define, field
from rich.console import Group as Rows
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from autoscaler.cli.demos.blocks import Latest, why
from autoscaler.cli.screen.drawing import bar, colour_of, percent
from autoscaler.core.decision import Decision
from autoscaler.core.group import Group


@define
class UsageView:
    """What is on the screen: one group and the latest events.

    Attributes:
        title: Above everything.
        latest: The latest events.
    """

    title: str
    latest: Latest = field(factory=Latest)

    def render(self, group: Group, footer: str) -> RenderableType:
        """Return the screen for *group*."""
        decision = group.decision
        rows: list[RenderableType] = []
        if decision is None:
            rows.append(Text("waiting for the host's first frames", style="dim"))
        else:
            rows += [_members(decision), _mean(decision), why(decision)]
        rows.append(self.latest.block())
        rows.append(Text(footer, style="dim"))
        return Panel(Rows(*rows), title=self.title, title_align="left")


def _members(decision: Decision) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for standing in decision.load.standings:
        colour = colour_of(standing.counts_as)
        table.add_row(
            Text(str(standing.name)),
            bar(standing.usage, (), colour),
            Text(percent(standing.usage)),
            Text(standing.counts_as.value, style=colour),
        )
    return table


def _mean(decision: Decision) -> RenderableType:
    mean = decision.load.mean_up
    marks = (decision.down_threshold, decision.up_threshold)
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_row(
        Text("mean".ljust(_name_width(decision)), style="bold"),
        bar(mean, marks, "bold blue"),
        Text(percent(mean), style="bold"),
        Text(f"down < {marks[0]:g}   up > {marks[1]:g}", style="dim"),
    )
    return table


def _name_width(decision: Decision) -> int:
    return max((len(str(s.name)) for s in decision.load.standings), default=0)
