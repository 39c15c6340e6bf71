"""What a caller has yet to be sent: the host never waits for a caller."""

import math
from collections import deque

import trio
from attrs import frozen

from albatross_client.replies import Wire


@frozen
class Garbled:
    """A frame whose body isn't DER."""


@frozen
class Huge:
    """A frame whose length no client should believe."""


Outgoing = Wire | Garbled | Huge

# A real host piles up what a subscriber leaves unread; this one gives such a
# subscriber up before that hurts.
MAX_PENDING = 100_000


class Outbox:
    """The host's end of one conversation; `receive` is the caller's.

    Only one task may receive.
    """

    def __init__(self, caller: int) -> None:
        """Make an outbox for *caller*, with nothing in it."""
        self.caller = caller
        self._pending: deque[Outgoing] = deque()
        self._held_until = -math.inf
        self._is_over = False
        self._is_cut = False
        self._changed = trio.Event()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be put in."""
        return self._is_over

    def put(self, outgoing: Outgoing) -> None:
        """Add what is to be sent; lost when the conversation is over."""
        if self._is_over:
            return
        if len(self._pending) >= MAX_PENDING:
            self.cut()
            return
        self._pending.append(outgoing)
        self._wake()

    def end(self) -> None:
        """End the conversation properly, after what is still in here."""
        self._is_over = True
        self._wake()

    def cut(self) -> None:
        """Lose the conversation, with what is still in here."""
        self._is_over = self._is_cut = True
        self._pending.clear()
        self._wake()

    def hold(self, until: float) -> None:
        """Give nothing out before the instant *until*."""
        self._held_until = max(self._held_until, until)

    async def receive(self) -> Outgoing:
        """Return what is to be sent next; nothing is lost by a cancellation.

        Raises:
            trio.EndOfChannel: The conversation has ended properly.
            trio.BrokenResourceError: It was lost.
        """
        await trio.lowlevel.checkpoint()
        while not self._is_cut:
            is_held = trio.current_time() < self._held_until
            if self._pending and not is_held:
                return self._pending.popleft()
            if self._is_over and not is_held:
                raise trio.EndOfChannel
            with trio.move_on_at(self._held_until if is_held else math.inf):
                await self._changed.wait()
        msg = "the connection was cut"
        raise trio.BrokenResourceError(msg)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
