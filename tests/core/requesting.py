"""A simulated host whose group serves requests behind a balancer."""

from collections.abc import Callable

from attrs import define, evolve, field

from albatross_client.names import Name
from autoscaler.core.actions import Action, CreateClones, DestroyClone
from autoscaler.core.backend import Backend
from autoscaler.core.case import Ruling
from autoscaler.core.decide import decide
from autoscaler.core.decision import MemberClass
from autoscaler.core.demand import (
    NO_DEMAND,
    Demand,
    RequestPolicy,
    Signal,
    SignalKind,
)
from autoscaler.core.events import ActionEnded, CloneCreated, CloneDestroyed, Ticked
from autoscaler.core.group import Group, Ticks
from autoscaler.core.ledger import Ledger
from autoscaler.core.policy import Policy
from autoscaler.core.standing import assess
from autoscaler.core.ticking import next_tick
from autoscaler.core.view import View
from tests.core.builders import (
    IMAGE,
    NOW,
    State,
    clone_name,
    make_policy,
    make_world,
)
from tests.core.simulation import World

REQUESTS = RequestPolicy(target_in_flight=3)
SILENT, BUSY, IDLE = MemberClass.STALE, 95.0, 10.0

TARGET = RequestPolicy(target_in_flight=3, cooldown_up=0.0, stabilise=30.0)


@define(kw_only=True)
class Service(World):
    """A `World` in which a balancer tells of requests, and actions take time.

    Attributes:
        load: Requests in flight at a time.
        rps: Requests that end in a second.
        boot_s: How long an action takes; None: none ever ends by itself.
        epoch: Of the balancer's counters.
        is_silent: Whether the balancer tells nothing.
        told: What it told last.
        ended: Requests that have ended.
        under_way: Actions, each with when it will end.
        sizes: Members that are there or decided, at each tick.
    """

    load: Callable[[float], float] = lambda _now: 0.0
    rps: float = 0.0
    boot_s: float | None = 5.0
    epoch: str = "first"
    is_silent: bool = False
    told: Backend | None = None
    ended: float = 0.0
    under_way: list[tuple[float, Action]] = field(factory=list)
    sizes: list[int] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        World.__attrs_post_init__(self)
        self.on_action = self.take_up

    @property
    def view(self) -> View:
        """What the daemon knows."""
        if not self.is_silent and (self.told is None or self.told.at < self.now):
            since = self.now if self.told is None else self.told.at
            self.ended += self.rps * (self.now - since)
            self.told = Backend(
                at=self.now,
                epoch=self.epoch,
                in_flight=round(self.load(self.now)),
                ended=int(self.ended),
            )
        return evolve(super().view, backend=self.told)

    @property
    def members(self) -> int:
        """How many members there are, those that are decided included."""
        return 1 + self.group.clones_and_slots

    def restart_balancer(self) -> None:
        """Let the balancer forget what it counted."""
        self.epoch, self.ended = f"{self.epoch}'", 0.0

    def finish(self, action: Action) -> None:
        """Let *action* do what it should."""
        for slot in action.slots:
            self.spawn(slot.name, min(slot.claim.cpuids))
            since = self.feed.listened_by(self.now)
            self.tell(CloneCreated(slot.name, self.now, since))
        if not isinstance(action, CreateClones) and action.victim is not None:
            self.processes.pop(action.victim, None)
            self.tell(CloneDestroyed(action.victim))
            self.forget(action.victim)
        self.tell(ActionEnded(action.id))

    def fail(self, action: Action) -> None:
        """Let *action* do nothing."""
        self.tell(ActionEnded(action.id, "refused", digest=IMAGE))

    def take_up(self, action: Action) -> None:
        """Begin *action*."""
        if self.boot_s is not None:
            self.under_way.append((self.now + self.boot_s, action))

    def _advance(self, until: float) -> None:
        """Move on to *until*: ticks when they are due, actions as they end."""
        until = max(until, self.now)
        while True:
            tick = next_tick(self.group, self.view, self.now)
            ends = min((at for at, _ in self.under_way), default=None)
            due = min((at for at in (tick, ends) if at is not None), default=None)
            if due is None or due > until:
                break
            self.now = max(self.now, due)
            if due == ends:
                _, action = self.under_way.pop(
                    min(range(len(self.under_way)), key=lambda i: self.under_way[i][0])
                )
                if self.group.ledger.action(action.id) == action:
                    self.finish(action)
            else:
                self.tell(Ticked(self.view))
                self.sizes.append(self.members)
        self.now = until


def serving(
    load: float = 0.0,
    *,
    requests: RequestPolicy = TARGET,
    clones: int = 0,
    has_frames: bool = True,
    **changes: object,
) -> Service:
    """Return a service that its daemon has looked at for a minute.

    Arguments:
        load: Requests in flight from the beginning.
        requests: What the operator wants of requests.
        clones: How many run already.
        has_frames: Whether the host sends statistics.
        changes: Of the policy.
    """
    wanted = {"max_clones": 9, "poll_interval": 1.0} | changes
    policy = Policy(requests=requests, **wanted)  # type: ignore[arg-type]
    world = Service(policy=policy, level=0.5, load=lambda _now: load)
    for number in range(1, clones + 1):
        world.spawn(clone_name(number), number)
    for process in world.processes.values():
        process.silent = not has_frames
    world.connect()
    world.passes(6)
    return world


def ups(world: Service) -> list[Name]:
    """Return the clones that were decided."""
    return [slot.name for _, action in world.begun for slot in action.slots]


def downs(world: Service) -> int:
    """Return how many clones were to go."""
    return sum(isinstance(action, DestroyClone) for _, action in world.begun)


def called(wanted: int, **changes: object) -> Demand:
    """Return a demand that has called for *wanted* members for long."""
    signal = Signal(SignalKind.IN_FLIGHT, 3.0 * wanted, 3, wanted)
    demand = Demand(signals=(signal,), told_since=NOW - 1000)
    return evolve(demand, **changes)  # type: ignore[arg-type]


def world(
    *states: State,
    demand: Demand = NO_DEMAND,
    ledger: Ledger | None = None,
    requests: RequestPolicy = REQUESTS,
    **policy: object,
) -> tuple[Group, View]:
    ticks = Ticks(last=NOW - 10, conclusive=NOW - 10, demand=demand)
    made = make_policy(requests=requests, **policy)
    return make_world(*states, policy=made, ledger=ledger, ticks=ticks)


def ruled(group: Group, view: View, *, has_usage: bool = False) -> Ruling:
    return decide(group, view, assess(group, view, NOW), NOW, has_usage=has_usage)
