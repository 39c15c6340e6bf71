"""Two streams made one: what either end says, the other hears, byte for byte.

Laws: an end in one direction is passed on and the other direction goes on; a
reset is passed on as a reset, so that nobody takes half an answer for a whole
one; nothing is read before what was read is written, so that whoever reads
slowly is sent slowly; a splice in which nothing moves has an end.
"""

import trio
from attrs import define, field

from autoscaler.shell.traffic.farewell import hear_out
from autoscaler.shell.traffic.sockets import break_off

# Reads grow to this while they are filled: most sessions move little.
LEAST_BYTES = 16_384
MOST_BYTES = 262_144


@define(eq=False)
class Meter:
    """Bytes that were moved.

    Attributes:
        up: From clients to members.
        down: From members to clients.
    """

    up: int = 0
    down: int = 0


@define(eq=False)
class Splice:
    """One client and one member.

    Attributes:
        client: Its stream.
        member: Likewise; closing either is left to who opened it.
        idle_timeout: Seconds in which something has to move.
        meter: Where bytes are counted.
    """

    client: trio.abc.HalfCloseableStream
    member: trio.abc.HalfCloseableStream
    idle_timeout: float
    meter: Meter
    _scope: trio.CancelScope = field(factory=trio.CancelScope, init=False)
    _is_all_up: bool = field(default=False, init=False)
    _is_all_down: bool = field(default=False, init=False)

    async def run(self, early: bytes) -> None:
        """Pass on whatever comes until both ends have ended.

        First comes *early*, what was read of the client before.
        """
        try:
            with self._scope:
                self._prolong()
                async with trio.open_nursery() as beside:
                    beside.start_soon(self._move_up, early)
                    await self._move_down()
            if self._is_all_down and not self._is_all_up:
                # The member wants to hear no more, as it may; its answer
                # counts, though the client goes on talking.
                await hear_out(self.client)
        finally:
            if not self._is_all_down:
                break_off(self.client)
            if not (self._is_all_down and self._is_all_up):
                break_off(self.member)

    def cut(self) -> None:
        """End it at once, for both sides to see."""
        self._scope.cancel()

    async def _move_up(self, early: bytes) -> None:
        size = LEAST_BYTES
        try:
            octets = early or await self._heard(self.client, size)
            while octets:
                await self.member.send_all(octets)
                self.meter.up += len(octets)
                self._prolong()
                size = _next_size(size, len(octets))
                octets = await self._heard(self.client, size)
            await self.member.send_eof()
        except trio.BrokenResourceError:
            # It may still have something to say.
            return
        self._is_all_up = True

    async def _move_down(self) -> None:
        size = LEAST_BYTES
        try:
            while octets := await self._heard(self.member, size):
                await self.client.send_all(octets)
                self.meter.down += len(octets)
                self._prolong()
                size = _next_size(size, len(octets))
            await self.client.send_eof()
        except trio.BrokenResourceError:
            # Nobody is left to answer to.
            self.cut()
        else:
            self._is_all_down = True

    async def _heard(self, source: trio.abc.ReceiveStream, most: int) -> bytes:
        try:
            return bytes(await source.receive_some(most))
        except trio.BrokenResourceError:
            self.cut()
            await trio.sleep_forever()

    def _prolong(self) -> None:
        self._scope.deadline = trio.current_time() + self.idle_timeout


def _next_size(size: int, filled: int) -> int:
    return min(2 * size, MOST_BYTES) if filled == size else size
