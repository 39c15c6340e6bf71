"""What runs in a domain, and what of it could be a primary."""

from collections.abc import Mapping

from attrs import frozen

from albatross_client.names import Name
from albatross_client.values import Info, ResourcePolicy
from autoscaler.cli.survey import view_of
from autoscaler.core.group import GroupId, new_group
from autoscaler.core.lint import Room, find_room
from autoscaler.core.observe import observe
from autoscaler.core.policy import MAX_PRIMARY_LABEL, Policy
from autoscaler.core.shortages import describe_shortage

# Of a domain with more room than that, nobody wants all of it at first.
MOST_PROPOSED = 10


@frozen
class Candidate:
    """A unikernel that runs.

    Attributes:
        name: Absolute.
        info: What the host says of it.
        room: How many clones it can have, at most `MOST_PROPOSED`.
    """

    name: Name
    info: Info
    room: Room

    @property
    def clones(self) -> int:
        """How many clones there can be."""
        return self.room.clones

    @property
    def complaint(self) -> str | None:
        """Why it can't be a primary; None: it can."""
        if len(self.name.label or "") > MAX_PRIMARY_LABEL:
            return f"its label is longer than {MAX_PRIMARY_LABEL} characters"
        return None if self.clones else self.limit

    @property
    def limit(self) -> str | None:
        """Why no more clones fit; None: `MOST_PROPOSED` do."""
        shortage = self.room.shortage
        return None if shortage is None else describe_shortage(shortage)


def find_candidates(
    infos: Mapping[Name, Info], policies: Mapping[Name, ResourcePolicy], now: float
) -> tuple[Candidate, ...]:
    """Return what runs and is nobody's clone, in the order of names.

    Arguments:
        infos: What the host says of all that runs there.
        policies: Of the host, by domain.
        now: When it said so.
    """
    view = view_of(infos, policies, now)
    found = []
    for name, info in sorted(infos.items()):
        if name.label is None or _is_clone(name, infos):
            continue
        group = new_group(GroupId("", name), Policy(max_clones=MOST_PROPOSED))
        group, _ = observe(group, view, now)
        found.append(Candidate(name, info, find_room(group, view)))
    return tuple(found)


def _is_clone(name: Name, infos: Mapping[Name, Info]) -> bool:
    return any(
        GroupId("", other).number_of(name) is not None
        for other in infos
        if other.label is not None
    )
