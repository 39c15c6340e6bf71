"""Follows the fleet: once a second it is looked what has changed.

What happens in between is told once: nobody looks at a page more often, and a
tick does not wait for who does.  At the start the last hour is read from the
state, some groups at a time.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from itertools import islice, takewhile

import trio
from attrs import define, field, frozen

from autoscaler.core.group import Group, GroupId
from autoscaler.core.policy import Policy
from autoscaler.core.record import Record
from autoscaler.shell.configuration.settings import Settings
from autoscaler.shell.containment import Containment
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.log import Field, Log
from autoscaler.shell.state.past import read_words
from autoscaler.shell.state.rows import RequestRow
from autoscaler.shell.state.schema import StoreError
from autoscaler.shell.web.pages.board import Board
from autoscaler.shell.web.pages.hour import (
    MINUTE_S,
    MINUTES,
    Glimpse,
    Hour,
    glimpse,
)
from autoscaler.shell.web.pages.memory import (
    begun,
    heard_deed,
    read_deeds,
    read_glimpses,
)

LOOK_S = 1.0
# What follows from time alone, such as how long a stream has been down, is
# shown so much later at most.
STALE_S = 15.0
# Sixty records each, all together 30 ms in a thread.
GROUPS_AT_ONCE = 10
# What operators have said of modes changes seldom.
WORDS_S = 30.0


@frozen(eq=False)
class Stand:
    """What a group's looks depend on; other objects, other looks."""

    record: Record | None
    group: Group
    is_up: bool

    @property
    def policy(self) -> Policy:
        """What its operator wants."""
        return self.group.policy

    def is_like(self, other: "Stand") -> bool:
        """Tell whether it looks the same."""
        return (
            self.record is other.record
            and self.is_up == other.is_up
            and self.group.ledger is other.group.ledger
            and self.group.clones is other.group.clones
            and self.policy is other.policy
        )


@define(eq=False)
class Chronicle:
    """What has happened lately, by group.

    Attributes:
        fleet: Which is followed.
        settings: Returns the configuration in force.
        log: Told of bugs.
        board: Told of changes.
        stands: How each group stood when it was last looked.
        words: What operators have said of modes, newest first.
        looks: How often it was looked.
    """

    fleet: Fleet
    settings: Callable[[], Settings]
    log: Log
    board: Board = field(factory=Board)
    stands: dict[GroupId, Stand] = field(factory=dict, init=False)
    words: tuple[RequestRow, ...] = field(default=(), init=False)
    looks: int = field(default=0, init=False)
    _hours: dict[GroupId, Hour] = field(factory=dict, init=False)
    _begun: dict[tuple[str, Field], str] = field(factory=dict, init=False)
    _words_at: float | None = field(default=None, init=False)

    async def remember(self) -> None:
        """Read the last hour of each group from the state."""
        since = self.fleet.clocks().wall - MINUTES * MINUTE_S
        directory = self.settings().deployment.state_dir
        with contextlib.suppress(StoreError):
            deeds = await trio.to_thread.run_sync(read_deeds, directory, since)
            for group_id, deed in deeds:
                if group_id in self.fleet.groups:
                    self.hour(group_id).deeds.append(deed)
        groups = iter(tuple(self.fleet.groups))
        while some := tuple(islice(groups, GROUPS_AT_ONCE)):
            with contextlib.suppress(StoreError):
                # Without it charts begin empty.
                found = await trio.to_thread.run_sync(
                    read_glimpses, directory, some, since
                )
                for group_id, glimpses in found.items():
                    self._take(group_id, glimpses)

    def hour(self, group_id: GroupId) -> Hour:
        """Return the last hour of the group."""
        return self._hours.setdefault(group_id, Hour())

    def hear(self, event: str, fields: Mapping[str, Field]) -> None:
        """Note what a log is told of an action."""
        whose, number = str(fields.get("group")), fields.get("action_id")
        if event == "action_started":
            self._begun[whose, number] = begun(fields)
            return
        before = self._begun.pop((whose, number), None)
        group_id = next((g for g in self.fleet.groups if str(g) == whose), None)
        if event == "action_finished" and group_id is not None:
            deed = heard_deed(self.fleet.clocks().wall, fields, before)
            self.hour(group_id).deeds.append(deed)

    def look(self) -> tuple[GroupId, ...]:
        """Take in what has changed since the last time, and return which."""
        groups = self.fleet.groups
        for gone in [g for g in self.stands if g not in groups]:
            del self.stands[gone]
            self._hours.pop(gone, None)
            self.board.remove(gone)
        changed = tuple(g for g in groups if self._sees_change(g))
        self.board.change(changed)
        self.looks += 1
        # The fleet's own line may have changed, too.
        self.board.wake()
        return changed

    async def read_words(self) -> None:
        """Read what operators have said, if that was long ago."""
        now = trio.current_time()
        if self._words_at is not None and now - self._words_at < WORDS_S:
            return
        self._words_at = now
        directory = self.settings().deployment.state_dir
        # The mode itself is in memory.
        with contextlib.suppress(StoreError):
            self.words = await trio.to_thread.run_sync(read_words, directory)

    def _sees_change(self, group_id: GroupId) -> bool:
        with Containment(self.log, f"looking at {group_id} for the pages"):
            return self._has_changed(group_id)
        return False

    def _has_changed(self, group_id: GroupId) -> bool:
        group = self.fleet.groups[group_id]
        is_up = self.fleet.watch(group_id).feed.up_since is not None
        before = self.stands.get(group_id)
        stand = Stand(self.fleet.newest(group_id), group, is_up)
        if before is not None and stand.is_like(before):
            return False
        seen = None if before is None else before.record
        if stand.record is not seen:
            for record in self._since(group_id, seen):
                self.hour(group_id).take(glimpse(record))
        self.stands[group_id] = stand
        return True

    def _since(self, group_id: GroupId, seen: Record | None) -> Iterator[Record]:
        """Yield the records after *seen*, oldest first."""
        kept = self.fleet.records[group_id]
        new = list(takewhile(lambda record: record is not seen, reversed(kept)))
        return reversed(new)

    def _take(self, group_id: GroupId, glimpses: tuple[Glimpse, ...]) -> None:
        for each in glimpses:
            self.hour(group_id).take(each)
