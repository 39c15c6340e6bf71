"""The decision: nine rules, the first that applies wins.

Each rule is a function from a `Case` to a `Ruling`, or None where it does not
apply.  A ruling is a decision and the tick counters that it leaves behind.
"""

from attrs import evolve, frozen

from albatross_client.names import Name
from autoscaler.core.actions import Slot
from autoscaler.core.capacity import find_slots
from autoscaler.core.decision import (
    Decision,
    Load,
    MemberClass,
    Outcome,
    Reason,
    Shortage,
)
from autoscaler.core.group import Backoff, Group, Member, Ticks
from autoscaler.core.policy import Mode
from autoscaler.core.view import View

# At such a mean the demand may be any: a step is not made smaller.
SATURATED_PERCENT = 99.0
# Without a conclusive tick for so long, ticks before it are not consecutive.
FORGET_TICKS_S = 60.0
FORGET_TICKS_INTERVALS = 6
# Whatever its clones do, a group replaces no more of them.
REPLACEMENTS_AN_HOUR = 15
HOUR_S = 3600.0


@frozen
class Ruling:
    """What a rule says.

    Attributes:
        decision: The decision.
        ticks: The counters after it.
        slots: Where the clones go that it creates.
    """

    decision: Decision
    ticks: Ticks
    slots: tuple[Slot, ...] = ()


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
    """

    group: Group
    view: View
    now: float
    load: Load
    ticks: Ticks
    held: Reason | None = None

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

    def act(
        self,
        outcome: Outcome,
        reason: Reason,
        ticks: Ticks,
        slots: tuple[Slot, ...] = (),
        victim: Name | None = None,
    ) -> Ruling:
        """Return a ruling that changes the group."""
        decision = self._decision(outcome, reason, ticks)
        decision = evolve(decision, count=len(slots), victim=victim)
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
            clones=self.group.clones_and_slots,
            min_clones=policy.min_clones,
            max_clones=policy.max_clones,
            replacement_held=self.held,
        )

    def cooldown_left(self, length: float) -> float:
        """Return for how many seconds a cooldown of this *length* holds."""
        changed_at = self.group.ledger.changed_at
        return 0.0 if changed_at is None else max(0.0, changed_at + length - self.now)

    def backoff_left(self, backoff: Backoff) -> float:
        """Return for how long *backoff* holds creating today's image."""
        primary = self.view.info(self.group.id.primary)
        if primary is not None and backoff.digest not in {b"", primary.digest}:
            return 0.0
        return backoff.left(self.now)


def decide(group: Group, view: View, load: Load, now: float) -> Ruling:
    """Return what *group* should do at a tick."""
    case = Case(group, view, now, load, _remembered(group.ticks, load, view, now))
    ruling = _bounds(case) or _no_data(case)
    if ruling is not None:
        return ruling
    replacement = _given_up(case)
    if isinstance(replacement, Ruling):
        return replacement
    if replacement is not None:
        case = evolve(case, held=replacement)
    return (
        _high(case) or _low(case) or case.hold(Reason.STEADY, case.ticks.counted(0, 0))
    )


def decide_bounds(group: Group, view: View, load: Load, now: float) -> Ruling | None:
    """Return what *group* should do after an answer to `info`, between ticks.

    Only the rules that need no usage are looked at, and whether there is any: a
    group that nobody hears has no ticks, and its last word must not stand.

    Returns:
        None where none of them applies.
    """
    case = Case(group, view, now, load, group.ticks)
    return _bounds(case) or _no_data(case)


def choose_victim(group: Group, load: Load) -> Member | None:
    """Return the clone to destroy: a given-up one, else the least busy.

    Of equals the newest goes, and one of which nothing is known goes last.
    """
    given_up = set(load.names(MemberClass.GIVEN_UP))
    return min(
        group.clones,
        key=lambda m: (
            m.name not in given_up,
            m.usage if m.usage is not None else 101.0,
            -(m.number or 0),
        ),
        default=None,
    )


def _remembered(ticks: Ticks, load: Load, view: View, now: float) -> Ticks:
    """Return the counters that this tick starts from."""
    limit = max(FORGET_TICKS_S, FORGET_TICKS_INTERVALS * view.feed.rhythm.reckoned)
    if ticks.conclusive is not None and now - ticks.conclusive > limit:
        ticks = ticks.counted(0, 0)
    if not load.is_conclusive:
        return ticks
    return Ticks(ticks.high, ticks.low, ticks.last, now)


def _bounds(case: Case) -> Ruling | None:
    """Rules 1 to 4: those that look at no usage."""
    group, policy = case.group, case.group.policy
    if group.mode is Mode.PAUSED:
        return case.hold(Reason.PAUSED)
    if group.ledger.in_flight is not None:
        return case.hold(Reason.BUSY)
    if case.view.listing is None:
        return case.hold(Reason.NO_DATA)
    if group.primary.is_dead:
        return case.hold(Reason.ORPHANED if group.clones else Reason.NO_PRIMARY)
    within = policy.min_clones <= group.clones_and_slots <= policy.max_clones
    if within:
        return None
    if not case.view.is_current(case.now):
        return case.hold(Reason.NO_DATA)
    if group.clones_and_slots > policy.max_clones:
        return _destroy(case, Reason.ABOVE_MAX, case.ticks)
    return _create(case, Reason.BELOW_MIN, 1, case.ticks)


def _no_data(case: Case) -> Ruling | None:
    """Rule 5: never a mean of nothing."""
    load = case.load
    if load.is_conclusive:
        return None
    waiting = load.names(
        MemberClass.FRESH, MemberClass.STALE, MemberClass.UNKNOWN, MemberClass.RESERVED
    )
    if not waiting and load.names(MemberClass.WARMING):
        return case.hold(Reason.WARMING)
    return case.hold(Reason.NO_DATA)


def _given_up(case: Case) -> Ruling | Reason | None:
    """Rule 6: a clone that is listed and useless goes, one at a time.

    Returns:
        A ruling; or what holds the replacement while other rules go on; or
        None where no clone is given up.
    """
    group, policy, load = case.group, case.group.policy, case.load
    given_up = load.names(MemberClass.GIVEN_UP)
    victim = next((m for m in group.clones if m.name in given_up), None)
    if victim is None:
        return None
    if case.cooldown_left(policy.cooldown_up):
        return Reason.COOLDOWN
    spare = (
        load.mean_down is not None
        and load.mean_down < policy.scale_down_threshold_percent
        and not load.missing
        and len(group.clones) > policy.min_clones
    )
    if spare:
        if group.ledger.destroying.left(case.now):
            return Reason.BACKOFF
        return case.act(Outcome.DOWN, Reason.GIVEN_UP, case.ticks, victim=victim.name)
    return _replace(case, victim)


def _replace(case: Case, victim: Member) -> Ruling | Reason:
    group, ledger = case.group, case.group.ledger
    lately = [at for at in ledger.replaced if case.now - at < HOUR_S]
    if ledger.replacing.left(case.now) or len(lately) >= REPLACEMENTS_AN_HOUR:
        return Reason.BACKOFF
    create_first = group.clones_and_slots < group.policy.max_clones
    found = find_slots(group, case.view, 1, None if create_first else victim.name)
    if isinstance(found, Shortage):
        return found.reason
    return case.act(
        Outcome.REPLACE, Reason.GIVEN_UP, case.ticks, found, victim=victim.name
    )


def _high(case: Case) -> Ruling | None:
    """Rule 7: those who report are too busy."""
    policy, mean = case.group.policy, case.load.mean_up
    if mean is None or mean <= policy.scale_up_threshold_percent:
        return None
    left = case.cooldown_left(policy.cooldown_up)
    if left:
        ticks = case.ticks.counted(case.ticks.high, 0)
        return case.hold(Reason.COOLDOWN, ticks, left_s=left)
    ticks = case.ticks.counted(case.ticks.high + 1, 0)
    if ticks.high < policy.scale_up_trigger_ticks:
        return case.hold(Reason.RISING, ticks)
    room = policy.max_clones - case.group.clones_and_slots
    if room <= 0:
        return case.hold(Reason.AT_MAX, ticks)
    return _create(case, Reason.HIGH, min(_step(case, mean), room), ticks)


def _step(case: Case, mean: float) -> int:
    """Return how many clones leave the mean above the down threshold."""
    policy, members = case.group.policy, case.load.capacity
    step = policy.scale_up_step
    if mean < SATURATED_PERCENT:
        down = policy.scale_down_threshold_percent
        while step > 1 and mean * members / (members + step) <= down:
            step -= 1
    return step


def _create(case: Case, reason: Reason, count: int, ticks: Ticks) -> Ruling:
    """Create *count* clones, unless a gate is closed."""
    left = case.backoff_left(case.group.ledger.creating)
    if left:
        return case.hold(Reason.BACKOFF, ticks, left_s=left)
    found = find_slots(case.group, case.view, count)
    if isinstance(found, Shortage):
        return case.hold(found.reason, ticks, shortage=found)
    if reason is Reason.HIGH:
        left = _warming_left(case)
        if left:
            return case.hold(Reason.WARMING, ticks, left_s=left)
    return case.act(Outcome.UP, reason, ticks, found)


def _warming_left(case: Case) -> float:
    """Return for how long the newest clone is too young to be judged."""
    created = [m.created for m in case.group.clones if m.created is not None]
    if not created:
        return 0.0
    return max(0.0, max(created) + case.group.policy.warmup - case.now)


def _low(case: Case) -> Ruling | None:
    """Rule 8: everybody together has too little to do."""
    group, policy, load = case.group, case.group.policy, case.load
    mean, members = load.mean_down, load.capacity
    threshold = policy.scale_down_threshold_percent
    if not group.clones or mean is None or mean >= threshold or members < 2:  # noqa: PLR2004 - one must remain
        return None
    after = mean * members / (members - 1)
    if after + policy.flap_margin >= policy.scale_up_threshold_percent:
        return case.hold(Reason.WOULD_FLAP, case.ticks.counted(0, 0))
    left = case.cooldown_left(policy.cooldown_down)
    if left:
        ticks = case.ticks.counted(0, case.ticks.low)
        return case.hold(Reason.COOLDOWN, ticks, left_s=left)
    ticks = case.ticks.counted(0, case.ticks.low + 1)
    if ticks.low < policy.scale_down_trigger_ticks:
        return case.hold(Reason.FALLING, ticks)
    if len(group.clones) <= policy.min_clones:
        return case.hold(Reason.AT_MIN, ticks)
    if load.missing:
        return case.hold(Reason.MISSING, ticks)
    return _destroy(case, Reason.LOW, ticks)


def _destroy(case: Case, reason: Reason, ticks: Ticks) -> Ruling:
    """Destroy one clone, unless the last try failed just now."""
    left = case.group.ledger.destroying.left(case.now)
    if left:
        return case.hold(Reason.BACKOFF, ticks, left_s=left)
    victim = choose_victim(case.group, case.load)
    assert victim is not None  # noqa: S101 - its rules apply where clones run
    return case.act(Outcome.DOWN, reason, ticks, victim=victim.name)
