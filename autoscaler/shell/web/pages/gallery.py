"""Cards as they were last made; each is made anew when its group has changed.

Law: between some cards everybody else gets their turn: whoever asks for two
hundred of them holds up nobody.
"""

from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing

import trio
from attrs import define, field, frozen

from autoscaler.core.group import GroupId
from autoscaler.core.record import Instant
from autoscaler.shell.containment import Containment
from autoscaler.shell.daemon import Daemon
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.log import Log
from autoscaler.shell.operators.attention import Need, Urgency
from autoscaler.shell.operators.outlook import Aside, Look, look_at, needs_of_fleet
from autoscaler.shell.web.pages.card import Card, anchor, guard_rows, make_card
from autoscaler.shell.web.pages.chronicle import STALE_S, Chronicle, Stand
from autoscaler.shell.web.pages.fleet_line import FleetLine, make_fleet_line
from autoscaler.shell.web.pages.paint import Painter

# So many take a millisecond to be looked at, and 2 ms to be made.
LOOKS_AT_ONCE, CARDS_AT_ONCE = 40, 5


@frozen
class Hung:
    """One group as it was last looked at.

    Attributes:
        stand: What it was like.
        look: What was seen.
    """

    stand: Stand
    look: Look


@frozen
class Made:
    """What was made of a group, and of which look."""

    look: Look
    html: str


@frozen
class Overview:
    """All groups together.

    Attributes:
        at: Of which look of the chronicle.
        groups: Those first that need a person most.
        line: What is told of all.
        fleet: The same as HTML.
    """

    at: int
    groups: tuple[GroupId, ...]
    line: FleetLine
    fleet: str

    @property
    def order(self) -> tuple[str, ...]:
        """What addresses call the groups."""
        return tuple(map(anchor, self.groups))


@define(eq=False)
class Gallery:
    """Keeps what was made of each group.

    Attributes:
        daemon: Whose groups.
        chronicle: Knows what has changed.
        painter: Makes HTML.
        log: Told of bugs.
    """

    daemon: Daemon
    chronicle: Chronicle
    painter: Painter
    log: Log
    _hung: dict[GroupId, Hung] = field(factory=dict, init=False)
    _made: dict[GroupId, Made] = field(factory=dict, init=False)
    _overview: Overview | None = field(default=None, init=False)
    _own: tuple[Need, ...] = field(default=(), init=False)
    _own_key: tuple[object, ...] = field(default=(), init=False)

    @property
    def fleet(self) -> Fleet:
        """The groups."""
        return self.daemon.fleet

    def now(self) -> Instant:
        """Return this instant."""
        return Instant(trio.current_time(), self.fleet.clocks().wall)

    @property
    def aside(self) -> Aside:
        """What is not in the fleet."""
        return Aside(
            words=self.chronicle.words,
            dates={name: reach.dates for name, reach in self.daemon.hosts.items()},
        )

    def look(self, group_id: GroupId, aside: Aside | None = None) -> Look:
        """Return the group as it is, or was a moment ago."""
        stand, now = self.chronicle.stands.get(group_id), self.now()
        hung = self._hung.get(group_id)
        is_new = hung is not None and now.now - hung.look.at.now < STALE_S
        if hung is not None and is_new and hung.stand is stand:
            return hung.look
        look = look_at(self.fleet, group_id, now, aside or self.aside)
        if stand is not None:
            self._hung[group_id] = Hung(stand, look)
        if hung is not None and hung.stand is stand and hung.look.needs != look.needs:
            # By time alone.
            self.chronicle.board.change((group_id,))
        return look

    def card(self, group_id: GroupId) -> str:
        """Return the card of the group, as HTML."""
        look, made = self.look(group_id), self._made.get(group_id)
        if made is not None and made.look is look:
            return made.html
        html = self.painter.card(self.view(look))
        self._made[group_id] = Made(look, html)
        return html

    def _card_come_what_may(self, group_id: GroupId) -> str:
        """Return the card of the group, or one that says that there is none."""
        with Containment(self.log, f"making the card of {group_id}"):
            return self.card(group_id)
        return self.painter.broken(group_id, anchor(group_id))

    def view(self, look: Look) -> Card:
        """Return what is shown of the group that was looked at."""
        return make_card(look, self.chronicle.hour(look.group.id))

    def now_of(self, group_id: GroupId) -> str:
        """Return how the group is, as its own page has it, as HTML."""
        look = self.look(group_id)
        guards = guard_rows(look, self.chronicle.hour(group_id))
        version = self.version(group_id)
        return self.painter.group_now(self.view(look), guards, version)

    def version(self, group_id: GroupId) -> str:
        """Return what changes when something has happened to the group."""
        group = self.fleet.groups[group_id]
        return f"{self.fleet.since.get(group_id, 0.0)}-{group.ledger.next_action}"

    async def overview(self) -> Overview:
        """Return all groups, those first that need a person most."""
        before, at = self._overview, self.chronicle.looks
        if before is not None and before.at == at:
            return before
        async with aclosing(self._looks()) as seen:
            looks = tuple(sorted([look async for look in seen], key=_rank))
        line = make_fleet_line(self.fleet, self._own_needs(), looks)
        groups = tuple(look.group.id for look in looks)
        self._overview = Overview(at, groups, line, self.painter.fleet(line))
        return self._overview

    def _own_needs(self) -> tuple[Need, ...]:
        """Return what the fleet needs; how long ages seldom."""
        fleet, now = self.fleet, self.now()
        ups = [w.feed.up_since is not None for w in fleet.watches.values()]
        key = now.now // STALE_S, fleet.is_writable, *ups
        if key != self._own_key:
            self._own_key = key
            self._own = needs_of_fleet(fleet, now, self.aside)
        return self._own

    async def _looks(self) -> AsyncGenerator[Look, None]:
        groups, aside = self.fleet.groups, self.aside
        for gone in [g for g in self._hung if g not in groups]:
            del self._hung[gone]
            self._made.pop(gone, None)
        for number, group_id in enumerate(tuple(groups), 1):
            # Meanwhile groups may come and go.
            if group_id in groups:
                yield self.look(group_id, aside)
            if not number % LOOKS_AT_ONCE:
                await trio.lowlevel.checkpoint()

    def cards(self, groups: Iterable[GroupId]) -> Iterator[str]:
        """Yield the cards of *groups*, as HTML, some at a time."""
        batch: list[str] = []
        for group_id in groups:
            if group_id in self.fleet.groups:
                batch.append(self._card_come_what_may(group_id))
            if len(batch) == CARDS_AT_ONCE:
                yield "".join(batch)
                batch = []
        yield "".join(batch)


def _rank(look: Look) -> tuple[int, bool, GroupId]:
    return -look.urgency, not _is_restless(look), look.group.id


def _is_restless(look: Look) -> bool:
    """Tell whether a group wants more than it has, or doesn't know."""
    sizes = None if look.record is None else look.record.sizes
    if look.urgency > Urgency.NOTICE or sizes is None:
        return True
    return sizes.wants is None or sizes.wants > sizes.has or bool(sizes.coming)
