"""The fleet as `autoscaler top` shows it: what the daemon tells, read strictly.

Laws: no I/O; every text is printable and short, whoever wrote it; what isn't
of the form that this version knows is refused whole, and nothing is guessed.
Percents are 0 to 100, ages and what is left are seconds.
"""

import math
from datetime import datetime
from typing import TypeVar

from attrs import field, frozen
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override

from albatross_client.texts import clean
from autoscaler.core.decision import MemberClass

T = TypeVar("T")

OTHER_VERSION = (
    "the daemon that runs is of another version than this command: it answers "
    "what can't be read here; restart it, or use the command of its version"
)


# What cattrs and the hooks below raise, whatever is wrong.
_WRONG = (
    *(ValueError, TypeError, KeyError, AttributeError),
    *(OverflowError, RecursionError),
)


class OtherVersionError(ValueError):
    """What the daemon says isn't of the form that this version knows."""


@frozen
class Stream:
    """A stream of statistics."""

    host: str
    domain: str
    up: bool
    age_s: float


@frozen
class Fleet:
    """What is told of all of it.

    Attributes:
        hosts: How many there are.
        groups: How many there are.
        members: How many run.
        mode: What an operator lets all groups do at most; None: no word.
        streams: Streams of statistics.
        need: How urgent the most urgent of `needs` is, 0 to 3.
        needs: What a person should look at, the most urgent first.
    """

    hosts: int
    groups: int
    members: int
    mode: str | None
    streams: tuple[Stream, ...]
    need: int
    needs: tuple[str, ...]


@frozen
class Said:
    """What an operator has said of a group."""

    mode: str
    user: str | None
    age_s: float | None


@frozen
class Decision:
    """What was decided, and why."""

    outcome: str
    reason: str
    why: str
    age_s: float


@frozen
class Flip:
    """What is missing to act.

    Attributes:
        aim: Towards what: ``up``, ``down``, ``replace``, or ``hold`` for any.
        told: In a sentence.
    """

    aim: str
    told: str


@frozen
class Sizes:
    """How many clones are wanted, can be, and are there, and in words."""

    wants: int | None
    can: int
    has: int
    told: str


@frozen
class Guard:
    """What stands in the way.

    Attributes:
        name: Which guard.
        of: In the way of what: ``up``, ``down``, ``replace`` or ``all``.
        age_s: For how long it has at least.
        left_s: For how long it will; None: it doesn't let go by itself.
    """

    name: str
    of: str
    age_s: float
    left_s: float | None


@frozen
class Member:
    """A member; None where nothing is known yet."""

    name: str
    counts_as: MemberClass | None
    usage_percent: float | None


@frozen
class Action:
    """What is being done; the age is None where it isn't known."""

    what: str
    age_s: float | None


@frozen
class Thresholds:
    """Above which load a group grows, and below which it shrinks."""

    up: float
    down: float


@frozen(kw_only=True)
class Group:
    """What is told of a group.

    Attributes:
        group: Its name, HOST/PRIMARY.
        mode: What it may do.
        said: The operator's word that holds it; None: there is none.
        need: How urgent the most urgent of `needs` is, 0 to 3.
        needs: What a person should look at.
        decision: None: nothing was decided yet.
        flip: None: not known.
        sizes: None: not known.
        guards: Those that hold.
        members: The primary first.
        load_percent: The mean of those who report; None: nobody does.
        thresholds: What the mean is compared with.
        actions: What is in flight.
        hour_percent: The mean of each minute of the last hour, oldest first.
    """

    group: str
    mode: str
    said: Said | None
    need: int
    needs: tuple[str, ...]
    decision: Decision | None
    flip: Flip | None
    sizes: Sizes | None
    guards: tuple[Guard, ...]
    members: tuple[Member, ...]
    load_percent: float | None
    thresholds: Thresholds
    actions: tuple[Action, ...]
    hour_percent: tuple[float | None, ...]


@frozen
class Sight:
    """All of it at one instant.

    Attributes:
        at: When.
        fleet: What is told of all.
        groups: What is told of each, the most urgent first.
    """

    at: datetime
    fleet: Fleet
    groups: tuple[Group, ...]


@frozen
class Seen:
    """What there is to see, or why there is nothing.

    Attributes:
        sight: The fleet; None: nobody tells.
        form: What it was read from, as JSON has it.
        complaint: What is not as it should be; empty: the daemon tells.
    """

    sight: Sight | None
    form: object = field(default=None, repr=False)
    complaint: str = ""


def read_sight(form: object) -> Sight:
    """Return what is told in *form*, as JSON has it.

    Raises:
        OtherVersionError: It can't be read.
    """
    try:
        return _CONVERTER.structure(form, Sight)
    except _WRONG as error:
        raise OtherVersionError(OTHER_VERSION) from error


def _text(value: object, _kind: object) -> str:
    return clean(_checked(value, str))


def _flag(value: object, _kind: object) -> bool:
    return _checked(value, bool)


def _count(value: object, _kind: object) -> int:
    if isinstance(value, bool):
        raise TypeError(value)
    return _checked(value, int)


def _number(value: object, _kind: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    if not math.isfinite(value):
        raise ValueError(value)
    return float(value)


def _instant(value: object, _kind: object) -> datetime:
    found = datetime.fromisoformat(_checked(value, str))
    if found.tzinfo is None:
        raise ValueError(value)
    return found.astimezone()


def _checked(value: object, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise TypeError(value)
    return value


def _make() -> Converter:
    # What is told beyond this is no business of a terminal's.  Nobody reads
    # which field is wrong, and to find out costs as much as all the rest.
    converter = Converter(forbid_extra_keys=False, detailed_validation=False)
    register = converter.register_structure_hook
    register(str, _text)
    register(bool, _flag)
    register(int, _count)
    register(float, _number)
    register(datetime, _instant)
    renamed = make_dict_structure_fn(
        Member, converter, counts_as=override(rename="class")
    )
    register(Member, renamed)
    return converter


_CONVERTER = _make()
