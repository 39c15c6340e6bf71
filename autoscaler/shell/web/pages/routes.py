"""Paths of the pages, and of events; for reading alone."""

import math
from collections.abc import Callable, Mapping
from importlib.metadata import version

import trio
from attrs import define, field
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from autoscaler.core.group import GroupId
from autoscaler.shell.configuration.settings import Settings
from autoscaler.shell.containment import Containment
from autoscaler.shell.daemon import Daemon
from autoscaler.shell.log import Field, Log
from autoscaler.shell.operators.requests import (
    RequestError,
    UnknownError,
    find_groups,
)
from autoscaler.shell.web.answers import (
    NOT_FOUND,
    UNAVAILABLE,
    Pieces,
    Stream,
    pack,
    packed_headers,
    takes_gzip,
)
from autoscaler.shell.web.api import BAD, Endpoint, or_why_not, words_of
from autoscaler.shell.web.pages.board import MOST_SUBSCRIBERS, FullError, is_instant
from autoscaler.shell.web.pages.card import anchor
from autoscaler.shell.web.pages.chronicle import LOOK_S, Chronicle
from autoscaler.shell.web.pages.gallery import Gallery
from autoscaler.shell.web.pages.live import (
    Scribe,
    as_documents,
    as_fragments,
    follow,
)
from autoscaler.shell.web.pages.paint import Frame, Painter, as_bytes
from autoscaler.shell.web.pages.past import read_all
from autoscaler.shell.web.pages.static_files import DIRECTORY, FILES

HTML = "text/html; charset=utf-8"
# What a page may have: its own style, script, picture and events.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
A_YEAR = "public, max-age=31536000, immutable"
LONGEST_SOUGHT = 100
# Somebody who has looked may look again: for so long cards are made when their
# groups change, and are ready when they are asked for.
WARM_S = 600.0


@define(eq=False)
class Pages:
    """Answers with pages of one daemon.

    Attributes:
        daemon: Of which they tell.
        settings: Returns the configuration in force.
        log: Told of bugs.
        chronicle: Follows the groups; it has to run beside.
    """

    daemon: Daemon
    settings: Callable[[], Settings]
    log: Log
    chronicle: Chronicle = field(init=False)
    _painter: Painter = field(factory=Painter, init=False)
    _gallery: Gallery = field(init=False)
    _warm_until: float = field(default=-math.inf, init=False)
    # One reads from the disk at a time.
    _turn: trio.Lock = field(factory=trio.Lock, init=False)

    @chronicle.default
    def _new_chronicle(self) -> Chronicle:
        return Chronicle(self.daemon.fleet, self.settings, self.log)

    @_gallery.default
    def _new_gallery(self) -> Gallery:
        return Gallery(self.daemon, self.chronicle, self._painter, self.log)

    async def follow_for_ever(self) -> None:
        """Look what has changed, again and again."""
        with Containment(self.log, "reading the last hour for the pages"):
            await self.chronicle.remember()
        while True:
            with Containment(self.log, "looking what has changed for the pages"):
                await self._look()
            await trio.sleep(LOOK_S)

    async def _look(self) -> None:
        changed = self.chronicle.look()
        if trio.current_time() < self._warm_until:
            for _ in self._gallery.cards(changed):
                await trio.lowlevel.checkpoint()

    def hear(self, event: str, fields: Mapping[str, Field]) -> None:
        """Note what a log is told of actions."""
        if event.startswith("action_"):
            with Containment(self.log, "noting an action for the pages"):
                self.chronicle.hear(event, fields)

    def routes(self) -> list[Route]:
        """Return what is answered at which path."""
        return [
            Route("/", _or_why_not(self.show_all)),
            Route("/groups/{which:path}", _or_why_not(self.show_group)),
            Route(DIRECTORY + "{name}", _or_why_not(self.give_file)),
            Route("/live", or_why_not(self.tell_pages)),
            Route("/api/v1/events", or_why_not(self.tell_programs)),
        ]

    async def show_all(self, request: Request) -> Response:
        """Answer with the page of all groups."""
        sought = _sought(request)
        await self.chronicle.read_words()
        self._warm_until = trio.current_time() + WARM_S
        instant = self.chronicle.board.instant
        view = await self._gallery.overview()
        shown = [g for g in view.groups if sought.lower() in str(g).lower()]
        frame = self._frame(instant, view.line.verdict, sought)
        cards = self._gallery.cards(shown)
        counts = len(shown), len(view.groups)
        pieces = self._painter.overview(frame, view.fleet, cards, counts)
        is_packed = takes_gzip(request)
        encoded = map(as_bytes, pieces)
        return Pieces(
            pack(encoded) if is_packed else encoded,
            HTML,
            {"content-security-policy": POLICY, **packed_headers(is_packed=is_packed)},
        )

    async def show_group(self, request: Request) -> Response:
        """Answer with a group's own page."""
        words_of(request)
        group_id = self._find(request.path_params["which"])
        await self.chronicle.read_words()
        instant, wall = self.chronicle.board.instant, self._gallery.now().wall
        async with self._turn:
            told = await trio.to_thread.run_sync(
                read_all, self.settings(), group_id, wall
            )
        if group_id not in self.daemon.fleet.groups:
            msg = "this group is no longer configured"
            raise UnknownError(msg)
        now, frame = self._gallery.now_of(group_id), self._frame(instant, str(group_id))
        page = self._painter.group(frame, anchor(group_id), now, told)
        return _page(request, page)

    async def give_file(self, request: Request) -> Response:
        """Answer with a style, a script or a picture."""
        words_of(request)
        found = FILES.get(request.path_params["name"])
        if found is None:
            msg = "there is no such file, or no longer"
            raise UnknownError(msg)
        is_packed = takes_gzip(request)
        return Response(
            found.packed if is_packed else found.content,
            headers={
                "cache-control": A_YEAR,
                "content-type": found.content_type,
                **packed_headers(is_packed=is_packed),
            },
        )

    async def tell_pages(self, request: Request) -> Response:
        """Answer with what becomes of what a page shows."""

        def scribe(group_id: GroupId | None) -> Scribe:
            return as_fragments(self._gallery, is_alone=group_id is not None)

        return await self._follow(request, scribe)

    async def tell_programs(self, request: Request) -> Response:
        """Answer with what becomes of groups, as JSON."""
        return await self._follow(request, lambda _: as_documents(self._gallery))

    async def _follow(
        self, request: Request, scribe: Callable[[GroupId | None], Scribe]
    ) -> Response:
        words = words_of(request, "group", "since")
        group_id = self._find(words["group"]) if "group" in words else None
        since = _since(words)
        await self.chronicle.read_words()
        board = self.chronicle.board
        # Browsers say it by themselves, and also after an update of ours.
        since = request.headers.get("last-event-id") or since
        try:
            subscriber = board.subscribe(since, group_id)
        except FullError:
            says = f"{MOST_SUBSCRIBERS} clients follow already: no more may"
            retry = {"retry-after": "10"}
            return JSONResponse({"error": says}, UNAVAILABLE, retry)
        return Stream(
            lambda: follow(board, subscriber, self._gallery, scribe(group_id)),
            lambda: board.leave(subscriber),
            is_packed=takes_gzip(request),
        )

    def _find(self, which: str) -> GroupId:
        """Return the group that addresses, or people, call so.

        Raises:
            RequestError: None or more than one is.
        """
        groups = tuple(self.daemon.fleet.groups)
        found = next((g for g in groups if f"{g.host}/{g.key}" == which), None)
        return find_groups(groups, which)[0] if found is None else found

    def _frame(self, instant: str, title: str, sought: str = "") -> Frame:
        return Frame(
            deployment=self.settings().deployment.name,
            version=version("albatross-autoscaler"),
            instant=instant,
            at=self._gallery.now().wall,
            title=title,
            sought=sought,
        )


def _sought(request: Request) -> str:
    """Return what names have to contain; empty: any do.

    Raises:
        RequestError: It is too long, or something else was asked for.
    """
    sought = words_of(request, "q").get("q", "")
    if len(sought) > LONGEST_SOUGHT:
        msg = f"q, what names have to contain, has at most {LONGEST_SOUGHT} characters"
        raise RequestError(msg)
    return sought.strip()


def _since(words: Mapping[str, str]) -> str | None:
    """Return what all is known of already, None where nothing is.

    Raises:
        RequestError: It is nothing that we have said.
    """
    since = words.get("since")
    if since is not None and not is_instant(since):
        msg = "since must be the id of an event, such as 3c1fa0de-118"
        raise RequestError(msg)
    return since


def _or_why_not(show: Endpoint) -> Endpoint:
    """Return *show*, with an answer for people to whatever can't be shown."""

    async def answer(request: Request) -> Response:
        try:
            return await show(request)
        except UnknownError as error:
            return PlainTextResponse(f"{error}\n", NOT_FOUND)
        except RequestError as error:
            return PlainTextResponse(f"{error}\n", BAD)

    return answer


def _page(request: Request, page: str) -> Response:
    is_packed = takes_gzip(request)
    text = as_bytes(page)
    body = b"".join(pack([text])) if is_packed else text
    headers = {
        "content-security-policy": POLICY,
        "content-type": HTML,
        **packed_headers(is_packed=is_packed),
    }
    return Response(body, headers=headers)
