"""HAProxy as the balancer of a group, over its runtime API."""

from typing import assert_never

import trio
from attrs import field, frozen

from autoscaler.core import haproxy
from autoscaler.core.arrange import Add, Drain, MakeReady, Remove, Rest, Step, Weigh
from autoscaler.core.backend import Backend
from autoscaler.core.haproxy import (
    AnswerError,
    Refusal,
    Refused,
    ServerOptions,
    Target,
    check_backend_name,
    read_change,
)
from autoscaler.core.haproxy_answers import Seen, read_backend
from autoscaler.shell.traffic.balancer import BalancerError, Trouble
from autoscaler.shell.traffic.runtime_socket import RuntimeSocket, ask

# What each refusal is for us, and what operators are told.
_REFUSALS = {
    Refusal.FORBIDDEN: (
        Trouble.FORBIDDEN,
        (
            "HAProxy takes no changes at {socket}: give its `stats socket` line "
            "`level admin`"
        ),
    ),
    Refusal.NO_BACKEND: (
        Trouble.NO_BACKEND,
        (
            "HAProxy at {socket} has no backend {backend}: correct the name, or add it "
            "to HAProxy's configuration"
        ),
    ),
    Refusal.NO_SERVER: (
        Trouble.NO_SERVER,
        (
            "HAProxy has no server {what} any more: it was restarted, or somebody "
            "removed it"
        ),
    ),
    Refusal.NAME_TAKEN: (
        Trouble.NAME_TAKEN,
        "HAProxy has a server {what} already: if it isn't ours, rename it",
    ),
    Refusal.STATIC_BALANCE: (
        Trouble.STATIC_BALANCE,
        (
            "the `balance` of the backend {backend} allows no servers to be added: use "
            "roundrobin, leastconn or random"
        ),
    ),
    Refusal.IN_USE: (Trouble.IN_USE, "{what} is still in use: {text}"),
    Refusal.UNKNOWN_COMMAND: (
        Trouble.TOO_OLD,
        "HAProxy is too old: 2.6 or newer is needed",
    ),
    Refusal.OTHER: (Trouble.REFUSED, "HAProxy refused to change {what}: {text}"),
}


@frozen
class HaproxyBalancer:
    """One backend of one HAProxy.

    Attributes:
        socket: Its runtime socket, of level admin.
        backend: The backend's name.
        options: How servers are added.

    Raises:
        ValueError: HAProxy can have no backend of this name.
    """

    socket: RuntimeSocket
    backend: str
    options: ServerOptions = field(factory=ServerOptions)

    def __attrs_post_init__(self) -> None:
        check_backend_name(self.backend)

    async def observe(self) -> Backend:
        """Return what HAProxy has.

        Raises:
            BalancerError: It can't be told.
        """
        seen = await self.look()
        return seen.backend

    async def look(self) -> Seen:
        """Return all that HAProxy tells of itself and the backend.

        Raises:
            BalancerError: It can't be told.
        """
        answer = await ask(self.socket, haproxy.look_at(self.backend))
        try:
            seen = read_backend(answer, trio.current_time())
        except AnswerError as error:
            raise self._unreadable(error) from error
        if isinstance(seen, Refused):
            raise self._refused(seen, self.backend)
        return seen

    async def perform(self, step: Step) -> None:
        """Do *step*; what is done already is no failure.

        Raises:
            BalancerError: It was not done, or nobody knows.
            ValueError: HAProxy can have no server of this name.
        """
        target = Target(self.backend, step.name)
        match step:
            case Add():
                await self.change(
                    haproxy.add_server(target, step.place, self.options, step.weight),
                    target,
                )
                await self.change(haproxy.drain(target), target)
            case Drain():
                await self.change(haproxy.drain(target), target)
            case MakeReady():
                await self.change(haproxy.make_ready(target), target)
            case Weigh():
                await self.change(haproxy.weigh(target, step.weight), target)
            case Rest():
                await self.change(haproxy.rest(target), target)
            case Remove():
                await self._remove(target)
            case _:
                assert_never(step)

    async def change(self, line: str, target: Target) -> None:
        """Send a *line* of `autoscaler.core.haproxy` that changes *target*.

        Raises:
            BalancerError: It was not done, or nobody knows.
        """
        answer = await ask(self.socket, line)
        try:
            refused = read_change(answer)
        except AnswerError as error:
            raise self._unreadable(error) from error
        if refused is not None:
            raise self._refused(refused, str(target))

    async def _remove(self, target: Target) -> None:
        try:
            await self.change(haproxy.remove(target), target)
        except BalancerError as error:
            if error.trouble is not Trouble.NO_SERVER:
                raise

    def _unreadable(self, error: AnswerError) -> BalancerError:
        msg = f"is {self.socket} HAProxy's runtime socket? {error}"
        return BalancerError(msg, Trouble.UNREADABLE)

    def _refused(self, refused: Refused, what: str) -> BalancerError:
        trouble, sentence = _REFUSALS[refused.refusal]
        message = sentence.format(
            socket=self.socket, backend=self.backend, what=what, text=refused.text
        )
        return BalancerError(message, trouble)
