"""Write what happens to groups into the log: one event, one line."""

from collections.abc import Sequence

from attrs import frozen

from autoscaler.core.decision import Decision, Reason
from autoscaler.core.describe import explain
from autoscaler.core.events import Note
from autoscaler.core.group import Group
from autoscaler.core.numbers import fields
from autoscaler.core.policy import Mode
from autoscaler.shell.fleet import Reporter
from autoscaler.shell.log import Field, Log


@frozen
class Reporters:
    """Tells several.

    Attributes:
        each: Whom, in this order.
    """

    each: Sequence[Reporter]

    def ticked(self, group: Group) -> None:
        """Tell of a tick."""
        for reporter in self.each:
            reporter.ticked(group)

    def decided(self, group: Group, before: Decision | None) -> None:
        """Tell of a decision that has changed."""
        for reporter in self.each:
            reporter.decided(group, before)

    def noted(self, group: Group, note: Note) -> None:
        """Tell what there is to say about a member or the group."""
        for reporter in self.each:
            reporter.noted(group, note)


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
            self.log.debug("tick_decided", **_told(group, group.decision))

    def decided(self, group: Group, before: Decision | None) -> None:
        """Write that the decision has changed."""
        decision = group.decision
        if decision is None:
            return
        told = _told(group, decision)
        if decision.reason is Reason.BUSY:
            # The action's own lines say when it begins and ends.
            self.log.debug("decision_changed", **told)
        else:
            self.log.info("decision_changed", **told)
        would, wanted = _would(decision), _would(before)
        if wanted and not would:
            of = {} if decision.id is None else {"decision_id": decision.id}
            self.log.event("would_act_ended", group=str(group.id), **of)
        if would and not wanted:
            self.log.event("would_act_began", **told)

    def noted(self, group: Group, note: Note) -> None:
        """Write what there is to say about a member or the group."""
        about: dict[str, Field] = {"group": str(group.id), "name": str(note.name)}
        self.log.event(note.kind.value, **about, **dict(note.evidence))


def _told(group: Group, decision: Decision) -> dict[str, Field]:
    """Return the fields of a line: the sentence, and the numbers known."""
    numbers = fields(decision)
    known = {key: value for key, value in numbers.items() if value is not None}
    return {"group": str(group.id), "why": explain(decision), **known}


def _would(decision: Decision | None) -> bool:
    """Tell whether *decision* would act, were the group not only observed."""
    return decision is not None and decision.mode is not Mode.ACTIVE and decision.acts
