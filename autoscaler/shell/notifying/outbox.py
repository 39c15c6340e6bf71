"""What waits to be told to one receiver, and those who tell it.

Laws: whoever puts something in never waits; of what waits for long the oldest
is dropped, and that is logged; what fails is tried again with longer and
longer pauses, and then given up.
"""

import random
from collections import deque
from collections.abc import Callable
from typing import Protocol

import trio
from attrs import define, field

from autoscaler.shell.configuration.notify_table import NotifySettings
from autoscaler.shell.log import Log
from autoscaler.shell.notifying.message import Notification
from autoscaler.shell.notifying.schedule import (
    LEAST_JITTER,
    MOST_JITTER,
    Failure,
    pause_after,
)

MOST_WAITING = 500
# That some were dropped is said so often at most.
TELL_AGAIN_S = 60.0


class Sender(Protocol):
    """Tells one receiver."""

    async def tell(self, notification: Notification) -> Failure | None:
        """Tell it once, as long as the caller lets it."""

    async def aclose(self) -> None:
        """Give back all that it holds."""


def _jitter() -> float:
    return random.uniform(LEAST_JITTER, MOST_JITTER)  # noqa: S311 - no secret


@define(eq=False)
class Outbox:
    """One receiver's.

    Attributes:
        settings: Of its table.
        sender: Tells it.
        log: Where failures go.
        jitter: What pauses are multiplied with.
        waiting: What it is to be told, oldest first.
    """

    settings: NotifySettings
    sender: Sender
    log: Log
    jitter: Callable[[], float] = _jitter
    waiting: deque[Notification] = field(factory=deque, init=False)
    _news: trio.Event = field(factory=trio.Event, init=False)
    _dropped: int = field(default=0, init=False)
    _told_at: float | None = field(default=None, init=False)

    def put(self, notification: Notification) -> None:
        """Have the receiver told."""
        self.waiting.append(notification)
        self._news.set()
        if len(self.waiting) > MOST_WAITING:
            self.waiting.popleft()
            self._dropped += 1
        self._tell_dropped()

    async def work(self) -> None:
        """Tell one after another, for ever; several may do so at once.

        What somebody who is cancelled was about to tell waits again.
        """
        while True:
            while not self.waiting:
                if self._news.is_set():
                    self._news = trio.Event()
                await self._news.wait()
            notification, is_over = self.waiting.popleft(), False
            try:
                await self._deliver(notification)
                is_over = True
            finally:
                # Not `except`: nurseries raise groups when they are cancelled.
                if not is_over:
                    self.waiting.appendleft(notification)
                    self._news.set()
            self._tell_dropped()

    async def empty(self) -> None:
        """Try what waits once more each, until it is cancelled."""
        while self.waiting:
            notification = self.waiting[0]
            failure = await self.try_once(notification)
            self.waiting.popleft()
            if failure is not None:
                self._tell_given_up(notification, failure, 1)

    def drop(self) -> None:
        """Give up all that waits."""
        self._dropped += len(self.waiting)
        self.waiting.clear()
        self._told_at = None
        self._tell_dropped()

    async def try_once(self, notification: Notification) -> Failure | None:
        """Tell the receiver, once and in time."""
        timeout = self.settings.timeout
        with trio.move_on_after(timeout):
            return await self.sender.tell(notification)
        return Failure(f"no answer within {timeout:g} s")

    async def _deliver(self, notification: Notification) -> None:
        tries = 0
        while (failure := await self.try_once(notification)) is not None:
            tries += 1
            pause = pause_after(tries, failure, self.jitter())
            if pause is None:
                self._tell_given_up(notification, failure, tries)
                return
            self.log.event(
                "notification_delayed",
                receiver=self.settings.name,
                about=notification.event,
                error=failure.error,
                retry_in_s=round(pause, 1),
            )
            await trio.sleep(pause)

    def _tell_given_up(
        self, notification: Notification, failure: Failure, tries: int
    ) -> None:
        self.log.event(
            "notification_failed",
            receiver=self.settings.name,
            about=notification.event,
            error=failure.error,
            attempts=tries,
        )

    def _tell_dropped(self) -> None:
        now = trio.current_time()
        is_due = self._told_at is None or now - self._told_at >= TELL_AGAIN_S
        if self._dropped and is_due:
            dropped, self._dropped, self._told_at = self._dropped, 0, now
            self.log.event(
                "notifications_dropped", receiver=self.settings.name, dropped=dropped
            )
