"""A sandbox host that lives: the pure host, its processes, and time.

Laws: every change of the host is one call of a pure function, carried out
without a pause in between; callers never make the host wait; time is trio's,
so that a virtual clock moves all of it.
"""

import random
from collections.abc import Iterable, Mapping
from typing import assert_never

import trio
from attrs import evolve, field, frozen
from attrs.validators import gt

from albatross_client.commands import UnikernelCreate
from albatross_client.names import Name
from albatross_client.replies import (
    Failure,
    Header,
    Wire,
)
from albatross_client.sandbox import faults
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.host import exited, handle, new_host
from albatross_client.sandbox.limits import insert_policies
from albatross_client.sandbox.machine import Machine
from albatross_client.sandbox.outbox import Garbled, Huge, Outbox, Outgoing
from albatross_client.sandbox.processes import Processes
from albatross_client.sandbox.state import (
    Close,
    Effect,
    Host,
    Request,
    Send,
    Start,
    Stop,
    TakenCommand,
)
from albatross_client.sandbox.subscriptions import (
    broadcast,
    evict,
    hang_up,
    write_line,
)
from albatross_client.values import Config, ResourcePolicy, Timestamp

# vmm_unix.ml:root_policy - the root's policy is made from the machine.
DEFAULT_ROOT_POLICY = ResourcePolicy(
    unikernels=2**62 - 1,
    cpuids=frozenset(range(8)),
    memory=16_384,
    block=1024,
    bridges=frozenset({"service"}),
)
_MS_PER_S = 1000
# The year 2026, for hosts on a virtual clock.
_BORN = Timestamp(1_767_225_600_000)
# Seconds are differences of instants: more than their rounding.
_TINY_S = 1e-6


@frozen(kw_only=True)
class Settings:
    """How a sandbox host begins.

    Attributes:
        interval: Seconds between two readings of all unikernels.
        root_policy: What the machine has.
        policies: Those of domains, by domain, outer ones first.
        demands: Those of groups, by the primary's name.
        rules: What goes wrong, and when.
        seed: Of the chance in *rules*.
        born: The wall clock's time at the start.
    """

    interval: float = field(default=10.0, validator=gt(0))
    root_policy: ResourcePolicy = DEFAULT_ROOT_POLICY
    policies: Mapping[Name, ResourcePolicy] = field(factory=dict)
    demands: Mapping[Name, Demand] = field(factory=dict)
    rules: faults.Rules = ()
    seed: int = 0
    born: Timestamp = _BORN


class LiveHost:
    """One sandbox host; `run` has to run for time to pass on it.

    Attributes:
        settings: How it began.
        state: What it knows now.
    """

    def __init__(self, settings: Settings, machine: Machine) -> None:
        """Make a host on *machine*, with nothing on it; needs a running trio.

        Raises:
            ValueError: The policies in *settings* don't fit each other.
        """
        self.settings = settings
        self.state: Host = new_host(settings.root_policy, settings.policies)
        self._processes = Processes(machine)
        self._began = trio.current_time()
        self._rules = settings.rules
        self._random = random.Random(settings.seed)  # noqa: S311 - it's a game
        self._outboxes: dict[int, Outbox] = {}
        self._callers = 0
        self._down_until = 0.0
        self._woken = trio.Event()
        for primary, demand in settings.demands.items():
            self.set_demand(primary, demand)

    @property
    def second(self) -> float:
        """Seconds of this host's life."""
        return trio.current_time() - self._began

    @property
    def now(self) -> Timestamp:
        """The time on this host's wall clock."""
        born = self.settings.born.milliseconds
        return Timestamp(born + int(self.second * _MS_PER_S))

    @property
    def is_down(self) -> bool:
        """Whether nobody answers at the moment."""
        return self.second < self._down_until

    async def run(self) -> None:
        """Read and tell the counters every interval, and let events happen.

        Runs until it is cancelled; processes live until `close`.
        """
        interval = self.settings.interval
        tick = self._began + interval
        while True:
            await self._sleep_until(tick)
            self._let_events_happen()
            if trio.current_time() >= tick:
                self._tick()
                tick = max(tick + interval, trio.current_time())

    def close(self) -> None:
        """End all processes."""
        self._processes.machine.close()

    def open(
        self,
        name: Name,
        command: TakenCommand,
        policies: tuple[tuple[Name, ResourcePolicy], ...] = (),
        upload: bytes | None = None,
    ) -> Outbox:
        """Carry out *command* at *name* and return what its caller is sent.

        *policies* are those of the certificates, by domain, outermost first;
        *upload* is what was streamed, where `wants_upload` asks for it.
        """
        self._callers += 1
        outbox = Outbox(self._callers)
        self._outboxes[outbox.caller] = outbox
        request = Request(
            caller=outbox.caller,
            name=name,
            policies=policies,
            command=command,
            upload=upload,
        )
        self._rules, fault = faults.on_command(
            self._rules, self._moment(), command, name
        )
        self._carry_out(request, fault, outbox)
        return outbox

    def hang_up(self, outbox: Outbox) -> None:
        """Take note that the caller of *outbox* is gone."""
        self._outboxes.pop(outbox.caller, None)
        outbox.cut()
        self.state = hang_up(self.state, outbox.caller)

    def next_connection(self) -> faults.ConnectionFault | None:
        """Return the fault that befalls the connection that comes now."""
        self._rules, fault = faults.on_connection(self._rules, self._moment())
        return fault

    def create(self, name: Name, config: Config) -> None:
        """Create *name* as the host's own operator.

        Raises:
            ValueError: The host refuses, in its words.
        """
        request = Request(caller=0, name=name, command=UnikernelCreate(config))
        self.state, effects = handle(self.state, request, self.now)
        self._perform(effects)
        sent = [effect.wire.payload for effect in effects if isinstance(effect, Send)]
        for failure in (each for each in sent if isinstance(each, Failure)):
            raise ValueError(failure.text)

    def set_policy(self, domain: Name, policy: ResourcePolicy) -> None:
        """Store *policy* as the host's own operator.

        Raises:
            ValueError: It doesn't fit, in the host's words.
        """
        self.state, refusal = insert_policies(self.state, [(domain, policy)])
        if refusal is not None:
            raise ValueError(refusal.text)

    def set_demand(self, primary: Name, demand: Demand) -> None:
        """Let the group of *primary* burn *demand*; its second 0 is now."""
        self._processes.set_demand(self.state, primary, demand, trio.current_time())

    def write(self, name: Name, text: str) -> None:
        """Let the unikernel *name* write a line to its console."""
        self.state, effects = write_line(self.state, name, text.encode(), self.now)
        self._perform(effects)

    def inject(self, *rules: faults.Rule) -> None:
        """Let things go wrong as *rules* say."""
        self._rules = (*self._rules, *rules)
        self._woken.set()

    def strike(self, event: faults.Event) -> None:
        """Let *event* happen now; one about a name that doesn't run is lost."""
        match event:
            case faults.HostDown(seconds):
                self._down_until = self.second + seconds
                self._end_streams(None)
            case faults.PolicyFull(domain):
                self._fill(domain)
            case faults.CountersRestarted() | faults.Killed() | faults.Silenced():
                self._strike_unikernel(event)
            case _:
                self._strike_streams(event)

    def _carry_out(
        self, request: Request, fault: faults.CommandFault | None, outbox: Outbox
    ) -> None:
        self._reap()
        match fault:
            case faults.NoFrame():
                self._finish(outbox)
            case faults.Refused(text):
                outbox.put(Wire(Header(request.name), Failure(text)))
                self._finish(outbox)
            case faults.SlowReply(seconds):
                outbox.hold(trio.current_time() + seconds)
                self._handle(request)
            case faults.ReplyLost():
                self._handle(request)
                self.hang_up(outbox)
            case None:
                self._handle(request)
            case _:
                assert_never(fault)

    def _handle(self, request: Request) -> None:
        self.state, effects = handle(self.state, request, self.now)
        self._perform(effects)

    def _perform(self, effects: Iterable[Effect]) -> None:
        now = trio.current_time()
        for effect in effects:
            match effect:
                case Start(unikernel):
                    self._processes.start(self.state, unikernel, now)
                case Stop(unikernel):
                    self._processes.stop(self.state, unikernel, now)
                case Send(caller, wire):
                    self._put(caller, wire)
                case Close(caller):
                    self._close(caller)
                case _:
                    assert_never(effect)

    def _put(self, caller: int, outgoing: Outgoing) -> None:
        outbox = self._outboxes.get(caller)
        if outbox is not None:
            outbox.put(outgoing)
            if outbox.is_over:
                self.hang_up(outbox)

    def _close(self, caller: int) -> None:
        outbox = self._outboxes.get(caller)
        if outbox is not None:
            self._finish(outbox)

    def _finish(self, outbox: Outbox) -> None:
        outbox.end()
        del self._outboxes[outbox.caller]

    def _tick(self) -> None:
        self._reap()
        now = trio.current_time()
        self._processes.spread_all(self.state, now)
        readings = self._processes.readings(self.state, now)
        self._perform(tuple(broadcast(self.state, readings)))

    def _reap(self) -> None:
        for process, exit_code in self._processes.machine.exits():
            before = self.state
            self.state, effects = exited(before, process, exit_code, self.now)
            for unikernel in before.unikernels.values():
                if unikernel.process == process:
                    self._processes.ended(self.state, unikernel, trio.current_time())
            self._perform(effects)

    async def _sleep_until(self, tick: float) -> None:
        """Sleep until the instant *tick* or an event before it."""
        event = faults.next_due(self._rules)
        until = tick if event is None else min(tick, self._began + event)
        self._woken = trio.Event()
        with trio.move_on_at(until):
            await self._woken.wait()

    def _let_events_happen(self) -> None:
        self._rules, events = faults.due(self._rules, self.second + _TINY_S)
        for event in events:
            self.strike(event)

    def _moment(self) -> faults.Moment:
        return faults.Moment(second=self.second, draw=self._random.random())

    def _fill(self, domain: Name) -> None:
        running = sum(name.is_within(domain) for name in self.state.unikernels)
        policy = self.state.policies.get(domain, self.state.root_policy)
        full = evolve(policy, unikernels=running)
        self.state = evolve(self.state, policies={**self.state.policies, domain: full})

    def _strike_unikernel(
        self, event: faults.CountersRestarted | faults.Killed | faults.Silenced
    ) -> None:
        unikernel = self.state.unikernels.get(event.name)
        if unikernel is None:
            return
        match event:
            case faults.CountersRestarted():
                self._processes.restart_counters(unikernel, trio.current_time())
            case faults.Silenced():
                self._processes.silence(unikernel)
            case faults.Killed(_, exit_code):
                self._processes.machine.kill(unikernel.process, exit_code)
                self._reap()
            case _:
                assert_never(event)

    def _strike_streams(
        self,
        event: faults.StreamCut
        | faults.StreamStalled
        | faults.StreamEvicted
        | faults.MalformedFrame
        | faults.OversizedFrame,
    ) -> None:
        for path, caller in self._listening(event.path):
            match event:
                case faults.StreamCut():
                    self.hang_up(self._outboxes[caller])
                case faults.StreamStalled(seconds):
                    self._outboxes[caller].hold(trio.current_time() + seconds)
                case faults.StreamEvicted():
                    self._perform(evict(caller, path))
                    self.state = hang_up(self.state, caller)
                case faults.MalformedFrame():
                    self._put(caller, Garbled())
                case faults.OversizedFrame():
                    self._put(caller, Huge())
                case _:
                    assert_never(event)

    def _listening(self, path: Name | None) -> list[tuple[Name, int]]:
        """Return who listens at *path*; None: everybody."""
        return [
            (name, caller)
            for name, caller in self.state.listeners.items()
            if path in (None, name) and caller in self._outboxes
        ]

    def _end_streams(self, path: Name | None) -> None:
        for _, caller in self._listening(path):
            self.hang_up(self._outboxes[caller])
