"""What an activator needs of its group: who serves, and how to ask for more."""

from collections.abc import Sequence
from typing import Protocol

import trio

from autoscaler.core.backend import Health, Server
from autoscaler.core.events import WakeAsked
from autoscaler.core.group import GroupId, Member
from autoscaler.core.holding import Serving
from autoscaler.core.places import place_of
from autoscaler.core.resting import is_coming
from autoscaler.core.standing import is_draining
from autoscaler.shell.fleet import Fleet


class Eyes(Protocol):
    """What sees the group's balancer."""

    looked: trio.Event

    def server(self, label: str) -> Server | None:
        """Return the server of this *label*, as it was seen last."""


class Members:
    """The members of one group, for its activator."""

    def __init__(self, group_id: GroupId, fleet: Fleet, eyes: Eyes) -> None:
        """Tell of the group *group_id* of *fleet*, as far as *eyes* see it."""
        self._group_id = group_id
        self._fleet = fleet
        self._eyes = eyes

    def ready(self) -> Sequence[Serving]:
        """Return those that serve now.

        A balancer that was reloaded has forgotten its servers for a moment:
        who was ready then still is, until a check says otherwise.
        """
        group = self._fleet.groups.get(self._group_id)
        serving = None if group is None else group.policy.serving
        if group is None or serving is None:
            return ()
        return [
            Serving(member.name.label or "", place)
            for member in group.clones
            if member.ready_at is not None
            and not is_draining(group, member.name)
            and not self._has_failed(member)
            and (place := place_of(member, serving)) is not None
        ]

    def is_waking(self) -> bool:
        """Tell whether a member is on its way: decided, created or booting."""
        group = self._fleet.groups.get(self._group_id)
        return group is not None and is_coming(group)

    async def changed(self) -> None:
        """Return when either may have another answer than at the call."""
        before = self.ready(), self.is_waking()
        while (self.ready(), self.is_waking()) == before:
            await self._eyes.looked.wait()

    def wake(self) -> None:
        """Ask the group for a member, without waiting for it."""
        if self._group_id in self._fleet.groups and not self._fleet.is_stopping:
            view = self._fleet.view(self._group_id)
            self._fleet.tell(self._group_id, WakeAsked(view))

    def _has_failed(self, member: Member) -> bool:
        server = self._eyes.server(member.name.label or "")
        return server is not None and server.health is Health.FAILED
