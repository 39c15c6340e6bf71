"""Write what happens to groups into the log: one event, one line."""

from attrs import frozen

from autoscaler.core.decision import Decision
from autoscaler.core.describe import fields
from autoscaler.core.events import Note
from autoscaler.core.group import Group
from autoscaler.core.policy import Mode
from autoscaler.shell.log import Log


@frozen
class LogReporter:
    """Tells a log.

    Attributes:
        log: Where to.
    """

    log: Log

    def ticked(self, group: Group) -> None:
        """Write the line of a tick."""
        if group.decision is not None:
            self.log.debug(
                "tick_decided", group=str(group.id), **fields(group.decision)
            )

    def decided(self, group: Group, before: Decision | None) -> None:
        """Write that the decision has changed."""
        decision = group.decision
        if decision is None:
            return
        self.log.info("decision_changed", group=str(group.id), **fields(decision))
        would, wanted = _would(decision), _would(before)
        if wanted and not would:
            self.log.event("would_act_ended", group=str(group.id))
        if would and not wanted:
            self.log.event("would_act_began", group=str(group.id), **fields(decision))

    def noted(self, group: Group, note: Note) -> None:
        """Write what there is to say about a member."""
        self.log.event(note.kind.value, group=str(group.id), name=str(note.name))


def _would(decision: Decision | None) -> bool:
    """Tell whether *decision* would act, were the group not only observed."""
    return decision is not None and decision.mode is not Mode.ACTIVE and decision.acts
