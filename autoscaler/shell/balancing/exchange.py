"""The balancers and activators of all groups that have them.

They come and go with the configuration: what a change doesn't concern goes on,
connections that are passed on included.  A keeper whose group or balancer is
taken away stays until the actions that wait for it have ended.
"""

from collections.abc import Awaitable, Callable, Mapping

import trio
from attrs import define, field

from autoscaler.core.activation import ActivatorSettings
from autoscaler.core.group import GroupId
from autoscaler.shell.balancing.keeper import Keeper
from autoscaler.shell.balancing.seeking import Seeker
from autoscaler.shell.balancing.waking import Members
from autoscaler.shell.configuration.traffic_tables import TrafficSettings
from autoscaler.shell.descriptors import allow_most_descriptors
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.log import Log
from autoscaler.shell.traffic.activator import Activator
from autoscaler.shell.traffic.sockets import ListenError, listen

Task = Callable[[], Awaitable[None]]
Spawn = Callable[[Task], None]

# Another process may still listen there: it is tried again.
LISTEN_AGAIN_S = 5.0


@define(eq=False)
class Post:
    """What runs for one group.

    Attributes:
        settings: As configured.
        keeper: Keeps its balancer.
        seeker: Finds where its members listen.
        seeking: Ends that.
        activating: Ends its activator, if there is one.
    """

    settings: TrafficSettings
    keeper: Keeper
    seeker: Seeker
    seeking: trio.CancelScope = field(factory=trio.CancelScope)
    activating: trio.CancelScope = field(factory=trio.CancelScope)


class Exchange:
    """Knows what runs for which group."""

    def __init__(self, fleet: Fleet, log: Log, spawn: Spawn) -> None:
        """Keep the balancers of groups of *fleet*; *spawn* begins a task."""
        self._fleet = fleet
        self._log = log
        self._spawn = spawn
        self._posts: dict[GroupId, Post] = {}

    @property
    def keepers(self) -> Mapping[GroupId, Keeper]:
        """Who keeps which group's balancer."""
        return {group_id: post.keeper for group_id, post in self._posts.items()}

    def of(self, group_id: GroupId) -> Keeper | None:
        """Return who keeps the group's balancer; None: it has none."""
        post = self._posts.get(group_id)
        return None if post is None else post.keeper

    def follow(self, wanted: Mapping[GroupId, TrafficSettings]) -> None:
        """Keep the balancers that are *wanted*, and no others."""
        for group_id, post in self._posts.items():
            settings = wanted.get(group_id)
            if settings is None:
                self._end(post)
            elif settings != post.settings or post.keeper.is_leaving:
                self._change(post, settings)
        for group_id, settings in wanted.items():
            if group_id not in self._posts:
                self._begin(group_id, settings)

    def _begin(self, group_id: GroupId, settings: TrafficSettings) -> None:
        balancer = settings.balancer
        keeper = Keeper(group_id, self._fleet, balancer.opened(), self._log)
        seeker = Seeker(group_id, self._fleet, balancer.source, self._log)
        post = self._posts[group_id] = Post(settings, keeper, seeker)
        self._fleet.heeders[group_id] = keeper.wake
        self._activate(post)

        async def seek() -> None:
            with post.seeking:
                await seeker.seek_for_ever()

        async def keep() -> None:
            await keeper.keep()
            post.seeking.cancel()
            del self._posts[group_id]
            del self._fleet.heeders[group_id]
            if group_id in self._fleet.groups:
                self._fleet.hear_balancer(group_id, None)

        self._spawn(seek)
        self._spawn(keep)

    def _end(self, post: Post) -> None:
        self._deactivate(post)
        post.keeper.is_leaving = True
        post.keeper.wake()

    def _change(self, post: Post, settings: TrafficSettings) -> None:
        before, keeper = post.settings, post.keeper
        is_back, keeper.is_leaving = keeper.is_leaving, False
        post.settings = settings
        if settings.balancer != before.balancer:
            keeper.balancer = settings.balancer.opened()
        if is_back or _place(settings) != _place(before):
            self._deactivate(post)
            self._activate(post)
        elif keeper.activator is not None and settings.activator is not None:
            keeper.activator.configure(settings.activator)
        post.seeker.source = settings.balancer.source
        keeper.wake()

    def _deactivate(self, post: Post) -> None:
        post.activating.cancel()
        post.keeper.activator = None
        self._fleet.holders.pop(post.keeper.group_id, None)

    def _activate(self, post: Post) -> None:
        """Begin the activator of *post*, if there should be one."""
        keeper, settings = post.keeper, post.settings.activator
        if settings is None:
            return
        allow_most_descriptors()
        group_id, scope = keeper.group_id, trio.CancelScope()
        members = Members(group_id, self._fleet, keeper)
        activator = Activator(str(group_id), settings, members, self._log)
        keeper.activator, post.activating = activator, scope
        self._fleet.holders[group_id] = activator

        async def activate() -> None:
            with scope:
                await self._take_connections(group_id, activator, settings)

        self._spawn(activate)

    async def _take_connections(
        self, group_id: GroupId, activator: Activator, settings: ActivatorSettings
    ) -> None:
        """Take connections of the group, as soon as they can come."""
        while True:
            try:
                listeners = await listen(settings.listen)
            except ListenError as error:
                self._log.event(
                    "activator_failed", group=str(group_id), error=str(error)
                )
                await trio.sleep(LISTEN_AGAIN_S)
            else:
                await activator.run(listeners)
                return


def _place(settings: TrafficSettings) -> object:
    """Return what can't be changed while connections are passed on."""
    activator = settings.activator
    return None if activator is None else activator.listen
