"""Clones whose group is no longer configured: ours, but looked after by nobody.

Laws: only what the state says is ours is ever destroyed; a clone is forgotten
when its host no longer lists it, and not before.
"""

from collections.abc import Collection, Iterable

import trio
from attrs import evolve, frozen

from albatross_client.names import Name
from autoscaler.core.actions import victim_of, without_slot
from autoscaler.core.group import GroupId
from autoscaler.core.snapshot import Snapshot
from autoscaler.shell.hosts.host import Host
from autoscaler.shell.log import Log
from autoscaler.shell.state.store import Store

COMMAND_S = 30.0
# Between two looks whether it is gone.
GONE_PAUSE_S = 1.0


@frozen(order=True)
class Stray:
    """A clone that is stranded.

    Attributes:
        group: The group that is no longer configured.
        name: The clone.
    """

    group: GroupId
    name: Name

    def __str__(self) -> str:
        return f"{self.group.host}/{self.name}"


def strays(
    snapshots: Iterable[Snapshot], configured: Collection[GroupId]
) -> tuple[Stray, ...]:
    """Return the clones in *snapshots* of groups that are not *configured*.

    One that an action in flight was to create is among them: it may have come.
    """
    found = {
        Stray(snapshot.id, name)
        for snapshot in snapshots
        if snapshot.id not in configured
        for name in _clones(snapshot)
    }
    return tuple(sorted(found))


def tell_of_strays(snapshot: Snapshot, log: Log) -> None:
    """Log the clones in *snapshot*, of a group that nobody looks after."""
    names = ",".join(str(clone.name) for clone in snapshot.clones)
    if names:
        log.event("group_stranded", group=str(snapshot.id), names=names)


def without(snapshot: Snapshot, name: Name) -> Snapshot:
    """Return *snapshot* without the clone *name*; its number stays taken."""
    clones = tuple(clone for clone in snapshot.clones if clone.name != name)
    cut = (without_slot(action, name) for action in snapshot.actions)
    actions = tuple(a for a in cut if a.slots or victim_of(a) not in {None, name})
    return evolve(snapshot, clones=clones, actions=actions)


async def destroy(stray: Stray, snapshot: Snapshot, host: Host, store: Store) -> str:
    """Destroy *stray* and forget it; return in words what became of it.

    Raises:
        AlbatrossError: The host refused, or did not answer as it should.
        trio.TooSlowError: It did not answer in time, or still lists it.
        StoreError: It is gone, but that could not be written down.
    """
    said = "was gone already"
    if await _is_listed(stray.name, host):
        with trio.fail_after(COMMAND_S):
            await host.destroy(stray.name)
        await _wait_until_gone(stray.name, host)
        said = "is destroyed"
    await store.save([without(snapshot, stray.name)])
    return said


async def _wait_until_gone(name: Name, host: Host) -> None:
    with trio.fail_after(COMMAND_S):
        while True:
            if not await _is_listed(name, host):
                return
            await trio.sleep(GONE_PAUSE_S)


async def _is_listed(name: Name, host: Host) -> bool:
    with trio.fail_after(COMMAND_S):
        return name in await host.info(name.domain)


def _clones(snapshot: Snapshot) -> Iterable[Name]:
    yield from (clone.name for clone in snapshot.clones)
    for action in snapshot.actions:
        yield from (slot.name for slot in action.slots)
