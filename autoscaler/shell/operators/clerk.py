"""Answers those who only ask: for the control socket and over HTTP alike.

Laws: nothing changes; what is on disk is read in a thread, and by one at a
time; between some groups everybody else gets their turn.
"""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import trio
from attrs import define, evolve, field

from albatross_client.texts import as_unicode
from autoscaler.core.record import Instant
from autoscaler.shell.configuration.settings import Settings
from autoscaler.shell.daemon import Daemon
from autoscaler.shell.operators.outlook import (
    NO_ASIDE,
    Aside,
    Look,
    look_at,
    ranked_looks,
)
from autoscaler.shell.operators.top_form import fleet_form, group_form
from autoscaler.shell.state.past import MINUTE_S, read_series, read_words
from autoscaler.shell.state.schema import StoreError

# So many groups take a few milliseconds.
GROUPS_AT_ONCE = 20
# What is on disk changes once a minute.
ASIDE_S = 60.0
HOUR_MINUTES = 60


@define(eq=False)
class Clerk:
    """Answers for one daemon.

    Attributes:
        daemon: Of which is told.
        settings: Returns the configuration in force.
    """

    daemon: Daemon
    settings: Callable[[], Settings]
    _aside: Aside = field(default=NO_ASIDE, init=False)
    _aside_at: float | None = field(default=None, init=False)
    _turn: trio.Lock = field(factory=trio.Lock, init=False)

    async def top(self) -> str:
        """Return the fleet in one look as JSON, see `top_form`."""
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

    def forget(self) -> None:
        """Read anew what is on disk: an operator has said something."""
        self._aside_at = None

    def _now(self) -> Instant:
        return Instant(trio.current_time(), self.daemon.fleet.clocks().wall)

    async def _read_aside(self, at: Instant) -> Aside:
        async with self._turn:
            if self._aside_at is None or at.now - self._aside_at >= ASIDE_S:
                directory = self.settings().deployment.state_dir
                self._aside_at = at.now
                with contextlib.suppress(StoreError):
                    # What is told in the first place is in memory.
                    self._aside = await trio.to_thread.run_sync(
                        _read_aside, directory, at.wall
                    )
            dates = {name: reach.dates for name, reach in self.daemon.hosts.items()}
            return evolve(self._aside, dates=dates)


def dump(value: object) -> str:
    """Return *value* as JSON on one line, ASCII alone."""
    return json.dumps(as_unicode(value), separators=(",", ":"))


def _read_aside(directory: Path, wall: float) -> Aside:
    since = wall - HOUR_MINUTES * MINUTE_S
    hours = read_series(directory, since, HOUR_MINUTES)
    return Aside(words=read_words(directory), hours=hours)


async def _give_way(count: int) -> None:
    if not count % GROUPS_AT_ONCE:
        await trio.lowlevel.checkpoint()
