"""Keeps the balancer of one group like the group, again and again.

Whatever happened to either, the next look mends it: a balancer that was
reloaded and has forgotten our servers gets them back, one that was away is
asked until it answers.

Laws: only what `arrange` orders is done, and nobody else orders anything; a
balancer that doesn't answer is no empty one; one that refuses a step answers.
"""

from collections.abc import Callable, Mapping

import trio
from attrs import define, field

from autoscaler.core.arrange import (
    Arrangement,
    MakeReady,
    Step,
    Wanted,
    Weigh,
    arrange,
)
from autoscaler.core.backend import Backend, Health, Place, Server
from autoscaler.core.balancing import with_spliced
from autoscaler.core.group import Group, GroupId
from autoscaler.core.places import OurServers, find_places
from autoscaler.core.serving import ServePolicy
from autoscaler.core.weights import NO_SCORES, Scores, weigh
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.log import Log
from autoscaler.shell.traffic.activator import Activator
from autoscaler.shell.traffic.balancer import Balancer, BalancerError, Trouble

# Balancers have deadlines of their own, a hook the longest: this one is for
# what has none.
ANSWER_S = 15.0
# A balancer that was restarted has forgotten what serves: it is asked at once.
RETRY_S = 0.1
# While a server is on its way: its check may have passed by now.
BRISK_S = 0.02
# For so long after a step that is worth it: then nobody waits any more.
ON_ITS_WAY_S = 10.0
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
        is_leaving: Whether it ends with the last action of the group.
        seen: What the balancer told last; None: it doesn't answer.
        looked: Set at the next look.
    """

    group_id: GroupId
    fleet: Fleet
    balancer: Balancer
    log: Log
    activator: Activator | None = None
    is_leaving: bool = False
    seen: Backend | None = field(default=None, init=False)
    looked: trio.Event = field(factory=trio.Event, init=False)
    _woken: trio.Event = field(factory=trio.Event, init=False)
    _serving: ServePolicy | None = field(default=None, init=False)
    _given: dict[str, frozenset[Place]] = field(factory=dict, init=False)
    _taken: frozenset[str] = field(default=frozenset(), init=False)
    _scores: Scores = field(default=NO_SCORES, init=False)
    _refused: dict[str, str] = field(factory=dict, init=False)
    _is_lost: bool = field(default=False, init=False)
    # Looks that have begun and ended, and until when the next ones are soon.
    _begun: int = field(default=0, init=False)
    _ended: int = field(default=0, init=False)
    _brisk_until: float = field(default=0.0, init=False)
    _has_readied: bool = field(default=False, init=False)
    _paces: list[float] = field(factory=list, init=False)

    @property
    def group(self) -> Group:
        """The group as it is now."""
        return self.fleet.groups[self.group_id]

    def wake(self) -> None:
        """Look now: the group has changed."""
        self._woken.set()

    # What actions wait for

    def server(self, label: str) -> Server | None:
        """Return the server of this *label*; None: there is none of ours."""
        if self.seen is None or label in self._taken:
            return None
        return self.seen.servers.get(label)

    def is_known(self) -> bool:
        """Tell whether what the balancer told last is all that it works on.

        One that was reloaded ends the requests of its earlier process without
        showing them: for so long its numbers prove nothing.
        """
        if self.seen is None or self._serving is None:
            return False
        return self.seen.up_s is None or self.seen.up_s >= self._serving.drain_timeout

    def answers(self) -> bool:
        """Tell whether the balancer answers."""
        return self.seen is not None

    def sessions(self, label: str) -> int:
        """Return how many requests and connections the server works on."""
        server = self.server(label)
        return (0 if server is None else server.sessions) + self._spliced.get(label, 0)

    def state(self, label: str) -> str:
        """Return in words how far the server of this *label* has come."""
        server = self.server(label)
        if self.seen is None:
            return "the balancer doesn't answer"
        if label in self._taken:
            return "a server that isn't ours has its name"
        if label in self._refused:
            return self._refused[label]
        if server is None:
            return "the balancer has no server of this name"
        if server.health is not Health.PASSED:
            return f"its checks: {server.health.value}"
        return f"it is {server.duty.value}, sessions: {self.sessions(label)}"

    def cut(self, label: str) -> None:
        """Break off connections that the activator passes on to a member."""
        if self.activator is not None:
            self.activator.cut(label)

    async def until(self, is_so: Callable[[], bool], pause: float) -> None:
        """Return once *is_so*, looked at after every look that begins from now.

        What was seen before may be older than what was done since.

        Arguments:
            is_so: Tells it, by what was seen last.
            pause: Most seconds between two looks.
        """
        first = self._begun + 1
        self._paces.append(pause)
        try:
            self.wake()
            while self._ended < first or not is_so():
                await self.looked.wait()
        finally:
            self._paces.remove(pause)

    # How it is kept

    async def keep(self) -> None:
        """Look and mend, as long as anybody needs it."""
        while self._is_needed():
            self._woken, began = trio.Event(), trio.current_time()
            self._begun += 1
            self._has_readied = False
            pause = await self._look()
            if self._has_readied:
                # It shows at once, to all who wait for it.
                pause = await self._look()
            self._ended = self._begun
            self.looked.set()
            self.looked = trio.Event()
            with trio.move_on_after(min([pause, *self._paces])):
                await self._woken.wait()
            # Whoever wakes it all the time doesn't make it spin; who wakes it
            # after a while, as a promotion does, waits for nothing.
            await trio.sleep_until(began + min(pause, BRISK_S))

    @property
    def _spliced(self) -> Mapping[str, int]:
        return {} if self.activator is None else self.activator.sessions

    def _is_needed(self) -> bool:
        group = self.fleet.groups.get(self.group_id)
        return group is not None and not (self.is_leaving and not group.ledger.actions)

    async def _look(self) -> float:
        """Look once, and mend; return how long nothing has to be looked at."""
        try:
            with trio.fail_after(ANSWER_S):
                backend = await self.balancer.observe()
        except (BalancerError, trio.TooSlowError) as error:
            self._lose(error)
            return RETRY_S
        if not self._is_needed():
            return POLL_S
        self._see(backend)
        # Whose balancer is taken away ends what is under way as it began.
        self._serving = self.group.policy.serving or self._serving
        if self._serving is None:
            return POLL_S
        serving = self._serving
        wanted = find_places(self.group, serving, self._weigh(serving))
        if not await self._mend(self._arranged(wanted, backend)):
            return RETRY_S
        is_soon = trio.current_time() < self._brisk_until
        return BRISK_S if is_soon and self._lacks(wanted, backend) else POLL_S

    async def _mend(self, arrangement: Arrangement) -> bool:
        """Do what is to be done; tell whether the balancer still answers."""
        refused = {}
        for step in arrangement.steps:
            try:
                with trio.fail_after(ANSWER_S):
                    await self.balancer.perform(step)
            except (BalancerError, trio.TooSlowError) as error:
                if _is_away(error):
                    self._lose(error)
                    return False
                refused[step.name] = str(error)
                self._tell_refused(step, error)
                continue
            self._has_readied |= isinstance(step, MakeReady)
            self._brisk_until = trio.current_time() + ON_ITS_WAY_S
            # Weights change all the time.
            tell = self.log.debug if isinstance(step, Weigh) else self.log.event
            tell("server_changed", **self._fields(step))
        self._refused = refused
        return True

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
        self.fleet.hear_balancer(self.group_id, with_spliced(backend, self._spliced))

    def _lose(self, error: Exception) -> None:
        self.seen, self._is_lost = None, True
        if self.group_id in self.fleet.groups:
            self.fleet.hear_balancer(self.group_id, None)
        why = str(error) or f"no answer within {ANSWER_S:g} s"
        self.log.event("balancer_lost", group=str(self.group_id), error=why)

    def _tell_refused(self, step: Step, error: Exception) -> None:
        """Say what was not done; the next look orders it again."""
        fields = {**self._fields(step), "error": str(error)}
        if isinstance(error, BalancerError) and error.trouble is Trouble.IN_USE:
            # Its last connections close a little later: that is usual.
            self.log.debug("server_unchanged", **fields)
        else:
            self.log.event("server_unchanged", **fields)

    def _fields(self, step: Step) -> dict[str, str]:
        return {
            "group": str(self.group_id),
            "server": step.name,
            "step": type(step).__name__,
        }

    def _arranged(self, wanted: Mapping[str, Wanted], backend: Backend) -> Arrangement:
        self._remember(wanted, backend)
        arrangement = arrange(wanted, backend, OurServers(self.group, self._given))
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
        """Tell whether something is not yet as it should be."""
        return any(
            (server := backend.servers.get(name)) is None or server.duty is not w.duty
            for name, w in wanted.items()
            if name not in self._taken
        )


def _is_away(error: Exception) -> bool:
    return not isinstance(error, BalancerError) or error.is_away
