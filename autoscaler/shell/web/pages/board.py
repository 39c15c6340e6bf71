"""Who follows what happens, and what each has yet to be told.

Laws: a subscriber is owed names of groups, never what was to be said of them:
who reads slowly is told the newest of each once, and costs no more memory than
there are groups; there are `MOST_SUBSCRIBERS` at most.
"""

import re
import secrets
from collections.abc import Iterable

import trio
from attrs import define, field

from autoscaler.core.group import GroupId

# A browser has one for each page that is looked at; there are 64 places for
# clients of all kinds.
MOST_SUBSCRIBERS = 16
# The run of a daemon, and how much has changed in it.
_INSTANT = re.compile("[0-9a-f]{8}-[0-9]{1,19}")


class FullError(Exception):
    """There are as many subscribers as there may be."""


@define(eq=False)
class Subscriber:
    """One who follows.

    Attributes:
        group: The only group that it follows; None: all.
        owed: Groups that it has to be told of, the longest owed first.
        woken: Set when there is something new.
    """

    group: GroupId | None
    owed: dict[GroupId, None]
    woken: trio.Event = field(factory=trio.Event)

    def owe(self, group_id: GroupId) -> None:
        """Have it told of the group."""
        if self.group in {None, group_id}:
            # Who is owed already keeps its place, or some were never told.
            self.owed.setdefault(group_id)
            self.woken.set()

    def take(self) -> GroupId | None:
        """Return the next group to tell it of; None: there is none."""
        group_id = next(iter(self.owed), None)
        if group_id is not None:
            del self.owed[group_id]
        return group_id


@define(eq=False)
class Board:
    """What has changed since when, and who follows.

    Attributes:
        run: Tells this run of the daemon from all others.
    """

    run: str = field(factory=lambda: secrets.token_hex(4))
    _number: int = field(default=0, init=False)
    _changed: dict[GroupId, int] = field(factory=dict, init=False)
    _subscribers: set[Subscriber] = field(factory=set, init=False)

    @property
    def instant(self) -> str:
        """Now: who comes back with it is told what has changed since."""
        return f"{self.run}-{self._number}"

    @property
    def is_followed(self) -> bool:
        """Whether there is anybody to be told."""
        return bool(self._subscribers)

    def change(self, groups: Iterable[GroupId]) -> None:
        """Note that *groups* have changed."""
        for group_id in groups:
            self._number += 1
            self._changed[group_id] = self._number
            for subscriber in self._subscribers:
                subscriber.owe(group_id)

    def remove(self, group_id: GroupId) -> None:
        """Note that the group is gone."""
        self._number += 1
        self._changed.pop(group_id, None)
        for subscriber in self._subscribers:
            subscriber.owed.pop(group_id, None)
            subscriber.woken.set()

    def wake(self) -> None:
        """Have all subscribers look what is new."""
        for subscriber in self._subscribers:
            subscriber.woken.set()

    def subscribe(self, since: str | None, group: GroupId | None) -> Subscriber:
        """Return a subscriber, who is owed all that has changed since *since*.

        Arguments:
            since: An `instant` of this run; else it is told everything.
            group: The only group that it follows; None: all.

        Raises:
            FullError: There is no room for it.
        """
        if len(self._subscribers) >= MOST_SUBSCRIBERS:
            raise FullError
        known = self._read(since)
        changed = [g for g, n in self._changed.items() if n > known]
        subscriber = Subscriber(group, {})
        for group_id in changed:
            subscriber.owe(group_id)
        self._subscribers.add(subscriber)
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """Note that *subscriber* follows no longer."""
        self._subscribers.discard(subscriber)

    def _read(self, since: str | None) -> int:
        run, _, number = (since or "").partition("-")
        is_ours = run == self.run and is_instant(since or "")
        return int(number) if is_ours else -1


def is_instant(text: str) -> bool:
    """Tell whether *text* is an `instant`, of whichever run."""
    return _INSTANT.fullmatch(text) is not None
