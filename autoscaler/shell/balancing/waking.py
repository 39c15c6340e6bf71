"""What an activator needs of its group: who serves, and how to ask for more."""

from collections.abc import Sequence
from typing import Protocol

import trio

from autoscaler.core.actions import CreateClones
from autoscaler.core.backend import Health, Server
from autoscaler.core.events import WakeAsked
from autoscaler.core.group import GroupId, Member
from autoscaler.core.holding import Serving
from autoscaler.core.places import place_of
from autoscaler.core.standing import is_draining
from autoscaler.shell.fleet import Fleet


class Eyes(Protocol):
    """What sees the group's balancer."""

    looked: trio.Event

    def server(self, label: str) -> Server | None:
        """Return the server of this *label*, as it was seen last."""


class Members:
    """The members of one group, for its activator.

    Attributes:
        keeper: Knows what the balancer sees; set before anybody asks.
    """

    def __init__(self, group_id: GroupId, fleet: Fleet) -> None:
        """Tell of the group *group_id* of *fleet*."""
        self.keeper: Eyes | None = None
        self._group_id = group_id
        self._fleet = fleet

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
            and member.name not in group.ledger.parting
            and not is_draining(group, member.name)
            and not self._has_failed(member)
            and (place := place_of(member, serving)) is not None
        ]

    def is_waking(self) -> bool:
        """Tell whether a member is on its way: decided, created or booting."""
        group = self._fleet.groups.get(self._group_id)
        return group is not None and (
            any(isinstance(action, CreateClones) for action in group.ledger.actions)
            or any(clone.ready_at is None for clone in group.clones)
        )

    async def changed(self) -> None:
        """Return when either may have another answer than at the call."""
        before = self.ready(), self.is_waking()
        while self.keeper is not None and (self.ready(), self.is_waking()) == before:
            await self.keeper.looked.wait()

    def wake(self) -> None:
        """Ask the group for a member, without waiting for it."""
        if self._group_id in self._fleet.groups and not self._fleet.is_stopping:
            view = self._fleet.view(self._group_id)
            self._fleet.tell(self._group_id, WakeAsked(view))

    def _has_failed(self, member: Member) -> bool:
        keeper = self.keeper
        server = None if keeper is None else keeper.server(member.name.label or "")
        return server is not None and server.health is Health.FAILED
