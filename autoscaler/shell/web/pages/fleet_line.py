"""What is told of all groups: what needs a person first, then how many."""

from collections.abc import Iterable

from attrs import frozen

from autoscaler.core.shortages import counted
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.operators.attention import Need, Urgency
from autoscaler.shell.operators.outlook import Look
from autoscaler.shell.web.pages.card import WORDS, anchor

# More needs are no longer read one by one; the cards below have them all.
MOST_NEEDS = 8


@frozen
class NeedLine:
    """One thing that needs a person.

    Attributes:
        level: How urgent it is, in a word.
        says: What it is.
        anchor: Of the group that needs it; None: the fleet does.
        name: Of that group.
    """

    level: str
    says: str
    anchor: str | None = None
    name: str | None = None


@frozen(kw_only=True)
class FleetLine:
    """All groups in one look.

    Attributes:
        level: How urgent the most urgent need is, in a word.
        needs: The most urgent first.
        more: How many more groups need somebody.
        needy: How many groups and other things need somebody.
        hosts: How many.
        streams: How many.
        streams_up: How many of them bring statistics.
        groups: How many.
        members: How many, and those coming.
        in_flight: How many actions.
        mode: What an operator lets all groups do at most; None: nobody has
            said anything.
        is_stopping: Whether the daemon is about to end.
    """

    level: str
    needs: tuple[NeedLine, ...]
    more: int
    needy: int
    hosts: int
    streams: int
    streams_up: int
    groups: int
    members: int
    in_flight: int
    mode: str | None
    is_stopping: bool

    @property
    def verdict(self) -> str:
        """All of it in some words."""
        if self.is_stopping:
            return "The daemon is about to end"
        if not self.needy:
            return "Nothing needs a person"
        return f"{counted(self.needy, 'thing')} {self._verb} a person"

    @property
    def _verb(self) -> str:
        return "needs" if self.needy == 1 else "need"


def make_fleet_line(
    fleet: Fleet, own: tuple[Need, ...], looks: Iterable[Look]
) -> FleetLine:
    """Return what is told of *fleet*.

    Arguments:
        fleet: All groups.
        own: What it needs beside what groups need.
        looks: All groups, those first that need a person most.
    """
    # One stream that is down is one thing, however many groups wait for it.
    said = {need.says for need in own}
    loud = [
        look
        for look in looks
        if look.urgency >= Urgency.WARNING and look.needs[0].says not in said
    ]
    needs = [NeedLine(WORDS[need.urgency], need.says) for need in own]
    for look in loud[:MOST_NEEDS]:
        where, need = anchor(look.group.id), look.needs[0]
        line = NeedLine(WORDS[need.urgency], need.says, where, str(look.group.id))
        needs.append(line)
    watches, groups = fleet.watches.values(), fleet.groups.values()
    urgencies = [need.urgency for need in own] + [look.urgency for look in loud[:1]]
    return FleetLine(
        level=WORDS[max(urgencies, default=Urgency.NOTHING)],
        needs=tuple(needs),
        more=max(0, len(loud) - MOST_NEEDS),
        needy=len(own) + len(loud),
        hosts=len({watch.host for watch in watches}),
        streams=len(watches),
        streams_up=sum(watch.feed.up_since is not None for watch in watches),
        groups=len(groups),
        members=sum(len(group.members) for group in groups),
        in_flight=sum(len(group.ledger.actions) for group in groups),
        mode=None if fleet.word is None else fleet.word.value,
        is_stopping=fleet.is_stopping,
    )
