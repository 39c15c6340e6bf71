"""Which servers the balancer of a group should have, worked out anew each time.

An operator's primary is the operator's server: only clones are ours to add.
"""

from collections.abc import Mapping

from attrs import frozen

from albatross_client.names import Name, is_label
from autoscaler.core.arrange import Wanted
from autoscaler.core.backend import Duty, Place
from autoscaler.core.group import Group, GroupId, Member, Parting
from autoscaler.core.serving import ServePolicy
from autoscaler.core.standing import is_draining
from autoscaler.core.weights import MOST, NO_SCORES, Scores


def find_places(
    group: Group, serving: ServePolicy, scores: Scores = NO_SCORES
) -> Mapping[str, Wanted]:
    """Return what the servers of *group* should be, by name.

    Arguments:
        group: Whose.
        serving: What holds for it.
        scores: What members use, of those that are weighed.

    A member that leaves has no place: its server ends its work and goes.
    """
    return {
        member.name.label: Wanted(
            place=place, duty=duty, weight=_weight(member, serving, scores)
        )
        for member in group.clones
        if member.name.label is not None
        and (place := place_of(member, serving)) is not None
        and (duty := _duty(group, member)) is not None
    }


def _weight(member: Member, serving: ServePolicy, scores: Scores) -> int | None:
    if serving.weights is None:
        return None
    score = scores.get(member.name.label or "")
    return MOST if score is None else score.weight


def place_of(member: Member, serving: ServePolicy) -> Place | None:
    """Return where *member* listens; None: it has no address yet."""
    address = member.found if serving.is_sought else member.address
    return None if address is None else Place(address, serving.port)


@frozen
class OurServers:
    """Tells which servers could be of our making.

    Attributes:
        group: Whose numbers they have.
        given: The places that members have and had, by their labels.
    """

    group: GroupId
    given: Mapping[str, frozenset[Place]]

    def names(self, name: str) -> bool:
        """Return whether we may have named a server so."""
        return is_label(name) and (
            self.group.number_of(Name(self.group.name.path, name)) is not None
        )

    def gave(self, name: str, place: Place) -> bool:
        """Return whether we have given *place* to the one of this *name*."""
        return place in self.given.get(name, frozenset())


def _duty(group: Group, member: Member) -> Duty | None:
    match group.ledger.parting.get(member.name):
        case Parting.LEAVES:
            return None
        case Parting.CUT:
            return Duty.MAINT
        case None:
            pass
    return Duty.DRAIN if is_draining(group, member.name) else Duty.READY
