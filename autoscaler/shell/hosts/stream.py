"""Keep statistics streams running, whatever their host does."""

import random
from collections.abc import Callable

import trio
from attrs import define, field

from albatross_client.errors import (
    AlbatrossError,
    CertificateError,
    HostUnreachableError,
    HungUpError,
)
from albatross_client.names import Name
from autoscaler.shell.hosts.host import Speaker, StatsSource
from autoscaler.shell.hosts.line import MOST_KINDS, Line, Listener
from autoscaler.shell.hosts.watch import Watch
from autoscaler.shell.log import Log

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
# A certificate that isn't accepted will not be in a second either.
UNTRUSTED_PAUSE_S = 30.0
SUBSCRIBE_S = 30.0
GOODBYE_S = 1.0
# How often a stream where nothing runs is looked at.
LOOK_S = 10.0


async def follow_stats(host: Speaker, line: Line, log: Log) -> None:
    """Subscribe, take in frames, and begin again when the stream ends."""
    pause = FIRST_PAUSE_S
    while True:
        frames_before = line.frames
        error = await _follow_once(host, line, log)
        if line.frames > frames_before:
            pause = FIRST_PAUSE_S
        pause = max(pause, _least_pause(error, line))
        # Whoever lost many streams at once must not come back all at once.
        wait = pause * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        _tell_end(error, line, wait, log)
        await trio.sleep(wait)
        pause = min(2 * pause, LONGEST_PAUSE_S)


async def follow_in_turn(host: Speaker, line: Line, turn: trio.Lock, log: Log) -> None:
    """Follow the one stream that all domains of a host share.

    Who has *turn* follows it for all; when that one ends the next goes on.
    """
    async with turn:
        await follow_stats(host, line, log)


@define
class EachMember:
    """Follows a stream of each unikernel that a watch has to know.

    Attributes:
        host: Where.
        watch: What the streams feed.
        listener: Told of all that happens.
        log: Where events are written.
        start: Starts a task beside this one.
    """

    host: Speaker
    watch: Watch
    listener: Listener
    log: Log
    start: Callable[..., None]
    _lines: dict[Name, trio.CancelScope] = field(factory=dict, init=False)

    async def follow(self) -> None:
        """Begin a stream with each member that comes, end it when it goes."""
        while True:
            self.watch.members_changed = trio.Event()
            wanted = {*self.watch.members, *self.watch.coming}
            for name, scope in self._lines.items():
                if name not in wanted:
                    scope.cancel()
            for name in sorted(wanted - set(self._lines)):
                self._lines[name] = trio.CancelScope()
                self.watch.expect(name, trio.current_time())
                self.start(self._follow_one, name)
            await self.watch.members_changed.wait()

    async def _follow_one(self, name: Name) -> None:
        line = Line(self.watch.host, name, lambda: (self.watch,), self.listener)
        try:
            with self._lines[name]:
                await follow_stats(self.host, line, self.log)
        finally:
            del self._lines[name]
            self.watch.expect_no_more(name)
            # Should it have come back meanwhile, it is begun anew.
            self.watch.members_changed.set()


def _least_pause(error: AlbatrossError, line: Line) -> float:
    match error:
        case HungUpError() if line.contest.takeovers:
            return line.contest.pause
        case CertificateError():
            return UNTRUSTED_PAUSE_S
        case _:
            return FIRST_PAUSE_S


def _tell_end(error: AlbatrossError, line: Line, wait: float, log: Log) -> None:
    is_contested = isinstance(error, HungUpError) and line.contest.ends_at is not None
    log.event(
        "stream_contested" if is_contested else "stream_lost",
        host=line.host,
        path=str(line.path),
        error=str(error),
        retry_in_s=round(wait, 1),
        **({"advice": _advice(line)} if is_contested else {}),
    )


def _advice(line: Line) -> str:
    if line.narrower is None:
        return f"end the other subscriber of {line.path}: there is no narrower path"
    return (
        f"end the other subscriber of {line.path}, or take narrower paths: "
        f'subscribe = "{line.narrower.value}" in the table of this host'
    )


async def _follow_once(host: Speaker, line: Line, log: Log) -> AlbatrossError:
    """Follow one subscription to its end and return why it ended."""
    try:
        with trio.fail_after(SUBSCRIBE_S):
            source = await host.stats(line.path)
    except trio.TooSlowError:
        msg = f"no answer to the subscription within {SUBSCRIBE_S:g} s"
        return HostUnreachableError(msg)
    except AlbatrossError as error:
        return error
    line.open(trio.current_time())
    log.event("stream_opened", host=line.host, path=str(line.path))
    try:
        await _take_until_stalled(source, line, log)
    except HungUpError as error:
        line.taken(trio.current_time())
        return error
    except AlbatrossError as error:
        return error
    finally:
        _tell_skipped(source, line, log)
        line.close(trio.current_time())
        with trio.move_on_after(GOODBYE_S, shield=True):
            await source.aclose()
    return HostUnreachableError(_why_stalled(source))


def _why_stalled(source: StatsSource) -> str:
    if not source.skipped:
        return "connected, but nothing has come for too long: the stream has stalled"
    kinds = ", ".join(sorted(source.skipped))
    return f"connected, but nothing that can be read has come for too long: {kinds}"


def _tell_skipped(source: StatsSource, line: Line, log: Log) -> None:
    """Say once of each kind of message that it is skipped."""
    for kind in sorted(source.skipped.keys() - line.skipped):
        if len(line.skipped) >= MOST_KINDS:
            return
        line.skipped.add(kind)
        log.event("messages_skipped", host=line.host, path=str(line.path), kind=kind)


async def _take_until_stalled(source: StatsSource, line: Line, log: Log) -> None:
    while True:
        _tell_skipped(source, line, log)
        now = trio.current_time()
        line.require_awake()
        stalls_at = line.stalls_at(now)
        if stalls_at is not None and now >= stalls_at:
            return
        # While nothing runs there, nothing comes: look again later.
        until = now + LOOK_S if stalls_at is None else min(stalls_at, now + LOOK_S)
        with trio.CancelScope(deadline=until):
            await _take_frames(source, line, until)


async def _take_frames(source: StatsSource, line: Line, until: float) -> None:
    """Take in frames until half of the time to *until* is over."""
    renew_at = (trio.current_time() + until) / 2
    while True:
        heard = await source.receive()
        line.hear(heard)
        if heard.at > renew_at:
            return
