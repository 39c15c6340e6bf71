"""Visitors beside a program, in a process of their own.

In a nursery of the caller's::

    visitors = await nursery.start(run_visitors, Target.parse(url), Habits())
    await visitors.come(Load(rate=500))
    ...
    tally = await visitors.leave()

They live until they are told to leave, or their task is cancelled.
"""

import subprocess
import sys

import trio
from attrs import define, field

from albatross_client.sandbox.visitors import child
from albatross_client.sandbox.visitors.crowd import Habits, Load
from albatross_client.sandbox.visitors.tally import Second, Tally, total
from albatross_client.sandbox.visitors.visit import Target

_KILLED_SECONDS = 5.0


@define
class Visitors:
    """Visitors that are at it.

    Attributes:
        seconds: What came of their requests so far.
    """

    _orders: trio.abc.SendStream
    seconds: list[Second] = field(factory=list, init=False)
    _gone: trio.Event = field(factory=trio.Event, init=False)

    @property
    def latest(self) -> Second | None:
        """The last second that is over; None: none is."""
        return self.seconds[-1] if self.seconds else None

    @property
    def tally(self) -> Tally:
        """What came of all requests, up to the latest second."""
        return total(second.tally for second in self.seconds)

    async def come(self, load: Load) -> None:
        """Ask as *load* says from now on."""
        await self._orders.send_all(child.load_line(load))

    async def leave(self) -> Tally:
        """Ask for nothing more, wait for the last answers, and sum up."""
        await self._orders.aclose()
        await self._gone.wait()
        return self.tally

    async def listen(self, lines: trio.abc.ReceiveStream) -> None:
        """Take note of what *lines* tell, to their end."""
        text = b""
        async for octets in lines:
            *whole, text = (text + octets).split(b"\n")
            self.seconds += [Second.of_line(line.decode()) for line in whole]
        self._gone.set()


async def run_visitors(
    target: Target,
    habits: Habits,
    *,
    task_status: trio.TaskStatus[Visitors] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Have visitors at *target* until they leave or the task is cancelled.

    Raises:
        CalledProcessError: Their process ended by a mistake of its own.
    """
    command = [sys.executable, "-m", child.__name__]
    command += child.arguments_of(target, habits)
    process = await trio.lowlevel.open_process(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C at a terminal goes to the whole group: they end with this.
        start_new_session=True,
    )
    assert process.stdin is not None  # noqa: S101 - opened with pipes
    assert process.stdout is not None  # noqa: S101 - opened with pipes
    try:
        visitors = Visitors(process.stdin)
        task_status.started(visitors)
        await visitors.listen(process.stdout)
        code = await process.wait()
        if code:
            raise subprocess.CalledProcessError(code, command)
    finally:
        process.kill()
        with trio.move_on_after(_KILLED_SECONDS, shield=True):
            await process.wait()
            await process.stdin.aclose()
            await process.stdout.aclose()
