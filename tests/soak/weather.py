"""All that befalls hosts, unikernels, the daemon and its operator, at random.

One fault a minute on average; most of them end by themselves after a while.
Demands change by themselves too: that is no fault.
"""

import heapq
from collections import deque
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Protocol

import trio
from attrs import define, evolve, field

from albatross_client.names import Name
from albatross_client.sandbox.faults import (
    CommandFault,
    NoFrame,
    PolicyFull,
    Refused,
    ReplyLost,
    Rule,
    SlowReply,
    Verb,
)
from albatross_client.values import Config, RestartOnExit
from autoscaler.core.group import GroupId
from autoscaler.core.policy import Mode, Policy
from tests.soak.host import SoakHost, family_of

MINUTE_S, HOUR_S = 60.0, 3600.0
IMAGES = tuple(b"\x7fELF of the soak, version %d" % number for number in range(3))
HISTORY = 16
VERBS: tuple[Verb, ...] = ("info", "policies", "create", "destroy")


class Operated(Protocol):
    """What the weather acts on."""

    hosts: dict[str, SoakHost]
    policies: dict[GroupId, Policy]

    def restart(self, *, kindly: bool, down: float, wall_step: float | None) -> None:
        """End the daemon and start the next one after *down* seconds."""

    def configure(self, group_id: GroupId, policy: Policy) -> None:
        """Let the operator want *policy*."""

    def say(self, group_id: GroupId, mode: Mode | None) -> None:
        """Let the operator say what may be done about a group's decisions."""

    def write_protect(self, *, on: bool) -> None:
        """Let the state be unwritable, or no longer."""

    def disturb(self, group_ids: list[GroupId]) -> None:
        """Take note that something befalls these groups."""


@define
class Weather:
    """Makes things happen; `run` lets it.

    Attributes:
        soak: What they happen to.
        random: What happens, and when.
        pause: Mean time between two faults, seconds.
        history: The last that happened.
        faults: How many faults there were.
    """

    soak: Operated
    random: Random
    pause: float = MINUTE_S
    history: deque[str] = field(factory=lambda: deque(maxlen=HISTORY))
    faults: int = 0
    _due: list[tuple[float, int, Callable[[], None]]] = field(factory=list, init=False)
    _serial: "count[int]" = field(factory=count, init=False)

    async def run(self) -> None:
        """Let things happen for ever."""
        for group_id in self.soak.policies:
            self.change_demand(group_id)
        self.later(self.random.expovariate(1 / self.pause), self.next_fault)
        while True:
            at, _, happen = heapq.heappop(self._due)
            await trio.sleep_until(at)
            happen()

    def later(self, seconds: float, happen: Callable[[], None]) -> None:
        """Let *happen* be called after so many seconds."""
        at = trio.current_time() + seconds
        heapq.heappush(self._due, (at, next(self._serial), happen))

    def next_fault(self) -> None:
        fault = self.random.choice(FAULTS)
        self.faults += 1
        self.note(fault.__name__)
        fault(self)
        self.later(self.random.expovariate(1 / self.pause), self.next_fault)

    def note(self, what: str) -> None:
        self.history.append(f"{trio.current_time():.1f} {what}")

    # Whom it befalls

    def any_group(self) -> GroupId:
        return self.random.choice(list(self.soak.policies))

    def any_host(self) -> SoakHost:
        name = self.random.choice(list(self.soak.hosts))
        groups = [g for g in self.soak.policies if g.host == name]
        self.soak.disturb(groups)
        self.note(f"on {name}")
        return self.soak.hosts[name]

    def host_of(self, group_id: GroupId) -> SoakHost:
        self.soak.disturb([group_id])
        self.note(f"on {group_id}")
        return self.soak.hosts[group_id.host]

    def any_member(self, *, primary: bool = False) -> tuple[SoakHost, Name] | None:
        """Return a member of some group, seldom a primary."""
        group_id = self.any_group()
        host = self.host_of(group_id)
        family = [
            name
            for name in host.live.state.unikernels
            if family_of(name) == group_id.name
        ]
        clones = sorted(str(name) for name in family if name != group_id.name)
        if clones and not (primary and self.random.random() < 0.2):
            return host, Name.parse(self.random.choice(clones))
        return (host, group_id.name) if group_id.name in family else None

    def for_minutes(self, least: float, most: float) -> float:
        return self.random.uniform(least, most) * MINUTE_S

    # Load

    def change_demand(self, group_id: GroupId) -> None:
        """Ask the group for more or less, and again after an hour or so."""
        host = self.soak.hosts[group_id.host]
        most = self.soak.policies[group_id].max_clones + 1
        host.demand[group_id.name] = self.random.triangular(0.02, most, 0.5)
        self.soak.disturb([group_id])
        self.later(
            self.random.expovariate(1 / HOUR_S), lambda: self.change_demand(group_id)
        )

    # Streams

    def cut_streams(self) -> None:
        self.any_host().cut()

    def evict_stream(self) -> None:
        host = self.any_host()
        for path in {g.domain for g in self.soak.policies}:
            host.evict(path)

    def stall_streams(self) -> None:
        self.any_host().stall(self.random.choice((5, 15, 25, 45, 120, 600)))

    def send_late(self) -> None:
        host = self.any_host()
        host.jitter = 0.45 * host.interval

        def end() -> None:
            host.jitter = 0.05 * host.interval

        self.later(self.for_minutes(1, 10), end)

    def change_interval(self) -> None:
        host = self.any_host()
        before = host.interval
        host.interval = before * self.random.choice((0.5, 2.0))

        def end() -> None:
            host.interval = before
            self.soak.disturb([g for g in self.soak.policies if self._is_on(g, host)])

        if before == host.usual_interval:
            self.later(self.for_minutes(10, 30), end)
        else:
            host.interval = before

    def _is_on(self, group_id: GroupId, host: SoakHost) -> bool:
        return self.soak.hosts[group_id.host] is host

    # Members

    def silence_member(self) -> None:
        found = self.any_member(primary=True)
        if found is not None:
            host, name = found
            host.silent.add(name)
            self.later(self.for_minutes(0.5, 60), lambda: host.silent.discard(name))

    def loop_member(self) -> None:
        found = self.any_member(primary=True)
        if found is not None:
            host, name = found
            host.looping.add(name)
            self.later(self.for_minutes(1, 60), lambda: host.looping.discard(name))

    def lose_clone(self) -> None:
        found = self.any_member()
        if found is not None and family_of(found[1]) != found[1]:
            found[0].remove(found[1])

    def lose_primary(self) -> None:
        group_id = self.any_group()
        host = self.host_of(group_id)
        if group_id.name in host.live.state.unikernels:
            image = self.random.choice(IMAGES)
            host.remove(group_id.name)
            back = self.random.choice((0.0, 1.0, 30.0, 600.0, 3600.0))
            self.later(back, lambda: self.create(host, group_id.name, image))

    def create_look_alike(self) -> None:
        group_id = self.any_group()
        host = self.host_of(group_id)
        numbers = [group_id.number_of(n) or 0 for n in host.live.state.unikernels]
        # Far from those that may be under way.
        name = group_id.clone(max(numbers) + self.random.randint(20, 30))
        image = self.random.choice((IMAGES[0], b"\x7fELF foreign"))
        self.create(host, name, image)
        self.later(self.for_minutes(5, 120), lambda: host.remove(name))

    def create(self, host: SoakHost, name: Name, image: bytes) -> None:
        """Create *name* as the host's operator, as soon as there is room."""
        if name in host.live.state.unikernels:
            return
        config = Config(image=image, memory=32, fail_behaviour=RestartOnExit())
        try:
            host.live.create(name, config)
        except ValueError:
            self.later(MINUTE_S, lambda: self.create(host, name, image))
        self.soak.disturb([g for g in self.soak.policies if g.name == name])

    # Hosts

    def refuse(self) -> None:
        self._afflict(Refused("the soak refuses"))

    def lose_replies(self) -> None:
        self._afflict(ReplyLost())

    def answer_late(self) -> None:
        self._afflict(SlowReply(self.random.choice((2.0, 20.0, 50.0, 150.0))))

    def end_without_a_word(self) -> None:
        self._afflict(NoFrame())

    def _afflict(self, fault: CommandFault) -> None:
        host = self.any_host()
        verb, times = self.random.choice(VERBS), self.random.randint(1, 4)
        host.live.inject(Rule(fault=fault, verb=verb, times=times))

    def fill_policy(self) -> None:
        host = self.any_host()
        domain = self.any_group().domain
        before = host.live.state.policies[domain]
        if before.unikernels == host.unikernels:
            host.live.strike(PolicyFull(domain))
            self.later(
                self.for_minutes(2, 30),
                lambda: host.set_unikernels(domain, host.unikernels),
            )

    def take_host_down(self) -> None:
        self.any_host().go_down(self.random.choice((5, 30, 120, 600)))

    def reboot_host(self) -> None:
        self.any_host().reboot(self.random.choice((20, 60, 300)))

    def reboot_host_without_clones(self) -> None:
        host = self.any_host()
        for name in tuple(host.live.state.unikernels):
            if family_of(name) != name:
                host.remove(name)
        host.reboot(60)

    # The daemon and its operator

    def kill_daemon(self) -> None:
        self._restart(kindly=False, step=None)

    def stop_daemon(self) -> None:
        self._restart(kindly=True, step=None)

    def reboot_daemon(self) -> None:
        step = self.random.choice((0.0, -HOUR_S, HOUR_S, -90.0, 90.0))
        self._restart(kindly=False, step=step)

    def _restart(self, *, kindly: bool, step: float | None) -> None:
        down = self.random.choice((0.0, 1.0, 15.0, 120.0, 900.0))
        self.note(f"down {down:g} s, wall clock stepped by {step}")
        self.soak.restart(kindly=kindly, down=down, wall_step=step)

    def protect_state(self) -> None:
        self.soak.write_protect(on=True)
        self.later(self.for_minutes(0.5, 10), lambda: self.soak.write_protect(on=False))

    def reconfigure(self) -> None:
        group_id = self.any_group()
        self.host_of(group_id)
        self.soak.configure(group_id, any_policy(self.random))

    def speak(self) -> None:
        group_id = self.any_group()
        self.host_of(group_id)
        self.soak.say(group_id, self.random.choice((Mode.PAUSED, Mode.OBSERVE)))

        def take_back() -> None:
            self.host_of(group_id)
            self.soak.say(group_id, None)

        self.later(self.for_minutes(1, 60), take_back)

    def pause_group(self) -> None:
        group_id = self.any_group()
        self.host_of(group_id)
        mode = self.random.choice((Mode.PAUSED, Mode.OBSERVE))
        self.soak.configure(group_id, evolve(self.soak.policies[group_id], mode=mode))

        def resume() -> None:
            self.host_of(group_id)
            active = evolve(self.soak.policies[group_id], mode=Mode.ACTIVE)
            self.soak.configure(group_id, active)

        self.later(self.for_minutes(1, 60), resume)


def any_policy(random: Random) -> Policy:
    """Return a policy that an operator may want."""
    pick = random.choice
    return Policy(
        max_clones=pick((2, 2, 3, 4)),
        min_clones=pick((0, 0, 0, 1, 2)),
        poll_interval=pick((10.0, 10.0, 10.0, 30.0)),
        scale_up_threshold_percent=pick((70.0, 80.0, 90.0)),
        scale_up_trigger_ticks=pick((1, 3, 5)),
        scale_up_step=pick((1, 1, 1, 2)),
        scale_down_threshold_percent=pick((20.0, 30.0, 40.0)),
        scale_down_trigger_ticks=pick((3, 5, 15)),
        cooldown_up=pick((30.0, 60.0, 300.0)),
        cooldown_down=pick((120.0, 300.0, 600.0)),
        warmup=pick((10.0, 30.0)),
        death_timeout=pick((120.0, 300.0, 900.0)),
        max_actions_per_hour=pick((40, 40, 10)),
        quorum=pick((0.5, 0.5, 1.0)),
    )


FAULTS: tuple[Callable[[Weather], None], ...] = (
    *(Weather.cut_streams, Weather.evict_stream, Weather.stall_streams),
    *(Weather.send_late, Weather.change_interval),
    *(Weather.silence_member, Weather.loop_member, Weather.lose_clone),
    *(Weather.lose_primary, Weather.create_look_alike),
    *(Weather.refuse, Weather.lose_replies, Weather.answer_late),
    *(Weather.end_without_a_word, Weather.fill_policy),
    *(Weather.take_host_down, Weather.reboot_host),
    Weather.reboot_host_without_clones,
    *(Weather.kill_daemon, Weather.stop_daemon, Weather.reboot_daemon),
    *(Weather.protect_state, Weather.reconfigure, Weather.pause_group),
    Weather.speak,
)
