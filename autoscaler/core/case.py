"""What rules look at, and what they say."""

from attrs import evolve, frozen

from albatross_client.names import Name
from autoscaler.core.actions import Slot
from autoscaler.core.decision import Decision, Load, Outcome, Reason, Shortage
from autoscaler.core.group import (
    Group,
    Member,
    Ticks,
)
from autoscaler.core.ledger import Backoff
from autoscaler.core.standbys import count_staying, find_ready, find_wanted
from autoscaler.core.view import View


@frozen
class Ruling:
    """What a rule says.

    Attributes:
        decision: The decision.
        ticks: The counters after it.
        slots: Where the clones go that it creates.
        create_first: Whether a replacement has room before the old one goes.
        promoted: Standbys that are given work.
    """

    decision: Decision
    ticks: Ticks
    slots: tuple[Slot, ...] = ()
    create_first: bool = True
    promoted: tuple[Name, ...] = ()


@frozen
class Case:
    """All that rules look at.

    Attributes:
        group: The group, its members' newest usage included.
        view: What is known of its host.
        now: Monotonic seconds.
        load: What the members say.
        ticks: The counters, before this tick.
        held: Why a given-up clone is not replaced now.
        has_usage: Whether there is a new usage, so that the tick counts.
    """

    group: Group
    view: View
    now: float
    load: Load
    ticks: Ticks
    held: Reason | None = None
    has_usage: bool = True

    def hold(
        self,
        reason: Reason,
        ticks: Ticks | None = None,
        *,
        left_s: float | None = None,
        shortage: Shortage | None = None,
    ) -> Ruling:
        """Return a ruling that does nothing."""
        ticks = ticks or self.ticks
        decision = self._decision(Outcome.HOLD, reason, ticks)
        if left_s is not None or shortage is not None:
            decision = evolve(decision, left_s=left_s, shortage=shortage)
        return Ruling(decision, ticks)

    def grow(
        self,
        reason: Reason,
        ticks: Ticks,
        promoted: tuple[Name, ...],
        slots: tuple[Slot, ...] = (),
    ) -> Ruling:
        """Return a ruling that adds standbys and new clones."""
        ruling = self.act(Outcome.UP, reason, ticks, slots)
        decision = evolve(ruling.decision, promoted=len(promoted))
        return evolve(ruling, decision=decision, promoted=promoted)

    def act(
        self,
        outcome: Outcome,
        reason: Reason,
        ticks: Ticks,
        slots: tuple[Slot, ...] = (),
        victims: tuple[Name, ...] = (),
    ) -> Ruling:
        """Return a ruling that changes the group."""
        decision = self._decision(outcome, reason, ticks)
        decision = evolve(
            decision,
            count=len(slots),
            victim=victims[0] if victims else None,
            more_victims=victims[1:],
        )
        return Ruling(decision, ticks, slots)

    def _decision(self, outcome: Outcome, reason: Reason, ticks: Ticks) -> Decision:
        policy = self.group.policy
        return Decision(
            outcome=outcome,
            reason=reason,
            mode=self.group.mode,
            load=self.load,
            high=min(ticks.high, policy.scale_up_trigger_ticks),
            high_needed=policy.scale_up_trigger_ticks,
            low=min(ticks.low, policy.scale_down_trigger_ticks),
            low_needed=policy.scale_down_trigger_ticks,
            up_threshold=policy.scale_up_threshold_percent,
            down_threshold=policy.scale_down_threshold_percent,
            clones=self.group.serving_and_slots,
            min_clones=policy.min_clones,
            max_clones=policy.max_clones,
            replacement_held=self.held,
            outdated=len(self.group.outdated),
            is_managed=self.group.id.is_managed,
            standbys=count_staying(self.group),
            standbys_ready=len(self.ready),
            standbys_wanted=find_wanted(self.group, self.now),
        )

    @property
    def ready(self) -> tuple[Member, ...]:
        """The standbys that could serve at once."""
        return find_ready(self.group, self.view, self.load)

    def cooldown_left(self, length: float) -> float:
        """Return for how many seconds a cooldown of this *length* holds."""
        changed_at = self.group.ledger.changed_at
        return 0.0 if changed_at is None else max(0.0, changed_at + length - self.now)

    def bar(
        self,
        ruling: Ruling,
        reason: Reason,
        *,
        left_s: float | None = None,
        age_s: float | None = None,
        evidence: str | None = None,
    ) -> Ruling:
        """Return the hold that stands in the place of *ruling*."""
        held = self.hold(reason, ruling.ticks, left_s=left_s)
        barred = ruling.decision.reason
        decision = evolve(held.decision, barred=barred, age_s=age_s, evidence=evidence)
        return evolve(held, decision=decision)

    def backoff_left(self, backoff: Backoff) -> float:
        """Return for how long *backoff* holds creating today's image."""
        made_from = self.group.blueprint(self.view)
        if made_from is not None and backoff.digest not in {b"", made_from.digest}:
            return 0.0
        return backoff.left(self.now)
