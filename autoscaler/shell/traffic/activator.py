"""The activator of a group: takes connections, also while nobody serves.

It listens where the balancer sends what no member of the group can take.  A
connection is joined to a member that is ready, or held until one is; what the
two say is passed on as it comes.  What happens to a connection is decided in
`autoscaler.core.holding`; here it is done.

In HAProxy it is a server with ``backup`` and ``pool-max-conn 0`` (a connection
kept for later counts as a session, and keeps its member from being idle), best
under ``option abortonclose`` (a client that hangs up is told of as a reset;
with a proper end after a request it may just wait for its answer).  With
``inter 200ms rise 1 fall 25`` it is found soon after a start of the daemon, and
during one HAProxy tries again, as ``retries 3`` says, instead of refusing.
Health checks by ``option httpchk`` need ``http-check send-state``: by that mark
they are known, and wake nobody.

Laws: a wake belongs to the group and outlives whoever it was asked for; what
was read of a client is given to exactly one member, in order; a client that
hangs up frees its place; whoever is slow keeps nobody else waiting.
"""

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeAlias, assert_never

import trio
from attrs import define, evolve, field, frozen

from autoscaler.core.activation import (
    CHECK_ANSWER,
    ActivatorSettings,
    Refusal,
    Speech,
    is_check,
    refusal_words,
)
from autoscaler.core.backend import Place
from autoscaler.core.holding import (
    Caller,
    Confirm,
    Hold,
    Holding,
    Join,
    Refuse,
    Scene,
    Serving,
    Verdict,
    arrive,
    end,
    judge,
    leave,
    miss,
    take,
)
from autoscaler.shell.log import Log
from autoscaler.shell.traffic.farewell import send_away
from autoscaler.shell.traffic.sockets import dial
from autoscaler.shell.traffic.splice import Meter, Splice

Stream: TypeAlias = trio.abc.HalfCloseableStream
Dial = Callable[[Place], Awaitable[Stream]]

# HAProxy, tune.bufsize: it sends no more of a request before it is taken.
MOST_EARLY_BYTES = 16_384
# What a client that is refused at once gets to say what it wants.
REQUEST_S = 1.0
# Without file descriptors, until the next try.
ACCEPT_PAUSE_S = 0.1


class Backends(Protocol):
    """The members of a group, as its activator needs them."""

    def ready(self) -> Sequence[Serving]:
        """Return those that serve now."""

    def is_waking(self) -> bool:
        """Tell whether a member is on its way: decided, created or booting."""

    async def changed(self) -> None:
        """Return when either may have another answer than at the call."""

    def wake(self) -> None:
        """Ask the group for a member, without waiting for it."""


@define(eq=False)
class _Call:
    """A connection and what became of it.

    Attributes:
        client: Its stream.
        caller: What decisions know of it.
        ends: What has to be done at its end.
        early: What was read of it while it was held.
        news: Set when it is to be looked at again.
    """

    client: Stream
    caller: Caller
    ends: contextlib.AsyncExitStack = field(factory=contextlib.AsyncExitStack)
    early: bytearray = field(factory=bytearray)
    news: trio.Event = field(factory=trio.Event)


@frozen
class _Taken:
    """A member has taken a connection."""

    server: str
    member: Stream


_Outcome: TypeAlias = _Taken | Refuse | Confirm


class Activator:
    """Takes the connections of one group.

    Attributes:
        holding: All of them, and what became of earlier ones.
        meter: Bytes that were moved.
    """

    def __init__(
        self,
        group: str,
        settings: ActivatorSettings,
        backends: Backends,
        log: Log,
        dial: Dial = dial,
    ) -> None:
        """Take connections for *group*, to members that *backends* tells.

        *dial* connects to a member.
        """
        self.holding = Holding(settings)
        self.meter = Meter()
        self._group = group
        self._backends = backends
        self._log = log
        self._dial = dial
        self._held: set[_Call] = set()
        self._splices: dict[Splice, str] = {}
        self._stopping = trio.Event()

    @property
    def held(self) -> int:
        """How many connections wait for a member."""
        return self.holding.held

    @property
    def sessions(self) -> Mapping[str, int]:
        """By server, how many connections it works on; none: left out."""
        return self.holding.sessions

    def configure(self, settings: ActivatorSettings) -> None:
        """Follow *settings* from now on; where it listens doesn't change."""
        self.holding = evolve(self.holding, settings=settings)
        self._stir()

    def cut(self, server: str) -> int:
        """Break off all sessions of *server*, and tell how many there were.

        What it hears no more its clients hear at once, not when they lose
        their patience.
        """
        splices = [splice for splice, of in self._splices.items() if of == server]
        for splice in splices:
            splice.cut()
        return len(splices)

    def stop(self) -> None:
        """Take and hold no more; `run` ends when all sessions have, or soon."""
        self.holding = evolve(self.holding, is_ending=True)
        self._stopping.set()
        self._stir()

    async def run(self, listeners: Sequence[trio.abc.Listener[Stream]]) -> None:
        """Take what comes to *listeners* until stopped or cancelled.

        Either way those that are held are sent away, and sessions get their
        grace to end; then they are broken off.
        """
        async with trio.open_nursery() as accepting:
            with trio.CancelScope(shield=True):
                async with trio.open_nursery() as connections:
                    accepting.start_soon(self._watch)
                    for listener in listeners:
                        accepting.start_soon(self._accept, listener, connections)
                    await self._stopping.wait()
                    accepting.cancel_scope.cancel()
                    grace = self.holding.settings.grace
                    connections.cancel_scope.deadline = trio.current_time() + grace

    async def _watch(self) -> None:
        try:
            while True:
                await self._backends.changed()
                self._stir()
        finally:
            self.stop()

    async def _accept(
        self, listener: trio.abc.Listener[Stream], connections: trio.Nursery
    ) -> None:
        async with listener:
            while True:
                try:
                    client = await listener.accept()
                except OSError as error:
                    self._log.event(
                        "accepting_failed", group=self._group, error=str(error)
                    )
                    await trio.sleep(ACCEPT_PAUSE_S)
                else:
                    connections.start_soon(self._serve, client)

    async def _serve(self, client: Stream) -> None:
        self.holding, caller = arrive(self.holding, trio.current_time())
        call = _Call(client, caller)
        async with client, call.ends:
            match await self._settle(call):
                case _Taken(server, member):
                    await self._splice(call, server, member)
                case Refuse(why):
                    await self._send_away(call, why)
                case Confirm():
                    await send_away(client, CHECK_ANSWER)
                case None:
                    pass

    async def _settle(self, call: _Call) -> _Outcome | None:
        """Return what becomes of *call*; None: the client has gone away."""
        outcome: _Outcome | None = None
        try:
            async with trio.open_nursery() as beside:
                outcome = await self._hold(call, beside)
                beside.cancel_scope.cancel()
        finally:
            self._held.discard(call)
            if outcome is None:
                # It has gone away, or the grace is over.
                self.holding = leave(self.holding, call.caller)
        return outcome

    async def _hold(self, call: _Call, beside: trio.Nursery) -> _Outcome:
        """Do as is decided until *call* is taken or refused."""
        while True:
            match self._judge(call):
                case Join(target, until):
                    member = await self._connect(call, target, until)
                    if member is not None:
                        return _Taken(target.server, member)
                case Hold(until, wakes):
                    if call not in self._held:
                        self._held.add(call)
                        beside.start_soon(self._listen, call, beside.cancel_scope)
                    if wakes:
                        self._wake()
                    with trio.move_on_at(until):
                        await call.news.wait()
                case Refuse() | Confirm() as outcome:
                    return outcome
                case verdict:
                    assert_never(verdict)

    def _judge(self, call: _Call) -> Verdict:
        scene = Scene(
            trio.current_time(),
            tuple(self._backends.ready()),
            self._backends.is_waking(),
        )
        call.news = trio.Event()
        self.holding, call.caller, verdict = judge(self.holding, call.caller, scene)
        return verdict

    def _wake(self) -> None:
        # While others wait already, it is the same story once more.
        tell = self._log.info if self.held == 1 else self._log.debug
        tell("wake_asked", group=self._group, held=self.held)
        self._backends.wake()

    async def _connect(
        self, call: _Call, target: Serving, until: float
    ) -> Stream | None:
        """Return a connection to *target*, None if there is none in time."""
        member: Stream | None = None
        try:
            with trio.move_on_at(until), contextlib.suppress(OSError):
                member = await self._dial(target.place)
        except trio.Cancelled:
            self._end(target.server)
            raise
        if member is None:
            self.holding, call.caller = miss(
                self.holding, call.caller, target.server, trio.current_time()
            )
            return None
        self.holding = take(self.holding, call.caller)
        call.ends.callback(self._end, target.server)
        return await call.ends.enter_async_context(member)

    async def _listen(self, call: _Call, waiting: trio.CancelScope) -> None:
        """Read what the client says while it waits, until it hangs up.

        A client that has said something and then ends may wait for its answer.
        """
        try:
            while room := MOST_EARLY_BYTES - len(call.early):
                octets = await call.client.receive_some(room)
                if not octets:
                    break
                call.early += octets
                self._hear(call)
        except trio.BrokenResourceError:
            waiting.cancel()
        if not call.early:
            waiting.cancel()

    def _hear(self, call: _Call) -> None:
        """Take note of what the client has said so far."""
        words = bytes(call.early)
        is_http = self.holding.settings.mode is Speech.HTTP
        call.caller = evolve(
            call.caller, has_spoken=True, is_check=is_http and is_check(words)
        )
        call.news.set()

    async def _splice(self, call: _Call, server: str, member: Stream) -> None:
        idle_timeout = self.holding.settings.idle_timeout
        splice = Splice(call.client, member, idle_timeout, self.meter)
        self._splices[splice] = server
        try:
            await splice.run(bytes(call.early))
        finally:
            del self._splices[splice]

    async def _send_away(self, call: _Call, why: Refusal) -> None:
        settings = self.holding.settings
        self._log.event("connection_refused", group=self._group, reason=why.value)
        request = bytes(call.early)
        if why is Refusal.FULL and settings.mode is Speech.HTTP:
            request = await _first_words(call.client)
        await send_away(call.client, refusal_words(settings, request))

    def _end(self, server: str) -> None:
        self.holding = end(self.holding, server)

    def _stir(self) -> None:
        for call in self._held:
            call.news.set()


async def _first_words(client: Stream) -> bytes:
    """Return what *client* says first, if it does so in time."""
    with (
        trio.move_on_after(REQUEST_S),
        contextlib.suppress(trio.BrokenResourceError),
    ):
        return bytes(await client.receive_some(MOST_EARLY_BYTES))
    return b""
