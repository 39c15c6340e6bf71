"""Many visitors beside each other, at a rate or one request after another.

Laws: at a rate, a request is due whether or not those before it were answered,
and its latency counts from then, so that a service which stalls cannot hide it;
who is waiting is bounded, and what comes on top is counted, not forgotten.
"""

import math
from collections.abc import Callable
from typing import Protocol

import trio
from attrs import define, field, frozen
from attrs.validators import and_, ge, gt, le

from albatross_client.sandbox.visitors.tally import Count, Outcome, Second
from albatross_client.sandbox.visitors.visit import Answer

# Between two requests of one visitor whose last one failed: a service that
# refuses connections isn't asked as fast as it can refuse.
AFTER_FAILURE_SECONDS = 0.1
_SECOND = 1.0


@frozen(kw_only=True)
class Habits:
    """How visitors behave.

    Attributes:
        keep_alive: Share of the requests that keep their connection.
        patience: Seconds until a visitor gives up.
        most_waiting: More requests than that are not on their way at once.
    """

    keep_alive: float = field(default=0.5, validator=and_(ge(0), le(1)))
    patience: float = field(default=10.0, validator=gt(0))
    most_waiting: int = field(default=2000, validator=ge(1))


@frozen(kw_only=True)
class Load:
    """What is asked of a service.

    Attributes:
        rate: Requests a second, evenly spaced.
        visitors: How many ask besides, each anew when it was answered.
    """

    rate: float = field(default=0.0, validator=and_(ge(0), le(100_000)))
    visitors: int = field(default=0, validator=and_(ge(0), le(10_000)))


NO_LOAD = Load()


class Asking(Protocol):
    """Asks a service for something."""

    async def visit(self, *, keeps_alive: bool) -> Answer:
        """Ask once; cancelled, leave nothing behind."""

    def close(self) -> None:
        """Close the connections that were kept."""


@define
class Crowd:
    """Visitors of one service; `run` has to run for them to come.

    Attributes:
        visitor: Asks for it.
        habits: How they behave.
        tell: Is called at the end of each second.
    """

    visitor: Asking
    habits: Habits
    tell: Callable[[Second], None]
    _load: Load = field(default=NO_LOAD, init=False)
    _changed: trio.Event = field(factory=trio.Event, init=False)
    _count: Count = field(factory=Count, init=False)
    _waiting: int = field(default=0, init=False)
    _staying: set[int] = field(factory=set, init=False)
    _kept: float = field(default=0.0, init=False)
    _seconds: int = field(default=0, init=False)

    def come(self, load: Load) -> None:
        """Ask as *load* says from now on."""
        self._load = load
        # A new one at once: two wait, and neither may miss the next change.
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    async def run(self, leaving: trio.Event) -> None:
        """Ask as `come` says until *leaving*, then wait for the last answers.

        The rest of the last second is told too.
        """
        try:
            async with trio.open_nursery() as telling:
                telling.start_soon(self._tell_each_second)
                async with trio.open_nursery() as visits:
                    visits.start_soon(self._come_at_rate, visits, leaving)
                    visits.start_soon(self._come_one_by_one, visits, leaving)
                    await leaving.wait()
                    self.come(NO_LOAD)
                telling.cancel_scope.cancel()
            self._tell()
        finally:
            self.visitor.close()

    async def _come_at_rate(self, visits: trio.Nursery, leaving: trio.Event) -> None:
        last = -math.inf
        due = self._due(last)
        while not leaving.is_set():
            rate = self._load.rate
            with trio.move_on_at(due) as pause:
                await self._changed.wait()
            if pause.cancelled_caught:
                self._send(visits, due)
                last, due = due, due + 1 / rate
            else:
                due = self._due(last)

    def _due(self, last: float) -> float:
        """Return when the next request at a rate is due, if *last* was one."""
        rate = self._load.rate
        return max(last + 1 / rate, trio.current_time()) if rate else math.inf

    def _send(self, visits: trio.Nursery, due: float) -> None:
        if self._waiting < self.habits.most_waiting:
            self._waiting += 1
            visits.start_soon(self._visit, due)
        else:
            self._count.add(Outcome.NOT_SENT, 0.0, is_retried=False)

    async def _come_one_by_one(self, visits: trio.Nursery, leaving: trio.Event) -> None:
        while not leaving.is_set():
            for number in set(range(self._load.visitors)) - self._staying:
                self._staying.add(number)
                visits.start_soon(self._stay, number)
            await self._changed.wait()

    async def _stay(self, number: int) -> None:
        """Ask again and again, while there are more visitors than *number*."""
        while number < self._load.visitors:
            self._waiting += 1
            outcome = await self._visit(trio.current_time())
            if outcome is not Outcome.ANSWERED:
                await trio.sleep(AFTER_FAILURE_SECONDS)
        self._staying.discard(number)

    async def _visit(self, due: float) -> Outcome:
        outcome, is_retried = Outcome.TIMEOUT, False
        with trio.move_on_at(due + self.habits.patience):
            answer = await self.visitor.visit(keeps_alive=self._keeps_alive())
            outcome, is_retried = answer.outcome, answer.is_retried
        self._waiting -= 1
        seconds = trio.current_time() - due
        self._count.add(outcome, seconds, is_retried=is_retried)
        return outcome

    def _keeps_alive(self) -> bool:
        """Tell whether the next request keeps its connection: evenly mixed."""
        self._kept += self.habits.keep_alive
        if self._kept < 1:
            return False
        self._kept -= 1
        return True

    async def _tell_each_second(self) -> None:
        end = trio.current_time()
        while True:
            end += _SECOND
            await trio.sleep_until(end)
            self._tell()

    def _tell(self) -> None:
        tally = self._count.take()
        self.tell(Second(number=self._seconds, tally=tally, waiting=self._waiting))
        self._seconds += 1
