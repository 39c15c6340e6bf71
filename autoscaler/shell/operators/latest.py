"""Answers that take a while to make: by one at a time, once a second at most.

Whoever asks more often gets the same again: sixty who ask at once for all of a
thousand groups would hold up everybody else for a second.
"""

import math
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import trio
from attrs import define, field

T = TypeVar("T")

KEPT_S = 1.0


@define(eq=False)
class Latest(Generic[T]):
    """An answer that is kept for a second.

    Attributes:
        make: Makes it; what it raises is raised to who asks.
    """

    make: Callable[[], Awaitable[T]]
    _turn: trio.Lock = field(factory=trio.Lock, init=False)
    _kept: tuple[T] | None = field(default=None, init=False)
    _began: float = field(default=-math.inf, init=False)
    _changes: int = field(default=0, init=False)
    _made_at_change: int = field(default=0, init=False)

    async def get(self) -> T:
        """Return the answer, that of a moment ago where there is one."""
        async with self._turn:
            now = trio.current_time()
            if self._kept is not None and self._is_young(now):
                return self._kept[0]
            changes = self._changes
            made = await self.make()
            # As old as what was looked at first.
            self._kept, self._began, self._made_at_change = (made,), now, changes
            return made

    def forget(self) -> None:
        """Make it anew for the next who asks: it has changed."""
        self._changes += 1

    def _is_young(self, now: float) -> bool:
        is_current = self._made_at_change == self._changes
        return is_current and now - self._began < KEPT_S
