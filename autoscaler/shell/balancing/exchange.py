"""The balancers and activators of all groups that have them.

They come and go with the configuration: what a change doesn't concern goes on,
connections that are passed on included.
"""

from collections.abc import Awaitable, Callable, Mapping

import trio
from attrs import evolve, frozen

from autoscaler.core.activation import ActivatorSettings
from autoscaler.core.group import GroupId
from autoscaler.shell.balancing.keeper import Keeper
from autoscaler.shell.balancing.seeking import Seeker
from autoscaler.shell.balancing.waking import Members
from autoscaler.shell.configuration.traffic_tables import TrafficSettings
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.log import Log
from autoscaler.shell.traffic.activator import Activator
from autoscaler.shell.traffic.sockets import ListenError, listen

Task = Callable[[], Awaitable[None]]
Spawn = Callable[[Task], None]

# Another process may still listen there: it is tried again.
LISTEN_AGAIN_S = 5.0


@frozen
class Post:
    """What runs for one group.

    Attributes:
        settings: As configured.
        keeper: Keeps its balancer.
        seeker: Finds where its members listen.
        scope: Ends it.
    """

    settings: TrafficSettings
    keeper: Keeper
    seeker: Seeker
    scope: trio.CancelScope


class Exchange:
    """Knows what runs for which group."""

    def __init__(self, fleet: Fleet, log: Log, spawn: Spawn) -> None:
        """Keep the balancers of groups of *fleet*; *spawn* begins a task."""
        self._fleet = fleet
        self._log = log
        self._spawn = spawn
        self._posts: dict[GroupId, Post] = {}

    def of(self, group_id: GroupId) -> Keeper | None:
        """Return who keeps the group's balancer; None: it has none."""
        post = self._posts.get(group_id)
        return None if post is None else post.keeper

    def follow(self, wanted: Mapping[GroupId, TrafficSettings]) -> None:
        """Keep the balancers that are *wanted*, and no others."""
        for group_id, post in tuple(self._posts.items()):
            settings = wanted.get(group_id)
            if settings is None or _place(settings) != _place(post.settings):
                self._end(group_id, post)
            elif settings != post.settings:
                self._posts[group_id] = self._changed(post, settings)
        for group_id, settings in wanted.items():
            if group_id not in self._posts:
                self._begin(group_id, settings)

    def _begin(self, group_id: GroupId, settings: TrafficSettings) -> None:
        members, activator = Members(group_id, self._fleet), None
        if settings.activator is not None:
            activator = Activator(str(group_id), settings.activator, members, self._log)
            self._fleet.holders[group_id] = activator
        balancer = settings.balancer.opened()
        keeper = Keeper(group_id, self._fleet, balancer, self._log, activator)
        members.keeper = keeper
        source = settings.balancer.source
        seeker = Seeker(group_id, self._fleet, source, self._log)
        post = Post(settings, keeper, seeker, trio.CancelScope())
        self._posts[group_id] = post
        self._fleet.heeders[group_id] = keeper.wake

        async def keep() -> None:
            with post.scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(keeper.keep_for_ever)
                    nursery.start_soon(seeker.seek_for_ever)
                    if activator is not None and settings.activator is not None:
                        nursery.start_soon(
                            self._activate, group_id, activator, settings.activator
                        )

        self._spawn(keep)

    def _end(self, group_id: GroupId, post: Post) -> None:
        post.scope.cancel()
        del self._posts[group_id]
        self._fleet.heeders.pop(group_id, None)
        self._fleet.holders.pop(group_id, None)
        self._fleet.hear_balancer(group_id, None)

    def _changed(self, post: Post, settings: TrafficSettings) -> Post:
        keeper = post.keeper
        keeper.balancer = settings.balancer.opened()
        if keeper.activator is not None and settings.activator is not None:
            keeper.activator.configure(settings.activator)
        keeper.wake()
        post.seeker.source = settings.balancer.source
        return evolve(post, settings=settings)

    async def _activate(
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
