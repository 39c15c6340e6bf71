"""What always holds for a group that requests drive, whatever happens to it."""

import pytest
from attrs import evolve
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from autoscaler.core.actions import (
    Action,
    CreateClones,
    DestroyClone,
    ReplaceClone,
    victim_of,
)
from autoscaler.core.decision import Outcome, Reason
from autoscaler.core.demand import RequestPolicy
from autoscaler.core.events import Interrupted
from autoscaler.core.moments import Clocks
from autoscaler.core.policy import Policy
from autoscaler.core.snapshot import restore, take
from autoscaler.core.view import Feed, closed
from tests.core.builders import PRIMARY
from tests.core.requesting import Service

POLICIES = st.builds(
    lambda least, more, **requests: Policy(
        min_clones=least,
        max_clones=least + more,
        poll_interval=1.0,
        requests=RequestPolicy(**requests),
    ),
    least=st.integers(0, 3),
    more=st.integers(0, 8),
    target_in_flight=st.sampled_from([1.0, 3.0]),
    target_rps=st.none() | st.just(10.0),
    max_step_up=st.integers(1, 5),
    max_step_down=st.integers(1, 3),
    cooldown_up=st.sampled_from([0.0, 3.0]),
    cooldown_down=st.sampled_from([0.0, 15.0]),
    stabilise=st.sampled_from([0.0, 10.0, 40.0]),
)


class RequestLifecycle(RuleBasedStateMachine):
    """One group behind a balancer, and a host that may do anything."""

    @initialize(
        policy=POLICIES,
        has_frames=st.booleans(),
        boot_s=st.sampled_from([None, 2.0, 2.0, 15.0]),
    )
    def deploy(self, policy, has_frames, boot_s):
        self.named: set[object] = set()
        self.quiet_until = 0.0
        self.most_wanted = 0
        self.world = Service(policy=policy, level=0.4, boot_s=boot_s)
        self.world.on_action = self.begin
        self.world.processes[PRIMARY].silent = not has_frames
        self.world.connect()
        self.world.passes(2)

    # What is demanded of every action when it begins

    def begin(self, action: Action) -> None:
        self.world.take_up(action)
        world, group = self.world, self.world.group
        decision = group.decision
        assert decision is not None
        assert action in group.ledger.actions, "the intent is on record"
        names = {slot.name for slot in action.slots}
        assert not names & self.named, "a name is used twice"
        self.named |= names
        self.most_wanted = max(self.most_wanted, decision.wanted or 0)
        match action:
            case CreateClones():
                assert len(action.slots) == 1, "no create waits for another"
                assert group.clones_and_slots <= group.policy.max_clones
                if action.reason is Reason.HIGH:
                    self.check_no_overshoot()
            case DestroyClone():
                self.check_a_removal(action)
            case ReplaceClone():
                assert group.ledger.actions == (action,)
        assert victim_of(action) != PRIMARY
        world.sizes.append(world.members)

    def check_no_overshoot(self) -> None:
        decision = self.world.group.decision
        assert decision is not None
        assert decision.wanted is not None
        serving = decision.load.capacity
        assert serving + decision.count <= decision.wanted
        assert decision.wanted <= self.most_wanted

    def check_a_removal(self, action: DestroyClone) -> None:
        world, group = self.world, self.world.group
        removing = [a for a in group.ledger.actions if isinstance(a, DestroyClone)]
        assert list(group.ledger.actions) == removing, "others come or go"
        if action.reason is not Reason.LOW:
            return
        requests = group.policy.requests
        assert requests is not None
        assert len(removing) <= requests.max_step_down
        assert len(group.clones) - len(removing) >= group.policy.min_clones
        assert world.now >= self.quiet_until + requests.stabilise

    # What happens

    @rule(seconds=st.sampled_from([1.0, 10.0, 20.0, 60.0]))
    def time_passes(self, seconds):
        self.world.passes_for(seconds)

    @rule(load=st.integers(0, 40), rps=st.floats(0, 100))
    def the_load_changes(self, load, rps):
        self.world.load, self.world.rps = (lambda _now: load), rps
        self.world.passes(1)

    @rule(level=st.sampled_from([0.05, 0.4, 0.97]))
    def the_cpus_have_more_or_less_to_do(self, level):
        self.world.level = level

    @rule(rounds=st.integers(1, 6))
    def the_balancer_is_silent(self, rounds):
        self.world.is_silent = True
        self.world.passes(rounds)
        self.world.is_silent = False
        # What it told before is believed for three seconds.
        self.quiet_until = self.world.now

    @rule(waits=st.sampled_from([0.0, 1.0]))
    def the_balancer_restarts(self, waits):
        # Long-lived connections are lost, and come back or not.
        load = self.world.load(self.world.now)
        self.world.load = lambda _now: load * waits
        # Its last answer with the old counters is the newest that is known.
        assert self.world.view.backend is not None
        self.world.restart_balancer()
        self.quiet_until = self.world.now
        self.world.passes(1)

    @rule(is_silent=st.booleans())
    def frames_come_or_not(self, is_silent):
        for process in self.world.processes.values():
            process.silent = is_silent

    @precondition(lambda self: self.world.group.ledger.actions)
    @rule(which=st.integers(0, 9), succeeds=st.booleans())
    def an_action_ends(self, which, succeeds):
        actions = self.world.group.ledger.actions
        action = actions[which % len(actions)]
        end = self.world.finish if succeeds else self.world.fail
        end(action)
        assert action not in self.world.group.ledger.actions

    @precondition(lambda self: self.world.group.ledger.actions)
    @rule()
    def all_actions_succeed(self):
        for action in self.world.group.ledger.actions:
            self.world.finish(action)

    @precondition(lambda self: self.world.group.clones)
    @rule(which=st.integers(0, 9))
    def a_clone_dies(self, which):
        clones = self.world.group.clones
        self.world.processes.pop(clones[which % len(clones)].name, None)

    @rule(unsaid=st.booleans())
    def the_daemon_is_killed(self, unsaid):
        world = self.world
        clocks = Clocks(world.now, "a", world.now, world.now)
        snapshot = take(world.group, clocks)
        if unsaid:
            for action in world.group.ledger.actions:
                for slot in action.slots:
                    world.spawn(slot.name, min(slot.claim.cpuids))
        world.group = restore(snapshot, world.policy, clocks)
        world.feed = evolve(closed(Feed(), world.now), stream=world.feed.stream)
        world.tracks = {}
        world.under_way.clear()
        self.quiet_until = world.now
        world.look()
        for action in world.group.ledger.actions:
            world.tell(Interrupted(action.id, world.view))
        assert world.group.ledger.actions == ()
        world.connect()

    # What always holds

    @invariant()
    def there_are_never_more_than_are_allowed(self):
        group = self.world.group
        leaving = any(isinstance(a, ReplaceClone) for a in group.ledger.actions)
        assert group.clones_and_slots - leaving <= group.policy.max_clones

    @invariant()
    def every_action_is_known_once(self):
        ids = [action.id for action in self.world.group.ledger.actions]
        assert len(set(ids)) == len(ids)
        assert max(ids, default=0) < self.world.group.ledger.next_action
        slots = self.world.group.ledger.slots
        pinned = [cpuid for slot in slots for cpuid in slot.claim.cpuids]
        assert len(set(pinned)) == len(pinned)

    @invariant()
    def a_silent_balancer_is_obeyed_by_nobody(self):
        decision = self.world.group.decision
        if decision is None or decision.reason is not Reason.NO_SIGNAL:
            return
        assert decision.outcome is Outcome.HOLD


RequestLifecycle.TestCase.settings = settings(
    max_examples=200,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestRequestLifecycle = pytest.mark.no_cover(RequestLifecycle.TestCase)
