"""What is shown of one group, as values; whoever shows it decides nothing.

Whatever a host has named is cleaned before it is text here, and escaped where
it becomes HTML.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from attrs import frozen

from autoscaler.core.decision import Service
from autoscaler.core.deeds import describe_action
from autoscaler.core.describe import explain
from autoscaler.core.group import GroupId
from autoscaler.core.guards import SIDES, Guard, Kind
from autoscaler.core.policy import Mode
from autoscaler.core.record import Record
from autoscaler.core.shortages import counted
from autoscaler.core.telling import describe_lack, tell_flip, tell_sizes
from autoscaler.shell.configuration.durations import format_age
from autoscaler.shell.operators.attention import Urgency
from autoscaler.shell.operators.outlook import Look
from autoscaler.shell.web.pages.chart import Chart, Series, draw
from autoscaler.shell.web.pages.hour import MINUTE_S, Hour

# These always hold while nothing is to do: what they say is in the sentences.
_OF_COURSE = frozenset(
    {
        *(Kind.MEAN_UP, Kind.MEAN_DOWN, Kind.HIGH_TICKS, Kind.LOW_TICKS),
        *(Kind.CALL, Kind.SPARE, Kind.FLAP, Kind.LAST_MEMBER, Kind.MIN_CLONES),
    }
)
WORDS: Mapping[Urgency, str] = {
    Urgency.ALARM: "alarm",
    Urgency.WARNING: "warning",
    Urgency.NOTICE: "notice",
    Urgency.NOTHING: "",
}


@frozen(kw_only=True)
class MemberRow:
    """One member.

    Attributes:
        name: Absolute.
        label: Its last component.
        counts_as: Its class, in words; None: it is gone.
        usage: Percent of its CPUs; None: not known.
        age: How old that is; None: likewise.
        number: Which style its line has; None: it is in the band, or nowhere.
        server: What its server does, in words; None: it has none.
    """

    name: str
    label: str
    counts_as: str | None
    usage: float | None = None
    age: str | None = None
    number: int | None = None
    server: str | None = None


@frozen(kw_only=True)
class GuardRow:
    """One guard.

    Attributes:
        name: Which one.
        of: Which way it stands in.
        holds: Whether it does.
        value: What it looked at, in words.
        limit: What that was compared with.
        says: Why it holds.
        age: For how long it has, at least; None: not known.
    """

    name: str
    of: str
    holds: bool
    value: str
    limit: str
    says: str
    age: str | None


@frozen(kw_only=True)
class Card:
    """One group.

    Attributes:
        anchor: What tells it from all others, fit for an address and an id.
        id: The group.
        level: How urgent its needs are.
        state: Outcome and reason of its decision, in words.
        acts: Whether something is being done.
        mode: Active, observe or paused.
        needs: What it needs a person for, each with its level.
        why: Why it does what it does.
        flip: What is missing to act; None: not known.
        wants: Clones; None: not known.
        can: Likewise.
        has: Likewise.
        coming: How many are being made.
        blocked: What keeps it from what it wants, in words; None: nothing.
        clone: What its members of ours are called.
        in_flight: Actions, in words.
        members: All that there are, and those gone whose lines are drawn.
        engaged: Guards that hold, but for those that hold of course.
        chart: Its last hour.
    """

    anchor: str
    id: GroupId
    level: str
    state: str
    acts: bool
    mode: str
    needs: tuple[tuple[str, str], ...]
    why: str
    flip: str | None
    wants: int | None
    can: int | None
    has: int
    coming: int
    blocked: str | None
    clone: str
    in_flight: tuple[str, ...]
    members: tuple[MemberRow, ...]
    engaged: tuple[GuardRow, ...]
    chart: Chart

    @property
    def word(self) -> str:
        """What stands on its badge."""
        if self.level or self.acts:
            return self.level or "acts"
        if self.mode != Mode.ACTIVE.value:
            return self.mode
        is_short = self.wants is not None and self.wants > self.has + self.coming
        return "waits" if is_short else "calm"


def anchor(group_id: GroupId) -> str:
    """Return what an address and an element call the group."""
    return quote(f"{group_id.host}/{group_id.key}", safe="/:*")


def make_card(look: Look, hour: Hour) -> Card:
    """Return what is shown of the group that was looked at."""
    group, record = look.group, look.record
    decision = group.decision
    why = "nothing was decided yet" if decision is None else explain(decision)
    sizes = None if record is None else record.sizes
    # The card says these in other places.
    told = {why} if record is None else {why, tell_sizes(record)}
    in_flight = tuple(describe_action(action) for action in group.ledger.actions)
    chart = _draw(look, hour)
    return Card(
        anchor=anchor(group.id),
        id=group.id,
        level=WORDS[look.urgency],
        state=_state(look),
        acts=bool(in_flight) or (decision is not None and decision.acts),
        mode=group.mode.value,
        needs=tuple(
            (WORDS[n.urgency], n.says) for n in look.needs if n.says not in told
        ),
        why=why,
        flip=None if record is None else tell_flip(record),
        wants=None if sizes is None else sizes.wants,
        can=None if sizes is None else sizes.can,
        has=len(group.serving) if sizes is None else sizes.has,
        coming=0 if sizes is None else sizes.coming,
        blocked=None if record is None else _blocked(record),
        clone="members" if group.id.is_managed else "clones",
        in_flight=in_flight,
        members=tuple(_members(look, chart)),
        engaged=tuple(
            _guard_row(guard, record, hour, look.at.wall)
            for guard in (() if record is None else record.guards)
            if guard.holds and guard.kind not in _OF_COURSE
        ),
        chart=chart,
    )


def _state(look: Look) -> str:
    decision = look.group.decision
    if decision is None:
        return "not decided yet"
    reason = decision.reason.value.replace("_", " ")
    if decision.acts and decision.mode is not Mode.ACTIVE:
        return f"would go {decision.outcome.value}: {reason}"
    return f"{decision.outcome.value}: {reason}"


def _blocked(record: Record) -> str | None:
    blocked = record.blocked
    if blocked is None:
        return None
    word = blocked.value.replace("_", " ")
    return f"mode {word}" if isinstance(blocked, Mode) else word


def _draw(look: Look, hour: Hour) -> Chart:
    until = int(look.at.wall // MINUTE_S)
    known, policy = hour.usages(until), look.group.policy
    load = None if look.group.decision is None else look.group.decision.load
    present = [] if load is None else [str(s.name) for s in load.standings]
    order = [
        *(n for n in present if n in known),
        *(n for n in known if n not in present),
    ]
    usages: Mapping[str, Series] = {name: known[name] for name in order}
    limits = policy.scale_up_threshold_percent, policy.scale_down_threshold_percent
    return draw(usages, hour.sizes(until), hour.deeds_within(until), until, limits)


def _members(look: Look, chart: Chart) -> Iterator[MemberRow]:
    numbers = {line.name: line.number for line in chart.lines}
    record, seen = look.record, set[str]()
    standings = () if record is None else record.decision.load.standings
    ages = () if record is None else record.ages
    for each, age in zip(standings, ages, strict=True):
        name = str(each.name)
        seen.add(name)
        yield MemberRow(
            name=name,
            label=each.name.label or name,
            counts_as=each.counts_as.value.replace("_", " "),
            usage=each.usage,
            age=None if age is None else format_age(age),
            number=numbers.get(name),
            server=_server(each.service),
        )
    for name in [line.name for line in chart.lines if line.name not in seen]:
        label = name.rpartition(":")[2]
        yield MemberRow(name=name, label=label, counts_as=None, number=numbers[name])


def _server(service: Service | None) -> str | None:
    if service is None:
        return None
    sessions = counted(service.sessions, "session")
    return f"{service.duty.value}, {service.health.value}, {sessions}"


def guard_rows(look: Look, hour: Hour) -> tuple[GuardRow, ...]:
    """Return all guards of the group that was looked at."""
    record = look.record
    guards = () if record is None else record.guards
    return tuple(_guard_row(guard, record, hour, look.at.wall) for guard in guards)


def _guard_row(
    guard: Guard, record: Record | None, hour: Hour, wall: float
) -> GuardRow:
    side = SIDES.get(guard.kind)
    since = hour.held_since.get(guard.kind) if guard.holds else None
    return GuardRow(
        name=guard.kind.value.replace("_", " "),
        of="all" if side is None else side.value,
        holds=guard.holds,
        value=_number(guard.value),
        limit=_number(guard.limit),
        says=describe_lack(guard, record) if guard.holds and record else "",
        age=None if since is None else format_age(max(0.0, wall - since)),
    )


def _number(number: float | None) -> str:
    return "" if number is None else f"{number:.1f}".removesuffix(".0")
