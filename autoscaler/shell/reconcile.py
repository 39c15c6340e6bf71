"""Ask each host what runs and what is allowed, and rebuild groups from it.

Level-triggered: at the start, after every reconnect, once in a while, and as
soon as somebody falls silent.
"""

from collections.abc import Awaitable, Callable, Iterable

import trio

from albatross_client.errors import AlbatrossError, HostUnreachableError
from albatross_client.names import Name
from autoscaler.core.events import Informed
from autoscaler.core.group import GroupId
from autoscaler.core.moments import Clocks
from autoscaler.core.observe import next_look
from autoscaler.core.view import Occupant
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.hosts.host import Host
from autoscaler.shell.hosts.watch import Watch
from autoscaler.shell.log import Log

ANSWER_S = 30.0
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
# How often it is looked at whether somebody fell silent.
LOOK_S = 1.0


class Reconciler:
    """Asks one host about one domain."""

    def __init__(
        self, host: Host, watch: Watch, fleet: Fleet, clocks: Callable[[], Clocks]
    ) -> None:
        """Ask *host* about the domain of *watch*, for the groups of *fleet*."""
        self._host = host
        self._watch = watch
        self._fleet = fleet
        self._clocks = clocks
        self._openings = watch.openings

    async def look(self, group_ids: Iterable[GroupId]) -> None:
        """Ask once, and tell *group_ids* what the answers mean.

        Raises:
            AlbatrossError: The host did not answer as it should.
            trio.TooSlowError: It did not answer in time.
        """
        failures: list[AlbatrossError | trio.TooSlowError] = []

        async def ask(question: Callable[[], Awaitable[None]]) -> None:
            try:
                await question()
            except (AlbatrossError, trio.TooSlowError) as error:
                # Raised out here: a nursery would wrap it in a group.
                failures.append(error)

        # At once: each is a connection of its own, and an action that has been
        # decided waits for both.
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, self._ask_infos)
            nursery.start_soon(ask, self._ask_policies)
        if failures:
            raise failures[0]
        if not self._fleet.is_stopping:
            # While the host was asked, a group may have been taken away.
            for group_id in group_ids:
                if group_id in self._fleet.groups:
                    self._fleet.tell(group_id, Informed(self._fleet.view(group_id)))

    async def _ask_infos(self) -> None:
        asked = trio.current_time()
        with trio.fail_after(ANSWER_S):
            infos = await self._host.info(self._widest)
        answered = self._clocks()
        self._fleet.notice_sleep()
        if not self._watch.take_infos(infos, asked, answered.now, answered.wall):
            msg = "this machine was suspended while the host was asked"
            raise HostUnreachableError(msg)
        self._fleet.occupants[self._watch.host] = tuple(
            Occupant(name, info.memory, info.cpuids) for name, info in infos.items()
        )

    @property
    def _widest(self) -> Name:
        """All that the keys show: others take part of the host, too.

        Keys of other domains show nothing: that is for the host's client to
        say.
        """
        domain, widest = self._watch.domain, self._host.domain
        return widest if domain.is_within(widest) else domain

    async def _ask_policies(self) -> None:
        with trio.fail_after(ANSWER_S):
            policies = await self._host.policies(self._watch.domain)
        self._watch.take_policies(policies, trio.current_time())

    async def look_for_ever(
        self, log: Log, unfinished: Callable[[GroupId], None]
    ) -> None:
        """Ask whenever it is time.

        Arguments:
            log: Where failures are written.
            unfinished: Called, after the first answer that a group hears of,
                if an earlier run has left actions of it in flight.
        """
        fleet, watch = self._fleet, self._watch
        pause = FIRST_PAUSE_S
        while True:
            # A stream that begins while the host is asked is asked about again.
            self._openings = watch.openings
            newcomers = self._newcomers()
            left = [g for g in newcomers if fleet.groups[g].ledger.actions]
            try:
                await self.look([] if left else fleet.groups_of(watch))
            except (AlbatrossError, trio.TooSlowError) as error:
                log.warning(
                    "look_failed",
                    host=watch.host,
                    domain=str(watch.domain),
                    error=str(error) or f"no answer within {ANSWER_S:g} s",
                    retry_in_s=pause,
                )
                await trio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
                continue
            pause = FIRST_PAUSE_S
            fleet.newcomers -= set(left or newcomers)
            for group_id in left:
                if group_id in fleet.groups:
                    unfinished(group_id)
            if not left:
                await self._wait()

    def _newcomers(self) -> list[GroupId]:
        fleet = self._fleet
        return [g for g in fleet.groups_of(self._watch) if g in fleet.newcomers]

    async def _wait(self) -> None:
        """Wait until it is time to ask again."""
        fleet, watch = self._fleet, self._watch
        latest = trio.current_time() + fleet.reconcile_interval
        while True:
            await trio.sleep(min(LOOK_S, latest - trio.current_time()))
            now = trio.current_time()
            looks = (
                next_look(fleet.groups[g], fleet.view(g), now)
                for g in fleet.groups_of(watch)
            )
            due = min((at for at in looks if at is not None), default=latest)
            is_due = now >= min(due, latest) or watch.openings != self._openings
            if is_due or self._newcomers():
                return
