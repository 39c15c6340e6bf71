"""Finds where the members of one group listen, as soon as that can be told.

Level-triggered: whoever has no place yet is looked for, whether it was made a
moment ago, adopted, or known from an earlier run.
"""

import trio
from attrs import define, field

from albatross_client.names import Name
from autoscaler.core.events import AddressFound
from autoscaler.core.group import GroupId, Member
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.log import Log
from autoscaler.shell.traffic.address import (
    AddressError,
    AddressSource,
    Whom,
    find_address,
)

ROUND_S = 0.1
# A name that isn't there yet is asked for again, less and less often.
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
# Looks for members of one group at once.
MOST_LOOKS = 8


@define
class _Wait:
    """How long nothing is asked about a member: until *due*."""

    due: float
    pause: float


@define(eq=False)
class Seeker:
    """Looks for the members of one group.

    Attributes:
        group_id: Whose.
        fleet: Where the group is.
        source: Tells where they listen; None: their pool does.
        log: Told of what was found, and what can't be.
    """

    group_id: GroupId
    fleet: Fleet
    source: AddressSource | None
    log: Log
    _waits: dict[Name, _Wait] = field(factory=dict, init=False)

    async def seek_for_ever(self) -> None:
        """Look for all that have no place, again and again."""
        while self.group_id in self.fleet.groups:
            await self._seek()
            await trio.sleep(ROUND_S)

    async def _seek(self) -> None:
        source = self.source
        if source is None:
            return
        now, clones = trio.current_time(), self.fleet.groups[self.group_id].clones
        missing = {clone.name: clone for clone in clones if clone.found is None}
        self._waits = {n: w for n, w in self._waits.items() if n in missing}
        due = [c for n, c in missing.items() if self._due(n) <= now]
        async with trio.open_nursery() as nursery:
            for clone in due[:MOST_LOOKS]:
                nursery.start_soon(self._look_for, clone, source)

    def _due(self, name: Name) -> float:
        wait = self._waits.get(name)
        return 0.0 if wait is None else wait.due

    async def _look_for(self, clone: Member, source: AddressSource) -> None:
        group, whom = str(self.group_id), Whom(self.group_id, clone.name, clone.address)
        try:
            address = await find_address(source, whom)
        except AddressError as error:
            self._put_off(clone.name)
            self.log.event(
                "address_unknown", group=group, name=str(clone.name), error=str(error)
            )
            return
        if self.group_id in self.fleet.groups:
            self.fleet.tell(self.group_id, AddressFound(clone.name, address))
            self.log.event(
                "address_found", group=group, name=str(clone.name), address=address
            )

    def _put_off(self, name: Name) -> None:
        before = self._waits.get(name)
        pause = FIRST_PAUSE_S if before is None else 2 * before.pause
        pause = min(pause, LONGEST_PAUSE_S)
        self._waits[name] = _Wait(trio.current_time() + pause, pause)
