"""What always holds for a group with standbys, whatever happens to it."""

import pytest
from attrs import define, evolve, field
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from albatross_client.names import Name
from autoscaler.core.actions import (
    Action,
    CreateClones,
    DestroyClone,
    ReplaceClone,
    victim_of,
)
from autoscaler.core.backend import Duty, Health, Server
from autoscaler.core.decision import MemberClass, Reason
from autoscaler.core.demand import RequestPolicy
from autoscaler.core.events import Balanced, Interrupted, PrewarmAsked
from autoscaler.core.moments import Clocks
from autoscaler.core.places import find_places
from autoscaler.core.policy import Policy
from autoscaler.core.serving import ServePolicy, StandbyPolicy
from autoscaler.core.snapshot import restore, take
from autoscaler.core.standbys import count_staying
from autoscaler.core.view import Feed, View, closed
from tests.core.builders import PRIMARY
from tests.core.requesting import Service

POLICIES = st.builds(
    lambda fewest, more, requests, **standby: Policy(
        min_clones=fewest,
        max_clones=fewest + standby["size"] + more,
        poll_interval=1.0,
        min_stable=5.0,
        requests=requests,
        serving=ServePolicy(port=80, standby=StandbyPolicy(max_idle=120.0, **standby)),
    ),
    fewest=st.integers(0, 2),
    more=st.integers(0, 4),
    requests=st.none()
    | st.just(RequestPolicy(target_in_flight=3, cooldown_down=0.0, stabilise=10.0)),
    size=st.integers(2, 3),
    min=st.integers(0, 2),
)


@define(kw_only=True)
class Pool(Service):
    """A `Service` whose balancer has a server for each clone.

    Attributes:
        sick: Clones whose checks fail.
        duties: What servers were told, until they are told otherwise.
    """

    sick: set[Name] = field(factory=set)
    duties: dict[str, Duty] = field(factory=dict)

    @property
    def view(self) -> View:
        """What the daemon knows."""
        view = super().view
        if view.backend is None:
            return view
        return evolve(view, backend=evolve(view.backend, servers=self.servers))

    @property
    def servers(self) -> dict[str, Server]:
        """The balancer's servers, as the keeper has told it."""
        return {
            label: Server(
                name=label,
                address="10.0.0.1",
                port=80,
                duty=duty,
                health=self.health(clone.name),
            )
            for clone in self.group.clones
            if (label := clone.name.label or "")
            and (duty := self.duties.get(label)) is not None
        }

    def health(self, name: Name) -> Health:
        """Return what a check says."""
        works = name in self.processes and name not in self.sick
        return Health.PASSED if works else Health.FAILED

    def keep(self) -> None:
        """Look at the balancer, and tell it what it should do."""
        backend = self.view.backend
        assert backend is not None
        self.tell(Balanced(backend))
        serving = self.group.policy.serving
        assert serving is not None
        for label, wanted in find_places(self.addressed, serving).items():
            self.duties[label] = wanted.duty

    @property
    def addressed(self):
        """The group with any address for each clone."""
        clones = tuple(evolve(c, address="10.0.0.1") for c in self.group.clones)
        return evolve(self.group, clones=clones)

    def passes(self, rounds: int) -> None:
        """Let time pass, with a look at the balancer after each sample."""
        for _ in range(rounds):
            Service.passes(self, 1)
            self.keep()

    def passes_for(self, seconds: float) -> None:
        """Let at least so many seconds pass."""
        until = self.now + seconds
        while self.now < until:
            self.passes(1)


class StandbyLifecycle(RuleBasedStateMachine):
    """A group with standbys, and a host and a balancer that may do anything."""

    @initialize(policy=POLICIES, boot_s=st.sampled_from([2.0, 8.0]))
    def deploy(self, policy, boot_s):
        self.named: set[Name] = set()
        self.world = Pool(policy=policy, level=0.5, boot_s=boot_s, interval=2.0)
        self.world.on_action = self.begin
        self.world.connect()
        self.world.passes(6)

    def begin(self, action: Action) -> None:
        world, group = self.world, self.world.group
        world.take_up(action)
        names = {slot.name for slot in action.slots}
        assert not names & self.named, "a name is used twice"
        self.named |= names
        standbys = {standby.name for standby in group.standbys}
        victim = victim_of(action)
        assert victim != PRIMARY
        match action:
            case CreateClones():
                assert action.as_standby == (action.reason is Reason.REFILL)
                assert group.clones_and_slots <= group.policy.max_clones
            case DestroyClone():
                assert action.as_standby == (victim in standbys)
                if action.reason is Reason.LOW:
                    assert not action.as_standby, "load takes no standby"
                if action.reason is Reason.SURPLUS:
                    self.check_enough_stay()
            case ReplaceClone():
                assert action.as_standby == (victim in standbys)

    def check_enough_stay(self) -> None:
        group = self.world.group
        serving = group.policy.serving
        assert serving is not None
        assert count_staying(group) >= serving.standby.min

    # What happens

    @rule(rounds=st.integers(1, 8))
    def time_passes(self, rounds):
        self.world.passes(rounds)

    @rule()
    def much_time_passes(self):
        self.world.passes_for(130)

    @rule(load=st.integers(0, 30), level=st.sampled_from([0.05, 0.5, 0.97]))
    def the_load_changes(self, load, level):
        self.world.load, self.world.level = (lambda _now: load), level
        self.world.passes(3)

    @precondition(lambda self: self.world.group.clones)
    @rule(which=st.integers(0, 9), dies=st.booleans())
    def a_clone_is_lost(self, which, dies):
        world = self.world
        name = world.group.clones[which % len(world.group.clones)].name
        if dies:
            world.processes.pop(name, None)
        else:
            world.sick.add(name)
        world.passes(1)

    @rule()
    def all_are_well_again(self):
        self.world.sick.clear()

    @precondition(lambda self: self.world.group.ledger.actions)
    @rule(which=st.integers(0, 9))
    def an_action_fails(self, which):
        actions = self.world.group.ledger.actions
        self.world.fail(actions[which % len(actions)])

    @rule(count=st.integers(0, 4))
    def the_operator_wants_more(self, count):
        world = self.world
        world.tell(PrewarmAsked(world.view, count))
        world.passes(1)

    @rule()
    def a_new_image_comes(self):
        world = self.world
        world.deploy(bytes([len(world.begun) % 200 + 10]) * 32)
        world.ask()
        world.passes(3)

    @rule(rounds=st.integers(1, 4))
    def the_balancer_is_silent(self, rounds):
        # Nobody has a newer answer than this one by then.
        self.world.is_silent = True
        self.world.passes(rounds)
        self.world.is_silent = False
        self.world.passes(1)

    @rule()
    def the_daemon_is_killed(self):
        world = self.world
        clocks = Clocks(world.now, "a", world.now, world.now)
        snapshot = take(world.group, clocks)
        world.group = restore(snapshot, world.policy, clocks)
        world.feed = evolve(closed(Feed(), world.now), stream=world.feed.stream)
        world.tracks = {}
        world.under_way.clear()
        world.look()
        for action in world.group.ledger.actions:
            world.tell(Interrupted(action.id, world.view))
        world.connect()
        world.passes(2)

    # What always holds

    @invariant()
    def there_are_never_more_than_are_allowed(self):
        group = self.world.group
        leaving = sum(
            isinstance(action, ReplaceClone) and not action.create_first
            for action in group.ledger.actions
        )
        assert group.clones_and_slots - leaving <= group.policy.max_clones

    @invariant()
    def standbys_are_in_no_mean(self):
        decision = self.world.group.decision
        if decision is None or decision.promoted:
            return
        counted = decision.load.names(MemberClass.FRESH, MemberClass.WARMING)
        standbys = {standby.name for standby in self.world.group.standbys}
        assert not standbys & set(counted)

    @rule()
    def the_least_stand_by_again_within_a_boot(self):
        """All that are missing are on their way, unless a pause holds them."""
        world = self.world
        world.sick.clear()
        world.passes(4)
        group = world.group
        serving, ledger = group.policy.serving, group.ledger
        assert serving is not None
        pauses = (ledger.refilling, ledger.creating, ledger.destroying)
        if any(pause.left(world.now) for pause in pauses):
            return
        if group.primary is None or group.primary.is_dead or ledger.busy:
            return
        if group.ledger.budget.stood_down_at is not None:
            return
        room = group.policy.max_clones - group.serving_and_slots
        assert count_staying(group) >= min(serving.standby.min, room), group.decision


StandbyLifecycle.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestStandbyLifecycle = pytest.mark.no_cover(StandbyLifecycle.TestCase)
