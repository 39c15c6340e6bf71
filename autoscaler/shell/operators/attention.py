"""What needs a person: one rule for the page, the terminal, the fleet's line.

Laws: no I/O; what ends by itself within moments is not told: a cooldown or a
rising load is no reason to call anybody.
"""

import enum
from collections.abc import Iterable, Iterator

from attrs import frozen

from autoscaler.core.contest import contested_left
from autoscaler.core.decision import MemberClass, Reason
from autoscaler.core.describe import MOST_NAMED, explain
from autoscaler.core.group import Group
from autoscaler.core.guards import Kind
from autoscaler.core.policy import Mode
from autoscaler.core.record import Record
from autoscaler.core.shortages import counted
from autoscaler.core.standdown import stand_down_left
from autoscaler.core.telling import describe_lack, tell_sizes
from autoscaler.shell.configuration.durations import format_age

# A stream that is lost comes back within seconds, where the host is well.
DOWN_S = 15.0
# After a start it takes some intervals until a group knows of its load.
SILENT_S = 120.0
# Who pauses a group for longer may have forgotten it.
FORGOTTEN_S = 3600.0
# One failure may be chance.
FEW_FAILURES = 2


class Urgency(enum.IntEnum):
    """How urgent it is; programs get the numbers."""

    NOTHING = 0
    NOTICE = 1
    WARNING = 2
    ALARM = 3


@frozen
class Need:
    """One thing that somebody should look at.

    Attributes:
        urgency: How urgent it is.
        says: One sentence, without the group's name.
        is_of_stream: Whether it is about a stream, whose groups all need it.
    """

    urgency: Urgency
    says: str
    is_of_stream: bool = False


@frozen(kw_only=True)
class Surroundings:
    """What only others tell of a group.

    Attributes:
        down_s: For how long its statistics have not come, seconds; None: they
            come.
        is_answered: Whether its host has said what runs.
        is_contested: Whether somebody else keeps taking its statistics.
        is_balanced: Whether its balancer answers, if it has one.
        decided_s: For how long its decision has stood, or it has had none,
            seconds.
        said_by: Who has paused it or had it only observed; None: not known.
        said_s: For how long, seconds; None: not known.
    """

    down_s: float | None = None
    is_answered: bool = True
    is_contested: bool = False
    is_balanced: bool = True
    decided_s: float = 0.0
    said_by: str | None = None
    said_s: float | None = None


def look_after(
    group: Group, record: Record | None, around: Surroundings, now: float
) -> tuple[Need, ...]:
    """Return what *group* needs somebody for, the most urgent first.

    Arguments:
        group: The group.
        record: How its newest decision came about; None: not known.
        around: What only others tell of it.
        now: Monotonic.
    """
    found = (
        *_hearing(group, around),
        *_members(group),
        *_limits(group, now),
        *_load(record),
        *_failures(group, now),
        *_words(group, around),
    )
    return ranked(found)


def ranked(needs: Iterable[Need]) -> tuple[Need, ...]:
    """Return *needs*, the most urgent first, else in their order."""
    return tuple(sorted(needs, key=lambda need: -need.urgency))


def most_urgent(needs: Iterable[Need]) -> Urgency:
    """Return how urgent the most urgent of *needs* is."""
    return max((need.urgency for need in needs), default=Urgency.NOTHING)


def _hearing(group: Group, around: Surroundings) -> Iterator[Need]:
    where = f"of {group.id.domain} from {group.id.host}"
    if around.down_s is not None:
        if around.down_s >= DOWN_S:
            says = f"no statistics {where} for {format_age(around.down_s)}"
            yield Need(Urgency.ALARM, says, is_of_stream=True)
        return
    if around.is_contested:
        says = f"somebody else keeps taking the statistics {where}"
        yield Need(Urgency.WARNING, says)
    if not around.is_balanced:
        yield Need(Urgency.WARNING, "its balancer does not answer")
    if around.decided_s >= SILENT_S:
        yield from _silence(group, around)


def _silence(group: Group, around: Surroundings) -> Iterator[Need]:
    """Yield what has been missing since long after a start."""
    if not around.is_answered:
        yield Need(Urgency.ALARM, f"{group.id.host} does not say what runs there")
    elif group.decision is None:
        yield Need(Urgency.WARNING, "nothing was decided yet: no member was heard")
    elif group.decision.reason is Reason.NO_DATA:
        yield Need(Urgency.WARNING, explain(group.decision))


def _members(group: Group) -> Iterator[Need]:
    if group.primary is not None and group.primary.is_dead:
        serve = f"{counted(len(group.serving), 'clone')} left to serve"
        yield Need(Urgency.ALARM, f"its primary is gone: {serve}")
    if group.decision is None:
        return
    lost = group.decision.load.names(MemberClass.GIVEN_UP)
    if not lost:
        return
    named = ", ".join(map(str, lost[:MOST_NAMED]))
    more = len(lost) - MOST_NAMED
    named = f"{named} and {more} more" if more > 0 else named
    urgency = Urgency.ALARM if group.id.primary in lost else Urgency.WARNING
    members = counted(len(lost), "member")
    yield Need(urgency, f"{members} given up, silent or in a crash loop: {named}")


def _limits(group: Group, now: float) -> Iterator[Need]:
    left = stand_down_left(group, now)
    if left is not None:
        says = f"it did or failed too much, and only observes: {format_age(left)} left"
        yield Need(Urgency.ALARM, says)
    if contested_left(group, now):
        yield Need(Urgency.WARNING, "somebody else creates or destroys here too")


# Reasons to hold that only somebody's doing ends.
_STUCK = frozenset(
    {Reason.NO_EFFECT, Reason.NO_ACTIVATOR, Reason.NO_SIGNAL, Reason.IMAGE_UNHEALTHY}
)


def _load(record: Record | None) -> Iterator[Need]:
    if record is None:
        return
    sizes, decision = record.sizes, record.decision
    if sizes.wants is not None and sizes.wants > sizes.can:
        yield Need(Urgency.WARNING, tell_sizes(record))
    if decision.reason in _STUCK:
        yield Need(Urgency.WARNING, explain(decision))
    for guard in record.guards:
        if guard.kind is Kind.OUTAGE and guard.holds:
            yield Need(Urgency.WARNING, describe_lack(guard, record))


def _failures(group: Group, now: float) -> Iterator[Need]:
    ledger = group.ledger
    for what, backoff in (
        ("creates", ledger.creating),
        ("destroys", ledger.destroying),
        ("replacements of given-up members", ledger.replacing),
        ("replacements by the new image", ledger.rolling),
        ("standbys", ledger.refilling),
    ):
        left = backoff.left(now)
        if not left:
            continue
        is_chance = backoff.failures < FEW_FAILURES
        urgency = Urgency.NOTICE if is_chance else Urgency.WARNING
        times = counted(backoff.failures, "failure")
        says = f"{what} fail: {times} in a row, the next attempt in {format_age(left)}"
        yield Need(urgency, says)


_SAID = {Mode.PAUSED: "paused", Mode.OBSERVE: "only observed"}


def _words(group: Group, around: Surroundings) -> Iterator[Need]:
    mode = group.ledger.mode
    if mode is None or mode is Mode.ACTIVE:
        return
    if around.said_s is None:
        yield Need(Urgency.NOTICE, f"{_SAID[mode]} by an operator, until resumed")
    elif around.said_s >= FORGOTTEN_S:
        who, age = around.said_by or "an operator", format_age(around.said_s)
        says = f"{_SAID[mode]} by {who} for {age}, until resumed"
        yield Need(Urgency.NOTICE, says)
