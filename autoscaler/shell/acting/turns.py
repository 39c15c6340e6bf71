"""Whose turn it is to act: so many actions at once on a host, and in all.

Laws: turns are given in the order in which they were asked for; an action that
only waits, for a host that doesn't answer or for a clone that boots because of
requests, keeps nobody waiting; whoever waits too long, or at the end of the
daemon, gets none.
"""

from collections.abc import Mapping

import trio
from attrs import define, field

IN_ALL = 8
PER_HOST = 2


@define(eq=False)
class Turn:
    """One action's turn; nothing is held before it is taken.

    Attributes:
        limiters: What it takes one place of each.
    """

    limiters: tuple[trio.CapacityLimiter, ...] = ()
    _held: list[trio.CapacityLimiter] = field(factory=list, init=False)

    @property
    def is_held(self) -> bool:
        """Whether it was taken, and not given back."""
        return len(self._held) == len(self.limiters)

    def take_at_once(self) -> bool:
        """Take it if nobody has to be waited for; tell whether it is held."""
        try:
            for limiter in self.limiters[len(self._held) :]:
                limiter.acquire_on_behalf_of_nowait(self)
                self._held.append(limiter)
        except trio.WouldBlock:
            self.give_back()
            return False
        return True

    async def take(self) -> None:
        """Wait for a place of each, unless they are held already."""
        for limiter in self.limiters[len(self._held) :]:
            await limiter.acquire_on_behalf_of(self)
            self._held.append(limiter)

    def give_back(self) -> None:
        """Let others have what is held."""
        while self._held:
            self._held.pop().release_on_behalf_of(self)


class Turns:
    """Gives turns to all actions of a daemon."""

    def __init__(
        self, in_all: int = IN_ALL, per_host: Mapping[str, int] | None = None
    ) -> None:
        """Let *in_all* actions run at once, of a host as many as it says."""
        self._all = trio.CapacityLimiter(in_all)
        self._per_host = dict(per_host or {})
        self._hosts: dict[str, trio.CapacityLimiter] = {}
        self._waiting: set[trio.CancelScope] = set()
        self._is_over = False

    def allow(self, in_all: int, per_host: Mapping[str, int]) -> None:
        """Let so many run from now on; those that run go on."""
        self._all.total_tokens = in_all
        self._per_host = dict(per_host)
        for host, limiter in self._hosts.items():
            limiter.total_tokens = self._limit(host)

    def of(self, host: str) -> Turn:
        """Return a turn to act on *host*, not yet taken."""
        if host not in self._hosts:
            self._hosts[host] = trio.CapacityLimiter(self._limit(host))
        return Turn((self._hosts[host], self._all))

    async def wait(self, turn: Turn, seconds: float) -> bool:
        """Take *turn*; tell whether it came within *seconds*."""
        if self._is_over:
            return False
        with trio.move_on_after(seconds) as patience:
            self._waiting.add(patience)
            try:
                await turn.take()
            finally:
                self._waiting.discard(patience)
        return not patience.cancelled_caught

    def end(self) -> None:
        """Let nobody wait any more."""
        self._is_over = True
        for patience in self._waiting:
            patience.cancel()

    def _limit(self, host: str) -> int:
        return self._per_host.get(host, PER_HOST)
