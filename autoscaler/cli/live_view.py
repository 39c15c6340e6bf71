"""A live view of one group for a terminal: members, mean, decision, events."""

from collections import deque
from collections.abc import Iterable, Mapping

from attrs import define, field
from rich.console import Group as Rows
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from autoscaler.core.decision import Decision, MemberClass
from autoscaler.core.describe import explain
from autoscaler.core.group import Group
from autoscaler.shell.log import Field

BAR_CELLS = 40
EVENTS_SHOWN = 8
# Of an event, what fits on a line.
TOLD = ("outcome", "reason", "clones", "victim", "name", "took_s", "error", "domain")
COLOURS = {
    MemberClass.FRESH: "green",
    MemberClass.WARMING: "yellow",
    MemberClass.RESERVED: "cyan",
    MemberClass.DRAINING: "magenta",
    MemberClass.GIVEN_UP: "red",
    MemberClass.DEAD: "red",
}


@define
class LiveView:
    """What is on the screen: one group and the latest events.

    Attributes:
        title: Above everything.
        events: The latest lines.
    """

    title: str
    events: deque[str] = field(factory=lambda: deque(maxlen=EVENTS_SHOWN))

    def note(self, name: str, fields: Mapping[str, Field]) -> None:
        """Add an event to those shown."""
        told = [f"{k}={v}" for k, v in fields.items() if k in TOLD and v is not None]
        self.events.append(f"{name}  {' '.join(told)}")

    def render(self, group: Group, footer: str) -> RenderableType:
        """Return the screen for *group*."""
        decision = group.decision
        rows: list[RenderableType] = []
        if decision is None:
            rows.append(Text("waiting for the host's first frames", style="dim"))
        else:
            rows += [_members(decision), _mean(decision), _why(decision)]
        rows.append(_events(self.events))
        rows.append(Text(footer, style="dim"))
        return Panel(Rows(*rows), title=self.title, title_align="left")


def _members(decision: Decision) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for standing in decision.load.standings:
        colour = COLOURS.get(standing.counts_as, "white")
        usage = "    -" if standing.usage is None else f"{standing.usage:4.0f}%"
        table.add_row(
            Text(str(standing.name)),
            _bar(standing.usage, (), colour),
            Text(usage),
            Text(standing.counts_as.value, style=colour),
        )
    return table


def _mean(decision: Decision) -> RenderableType:
    mean = decision.load.mean_up
    marks = (decision.down_threshold, decision.up_threshold)
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    shown = "    -" if mean is None else f"{mean:4.0f}%"
    table.add_row(
        Text("mean".ljust(_name_width(decision)), style="bold"),
        _bar(mean, marks, "bold blue"),
        Text(shown, style="bold"),
        Text(f"down < {marks[0]:g}   up > {marks[1]:g}", style="dim"),
    )
    return table


def _name_width(decision: Decision) -> int:
    return max((len(str(s.name)) for s in decision.load.standings), default=0)


def _bar(percent: float | None, marks: Iterable[float], style: str) -> Text:
    """Return a bar of *percent*, with a line at each of *marks*."""
    filled = round((percent or 0.0) / 100 * BAR_CELLS)
    bar = Text("█" * filled, style=style)
    bar.append("·" * (BAR_CELLS - filled), style="dim")
    for mark in marks:
        place = min(round(mark / 100 * BAR_CELLS), BAR_CELLS - 1)
        bar = bar[:place] + Text("│", style="bold red") + bar[place + 1 :]
    return bar


def _why(decision: Decision) -> RenderableType:
    style = "bold green" if decision.acts else "bold"
    head = f"{decision.outcome.value}: {decision.reason.value}"
    return Text.assemble("\n", (head, style), "  ", explain(decision))


def _events(events: Iterable[str]) -> RenderableType:
    lines = list(events)
    return Text("\n" + "\n".join(lines + [""] * (EVENTS_SHOWN - len(lines))))
