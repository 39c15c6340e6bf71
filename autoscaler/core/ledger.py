"""What only we know of a group, and what must survive a restart.

Hosts cannot tell it: which actions are under way, pauses after failures, what
operators have asked for.
"""

import enum
from collections.abc import Mapping

from attrs import evolve, field, frozen

from albatross_client.names import Name
from autoscaler.core.actions import Action, Slot
from autoscaler.core.budget import Budget
from autoscaler.core.doubts import Doubt
from autoscaler.core.leases import Rest
from autoscaler.core.policy import Mode

FIRST_BACKOFF_S = 10.0
LONGEST_BACKOFF_S = 600.0


class Parting(enum.Enum):
    """How far a member that goes has left its balancer.

    It ends its work there, then leaves; what it has not ended in time is cut.
    """

    ENDS = "ends"
    LEAVES = "leaves"
    CUT = "cut"


@frozen
class Backoff:
    """A pause after failures, doubling.

    Attributes:
        failures: In a row.
        since: When the last one was.
        length: Seconds from *since* on.
        digest: Of the image that failed; empty where the image has no part or
            is not known: then it holds for every one.
    """

    failures: int = 0
    since: float = 0.0
    length: float = 0.0
    digest: bytes = field(default=b"", repr=bytes.hex)

    def left(self, now: float) -> float:
        """Return for how many seconds it still holds."""
        return max(0.0, self.since + self.length - now) if self.failures else 0.0

    def after_failure(self, digest: bytes, jitter: float, now: float) -> "Backoff":
        """Return the pause after one more failure.

        Arguments:
            digest: Of the image, empty where that is not known; another one
                than before starts afresh.
            jitter: Factor of the pause, about 1: groups must not go in step.
            now: When it failed.
        """
        digest = digest or self.digest
        failures = 1 + (self.failures if self.digest in {digest, b""} else 0)
        length = min(FIRST_BACKOFF_S * 2 ** min(failures - 1, 16), LONGEST_BACKOFF_S)
        return Backoff(failures, now, length * jitter, digest)


@frozen
class Prewarm:
    """What an operator has asked to stand by, for a while.

    Attributes:
        count: How many members.
        since: When that was asked.
    """

    count: int
    since: float


@frozen(kw_only=True)
class Ledger:
    """What only we know, and what must survive a restart.

    Attributes:
        next_number: Of the next clone; numbers only ever grow.
        next_action: Number of the next action.
        actions: Those that have begun and not ended; beside what standbys
            need at most one, but for groups with request signals and what
            operators ask for by hand.
        changed_by: Which of them have changed anything yet, by their numbers.
        failed_upto: Actions with lower numbers were under way when one failed:
            if they fail too, that says no more.
        changed_at: End of the last action that changed something: cooldowns
            count from here.
        settled_at: End of the last action; older answers to `info` may show
            what it removed.
        creating: Pause after failed creates.
        destroying: Pause after failed destroys.
        replacing: Pause after replacements of given-up clones.
        replaced: When the last replacements began, newest last.
        gave_up_at: When a given-up clone was last seen.
        doubts: Clones whose create may yet turn out to have worked.
        mode: The operator's word for this group, which limits its policy's.
        adopted: Names that are ours as soon as they are listed, as was asked.
        disowned: Names that are not ours until that is asked for again.
        is_ownership_lost: Whether nothing is adopted but by name.
        budget: What counts against thrashing.
        rolling: Pause after a failed replacement because of a new image.
        surge: A clone of a new image whose old one has not gone yet.
        useless_at: When a clone that got no work was last removed.
        refilling: Pause after standbys that failed or died.
        needed_at: When members were last added, or standbys first wanted.
        prewarm: What an operator has asked to stand by.
        parting: Members that leave their balancer now, before they are
            destroyed; not kept, for a restart settles what was under way.
        resting: Addresses that are nobody's, and not given out yet.
    """

    next_number: int = 1
    next_action: int = 1
    actions: tuple[Action, ...] = ()
    changed_by: frozenset[int] = frozenset()
    failed_upto: int = 1
    changed_at: float | None = None
    settled_at: float | None = None
    creating: Backoff = Backoff()
    destroying: Backoff = Backoff()
    replacing: Backoff = Backoff()
    replaced: tuple[float, ...] = ()
    gave_up_at: float | None = None
    doubts: tuple[Doubt, ...] = ()
    mode: Mode | None = None
    adopted: frozenset[Name] = frozenset()
    disowned: frozenset[Name] = frozenset()
    is_ownership_lost: bool = False
    budget: Budget = Budget()
    rolling: Backoff = Backoff()
    surge: Name | None = None
    useless_at: float | None = None
    resting: tuple[Rest, ...] = ()
    refilling: Backoff = Backoff()
    needed_at: float | None = None
    prewarm: Prewarm | None = None
    parting: Mapping[Name, Parting] = field(factory=dict)

    def with_parting(self, name: Name, how: Parting | None) -> "Ledger":
        """Return this with *name* leaving its balancer, or no longer."""
        parting = {key: value for key, value in self.parting.items() if key != name}
        if how is not None:
            parting[name] = how
        return evolve(self, parting=parting)

    @property
    def busy(self) -> tuple[Action, ...]:
        """The actions in flight that are about more than standbys."""
        return tuple(action for action in self.actions if not action.as_standby)

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The clones that the actions in flight have yet to make."""
        return tuple(slot for action in self.actions for slot in action.slots)

    def action(self, number: int) -> Action | None:
        """Return the action in flight with this *number*, if there is one."""
        return next((a for a in self.actions if a.id == number), None)

    def with_action(self, action: Action) -> "Ledger":
        """Return this with *action* in the place of that with its number."""
        actions = tuple(action if a.id == action.id else a for a in self.actions)
        return evolve(self, actions=actions)

    def without_action(self, number: int) -> "Ledger":
        """Return this without the action of this *number*."""
        actions = tuple(a for a in self.actions if a.id != number)
        return evolve(self, actions=actions, changed_by=self.changed_by - {number})
