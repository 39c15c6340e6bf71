"""What groups decide, as lines of the log."""

from attrs import frozen

from autoscaler.core.decision import Decision
from autoscaler.core.describe import explain, fields, members
from autoscaler.core.events import Note
from autoscaler.core.group import Group
from autoscaler.core.policy import Mode
from autoscaler.shell.log import Log


@frozen
class LogReporter:
    """Writes what happens to groups to *log*."""

    log: Log

    def ticked(self, group: Group) -> None:
        """Write the one line that every tick of a group has."""
        if group.decision is not None:
            self.log.event(
                "tick_decided",
                group=str(group.id),
                **fields(group.decision),
                members=members(group.decision),
            )

    def decided(self, group: Group, before: Decision | None) -> None:
        """Write that the group's decision isn't the one *before*."""
        decision = group.decision
        if before is not None and _would_act(before):
            self.log.event(
                "would_act_ended", group=str(group.id), reason=before.reason.value
            )
        if decision is None:
            return
        self.log.event(
            "decision_changed",
            group=str(group.id),
            **fields(decision),
            before=None if before is None else before.reason.value,
            why=explain(decision),
        )
        if _would_act(decision):
            self.log.event(
                "would_act_began", group=str(group.id), reason=decision.reason.value
            )

    def noted(self, group: Group, note: Note) -> None:
        """Write what there is to say about a member."""
        self.log.event(note.kind.value, group=str(group.id), member=str(note.name))


def _would_act(decision: Decision) -> bool:
    return decision.acts and decision.mode is Mode.OBSERVE
