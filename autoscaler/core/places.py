"""Which servers the balancer of a group should have, worked out anew each time.

An operator's primary is the operator's server: only clones are ours to add.
"""

from collections.abc import Mapping
from typing import assert_never

from attrs import frozen

from albatross_client.names import Name, is_label
from autoscaler.core.arrange import Wanted
from autoscaler.core.backend import Backend, Duty, Place, Server
from autoscaler.core.group import Group, Member
from autoscaler.core.ledger import Parting
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


def server_of(member: Member, backend: Backend, serving: ServePolicy) -> Server | None:
    """Return the server of *member*; one of its name elsewhere is not its."""
    server = backend.servers.get(member.name.label or "")
    if server is None or server.is_backup:
        return None
    is_its = not server.address or server.place == place_of(member, serving)
    return server if is_its else None


@frozen
class OurServers:
    """Tells which servers could be of our making.

    Attributes:
        group: Whose numbers they have.
        given: The places that members have and had, by their labels, as far
            as that is remembered.
    """

    group: Group
    given: Mapping[str, frozenset[Place]]

    def names(self, name: str) -> bool:
        """Return whether we may have named a server so."""
        return self._number(name) is not None

    def gave(self, name: str, place: Place) -> bool:
        """Return whether we have given *place* to the one of this *name*."""
        return place in self.given.get(name, ()) or self._is_left_over(name, place)

    def _is_left_over(self, name: str, place: Place) -> bool:
        """Tell whether an earlier run has left it: its member is gone.

        Nobody else has addresses of the group's pool, and numbers below the
        next one were given by us, or will never be.
        """
        group, number = self.group, self._number(name)
        serving, pool = group.policy.serving, group.policy.address_pool
        if serving is None or pool is None or number is None:
            return False
        is_ours = place.port == serving.port and place.address in pool
        is_member = any(clone.number == number for clone in group.clones)
        return is_ours and not is_member and number < group.ledger.next_number

    def _number(self, name: str) -> int | None:
        group_id = self.group.id
        if not is_label(name):
            return None
        return group_id.number_of(Name(group_id.name.path, name))


def _duty(group: Group, member: Member) -> Duty | None:
    match group.ledger.parting.get(member.name):
        case Parting.LEAVES:
            return None
        case Parting.CUT:
            return Duty.MAINT
        case Parting.ENDS | None:
            rests = member.is_standby or is_draining(group, member.name)
            return Duty.DRAIN if rests else Duty.READY
        case unreachable:
            assert_never(unreachable)
