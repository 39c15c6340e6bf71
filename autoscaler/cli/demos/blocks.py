"""What live views are put together from: bars, the decision, latest events."""

from collections import deque
from collections.abc import Iterable, Mapping

from attrs import define, field
from rich.console import RenderableType
from rich.text import Text

from autoscaler.core.decision import Decision, MemberClass
from autoscaler.core.describe import explain
from autoscaler.shell.log import Field

BAR_CELLS = 40
EVENTS_SHOWN = 8
# Of an event, what fits on a line.
TOLD = (
    *("outcome", "reason", "clones", "victim", "name", "took_s", "error", "domain"),
    *("server", "step", "held", "scene"),
)
_COLOURS = {
    MemberClass.FRESH: "green",
    MemberClass.WARMING: "yellow",
    MemberClass.RESERVED: "cyan",
    MemberClass.DRAINING: "magenta",
    MemberClass.STANDBY: "bright_black",
    MemberClass.GIVEN_UP: "red",
    MemberClass.DEAD: "red",
}


@define
class Latest:
    """The latest events.

    Attributes:
        lines: One each.
    """

    lines: deque[str] = field(factory=lambda: deque(maxlen=EVENTS_SHOWN))

    def note(self, name: str, fields: Mapping[str, Field]) -> None:
        """Add an event."""
        told = [f"{k}={v}" for k, v in fields.items() if k in TOLD and v is not None]
        self.lines.append(f"{name}  {' '.join(told)}")

    def block(self, count: int = EVENTS_SHOWN) -> RenderableType:
        """Return the last *count* of them, one line each."""
        lines = list(self.lines)[-count:]
        text = "\n" + "\n".join(lines + [""] * (count - len(lines)))
        return Text(text, no_wrap=True, overflow="ellipsis")


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


def why(decision: Decision) -> Text:
    """Return what was decided, and why, below an empty line."""
    style = "bold green" if decision.acts else "bold"
    head = f"{decision.outcome.value}: {decision.reason.value}"
    return Text.assemble("\n", (head, style), "  ", explain(decision))
