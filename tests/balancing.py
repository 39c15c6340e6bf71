"""A load balancer in memory, which does what HAProxy was seen to do.

`ModelBalancer` is sync, for properties of the core; `FakeBalancer` is one that
the shell can talk to.  Both are held to the same tests as HAProxy.
"""

from typing import assert_never

import trio
from attrs import define, evolve, field

from autoscaler.core.arrange import Add, Drain, MakeReady, Remove, Rest, Step, Weigh
from autoscaler.core.backend import Backend, Duty, Health, Place, Server
from autoscaler.shell.traffic.balancer import BalancerError, Trouble


@define
class ModelBalancer:
    """One backend.

    Attributes:
        servers: By name.
        healthy: Where checks pass.
        epoch: How often it was begun anew.
        ended: Requests that have ended.
        queued: Requests that wait for any server.
    """

    servers: dict[str, Server] = field(factory=dict)
    healthy: set[Place] = field(factory=set)
    epoch: int = 0
    ended: int = 0
    queued: int = 0

    def show(self, at: float = 0.0) -> Backend:
        return Backend(
            at=at,
            epoch=str(self.epoch),
            up_s=at,
            servers=dict(self.servers),
            in_flight=sum(server.sessions for server in self.servers.values()),
            queued=self.queued,
            ended=self.ended,
            queue_ms=0.0,
        )

    def check(self) -> None:
        """Let a check of every server end."""
        for name, server in self.servers.items():
            if server.duty is not Duty.MAINT:
                is_healthy = server.place in self.healthy
                health = Health.PASSED if is_healthy else Health.FAILED
                self.servers[name] = evolve(server, health=health)

    def forget(self) -> None:
        """Begin anew, as after a reload: without what was added."""
        self.servers = {n: s for n, s in self.servers.items() if s.is_backup}
        self.epoch += 1
        self.ended = self.queued = 0

    def begin(self, name: str) -> None:
        """Let a request come to a server."""
        server = self.servers[name]
        self.servers[name] = evolve(server, sessions=server.sessions + 1)

    def end(self, name: str) -> None:
        """Let a request of a server end."""
        server = self.servers[name]
        self.servers[name] = evolve(
            server, sessions=server.sessions - 1, ended=server.ended + 1
        )
        self.ended += 1

    def perform(self, step: Step) -> None:
        if isinstance(step, Add):
            self._add(step)
        elif isinstance(step, Remove):
            self._remove(step.name)
        else:
            self._change(step)

    def _add(self, step: Add) -> None:
        if step.name in self.servers:
            raise BalancerError("it has one already", Trouble.NAME_TAKEN)
        self.servers[step.name] = Server(
            name=step.name,
            address=step.place.address,
            port=step.place.port,
            duty=Duty.DRAIN,
            health=Health.UNPROVEN,
            weight=1.0 if step.weight is None else float(step.weight),
        )

    def _remove(self, name: str) -> None:
        server = self.servers.get(name)
        if server is None:
            return
        if server.duty is not Duty.MAINT or server.sessions:
            raise BalancerError("it is in use", Trouble.IN_USE)
        del self.servers[name]

    def _change(self, step: Drain | MakeReady | Weigh | Rest) -> None:
        server = self.servers.get(step.name)
        if server is None:
            raise BalancerError("it has none", Trouble.NO_SERVER)
        self.servers[step.name] = _changed(server, step)


def _changed(server: Server, step: Drain | MakeReady | Weigh | Rest) -> Server:
    match step:
        case Weigh():
            return evolve(server, weight=float(step.weight))
        case Drain():
            return evolve(server, duty=Duty.DRAIN)
        case MakeReady():
            return evolve(server, duty=Duty.READY)
        case Rest():
            return evolve(server, duty=Duty.MAINT, health=Health.UNPROVEN)
        case _:
            assert_never(step)


@define
class FakeBalancer:
    """A balancer whose checks take *check_s*, by trio's clock.

    Attributes:
        model: What it does.
        check_s: How long after a step the next check ends.
        trouble: What it says instead of an answer; None: it answers.
        performed: All steps that it was told.
    """

    model: ModelBalancer = field(factory=ModelBalancer)
    check_s: float = 0.05
    trouble: BalancerError | None = None
    performed: list[Step] = field(factory=list)
    _told_at: float = 0.0

    async def observe(self) -> Backend:
        await trio.lowlevel.checkpoint()
        self._fail()
        if trio.current_time() - self._told_at >= self.check_s:
            self.model.check()
        return self.model.show(trio.current_time())

    async def perform(self, step: Step) -> None:
        await trio.lowlevel.checkpoint()
        self._fail()
        self.performed.append(step)
        self._told_at = trio.current_time()
        self.model.perform(step)

    def _fail(self) -> None:
        if self.trouble is not None:
            raise self.trouble
