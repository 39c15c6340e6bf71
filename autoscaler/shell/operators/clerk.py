"""Answers those who only ask: for the control socket and over HTTP alike.

Laws: nothing changes; every answer is JSON on one line, the same that the
command line prints with `--json`; what is on disk is read in a thread, and by
one at a time; between some groups everybody else gets their turn.
"""

import contextlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import trio
from attrs import define, evolve, field, frozen

from albatross_client.texts import clean
from autoscaler.core.record import Instant
from autoscaler.shell.configuration.settings import Settings
from autoscaler.shell.daemon import Daemon
from autoscaler.shell.operators.document import dump
from autoscaler.shell.operators.history_lines import tell_past
from autoscaler.shell.operators.latest import Latest
from autoscaler.shell.operators.outlook import (
    NO_ASIDE,
    Aside,
    Look,
    look_at,
    ranked_looks,
)
from autoscaler.shell.operators.past_forms import (
    explain_form,
    history_form,
    mortem_form,
    mortem_line,
)
from autoscaler.shell.operators.reading import Reading
from autoscaler.shell.operators.requests import (
    RequestError,
    UnknownError,
    find_count,
    find_groups,
    find_record,
    find_time,
)
from autoscaler.shell.operators.times import format_time
from autoscaler.shell.operators.top_form import fleet_form, group_form
from autoscaler.shell.state.past import (
    MINUTE_S,
    read_groups,
    read_past,
    read_post_mortems,
    read_record,
    read_series,
    read_words,
)
from autoscaler.shell.state.schema import StoreError

T = TypeVar("T")

# So many groups take a few milliseconds.
GROUPS_AT_ONCE = 20
# What is on disk changes once a minute.
ASIDE_S = 60.0
HOUR_MINUTES = 60
# A line has some hundred bytes, and takes a third of a millisecond to read.
USUAL_LINES, MOST_LINES = 200, 5000
USUAL_SINCE = "1d"


@frozen
class Wish:
    """Of what is asked, in an operator's words.

    Attributes:
        group: PRIMARY or HOST/PRIMARY; None: of all.
        since: From when on.
        limit: Of how many things, the newest; None: as many as usual.
    """

    group: str | None = None
    since: str = USUAL_SINCE
    limit: str | None = None


@define(eq=False)
class Clerk:
    """Answers for one daemon.

    Attributes:
        daemon: Of which is told.
        settings: Returns the configuration in force.
        reading: Reads the status.
    """

    daemon: Daemon
    settings: Callable[[], Settings]
    reading: Reading = field(init=False)
    _top: Latest[str] = field(init=False)
    _aside: Aside = field(default=NO_ASIDE, init=False)
    _aside_at: float | None = field(default=None, init=False)
    _turn: trio.Lock = field(factory=trio.Lock, init=False)

    @reading.default
    def _new(self) -> Reading:
        return Reading(self.settings)

    @_top.default
    def _new_top(self) -> Latest[str]:
        return Latest(self._look)

    async def top(self) -> str:
        """Return the fleet in one look, see `top_form`."""
        return await self._top.get()

    async def _look(self) -> str:
        fleet, at = self.daemon.fleet, self._now()
        aside = await self._read_aside(at)
        looks: list[Look] = []
        for group_id in tuple(fleet.groups):
            # Between two batches groups may come and go.
            if group_id in fleet.groups:
                looks.append(look_at(fleet, group_id, at, aside))
            await _give_way(len(looks))
        order = ranked_looks(looks)
        whole, told = dump(fleet_form(fleet, order, at, aside)), []
        for look in order:
            told.append(dump(group_form(fleet, look, aside)))
            await _give_way(len(told))
        return f'{whole[:-1]},"groups":[{",".join(told)}]}}'

    async def explain(self, group: str, at: str | None = None) -> str:
        """Return how the newest decision of *group* came about, or that *at*.

        Raises:
            UnknownError: There is no such group, or nothing is known of then.
            RequestError: What is asked can't be understood.
            StoreError: The state can't be read.
        """
        [group_id] = find_groups(self.daemon.fleet.groups, group)
        when = math.inf if at is None else find_time(at, self._now().wall, "at")
        kept = self.daemon.fleet.records.get(group_id, ())
        record, source = find_record(kept, repr(when)), "daemon"
        directory = self._directory
        if record is None:
            record = await self._read(lambda: read_record(directory, group_id, when))
            source = "state"
        if record is None:
            earlier = "" if at is None else f" that is older than {format_time(when)}"
            msg = f"{group_id}: nothing is known of a decision{earlier or ' yet'}"
            raise UnknownError(msg)
        mortems = await self._read(lambda: read_post_mortems(directory, group_id))
        return dump(explain_form(group_id, record, source, mortems))

    async def history(self, wish: Wish) -> str:
        """Return what happened, the newest last.

        Raises:
            UnknownError: There is no such group.
            RequestError: What is asked can't be understood.
            StoreError: The state can't be read.
        """
        since = find_time(wish.since, self._now().wall, "since")
        limit = _limit(wish.limit)
        directory, configured = self._directory, tuple(self.daemon.fleet.groups)

        def read() -> str:
            known = sorted({*configured, *read_groups(directory)})
            group = None if wish.group is None else find_groups(known, wish.group)[0]
            past = read_past(directory, since, limit, group)
            lines = history_form(tell_past(past, known, group)[-limit:])
            # One at a time: thousands at once would hold up the event loop.
            return f"[{','.join(map(dump, lines))}]"

        return await self._read(read)

    async def post_mortems(self, wish: Wish) -> str:
        """Return of which clones that are gone something is kept, newest last.

        Raises:
            UnknownError: There is no such group.
            RequestError: What is asked can't be understood.
            StoreError: The state can't be read.
        """
        limit, directory = _limit(wish.limit), self._directory
        configured = tuple(self.daemon.fleet.groups)

        def read() -> str:
            known = sorted({*configured, *read_groups(directory)})
            group = None if wish.group is None else find_groups(known, wish.group)[0]
            kept = read_post_mortems(directory, group)[-limit:]
            return dump([mortem_line(mortem) for mortem in kept])

        return await self._read(read)

    async def post_mortem(self, host: str, name: str) -> str:
        """Return what was last known of the newest clone of this *name*.

        Raises:
            UnknownError: Nothing is kept of it.
            StoreError: The state can't be read.
        """
        kept = await self._read(lambda: read_post_mortems(self._directory))
        for mortem in reversed(kept):
            if (mortem.group.host, str(mortem.name)) == (host, name):
                return dump(mortem_form(mortem))
        msg = f"{clean(f'{host}/{name}')!r}: there is no post-mortem of it"
        raise UnknownError(msg)

    def forget(self) -> None:
        """Read anew what is on disk: an operator has said something."""
        self._aside_at = None
        self._top.forget()

    @property
    def _directory(self) -> Path:
        return self.settings().deployment.state_dir

    def _now(self) -> Instant:
        return Instant(trio.current_time(), self.daemon.fleet.clocks().wall)

    async def _read(self, read: Callable[[], T]) -> T:
        async with self._turn:
            return await trio.to_thread.run_sync(read)

    async def _read_aside(self, at: Instant) -> Aside:
        if self._aside_at is None or at.now - self._aside_at >= ASIDE_S:
            self._aside_at, directory = at.now, self._directory
            # What is told in the first place is in memory.
            with contextlib.suppress(StoreError):
                self._aside = await self._read(lambda: _aside(directory, at.wall))
        dates = {name: reach.dates for name, reach in self.daemon.hosts.items()}
        return evolve(self._aside, dates=dates)


def _aside(directory: Path, wall: float) -> Aside:
    since = wall - HOUR_MINUTES * MINUTE_S
    hours = read_series(directory, since, HOUR_MINUTES)
    return Aside(words=read_words(directory), hours=hours)


def _limit(text: str | None) -> int:
    limit = USUAL_LINES if text is None else find_count(text, "limit")
    if not 1 <= limit <= MOST_LINES:
        msg = f"limit must be a whole number from 1 to {MOST_LINES}, not {limit}"
        raise RequestError(msg)
    return limit


async def _give_way(count: int) -> None:
    if not count % GROUPS_AT_ONCE:
        await trio.lowlevel.checkpoint()
