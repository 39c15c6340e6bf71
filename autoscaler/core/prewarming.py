"""What comes of it when an operator asks for standbys.

How many are possible, and why no more are.
"""

from attrs import frozen

from autoscaler.core.capacity import find_slots
from autoscaler.core.case import Case
from autoscaler.core.decision import Reason, Shortage
from autoscaler.core.group import Group
from autoscaler.core.policy import Mode
from autoscaler.core.shortages import counted, describe_shortage
from autoscaler.core.standbys import count_staying, find_failing
from autoscaler.core.standing import assess
from autoscaler.core.tending import tend
from autoscaler.core.view import View

_HELD = {
    Reason.BACKOFF: "the last one failed, and the next one waits",
    Reason.NO_DATA: "the host's answers are missing or too old to act on",
    Reason.NO_SIGNAL: "the balancer doesn't answer",
    Reason.STATE_UNWRITABLE: "the state can't be written",
    Reason.STOOD_DOWN: "the group did or failed too much and only observes",
    Reason.SWITCHED_OFF: "scale_up is switched off",
}


@frozen(kw_only=True)
class Warmth:
    """How many members stand by, of those that were asked for.

    Attributes:
        asked: How many were.
        ready: How many could serve at once.
        coming: How many will, as far as is known.
        lasts_s: For how long they stay.
        why: Why there aren't as many as were asked for; None: there are.
    """

    asked: int
    ready: int
    coming: int
    lasts_s: float
    why: str | None = None

    @property
    def possible(self) -> int:
        """How many stand by, or will."""
        return min(self.asked, self.ready + self.coming)


def find_warmth(group: Group, view: View, asked: int, now: float) -> Warmth:
    """Return what became of the wish for *asked* standbys of *group*."""
    case = Case(group, view, now, assess(group, view, now), group.ticks)
    failing = find_failing(group, view, case.load, now)
    ready, serving = len(case.ready), group.policy.serving
    coming = max(0, count_staying(group) - len(failing) - ready)
    return Warmth(
        asked=asked,
        ready=ready,
        coming=coming,
        lasts_s=0.0 if serving is None else serving.standby.max_idle,
        why=None if ready + coming >= asked else _why(case),
    )


def describe_warmth(warmth: Warmth) -> str:
    """Return *warmth* in one sentence."""
    if not warmth.asked:
        return "no more stand by than the configuration says"
    ready, coming = min(warmth.ready, warmth.asked), warmth.possible - warmth.ready
    told = f"{warmth.possible} of {counted(warmth.asked, 'standby')}"
    told = f"{told}: {ready} ready, {max(0, coming)} coming"
    if warmth.why is not None:
        return f"{told}; {warmth.why}"
    return f"{told}, for {warmth.lasts_s:g} s"


def _why(case: Case) -> str:
    group, policy = case.group, case.group.policy
    if group.mode is not Mode.ACTIVE:
        doing = "paused" if group.mode is Mode.PAUSED else "only observed"
        return f"the group is {doing}"
    room = policy.max_clones - group.clones_and_slots
    if room <= 0:
        return (
            f"at most {counted(policy.max_clones, _one(case))} are wanted, and "
            f"{group.serving_and_slots} of them serve"
        )
    found = find_slots(group, case.view, 1)
    if isinstance(found, Shortage):
        shortage = describe_shortage(found, _one(case))
        return f"one more {_one(case)} does not fit: {shortage}"
    tended = tend(case)
    if not isinstance(tended, Reason):
        return "others come or go"
    return _HELD.get(tended, tended.value.replace("_", " "))


def _one(case: Case) -> str:
    return "member" if case.group.id.is_managed else "clone"
