"""What systemd is told: readiness, reloads, the end, and that ticks go on.

One datagram to the socket that it names, as in sd_notify(3); where it names
none, nothing is said.  Laws: a datagram that can't be sent never ends the
daemon; the watchdog is only fed while groups are looked at whether they have
to tick.
"""

import contextlib
import os
import socket
from collections.abc import Callable, Mapping

import trio
from attrs import frozen

from autoscaler.shell.clock import monotonic_us
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.minutes import pulse

STATUS_S = 10.0
# sd_watchdog_enabled(3) - "every half of the time"; a third leaves room for a
# machine that is busy.
FEEDS = 3


@frozen
class Notifier:
    """Tells systemd.

    Attributes:
        address: Of its socket; empty: nobody wants to be told.
        watchdog: How long it waits for a sign of life, seconds; None: for ever.
    """

    address: str = ""
    watchdog: float | None = None

    def ready(self) -> None:
        """Say that the daemon runs, at first or again."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """Say that the configuration is read; `ready` ends it."""
        # sd_notify(3) - without the time systemd takes it for a late message.
        self._tell("RELOADING=1", f"MONOTONIC_USEC={monotonic_us()}")

    def stopping(self) -> None:
        """Say that the daemon is about to end."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """Say that ticks go on."""
        self._tell("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Say *text* to whoever asks for the state of the service."""
        self._tell(f"STATUS={text}")

    def _tell(self, *lines: str) -> None:
        if not self.address:
            return
        name = self.address
        if name.startswith("@"):
            # unix(7) - an abstract name begins with a zero byte.
            name = f"\0{name[1:]}"
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to,
        ):
            # A full queue must not hold up the daemon.
            to.settimeout(0)
            to.sendto("\n".join(lines).encode(), name)


def notifier(environment: Mapping[str, str]) -> Notifier:
    """Return the notifier that *environment*, a process's own, asks for."""
    address = environment.get("NOTIFY_SOCKET", "")
    if address[:1] not in {"/", "@"}:
        return Notifier()
    for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    usec = environment.get("WATCHDOG_USEC", "")
    if not for_us or not usec.isdecimal() or not int(usec):
        return Notifier(address)
    return Notifier(address, int(usec) / 1e6)


async def keep_notified(
    notifier: Notifier, fleet: Fleet, stopping: Callable[[], bool]
) -> None:
    """Feed the watchdog while *fleet* ticks, and tell how it is."""
    period = STATUS_S
    if notifier.watchdog is not None:
        period = min(period, notifier.watchdog / FEEDS)
    while True:
        rounds = fleet.rounds
        # With nothing to do for long, one round proves that it would be done.
        fleet.woken.set()
        await trio.sleep(period)
        if fleet.rounds > rounds:
            notifier.alive()
        if not stopping():
            notifier.status(_status(fleet))


def _status(fleet: Fleet) -> str:
    counts = pulse(fleet)
    return (
        f"groups: {counts['groups']}, clones: {counts['clones']}, "
        f"actions in flight: {counts['actions_in_flight']}, "
        f"streams up: {counts['streams_up']} of {counts['streams']}"
    )
