"""Write down what changes, off the event loop, a moment after it changed.

Laws: what could not be written is kept and written later; a state that could
not be written is then written as a whole, for it may be a new one.
"""

import trio

from autoscaler.core.rhythm import AGREE
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.hosts.watch import Watch
from autoscaler.shell.state.scribe import Scribe
from autoscaler.shell.state.store import Store, StreamRow

# Changes of one moment go into one transaction.
GATHER_S = 0.2
LONGEST_PAUSE_S = 10.0
# Of a state that can't be written for long, history begins with the newest.
MOST_UNWRITTEN = 10_000


async def write_for_ever(fleet: Fleet, store: Store, scribe: Scribe) -> None:
    """Write snapshots and changes of decision whenever there are any."""
    pause = GATHER_S
    while True:
        await trio.sleep(pause)
        if scribe.is_failing:
            fleet.unsaved |= set(fleet.groups)
        error = await scribe.write(write_changes(fleet, store))
        pause = GATHER_S if error is None else min(2 * pause, LONGEST_PAUSE_S)


async def write_changes(fleet: Fleet, store: Store) -> None:
    """Write what has changed since the last time.

    Raises:
        StoreError: Something could not be written; it is still unwritten.
    """
    await _write_snapshots(fleet, store)
    await _write_decisions(fleet, store)
    await _write_streams(fleet, store)
    await _write_intervals(fleet, store)


async def _write_snapshots(fleet: Fleet, store: Store) -> None:
    unsaved, fleet.unsaved = fleet.unsaved, set()
    left, fleet.left = fleet.left, {}
    if not unsaved and not left:
        return
    staying = (fleet.snapshot(group_id) for group_id in sorted(unsaved))
    try:
        are_all = unsaved >= set(fleet.groups)
        await store.save([*left.values(), *staying], are_all=are_all)
    except BaseException:
        # Also when cancelled: the end of the daemon writes what is left.
        fleet.unsaved |= unsaved & set(fleet.groups)
        fleet.left = {**left, **fleet.left}
        raise


async def _write_decisions(fleet: Fleet, store: Store) -> None:
    changes, fleet.changes = fleet.changes, []
    if not changes:
        return
    try:
        await store.record_decisions(changes)
    except BaseException:
        fleet.changes = [*changes, *fleet.changes][-MOST_UNWRITTEN:]
        raise


async def _write_streams(fleet: Fleet, store: Store) -> None:
    if not fleet.streams_changed:
        return
    fleet.streams_changed = False
    try:
        await store.remember_streams(_stream_rows(fleet))
    except BaseException:
        fleet.streams_changed = True
        raise


async def _write_intervals(fleet: Fleet, store: Store) -> None:
    """Write intervals as soon as they are known, for a restart at any time.

    How they drift is written once a minute.
    """
    for (host, domain), watch in tuple(fleet.watches.items()):
        median = watch.feed.rhythm.median
        if median is not None and _is_news(median, watch):
            await store.remember_interval(host, domain, median)
            watch.kept_interval = median


def _is_news(median: float, watch: Watch) -> bool:
    kept = watch.kept_interval
    return kept is None or abs(median - kept) > AGREE * kept


def _stream_rows(fleet: Fleet) -> list[StreamRow]:
    clocks = fleet.clocks()
    return [
        StreamRow(
            host=host,
            domain=domain,
            is_up=watch.feed.up_since is not None,
            since=clocks.wall - (clocks.now - watch.changed_at),
        )
        for (host, domain), watch in fleet.watches.items()
    ]
