"""Counts what happens, for whoever asks later.

Law: what is counted by is of our own vocabulary or of the configuration: no
number of series grows with what hosts or clients say.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping

from attrs import define, field

from autoscaler.core.decision import Decision
from autoscaler.core.events import Note
from autoscaler.core.group import Group
from autoscaler.shell.log import Field

# Seconds: a create with its image takes 0.3 s on a machine nearby, and up to a
# boot_timeout; a rollout waits for min_stable.
BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
KINDS: Mapping[str, str] = {
    "CreateClones": "create",
    "DestroyClone": "destroy",
    "ReplaceClone": "replace",
}
OUTCOMES = ("done", "failed", "withdrawn")


@define
class Histogram:
    """How often something took how long.

    Attributes:
        counts: By the first of `BOUNDS` that is not shorter; last: longer.
        total: Seconds, all together.
    """

    counts: list[int] = field(factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0

    def take(self, seconds: float) -> None:
        """Count one more."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


@define
class Tally:
    """What has happened since the start; a reporter, and a log's listener.

    Attributes:
        decisions: Of ticks, by outcome and reason.
        actions: That have ended, by kind and outcome.
        durations: How long they took, by kind.
        lost: Subscriptions that have ended, by host.
        bugs: That were contained.
    """

    decisions: Counter[tuple[str, str]] = field(factory=Counter)
    actions: Counter[tuple[str, str]] = field(factory=Counter)
    durations: Mapping[str, Histogram] = field(
        factory=lambda: {kind: Histogram() for kind in KINDS.values()}
    )
    lost: Counter[str] = field(factory=Counter)
    bugs: int = 0

    def ticked(self, group: Group) -> None:
        """Count what was decided."""
        decision = group.decision
        if decision is not None:
            self.decisions[decision.outcome.value, decision.reason.value] += 1

    def decided(self, group: Group, before: Decision | None) -> None:
        """A change is counted as what it is changed to, at its tick."""

    def noted(self, group: Group, note: Note) -> None:
        """Notes aren't counted."""

    def hear(self, event: str, fields: Mapping[str, Field]) -> None:
        """Count what a log is told."""
        match event:
            case "action_finished":
                self._finish(str(fields["outcome"]), fields)
            case "action_withdrawn":
                self._finish("withdrawn", fields)
            case "stream_lost" | "stream_contested":
                self.lost[str(fields["host"])] += 1
            case "bug_contained":
                self.bugs += 1
            case _:
                pass

    def _finish(self, outcome: str, fields: Mapping[str, Field]) -> None:
        kind = KINDS[str(fields["action"])]
        self.actions[kind, outcome] += 1
        took = fields.get("took_s")
        if isinstance(took, int | float):
            self.durations[kind].take(took)
