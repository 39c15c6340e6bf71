"""Keep one statistics stream running, whatever its host does."""

import random
from typing import Protocol

import trio

from albatross_client.errors import AlbatrossError, CommandRefusedError
from albatross_client.names import Name
from autoscaler.shell.host import Host, StatsSource
from autoscaler.shell.log import Log
from autoscaler.shell.watch import Watch

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
SUBSCRIBE_S = 30.0
GOODBYE_S = 1.0
# How often a stream where nothing runs is looked at.
LOOK_S = 10.0


class Listener(Protocol):
    """Who wants to know what happens on a stream."""

    def stream_changed(self, watch: Watch) -> None:
        """The stream of *watch* went up or down."""

    def frame_heard(self, watch: Watch, name: Name) -> None:
        """A frame of *name* was taken in."""


async def follow_stats(host: Host, watch: Watch, listener: Listener, log: Log) -> None:
    """Subscribe, take in frames, and begin again when the stream ends."""
    pause = FIRST_PAUSE_S
    while True:
        frames_before = watch.verdicts.total()
        error = await _follow_once(host, watch, listener, log)
        if watch.verdicts.total() > frames_before:
            pause = FIRST_PAUSE_S
        # Whoever lost many streams at once must not come back all at once.
        wait = pause * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        log.warning(
            "stream_lost",
            host=watch.host,
            domain=str(watch.domain),
            error=error,
            retry_in_s=round(wait, 1),
        )
        await trio.sleep(wait)
        pause = min(2 * pause, LONGEST_PAUSE_S)


async def _follow_once(host: Host, watch: Watch, listener: Listener, log: Log) -> str:
    """Follow one subscription to its end and return why it ended."""
    try:
        with trio.fail_after(SUBSCRIBE_S):
            source = await host.stats(watch.domain)
    except trio.TooSlowError:
        return f"no answer to the subscription within {SUBSCRIBE_S:g} s"
    except AlbatrossError as error:
        return str(error)
    watch.open(trio.current_time())
    log.info("stream_opened", host=watch.host, domain=str(watch.domain))
    listener.stream_changed(watch)
    try:
        await _take_until_stalled(source, watch, listener)
    except CommandRefusedError as error:
        return (
            f"the host has ended it ({error}): somebody else may have subscribed to "
            f"{watch.domain}, and hosts keep one subscriber of each path"
        )
    except AlbatrossError as error:
        return str(error)
    finally:
        watch.close(trio.current_time())
        listener.stream_changed(watch)
        with trio.move_on_after(GOODBYE_S, shield=True):
            await source.aclose()
    return "connected, but nothing has come for too long: the stream has stalled"


async def _take_until_stalled(
    source: StatsSource, watch: Watch, listener: Listener
) -> None:
    while True:
        now = trio.current_time()
        stalls_at = watch.stalls_at(now)
        if stalls_at is not None and now >= stalls_at:
            return
        # While nothing runs there, nothing comes: look again later.
        until = now + LOOK_S if stalls_at is None else stalls_at
        with trio.CancelScope(deadline=until):
            await _take_frames(source, watch, listener, until)


async def _take_frames(
    source: StatsSource, watch: Watch, listener: Listener, until: float
) -> None:
    """Take in frames until half of the time to *until* is over."""
    renew_at = (trio.current_time() + until) / 2
    while True:
        heard = await source.receive()
        watch.hear(heard)
        listener.frame_heard(watch, heard.name)
        if heard.at > renew_at:
            return
