"""One statistics subscription: a path of a host, and the watches it feeds.

Which paths there are is the operator's choice: one for each domain, one for
each unikernel, or one for the whole host.  A frame means the same whatever
path it came by.
"""

from collections.abc import Callable, Collection
from typing import Protocol

from attrs import define, field

from albatross_client.errors import HostUnreachableError
from albatross_client.heard import Heard
from albatross_client.names import Name
from autoscaler.core.view import stall_limit
from autoscaler.shell.hosts.contest import Contest
from autoscaler.shell.hosts.host import Subscribe
from autoscaler.shell.hosts.watch import Watch

# Far above the unikernels of a host: it bounds what a mad one can have us keep.
MOST_HEARD = 16_384
MOST_KINDS = 16


class Listener(Protocol):
    """Who wants to know what happens on a line."""

    def stream_changed(self, watch: Watch) -> None:
        """The stream of *watch* went up or down."""

    def frame_heard(self, watch: Watch, name: Name) -> None:
        """A frame of *name* was taken in."""

    def notice_sleep(self) -> int:
        """Return how often this machine was suspended, as far as was seen."""


@define
class Line:
    """One subscription after another at one path.

    Attributes:
        host: The host's name in the configuration.
        path: What is subscribed to: a domain, the root, or one unikernel.
        watches: Returns those that it feeds; they may come and go.
        listener: Told of all that happens.
        narrower: What the operator may set `subscribe` to if this path is
            contested; None: there is nothing narrower.
        frames: How many it has brought.
        contest: Whether somebody else wants the path.
        skipped: Kinds of messages that can't be read, as was said already.
    """

    host: str
    path: Name
    watches: Callable[[], Collection[Watch]]
    listener: Listener
    narrower: Subscribe | None = None
    frames: int = field(default=0, init=False)
    contest: Contest = field(default=Contest(), init=False)
    skipped: set[str] = field(factory=set, init=False)
    _up_since: float | None = field(default=None, init=False)
    _last_frame: float | None = field(default=None, init=False)
    _has_pair: bool = field(default=False, init=False)
    _sleeps: int = field(default=0, init=False)

    def open(self, now: float) -> None:
        """Note that a subscription began."""
        self._up_since, self._last_frame, self._has_pair = now, None, False
        self._sleeps = self.listener.notice_sleep()
        self._join(now)

    def close(self, now: float) -> None:
        """Note that the subscription ended."""
        self._up_since = None
        for watch in self.watches():
            watch.close(now, self._member)
            self.listener.stream_changed(watch)

    def hear(self, heard: Heard) -> None:
        """Take in one frame.

        Raises:
            HostUnreachableError: The machine has slept: who knows what came
                in the meantime, and this frame's distance is not its age.
        """
        if heard.at != self._last_frame:
            self.require_awake()
        self.frames += 1
        self._last_frame = heard.at
        self._join(heard.at)
        for watch in self.watches():
            if _takes(watch, heard.name):
                watch.hear(heard)
                self.listener.frame_heard(watch, heard.name)
                self._has_pair = self._has_pair or bool(watch.tracks[heard.name].row)

    def require_awake(self) -> None:
        """Refuse to go on after the machine was suspended.

        Raises:
            HostUnreachableError: It was, since the subscription began.
        """
        if self.listener.notice_sleep() != self._sleeps:
            msg = "this machine was suspended: what came before is too old"
            raise HostUnreachableError(msg)

    def taken(self, now: float) -> None:
        """Note that somebody else has taken the path."""
        self.contest = self.contest.taken(now)
        for watch in self.watches():
            watch.contest(self.contest.ends_at)

    def stalls_at(self, now: float) -> float | None:
        """Return when the stream counts as stalled; None: nothing runs."""
        occupied = [
            (since, stall_limit(watch.feed, watch.longest if self._has_pair else None))
            for watch in self.watches()
            if (since := watch.occupied_since(self._member)) is not None
        ]
        if not occupied:
            return None
        silent_since = now if self._up_since is None else self._up_since
        if self._last_frame is not None:
            silent_since = self._last_frame
        # A silence while nothing ran says nothing.
        since = max(silent_since, min(since for since, _ in occupied))
        return since + max(limit for _, limit in occupied)

    @property
    def _member(self) -> Name | None:
        return None if self.path.label is None else self.path

    def _join(self, now: float) -> None:
        """Open the watches that came after the subscription began."""
        for watch in self.watches():
            if not watch.is_open(self._member):
                watch.open(now, self._member)
                self.listener.stream_changed(watch)


def _takes(watch: Watch, name: Name) -> bool:
    """Tell whether *watch* is to know what becomes of *name*."""
    return name.is_within(watch.domain) and (
        name in watch.tracks or len(watch.tracks) < MOST_HEARD
    )
