"""Once a minute: usage rows, what status shows, the heartbeat, old history."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import trio
from attrs import define

from autoscaler.core.group import GroupId
from autoscaler.core.moments import Clocks
from autoscaler.core.track import Verdict
from autoscaler.core.usage import Minute
from autoscaler.shell.fleet import Change, Fleet
from autoscaler.shell.hosts.watch import Watch
from autoscaler.shell.log import Log
from autoscaler.shell.state.scribe import Scribe
from autoscaler.shell.state.store import Store, UsageRow

MINUTE_S = 60.0
# Old history is dropped once in so many minutes, and in the first one: a daemon
# that is restarted more often than that would let it grow for ever.
PRUNE_EVERY = 60
# Rows that wait for a state that can be written; the oldest are dropped.
MOST_UNWRITTEN = 10_000
IRREGULAR = (Verdict.UNTIMELY, Verdict.BUNCHED, Verdict.OVERRUN)


@define
class Housekeeping:
    """What the minute task works with.

    Attributes:
        store: Where rows go.
        scribe: Says when that doesn't work.
        log: Where the heartbeat goes.
        clocks: Reads all clocks.
        history_keep: How long history is kept, seconds; a reload may set it.
    """

    store: Store
    scribe: Scribe
    log: Log
    clocks: Callable[[], Clocks]
    history_keep: float


async def keep_minutes(fleet: Fleet, keeping: Housekeeping) -> None:
    """Write down every minute that passes."""
    number = 0
    unwritten: list[UsageRow] = []
    while True:
        began = keeping.clocks().wall
        await trio.sleep(MINUTE_S)
        unwritten = [*unwritten, *take_usage(fleet, began)][-MOST_UNWRITTEN:]
        writing = write_minute(fleet, keeping, unwritten)
        if await keeping.scribe.write(writing) is None:
            unwritten = []
        keeping.log.event("heartbeat", **pulse(fleet))
        for watch in fleet.watches.values():
            warn_of_rhythm(watch, keeping.log)
        if number % PRUNE_EVERY == 0:
            wall = keeping.clocks().wall
            pruning = keeping.store.prune(keeping.history_keep, wall)
            await keeping.scribe.write(pruning)
        number += 1


def take_usage(fleet: Fleet, began: float) -> list[UsageRow]:
    """Return what the minute that *began* then, wall clock, has brought."""
    minutes, fleet.minutes = fleet.minutes, {}
    return [_usage_row(group_id, minute, began) for group_id, minute in minutes.items()]


async def write_minute(
    fleet: Fleet, keeping: Housekeeping, usage: Iterable[UsageRow]
) -> None:
    """Write *usage*, the newest numbers of all groups, and intervals.

    Raises:
        StoreError: The state can't be written.
    """
    store, wall = keeping.store, keeping.clocks().wall
    await store.record_usage(usage)
    await store.refresh_decisions(
        [
            Change(group.id, wall, group.decision, fleet.newest(group.id))
            for group in fleet.groups.values()
            if group.decision is not None
        ]
    )
    for (host, domain), watch in fleet.watches.items():
        if watch.feed.rhythm.median is not None:
            await store.remember_interval(host, domain, watch.feed.rhythm.median)


def warn_of_rhythm(watch: Watch, log: Log) -> None:
    """Say when frames don't come as they are expected."""
    verdicts, watch.recent = watch.recent, Counter()
    where = {"host": watch.host, "domain": str(watch.domain)}
    rhythm = watch.feed.rhythm
    if rhythm.contradiction is not None:
        log.event(
            "interval_contradicted",
            configured_s=rhythm.configured,
            measured_s=round(rhythm.contradiction, 3),
            **where,
        )
    # What is taken back now may have counted in the minute before.
    counted = max(0, verdicts[Verdict.COUNTED])
    wrong = sum(verdicts[verdict] for verdict in IRREGULAR)
    # While no interval is known, no frame can come too early or too late.
    if wrong > counted and rhythm.distances and rhythm.interval is not None:
        log.event(
            "frames_irregular",
            counted=counted,
            not_counted=wrong,
            interval_s=rhythm.interval,
            least_distance_s=round(min(rhythm.distances), 3),
            most_distance_s=round(max(rhythm.distances), 3),
            **where,
        )


def pulse(fleet: Fleet) -> Mapping[str, int]:
    """Return the counters of a heartbeat."""
    watches = fleet.watches.values()
    frames: dict[str, int] = {}
    for watch in watches:
        for verdict, count in watch.verdicts.items():
            key = f"frames_{verdict.value}"
            frames[key] = frames.get(key, 0) + count
    return {
        "groups": len(fleet.groups),
        "clones": sum(len(group.clones) for group in fleet.groups.values()),
        "actions_in_flight": sum(
            len(group.ledger.actions) for group in fleet.groups.values()
        ),
        "streams": len(fleet.watches),
        "streams_up": sum(watch.feed.up_since is not None for watch in watches),
        **frames,
    }


def _usage_row(group_id: GroupId, minute: Minute, began: float) -> UsageRow:
    return UsageRow(
        group=group_id,
        wall=began,
        mean=minute.mean,
        least=minute.least,
        most=minute.most,
        smallest=minute.smallest,
        largest=minute.largest,
    )
