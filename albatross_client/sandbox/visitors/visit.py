"""One request over HTTP/1.1, and how it ended.

Laws: every end is an `Outcome`, never an exception; a request that is cancelled
leaves no connection behind; one request is sent again only where a client may
(RFC 9112, 9.3.1): its connection had been kept, and ended before the first
octet of an answer.
"""

import errno
import select
from typing import Self
from urllib.parse import urlsplit

import h11
import trio
from attrs import define, evolve, field, frozen

from albatross_client.sandbox.visitors.tally import Outcome

_RECEIVE_BYTES = 65_536
# Of a body, what is kept.
_BODY_BYTES = 4096
_DEFAULT_PORT = 80
_MAY_BE_SENT_AGAIN = frozenset({Outcome.RESET, Outcome.NO_ANSWER})


@frozen(kw_only=True)
class Target:
    """What is asked for.

    Attributes:
        host: Name or address.
        port: TCP.
        path: With the query.
    """

    host: str
    port: int = _DEFAULT_PORT
    path: str = "/"

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read ``http://127.0.0.1:8000/work?ms=5``.

        Raises:
            ValueError: It is no such URL, in one sentence.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or _DEFAULT_PORT
        except ValueError:
            host, port, parts = None, 0, urlsplit("")
        if parts.scheme != "http" or not host or not url.isascii() or " " in url:
            msg = f"{url!r} is no target: http://HOST:PORT/PATH, of ASCII and no spaces"
            raise ValueError(msg)
        query = f"?{parts.query}" if parts.query else ""
        return cls(host=host, port=port, path=(parts.path or "/") + query)

    @property
    def authority(self) -> str:
        """``host:port``, as the Host field has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@frozen(kw_only=True)
class Answer:
    """How one request ended.

    Attributes:
        outcome: In one word.
        status: Of the answer; None: there was none.
        body: What came of it, its first 4 kB.
        is_retried: Whether it was sent twice.
    """

    outcome: Outcome
    status: int | None = None
    body: bytes = b""
    is_retried: bool = False


@define
class _Line:
    """A connection, and what was read of the answer on it."""

    stream: trio.SocketStream
    http: h11.Connection = field(factory=lambda: h11.Connection(h11.CLIENT))
    has_begun: bool = False
    has_ended: bool = False
    status: int | None = None
    body: bytes = b""

    @property
    def is_quiet(self) -> bool:
        """Whether nothing came while it was idle, its end least of all."""
        poll = select.poll()
        poll.register(self.stream.socket.fileno(), select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        self.stream.socket.close()

    def begin(self) -> None:
        self.has_begun, self.status, self.body = False, None, b""

    def is_free_again(self) -> bool:
        """Tell whether it takes another request; if so, it is ready for it."""
        if self.http.our_state is h11.DONE and self.http.their_state is h11.DONE:
            self.http.start_next_cycle()
            return True
        return False


@define
class Visitor:
    """Asks for one thing, on connections that it keeps meanwhile.

    Attributes:
        target: What is asked for.
    """

    target: Target
    _idle: list[_Line] = field(factory=list, init=False)

    async def visit(self, *, keeps_alive: bool) -> Answer:
        """Ask once, on a connection that was kept and will be, or a new one."""
        kept = self._kept_line() if keeps_alive else None
        if kept is None:
            return await self._ask_anew(keeps_alive=keeps_alive)
        answer = await self._ask(kept, keeps_alive=True)
        if kept.has_begun or answer.outcome not in _MAY_BE_SENT_AGAIN:
            return answer
        return evolve(await self._ask_anew(keeps_alive=True), is_retried=True)

    def close(self) -> None:
        """Close the connections that were kept."""
        while self._idle:
            self._idle.pop().close()

    def _kept_line(self) -> _Line | None:
        while self._idle:
            line = self._idle.pop()
            if line.is_quiet:
                return line
            line.close()
        return None

    async def _ask_anew(self, *, keeps_alive: bool) -> Answer:
        try:
            stream = await trio.open_tcp_stream(self.target.host, self.target.port)
        except OSError as error:
            return Answer(outcome=_why_not(error))
        return await self._ask(_Line(stream), keeps_alive=keeps_alive)

    async def _ask(self, line: _Line, *, keeps_alive: bool) -> Answer:
        is_kept = False
        try:
            line.begin()
            outcome = await self._converse(line, keeps_alive=keeps_alive)
            is_kept = line.is_free_again()
        finally:
            if is_kept:
                self._idle.append(line)
            else:
                line.close()
        return Answer(outcome=outcome, status=line.status, body=line.body)

    async def _converse(self, line: _Line, *, keeps_alive: bool) -> Outcome:
        request = self._request(keeps_alive=keeps_alive)
        end = h11.EndOfMessage()
        try:
            octets = (line.http.send(request) or b"") + (line.http.send(end) or b"")
            await line.stream.send_all(octets)
            await _hear(line)
        except trio.BrokenResourceError:
            return Outcome.RESET
        except h11.RemoteProtocolError:
            return _how_broken(line)
        return _by_status(line.status)

    def _request(self, *, keeps_alive: bool) -> h11.Request:
        connection = "keep-alive" if keeps_alive else "close"
        return h11.Request(
            method="GET",
            target=self.target.path,
            headers=[("Host", self.target.authority), ("Connection", connection)],
        )


async def _hear(line: _Line) -> None:
    """Read the answer on *line* to its end."""
    while True:
        event = line.http.next_event()
        if event is h11.NEED_DATA:
            octets = await line.stream.receive_some(_RECEIVE_BYTES)
            line.has_begun = line.has_begun or bool(octets)
            line.has_ended = not octets
            line.http.receive_data(octets)
        elif isinstance(event, h11.Response):
            line.status = event.status_code
        elif isinstance(event, h11.Data):
            line.body = (line.body + bytes(event.data))[:_BODY_BYTES]
        elif isinstance(event, h11.EndOfMessage):
            return


def _why_not(error: OSError) -> Outcome:
    # trio tells of several addresses in a group below one error.
    causes = [error.__cause__, *getattr(error.__cause__, "exceptions", ())]
    numbers = {getattr(each, "errno", None) for each in [error, *causes]}
    if errno.ECONNREFUSED in numbers:
        return Outcome.REFUSED
    return Outcome.UNREACHABLE


def _how_broken(line: _Line) -> Outcome:
    if not line.has_ended:
        return Outcome.GARBLED
    return Outcome.SHORT if line.has_begun else Outcome.NO_ANSWER


def _by_status(status: int | None) -> Outcome:
    match (status or 0) // 100:
        case 2 | 3:
            return Outcome.ANSWERED
        case 5:
            return Outcome.SERVER_ERROR
        case _:
            return Outcome.OTHER_STATUS
