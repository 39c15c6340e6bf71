"""Records in words: what is missing to act, and what is in between sizes.

Whatever a host has named is cleaned where it becomes text.
"""

from collections.abc import Callable, Mapping

from autoscaler.core.decision import MISSING, Outcome
from autoscaler.core.describe import MOST_NAMED, explain
from autoscaler.core.flip import Flip
from autoscaler.core.guards import Guard, Kind
from autoscaler.core.policy import Mode
from autoscaler.core.record import Record
from autoscaler.core.scaling import SATURATED_PERCENT
from autoscaler.core.shortages import counted, describe_shortage
from autoscaler.core.sizes import Sizes

_DONE: Mapping[Outcome, str] = {
    Outcome.UP: "to grow",
    Outcome.DOWN: "to shrink",
    Outcome.REPLACE: "to replace",
    Outcome.HOLD: "to act",
}


def tell(record: Record) -> tuple[str, ...]:
    """Return *record* in three sentences: why, how many, what is missing."""
    return explain(record.decision), tell_sizes(record), tell_flip(record)


def tell_flip(record: Record) -> str:
    """Return what is missing to act."""
    flip = record.flip
    if not flip.lacks:
        return "nothing is missing: it acts"
    words = [describe_lack(guard, record) for guard in flip.lacks]
    room = _room(flip, record)
    return f"{_DONE[flip.aim]}: {'; '.join([*words, *room])}"


def tell_sizes(record: Record) -> str:
    """Return what the group wants, can have and has, and what is in between."""
    sizes, clone = record.sizes, _clone(record)
    wants = "?" if sizes.wants is None else str(sizes.wants)
    mean = record.decision.load.mean_up
    if (
        mean is not None
        and mean >= SATURATED_PERCENT
        and record.decision.wanted is None
    ):
        wants = f"{wants} or more"
    coming = f" and {sizes.coming} coming" if sizes.coming else ""
    told = f"wants {wants}, can {sizes.can}, has {sizes.has}{coming} ({clone}s)"
    if isinstance(record.blocked, Mode):
        return f"{told}; it would act, and is only observed"
    return f"{told}{_blocked(sizes, clone)}"


def describe_lack(guard: Guard, record: Record) -> str:
    """Return in words why *guard*, which holds, does."""
    words = _LACKS[guard.kind](guard, record)
    left = guard.left_s
    return words if left is None else f"{words}: {left:.0f} s left"


def _blocked(sizes: Sizes, clone: str) -> str:
    if sizes.blocked is None:
        return ""
    words = sizes.blocked.value.replace("_", " ")
    if sizes.shortage is None:
        return f"; blocked by {words}"
    return f"; blocked by {words} ({describe_shortage(sizes.shortage, clone)})"


def _room(flip: Flip, record: Record) -> list[str]:
    """Return how many more there may be, where that is not what is missing."""
    room = flip.room
    if room is None or room.holds or room.value is None or room.limit is None:
        return []
    if record.decision.acts:
        return []
    return [f"{counted(int(room.limit - room.value), _clone(record))} below max_clones"]


def _mean(guard: Guard, whose: str, side: str) -> str:
    if guard.value is None or guard.limit is None:
        return f"the mean {whose} is not known"
    points = abs(guard.value - guard.limit)
    return f"the mean {whose} is {points:.1f} points {side} {guard.limit:g} %"


def _mean_up(guard: Guard, _record: Record) -> str:
    return _mean(guard, "of those who report", "below")


def _mean_down(guard: Guard, _record: Record) -> str:
    return _mean(guard, "of all", "above")


def _flap(guard: Guard, record: Record) -> str:
    return (
        f"without one {_clone(record)} the mean would be {guard.value:.1f} %, and "
        f"has to be below {guard.limit:g} %"
    )


def _quorum(guard: Guard, record: Record) -> str:
    if not record.decision.load.standings:
        return f"there is no {_clone(record)} that could tell of load"
    missing = int((guard.limit or 0) - (guard.value or 0))
    more = "1 more member has" if missing == 1 else f"{missing} more members have"
    return f"{more} to report{_absent(record)}"


def _absent(record: Record) -> str:
    names = [
        f"{s.name} is {s.counts_as.value}"
        for s in record.decision.load.standings
        if s.counts_as in MISSING
    ]
    more = len(names) - MOST_NAMED
    told = ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f" ({told})" if told else ""


def _missing(_guard: Guard, record: Record) -> str:
    return f"all have to report{_absent(record)}"


def _in_flight(guard: Guard, _record: Record) -> str:
    count = int(guard.value or 0)
    verb = "has" if count == 1 else "have"
    return f"{counted(count, 'action')} in flight {verb} to end"


def _ticks(which: str) -> Callable[[Guard, Record], str]:
    return lambda guard, _: f"{guard.value:.0f} of {guard.limit:.0f} {which} ticks"


def _bound(what: str) -> Callable[[Guard, Record], str]:
    return lambda guard, _: (
        f"{what} is reached ({guard.value:.0f} of {guard.limit:.0f})"
    )


def _effect(guard: Guard, record: Record) -> str:
    if guard.note is not None:
        return f"a {_clone(record)} gets no work ({guard.note})"
    return f"a {_clone(record)} that got no work was removed"


def _call(guard: Guard, record: Record) -> str:
    members = f"there {_are(record.decision.load.capacity)}"
    if guard.value is None:
        return f"nothing tells how many members are wanted, and {members}"
    return f"{_wanted(guard.value)} wanted, and {members}"


def _spare(guard: Guard, record: Record) -> str:
    members = f"there {_are(record.decision.load.capacity)}"
    if guard.value is None:
        return f"nothing tells how many members are wanted, and {members}"
    return f"{_wanted(guard.value)} to be kept, one to spare counted, and {members}"


def _wanted(value: float) -> str:
    return "1 member is" if value == 1 else f"{value:.0f} members are"


def _are(members: int) -> str:
    return "is 1" if members == 1 else f"are {members}"


def _signals(guard: Guard, _record: Record) -> str:
    return f"the balancer has told {guard.value:.0f} of {guard.limit:.0f} signals"


def _outage(guard: Guard, _record: Record) -> str:
    return f"this looks like an outage ({guard.note})"


def _contest(_guard: Guard, record: Record) -> str:
    return f"somebody else changes these {_clone(record)}s too"


def _replacing(guard: Guard, record: Record) -> str:
    why = (guard.note or "").replace("_", " ")
    return f"the replacement of a given-up {_clone(record)} waits ({why})"


def _rolling(_guard: Guard, record: Record) -> str:
    return f"the last {_clone(record)} of the new image failed"


def _last_member(_guard: Guard, _record: Record) -> str:
    return "the last member stays"


_LACKS: Mapping[Kind, Callable[[Guard, Record], str]] = {
    Kind.MODE: lambda guard, _: (
        "it is paused until somebody resumes it"
        if guard.note == Mode.PAUSED.value
        else "it is only observed: by `--mode`, its configuration or an operator"
    ),
    Kind.STATE: lambda *_: "the state has to be written again",
    Kind.PRIMARY: lambda *_: "the primary has to be listed again",
    Kind.ANSWERS: lambda *_: "the host has to answer `info` and `policy info`",
    Kind.IN_FLIGHT: _in_flight,
    Kind.QUORUM: _quorum,
    Kind.STAND_DOWN: lambda *_: "it has stood down",
    Kind.SCALE_UP: lambda *_: "scale_up is switched off",
    Kind.MEAN_UP: _mean_up,
    Kind.COOLDOWN_UP: lambda *_: "cooldown_up",
    Kind.HIGH_TICKS: _ticks("high"),
    Kind.EFFECT: _effect,
    Kind.MAX_CLONES: _bound("max_clones"),
    Kind.CREATING: lambda *_: "the pause after a failed create",
    Kind.CAPACITY: lambda guard, _: guard.note or "",
    Kind.WARMUP: lambda _, record: f"the newest {_clone(record)} warms up",
    Kind.CALL: _call,
    Kind.SCALE_DOWN: lambda *_: "scale_down is switched off",
    Kind.LAST_MEMBER: _last_member,
    Kind.MEAN_DOWN: _mean_down,
    Kind.FLAP: _flap,
    Kind.COOLDOWN_DOWN: lambda *_: "cooldown_down",
    Kind.LOW_TICKS: _ticks("low"),
    Kind.MIN_CLONES: _bound("min_clones"),
    Kind.MISSING: _missing,
    Kind.SIGNALS: _signals,
    Kind.SPARE: _spare,
    Kind.STABILISE: lambda *_: "no more may be wanted for a while",
    Kind.DESTROYING: lambda *_: "the pause after a failed destroy",
    Kind.CONTEST: _contest,
    Kind.OUTAGE: _outage,
    Kind.ACTIVATOR: lambda *_: (
        "the balancer has to show what wakes the group, behind its last member"
    ),
    Kind.REPLACING: _replacing,
    Kind.ROLLING: _rolling,
}


def _clone(record: Record) -> str:
    return "member" if record.decision.is_managed else "clone"
