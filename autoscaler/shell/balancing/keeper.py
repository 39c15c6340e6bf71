"""Keeps the balancer of one group like the group, again and again.

Whatever happened to either, the next look mends it: a balancer that was
reloaded and has forgotten our servers gets them back, one that was away is
asked until it answers.

Laws: only what `arrange` orders is done, and nobody else orders anything; a
balancer that doesn't answer is no empty one.
"""

from collections.abc import Callable, Mapping

import trio
from attrs import define, field

from autoscaler.core.arrange import Arrangement, Wanted, arrange
from autoscaler.core.backend import Backend, Place, Server
from autoscaler.core.group import Group, GroupId
from autoscaler.core.places import OurServers, find_places
from autoscaler.core.serving import ServePolicy
from autoscaler.core.weights import NO_SCORES, Scores, weigh
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.log import Log
from autoscaler.shell.traffic.activator import Activator
from autoscaler.shell.traffic.balancer import Balancer, BalancerError

ANSWER_S = 5.0
# A balancer that was restarted has forgotten what serves: it is asked at once.
RETRY_S = 0.1
# While a server is on its way: its check may have passed by now.
BRISK_S = 0.02
POLL_S = 1.0


@define(eq=False)
class Keeper:
    """Keeps one group's balancer.

    Attributes:
        group_id: Whose.
        fleet: Where the group is.
        balancer: What is kept like it.
        log: Where changes are told.
        activator: Takes requests while no member serves; None: nobody does.
        seen: What the balancer told last; None: it doesn't answer.
        looked: Set at the next look.
    """

    group_id: GroupId
    fleet: Fleet
    balancer: Balancer
    log: Log
    activator: Activator | None = None
    seen: Backend | None = field(default=None, init=False)
    looked: trio.Event = field(factory=trio.Event, init=False)
    _woken: trio.Event = field(factory=trio.Event, init=False)
    _given: dict[str, frozenset[Place]] = field(factory=dict, init=False)
    _taken: frozenset[str] = field(default=frozenset(), init=False)
    _scores: Scores = field(default=NO_SCORES, init=False)
    _is_lost: bool = field(default=False, init=False)

    @property
    def group(self) -> Group:
        """The group as it is now."""
        return self.fleet.groups[self.group_id]

    def wake(self) -> None:
        """Look now: the group has changed."""
        self._woken.set()

    # What actions wait for

    def server(self, label: str) -> Server | None:
        """Return the server of this *label*, as it was seen last."""
        return None if self.seen is None else self.seen.servers.get(label)

    def is_known(self) -> bool:
        """Tell whether what the balancer told last is all that it works on.

        One that was reloaded ends the requests of its earlier process without
        showing them: for so long its numbers prove nothing.
        """
        serving = self.group.policy.serving
        if self.seen is None or serving is None:
            return False
        return self.seen.up_s is None or self.seen.up_s >= serving.drain_timeout

    def answers(self) -> bool:
        """Tell whether the balancer answers."""
        return self.seen is not None

    def sessions(self, label: str) -> int:
        """Return how many requests and connections the server works on."""
        server = self.server(label)
        spliced = {} if self.activator is None else self.activator.sessions
        return (0 if server is None else server.sessions) + spliced.get(label, 0)

    def cut(self, label: str) -> None:
        """Break off connections that the activator passes on to a member."""
        if self.activator is not None:
            self.activator.cut(label)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return once *is_so*, looked at after every look at the balancer."""
        while not is_so():
            self.wake()
            await self.looked.wait()

    # How it is kept

    async def keep_for_ever(self) -> None:
        """Look, and mend what is not as it should be."""
        while self.group_id in self.fleet.groups:
            self._woken = trio.Event()
            pause = await self._look()
            self.looked.set()
            self.looked = trio.Event()
            with trio.move_on_after(pause):
                await self._woken.wait()
            # Whoever wakes it all the time doesn't make it spin.
            await trio.sleep(min(pause, BRISK_S))

    async def _look(self) -> float:
        """Look once, and mend; return how long nothing has to be looked at."""
        serving = self.group.policy.serving
        if serving is None:
            return POLL_S
        try:
            with trio.fail_after(ANSWER_S):
                backend = await self.balancer.observe()
            self._see(backend)
            wanted = find_places(self.group, serving, self._weigh(serving))
            arrangement = self._arranged(wanted, backend)
            for step in arrangement.steps:
                with trio.fail_after(ANSWER_S):
                    await self.balancer.perform(step)
                self.log.event(
                    "server_changed",
                    group=str(self.group_id),
                    server=step.name,
                    step=type(step).__name__,
                )
        except (BalancerError, trio.TooSlowError) as error:
            self._lose(str(error) or f"no answer within {ANSWER_S:g} s")
            return RETRY_S
        is_calm = not arrangement.steps and not self._lacks(wanted, backend)
        return POLL_S if is_calm else BRISK_S

    def _weigh(self, serving: ServePolicy) -> Scores:
        """Return what members use, where that says how much they get."""
        if serving.weights is not None:
            group, view = self.group, self.fleet.view(self.group_id)
            now = trio.current_time()
            self._scores = weigh(self._scores, serving.weights, group, view, now)
        return self._scores

    def _see(self, backend: Backend) -> None:
        self.seen = backend
        if self._is_lost:
            self._is_lost = False
            self.log.event("balancer_found", group=str(self.group_id))
        self.fleet.hear_balancer(self.group_id, backend)

    def _lose(self, why: str) -> None:
        self.seen, self._is_lost = None, True
        self.fleet.hear_balancer(self.group_id, None)
        self.log.event("balancer_lost", group=str(self.group_id), error=why)

    def _arranged(self, wanted: Mapping[str, Wanted], backend: Backend) -> Arrangement:
        self._remember(wanted, backend)
        claim = OurServers(self.group_id, self._given)
        arrangement = arrange(wanted, backend, claim)
        for taken in arrangement.taken:
            if taken.name not in self._taken:
                self.log.event(
                    "server_name_taken", group=str(self.group_id), error=str(taken)
                )
        self._taken = frozenset(taken.name for taken in arrangement.taken)
        return arrangement

    def _remember(self, wanted: Mapping[str, Wanted], backend: Backend) -> None:
        """Remember where members are, until the balancer knows them no more."""
        for name, wish in wanted.items():
            self._given[name] = self._given.get(name, frozenset()) | {wish.place}
        for name in set(self._given) - set(wanted) - set(backend.servers):
            del self._given[name]

    def _lacks(self, wanted: Mapping[str, Wanted], backend: Backend) -> bool:
        """Tell whether a member has not yet the place that it should have."""
        return any(
            (server := backend.servers.get(name)) is None or server.duty is not w.duty
            for name, w in wanted.items()
            if name not in self._taken
        )
