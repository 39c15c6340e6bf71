"""What runs beside a daemon: operators' requests, a signal, and systemd.

Law: none of it can end the daemon; where operators can't be heard, the daemon
says so and goes on.
"""

import signal
from functools import partial
from pathlib import Path

import trio

from autoscaler.shell.containment import BROKEN, Containment
from autoscaler.shell.daemon import Companion, Daemon
from autoscaler.shell.log import Log
from autoscaler.shell.operators.control import ControlError, Peer, listen, serve
from autoscaler.shell.operators.desk import Desk
from autoscaler.shell.operators.notify import Notifier, keep_notified
from autoscaler.shell.operators.requests import Reply, Request, RequestError

RELOADS = signal.SIGHUP


async def hear_operators(
    directory: Path, desk: Desk, log: Log
) -> tuple[Companion, ...]:
    """Return what answers at the control socket of *directory*.

    Operators can connect when this returns.  Where there can be no socket, that
    is said, and nothing is returned.
    """
    try:
        listener = await listen(directory)
    except ControlError as error:
        log.event("control_failed", error=str(error))
        return ()

    async def obey(request: Request, peer: Peer) -> Reply:
        with Containment(log, f"obeying {request.verb}", (RequestError,)):
            return await desk.obey(request, peer)
        return Reply((BROKEN,), is_done=False)

    return (partial(serve, listener, directory, obey),)


async def reload_at_signal(desk: Desk) -> None:
    """Read the configuration again at each `RELOADS`."""
    with trio.open_signal_receiver(RELOADS) as received:
        async for _ in received:
            await desk.reload()


def for_systemd(daemon: Daemon, notifier: Notifier) -> tuple[Companion, ...]:
    """Return what tells *notifier* how *daemon* is."""
    return (
        partial(keep_notified, notifier, daemon.fleet, daemon.stopping.is_set),
        partial(_say_when_it_ends, daemon, notifier),
    )


async def _say_when_it_ends(daemon: Daemon, notifier: Notifier) -> None:
    notifier.ready()
    await daemon.stopping.wait()
    notifier.stopping()
