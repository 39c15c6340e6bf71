"""Write down what changes, off the event loop, a moment after it changed."""

import trio

from autoscaler.shell.fleet import Fleet
from autoscaler.shell.store import Store, StreamRow

# Changes of one moment go into one transaction.
GATHER_S = 0.2


async def write_for_ever(fleet: Fleet, store: Store) -> None:
    """Write snapshots and changes of decision whenever there are any."""
    while True:
        await trio.sleep(GATHER_S)
        await write_changes(fleet, store)


async def write_changes(fleet: Fleet, store: Store) -> None:
    """Write what has changed since the last time."""
    unsaved, fleet.unsaved = fleet.unsaved, set()
    changes, fleet.changes = fleet.changes, []
    if unsaved:
        await store.save([fleet.snapshot(group_id) for group_id in sorted(unsaved)])
    if changes:
        await store.record_decisions(changes)
    if fleet.streams_changed:
        fleet.streams_changed = False
        await store.remember_streams(_stream_rows(fleet))


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
