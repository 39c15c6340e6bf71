"""Let each group tick when it is due; when that is, the core says."""

import math

import trio

from autoscaler.core.events import Ticked
from autoscaler.core.group import GroupId
from autoscaler.core.ticking import next_tick
from autoscaler.shell.fleet import Fleet

# Frames of many unikernels come in one burst: it is taken in before the next
# times are worked out.
BURST_S = 0.05


async def tick_for_ever(fleet: Fleet) -> None:
    """Tick every group of *fleet* when it is due."""
    due: dict[GroupId, float] = {}
    while True:
        tick_what_is_due(fleet, due)
        fleet.rounds += 1
        fleet.round_at = trio.current_time()
        fleet.woken = trio.Event()
        first = min(due.values(), default=math.inf)
        with trio.move_on_at(first):
            await fleet.woken.wait()
            await trio.sleep(BURST_S)


def tick_what_is_due(fleet: Fleet, due: dict[GroupId, float]) -> None:
    """Tick the groups whose time has come; *due* gets the next times."""
    now = trio.current_time()
    fleet.notice_sleep()
    _schedule(fleet, due, now)
    for group_id in [g for g, at in due.items() if at <= now]:
        fleet.tick_lag = now - due.pop(group_id)
        if not fleet.is_stopping:
            fleet.tell(group_id, Ticked(fleet.view(group_id)))
    _schedule(fleet, due, now)


def _schedule(fleet: Fleet, due: dict[GroupId, float], now: float) -> None:
    stirred, fleet.stirred = fleet.stirred, set()
    for group_id in stirred:
        group = fleet.groups.get(group_id)
        at = None if group is None else next_tick(group, fleet.view(group_id), now)
        if at is None:
            due.pop(group_id, None)
        else:
            due[group_id] = at
