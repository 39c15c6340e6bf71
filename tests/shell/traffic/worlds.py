"""A balancer and members behind it: HAProxy's, and one in memory."""

from collections.abc import Callable, Mapping

import trio
from attrs import define, field

from autoscaler.core.arrange import Ours, Wanted, arrange
from autoscaler.core.backend import Backend, Duty, Place
from autoscaler.shell.traffic.balancer import Balancer
from tests.balancing import FakeBalancer
from tests.haproxy_fixture import Haproxy
from tests.http_members import Member, request, start_member

PATIENCE_S = 10.0
PAUSE_S = 0.01


@define
class FakeWorld:
    """All of it in memory."""

    nursery: trio.Nursery
    balancer: FakeBalancer = field(factory=lambda: FakeBalancer(check_s=0.02))
    port: int = 0

    async def member(self) -> Place:
        self.port += 1
        place = Place("127.0.0.1", self.port)
        self.balancer.model.healthy.add(place)
        return place

    async def stop(self, place: Place) -> None:
        self.balancer.model.healthy.discard(place)

    async def hold_request(self) -> None:
        """Let a request come to the one that serves, and stay there."""
        self.balancer.model.begin(self._serving())

    async def end_requests(self) -> None:
        for name, server in list(self.balancer.model.servers.items()):
            for _ in range(server.sessions):
                self.balancer.model.end(name)

    async def forget(self) -> None:
        self.balancer.model.forget()

    def _serving(self) -> str:
        servers = self.balancer.model.servers
        return next(name for name, server in servers.items() if server.serves)


@define
class HaproxyWorld:
    """HAProxy, and members on loopback."""

    nursery: trio.Nursery
    haproxy: Haproxy
    members: dict[Place, Member] = field(factory=dict)

    @property
    def balancer(self) -> Balancer:
        return self.haproxy.balancer()

    async def member(self) -> Place:
        member = await start_member(self.nursery)
        self.members[member.place] = member
        return member.place

    async def stop(self, place: Place) -> None:
        self.members[place].scope.cancel()

    async def hold_request(self) -> None:
        """Let a request come to the one that serves, and stay there."""
        self.nursery.start_soon(request, self.haproxy.ports["web"], "/held")
        await until(self.balancer, lambda backend: backend.in_flight > 0)

    async def end_requests(self) -> None:
        for member in self.members.values():
            member.let_go.set()
        await until(self.balancer, lambda backend: backend.in_flight == 0)

    async def forget(self) -> None:
        await self.haproxy.reload()


World = FakeWorld | HaproxyWorld


def ready(place: Place) -> Wanted:
    return Wanted(place=place, duty=Duty.READY)


def standby(place: Place) -> Wanted:
    return Wanted(place=place, duty=Duty.DRAIN)


def ours(*places: Place, prefix: str = "web-") -> Ours:
    """Claim names that begin with *prefix*, each at any of *places*."""
    given = {f"{prefix}{number}": frozenset(places) for number in range(10)}
    return Ours(lambda name: name.startswith(prefix), given)


async def until(balancer: Balancer, holds: Callable[[Backend], object]) -> Backend:
    """Look until it *holds*."""
    with trio.fail_after(PATIENCE_S):
        while True:
            backend = await balancer.observe()
            if holds(backend):
                return backend
            await trio.sleep(PAUSE_S)


async def settle(
    balancer: Balancer,
    wanted: Mapping[str, Wanted],
    claim: Ours,
    holds: Callable[[Backend], object],
) -> Backend:
    """Arrange until it *holds* and nothing is left to do."""
    with trio.fail_after(PATIENCE_S):
        while True:
            backend = await balancer.observe()
            steps = arrange(wanted, backend, claim).steps
            if not steps and holds(backend):
                return backend
            for step in steps:
                await balancer.perform(step)
            if not steps:
                await trio.sleep(PAUSE_S)


def serves(*names: str) -> Callable[[Backend], bool]:
    """Return whether just *names* serve, backup servers aside."""

    def do_they(backend: Backend) -> bool:
        serving = {
            server.name
            for server in backend.servers.values()
            if server.serves and not server.is_backup
        }
        return serving == set(names)

    return do_they
