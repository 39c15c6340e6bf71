"""Every group of a fleet with what it needs a person for, at one instant.

Laws: no I/O; all is of memory, and of what `Aside` has brought from elsewhere a
while ago.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from attrs import field, frozen

from albatross_client.certificates import Validity, rfc3339
from albatross_client.texts import clean
from autoscaler.core.group import Group, GroupId
from autoscaler.core.record import Instant, Record
from autoscaler.shell.configuration.durations import format_age
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.operators.attention import (
    DOWN_S,
    Need,
    Surroundings,
    Urgency,
    look_after,
    most_urgent,
    ranked,
)
from autoscaler.shell.operators.status_report import Said, find_said
from autoscaler.shell.state.rows import RequestRow

# Certificates are renewed by people, within office hours.
EXPIRING = timedelta(days=7)

Series = Sequence[float | None]


@frozen(kw_only=True)
class Aside:
    """What is not in memory, as it was a while ago.

    Attributes:
        words: What operators have said of modes, newest first.
        hours: Mean usage of the last hour's minutes by group, oldest first,
            percent; None: nobody reported.
        dates: From when until when the certificates of hosts hold.
    """

    words: tuple[RequestRow, ...] = ()
    hours: Mapping[GroupId, Series] = field(factory=dict)
    dates: Mapping[str, tuple[Validity, ...]] = field(factory=dict)


NO_ASIDE = Aside()


@frozen
class Look:
    """One group as it is at one instant.

    Attributes:
        group: The group.
        record: How its newest decision came about; None: not known.
        needs: What it needs a person for, the most urgent first.
        said: The operator's word that holds it; None: there is none.
        at: When.
    """

    group: Group
    record: Record | None
    needs: tuple[Need, ...]
    said: Said | None
    at: Instant

    @property
    def urgency(self) -> Urgency:
        """How urgent what it needs is."""
        return most_urgent(self.needs)


def look_at(fleet: Fleet, group_id: GroupId, at: Instant, aside: Aside) -> Look:
    """Return the group as it is now, with what it needs a person for."""
    group, record = fleet.groups[group_id], fleet.newest(group_id)
    said = find_said(group_id, group.ledger.mode, aside.words)
    around = _surroundings(fleet, group, said, at)
    return Look(group, record, look_after(group, record, around, at.now), said, at)


def ranked_looks(looks: Iterable[Look]) -> tuple[Look, ...]:
    """Return *looks*, what needs a person most first, then by name."""
    return tuple(sorted(looks, key=lambda look: (-look.urgency, look.group.id)))


def needs_of_fleet(fleet: Fleet, at: Instant, aside: Aside) -> tuple[Need, ...]:
    """Return what *fleet* as a whole needs, beside what its groups do."""
    return ranked(_needs(fleet, at, aside))


def _surroundings(
    fleet: Fleet, group: Group, said: Said | None, at: Instant
) -> Surroundings:
    watch, view = fleet.watch(group.id), fleet.view(group.id)
    is_up = watch.feed.up_since is not None
    since = None if said is None else said.since
    decided = fleet.since.get(group.id, watch.changed_at)
    return Surroundings(
        down_s=None if is_up else at.now - watch.changed_at,
        is_answered=watch.listing is not None,
        is_contested=view.is_contested,
        is_balanced=group.policy.serving is None or view.backend is not None,
        decided_s=at.now - decided,
        said_by=None if said is None else said.user,
        said_s=None if since is None else max(0.0, at.wall - since),
    )


def _needs(fleet: Fleet, at: Instant, aside: Aside) -> Iterator[Need]:
    if not fleet.is_writable:
        yield Need(Urgency.ALARM, "the state can't be written: nothing begins")
    for watch in fleet.watches.values():
        down_s = at.now - watch.changed_at
        if watch.feed.up_since is None and down_s >= DOWN_S:
            says = f"no statistics of {watch.domain} from {watch.host}"
            yield Need(Urgency.ALARM, f"{says} for {format_age(down_s)}")
    wall = datetime.fromtimestamp(at.wall, UTC)
    for host, dates in aside.dates.items():
        for each in dates:
            what = f"host {host}: the certificate {clean(each.subject, 100)}"
            if each.ends <= wall:
                yield Need(Urgency.ALARM, f"{what} has expired")
            elif each.ends - wall < EXPIRING:
                yield Need(Urgency.WARNING, f"{what} expires on {rfc3339(each.ends)}")
