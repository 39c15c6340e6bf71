"""Server-sent events: what has changed, for as long as a client reads.

Laws: a client is told the newest, never all that was in between; between two
pieces everybody else gets their turn; a client that has gone is noticed within
a heartbeat.
"""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import trio
from attrs import define, field, frozen

from albatross_client.texts import as_unicode
from autoscaler.core.group import GroupId
from autoscaler.shell.containment import Containment
from autoscaler.shell.operators.top_form import group_form
from autoscaler.shell.web.pages.board import Board, Subscriber
from autoscaler.shell.web.pages.card import anchor
from autoscaler.shell.web.pages.gallery import Gallery

# A proxy in between gives up after a minute or less.
HEARTBEAT_S = 15.0
# So soon a client comes back, milliseconds.
RETRY_MS = 2000
# A scale-up changes a group several times within a second.
PAUSE_S = 0.5


@frozen
class Event:
    """One event.

    Attributes:
        name: Its kind.
        data: What it tells.
        id: What the client says when it comes back; None: nothing new.
    """

    name: str
    data: object
    id: str | None = None

    def encode(self) -> bytes:
        """Return it as it is sent."""
        # html.spec.whatwg.org, 9.2.5 - lines of "field: value", an empty one.
        number = "" if self.id is None else f"id: {self.id}\n"
        data = json.dumps(as_unicode(self.data), separators=(",", ":"))
        return f"{number}event: {self.name}\ndata: {data}\n\n".encode("ascii")


# An event, for a comment is nothing that a script could see.
HEARTBEAT = b"event: heartbeat\ndata: {}\n\n"
FIRST = f"retry: {RETRY_MS}\n\n".encode("ascii")


@frozen
class Scribe:
    """Says what has changed, in one of the forms.

    Attributes:
        of_group: Returns the event of a group.
        of_all: Returns the events of all groups together, as far as they have
            changed.
    """

    of_group: Callable[[GroupId], Event]
    of_all: "Summary | None" = None


@define(eq=False)
class Summary:
    """What one page shows beside its cards: the fleet's line, and their order.

    Attributes:
        gallery: Of the groups.
    """

    gallery: Gallery
    _fleet: str = field(default="", init=False)
    _order: tuple[str, ...] = field(default=(), init=False)

    async def tell(self) -> AsyncGenerator[Event, None]:
        """Yield what has changed since it was last told."""
        view = await self.gallery.overview()
        if view.fleet != self._fleet:
            self._fleet = view.fleet
            yield Event("fleet", {"html": view.fleet, "verdict": view.line.verdict})
        if view.order != self._order:
            self._order = view.order
            yield Event("order", view.order)


def as_fragments(gallery: Gallery, *, is_alone: bool) -> Scribe:
    """Return what tells pages: HTML to be put in the place of the old.

    Arguments:
        gallery: Of the groups.
        is_alone: Whether the page is of one group.
    """

    def of_group(group_id: GroupId) -> Event:
        html = gallery.now_of(group_id) if is_alone else gallery.card(group_id)
        return Event("card", {"anchor": anchor(group_id), "html": html})

    return Scribe(of_group, None if is_alone else Summary(gallery))


def as_documents(gallery: Gallery) -> Scribe:
    """Return what tells programs: one JSON for each group that has changed."""

    def of_group(group_id: GroupId) -> Event:
        form = group_form(gallery.fleet, gallery.look(group_id), gallery.aside)
        return Event("group", form)

    return Scribe(of_group)


async def follow(
    board: Board, subscriber: Subscriber, gallery: Gallery, scribe: Scribe
) -> AsyncGenerator[bytes, None]:
    """Yield what *subscriber* is to be told, for ever."""
    yield FIRST
    told_at = trio.current_time()
    while True:
        subscriber.woken = trio.Event()
        async with aclosing(_news(board, subscriber, gallery, scribe)) as news:
            async for event in news:
                yield event.encode()
                told_at = trio.current_time()
                await trio.lowlevel.checkpoint()
        if trio.current_time() - told_at >= HEARTBEAT_S:
            yield HEARTBEAT
            told_at = trio.current_time()
        await trio.sleep(PAUSE_S)
        with trio.move_on_after(HEARTBEAT_S):
            await subscriber.woken.wait()


def _event_of(group_id: GroupId, gallery: Gallery, scribe: Scribe) -> Event | None:
    """Return what is told of the group; None: it is gone, or can't be told."""
    if group_id in gallery.fleet.groups:
        with Containment(gallery.log, f"telling followers of {group_id}"):
            return scribe.of_group(group_id)
    return None


async def _news(
    board: Board, subscriber: Subscriber, gallery: Gallery, scribe: Scribe
) -> AsyncGenerator[Event, None]:
    instant = board.instant
    while (group_id := subscriber.take()) is not None:
        event = _event_of(group_id, gallery, scribe)
        if event is not None:
            # Only behind the last one all has been told until that instant.
            yield event if subscriber.owed else Event(event.name, event.data, instant)
    if scribe.of_all is not None:
        async with aclosing(scribe.of_all.tell()) as told:
            async for event in told:
                yield event
