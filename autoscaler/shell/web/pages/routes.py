"""Paths of the pages, and of events; for reading alone."""

import math
import zlib
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from importlib.metadata import version

import trio
from attrs import define, field
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from autoscaler.core.group import GroupId
from autoscaler.shell.configuration.settings import Settings
from autoscaler.shell.containment import Containment
from autoscaler.shell.daemon import Daemon
from autoscaler.shell.log import Field, Log
from autoscaler.shell.operators.requests import RequestError, find_groups
from autoscaler.shell.web.answers import (
    NOT_FOUND,
    OK,
    UNAVAILABLE,
    Pieces,
    new_little_packer,
    pack,
    packed_headers,
    takes_gzip,
)
from autoscaler.shell.web.pages.board import MOST_SUBSCRIBERS, FullError
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
EVENTS = "text/event-stream"
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


class Stream(Response):
    """An answer that goes on for as long as its client reads."""

    def __init__(
        self,
        pieces: Callable[[], AsyncGenerator[bytes, None]],
        end: Callable[[], None],
        *,
        is_packed: bool,
    ) -> None:
        """Send *pieces*; *end* is called when nobody reads them any more."""
        self._pieces, self._end = pieces, end
        self._packer = new_little_packer() if is_packed else None
        self.status_code, self.background = OK, None
        self.init_headers(
            {"content-type": EVENTS, **packed_headers(is_packed=is_packed)}
        )
        del self.headers["content-length"]

    async def __call__(
        self,
        scope: Scope,
        receive: Receive,  # noqa: ARG002 - ASGI's signature
        send: Send,
    ) -> None:
        """Send what comes until the client is gone."""
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            if scope["method"] != "HEAD":
                await self._send_all(send)
            await send({"type": "http.response.body"})
        finally:
            self._end()

    async def _send_all(self, send: Send) -> None:
        async with aclosing(self._pieces()) as pieces:
            async for piece in pieces:
                body = self._pack(piece)
                await send(
                    {"type": "http.response.body", "body": body, "more_body": True}
                )

    def _pack(self, piece: bytes) -> bytes:
        if self._packer is None:
            return piece
        # Else it would wait for more.
        return self._packer.compress(piece) + self._packer.flush(zlib.Z_SYNC_FLUSH)


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
            Route("/", self.show_all),
            Route("/groups/{which:path}", self.show_group),
            Route(DIRECTORY + "{name}", self.give_file),
            Route("/live", self.tell_pages),
            Route("/api/v1/events", self.tell_programs),
        ]

    async def show_all(self, request: Request) -> Response:
        """Answer with the page of all groups."""
        await self.chronicle.read_words()
        self._warm_until = trio.current_time() + WARM_S
        sought = request.query_params.get("q", "")[:LONGEST_SOUGHT].strip()
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
        try:
            group_id = self._find(request.path_params["which"])
        except RequestError as error:
            return _nothing(str(error))
        await self.chronicle.read_words()
        instant, wall = self.chronicle.board.instant, self._gallery.now().wall
        async with self._turn:
            told = await trio.to_thread.run_sync(
                read_all, self.settings(), group_id, wall
            )
        if group_id not in self.daemon.fleet.groups:
            return _nothing("this group is no longer configured")
        now, frame = self._gallery.now_of(group_id), self._frame(instant, str(group_id))
        page = self._painter.group(frame, anchor(group_id), now, told)
        return _page(request, page)

    async def give_file(self, request: Request) -> Response:
        """Answer with a style, a script or a picture."""
        found = FILES.get(request.path_params["name"])
        if found is None:
            return _nothing("there is no such file, or no longer")
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
        which = request.query_params.get("group")
        try:
            group_id = self._find(which) if which else None
        except RequestError as error:
            return JSONResponse({"error": str(error)}, NOT_FOUND)
        await self.chronicle.read_words()
        board = self.chronicle.board
        since = request.headers.get("last-event-id") or request.query_params.get(
            "since"
        )
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


def _nothing(why: str) -> Response:
    return PlainTextResponse(f"{why}\n", NOT_FOUND)


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
