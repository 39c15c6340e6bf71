"""What views of demos are put together from: the decision, latest events."""

from collections import deque
from collections.abc import Mapping

from attrs import define, field
from rich.console import RenderableType
from rich.text import Text

from autoscaler.core.decision import Decision
from autoscaler.core.describe import explain
from autoscaler.shell.log import Field

EVENTS_SHOWN = 8
# Of an event, what fits on a line.
TOLD = (
    *("outcome", "reason", "clones", "victim", "name", "took_s", "error", "domain"),
    *("server", "step", "held", "scene"),
)


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


def why(decision: Decision) -> Text:
    """Return what was decided, and why, below an empty line."""
    style = "bold green" if decision.acts else "bold"
    head = f"{decision.outcome.value}: {decision.reason.value}"
    return Text.assemble("\n", (head, style), "  ", explain(decision))
