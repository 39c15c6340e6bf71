"""One client's connection: HTTP/1.1 by h11, answered by an ASGI application.

Laws: whatever a client sends, or doesn't read, ends in bounded time and with
bounded memory, and nothing of it ends the daemon; what is wrong with a request
is answered before the application sees it.

A client may be told for as long as it reads (events to come); only the pauses
in between are bounded.
"""

import math
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from email.utils import formatdate
from typing import Any, TypeAlias
from urllib.parse import unquote

import h11
import trio
from attrs import define, field

from autoscaler.shell.clock import wall_clock
from autoscaler.shell.containment import BROKEN, Containment
from autoscaler.shell.log import Log
from autoscaler.shell.traffic.farewell import hear_out
from autoscaler.shell.web.gate import Gate, Refusal

# A browser's request has a few hundred bytes, with cookies of other services
# on the same machine some thousand.
MOST_HEAD_BYTES = 16 * 1024
# From the end of one answer, or the first moment, to the end of a request.
REQUEST_S = 5.0
# Until an answer begins; who changes something may wait for hosts.
ANSWER_S = 10.0
CHANGE_S = 150.0
# What one piece of an answer may take to be taken by its client's system.
WRITE_S = 10.0
CHUNK = 16 * 1024

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
# asgi.readthedocs.io - an application is called once for each request.
Application: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

Outgoing: TypeAlias = (
    h11.Response | h11.InformationalResponse | h11.Data | h11.EndOfMessage
)

# No page of ours is meant to be cached, framed or guessed at by a browser.
ALWAYS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class GoneError(OSError):
    """The client is gone, or doesn't read: its answer ends here."""


@define(eq=False)
class Visit:
    """Answers one client until it goes or has to go.

    Attributes:
        stream: To the client.
        app: What answers.
        gate: Says who is answered.
        log: Told of requests that are not, and of bugs.
        is_idle: Whether no request of it is being answered.
    """

    stream: trio.abc.HalfCloseableStream
    app: Application
    gate: Gate
    log: Log
    is_idle: bool = True
    _http: h11.Connection = field(init=False)

    @_http.default
    def _new(self) -> h11.Connection:
        return h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD_BYTES)

    async def run(self) -> None:
        """Answer requests, one after another; the stream stays open."""
        while await self._turn():
            self._http.start_next_cycle()
            self.is_idle = True

    async def _turn(self) -> bool:
        """Answer one request, and tell whether another may follow."""
        try:
            with trio.fail_after(REQUEST_S):
                request = await self._read_request()
            if request is None:
                return False
            refusal = self.gate.look(request)
            if refusal is None:
                await self._answer(request, await self._read_body())
            else:
                await self._refuse(refusal, request.method)
        except h11.RemoteProtocolError as error:
            await self._complain(error)
            return False
        except (GoneError, trio.TooSlowError, trio.BrokenResourceError):
            return False
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _read_request(self) -> h11.Request | None:
        """Return the next request, None where there is no other."""
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Request):
                return event
            if event is not h11.NEED_DATA:
                return None
            data = await self.stream.receive_some(CHUNK)
            self._http.receive_data(bytes(data))

    async def _read_body(self) -> bytes:
        """Return the body of the request, whose length the gate has allowed."""
        if self._http.they_are_waiting_for_100_continue:
            await self.put(h11.InformationalResponse(status_code=100, headers=[]))
        body = b""
        with trio.fail_after(REQUEST_S):
            while not isinstance(event := self._http.next_event(), h11.EndOfMessage):
                if event is h11.NEED_DATA:
                    data = await self.stream.receive_some(CHUNK)
                    self._http.receive_data(bytes(data))
                elif isinstance(event, h11.Data):
                    body += event.data
                else:
                    raise GoneError
        return body

    async def _answer(self, request: h11.Request, body: bytes) -> None:
        self.is_idle = False
        told = Answer(self, request.method == b"HEAD")
        with trio.CancelScope() as scope:
            within = CHANGE_S if request.method == b"POST" else ANSWER_S
            scope.deadline = trio.current_time() + within
            told.scope = scope
            with Containment(self.log, f"answering {_line(request)}", (GoneError,)):
                await self.app(_scope(request), _receiver(body), told.send)
        if told.has_begun:
            return
        if scope.cancelled_caught:
            raise GoneError
        await self._say(500, BROKEN, [(b"connection", b"close")], request.method)

    async def _refuse(self, refusal: Refusal, method: bytes) -> None:
        self.is_idle = False
        self._tell_refused(refusal)
        # Not read to its end: nothing that follows it could be understood.
        headers = [(b"connection", b"close")]
        if refusal.allow is not None:
            headers.append((b"allow", refusal.allow.encode("ascii")))
        await self._say(refusal.status, refusal.says, headers, method)

    async def _complain(self, error: h11.RemoteProtocolError) -> None:
        if self._http.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        says = "that is no request of HTTP/1.1, or one that is too long"
        self._tell_refused(Refusal(error.error_status_hint, says))
        try:
            await self._say(error.error_status_hint, says, [(b"connection", b"close")])
        except (GoneError, trio.BrokenResourceError):
            return

    def _tell_refused(self, refusal: Refusal) -> None:
        self.log.event("http_refused", status=refusal.status, error=refusal.says)

    async def _say(
        self,
        status: int,
        says: str,
        headers: Iterable[tuple[bytes, bytes]],
        method: bytes = b"GET",
    ) -> None:
        body = says.encode("ascii") + b"\n"
        length = (b"content-length", str(len(body)).encode("ascii"))
        plain = (b"content-type", b"text/plain; charset=us-ascii")
        await self.put(start_of(status, [plain, length, *headers]))
        if method != b"HEAD":
            await self.put(h11.Data(data=body))
        await self.put(h11.EndOfMessage())
        # What it still sends must not take back what it was told.
        await self.stream.send_eof()
        await hear_out(self.stream)

    async def put(self, event: Outgoing) -> None:
        """Send *event*.

        Raises:
            GoneError: The client doesn't take it.
        """
        data = self._http.send(event)
        if not data:
            return
        try:
            with trio.fail_after(WRITE_S):
                await self.stream.send_all(data)
        except (trio.BrokenResourceError, trio.TooSlowError) as error:
            raise GoneError from error


@define(eq=False)
class Answer:
    """One answer of an application, as it comes.

    Attributes:
        visit: Whose.
        is_head: Whether only its head is wanted.
        scope: Ends what doesn't begin in time.
        has_begun: Whether its head is sent.
    """

    visit: Visit
    is_head: bool
    scope: trio.CancelScope = field(factory=trio.CancelScope)
    has_begun: bool = False

    async def send(self, message: Message) -> None:
        """Take *message* of the application.

        Raises:
            GoneError: The client doesn't take it.
        """
        if message["type"] == "http.response.start":
            self.has_begun = True
            self.scope.deadline = math.inf
            head = start_of(message["status"], message.get("headers", ()))
            await self.visit.put(head)
            return
        data = message.get("body", b"")
        if data and not self.is_head:
            await self.visit.put(h11.Data(data=data))
        if not message.get("more_body", False):
            await self.visit.put(h11.EndOfMessage())


def start_of(status: int, headers: Iterable[tuple[bytes, bytes]]) -> h11.Response:
    """Return the head of an answer, with what every answer has."""
    own = tuple(headers)
    said = {name.lower() for name, _ in own}
    date = formatdate(wall_clock(), usegmt=True).encode("ascii")
    more = [header for header in ALWAYS if header[0] not in said]
    return h11.Response(status_code=status, headers=[*own, (b"date", date), *more])


def _line(request: h11.Request) -> str:
    """Return what *request* asks for, without a query: it may hold a token."""
    path, _, _ = request.target.partition(b"?")
    return f"{request.method.decode('ascii')} {path.decode('ascii')}"


def _scope(request: h11.Request) -> Message:
    path, _, query = request.target.partition(b"?")
    return {
        "type": "http",
        # Of 2.4 is that sending raises OSError once the client is gone.
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": request.http_version.decode("ascii"),
        "method": request.method.decode("ascii"),
        "scheme": "http",
        "path": unquote(path.decode("ascii"), errors="replace"),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": list(request.headers),
        "client": None,
        "server": None,
    }


def _receiver(body: bytes) -> Receive:
    """Return what an application receives a request's *body* with."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
