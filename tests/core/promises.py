"""What is promised of a group, whatever happens to it."""

import math

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
)

from albatross_client.names import Name
from autoscaler.core.actions import Action, CreateClones, ReplaceClone, victim_of
from autoscaler.core.decision import Reason
from autoscaler.core.policy import Mode
from tests.core.builders import (
    PRIMARY,
    listed,
)
from tests.core.policies import POLICIES
from tests.core.simulation import World

HOUR_S = 3600.0
# What a frame's delay may be, as a share of the interval.
MOST_JITTER = 0.1


class Promises(RuleBasedStateMachine):
    """A group on a host, and what each of its actions is held to."""

    @initialize(
        policy=POLICIES,
        is_managed=st.sampled_from([False, False, True]),
        interval=st.sampled_from([2.0, 10.0]),
        jitter=st.floats(0, MOST_JITTER),
        seed=st.integers(0, 1000),
    )
    def deploy(self, policy, is_managed, interval, jitter, seed):
        # Whom nobody may destroy but the operator.
        self.strangers = set() if is_managed else {PRIMARY}
        self.named = set(self.strangers)
        self.changed_at: float | None = None
        self.replaced: list[float] = []
        self.open: Action | None = None
        self.last_id = 0
        self.failures = 0
        self.restarted_at: float | None = None
        # Load decisions since anything but time has happened.
        self.calm: list[Reason] = []
        self.overfull = False
        self.world = World(
            policy=policy,
            is_managed=is_managed,
            interval=interval,
            jitter=jitter * interval,
            seed=seed,
            on_action=self.check_action,
        )
        if is_managed:
            # Without it those that need no members would all sleep for ever.
            self.named.add(self.clone_name(1))
            self.world.spawn(self.clone_name(1), 0)
        self.world.connect()

    def clone_name(self, number: int) -> Name:
        return self.world.group.id.clone(number)

    def has_primary(self) -> bool:
        return self.world.is_managed or PRIMARY in self.world.processes

    def check_action(self, action: Action) -> None:
        world, group = self.world, self.world.group
        assert self.open is None, "one action at a time"
        assert group.ledger.actions == (action,), "the intent is on record"
        assert action.id > self.last_id
        assert group.mode is Mode.ACTIVE
        assert world.is_writable, "nothing begins that can't be written down"
        self.check_restraint(action)
        self.open, self.last_id = action, action.id
        self.check_names(action)
        self.check_size(action)
        if not isinstance(action, CreateClones):
            assert action.victim in {clone.name for clone in group.clones}
            assert action.victim not in self.strangers
            assert action.victim not in group.ledger.disowned
        if action.reason is Reason.GIVEN_UP and action.slots:
            self.replaced.append(world.now)
            lately = [at for at in self.replaced if world.now - at < HOUR_S - 1]
            assert len(lately) <= 15
        if action.reason in {Reason.HIGH, Reason.LOW}:
            self.check_load_decision(action)

    def check_restraint(self, action: Action) -> None:
        world, group = self.world, self.world.group
        policy, budget = world.policy, group.ledger.budget
        assert budget.stood_down_at is None
        assert len(budget.acted) <= policy.max_actions_per_hour
        assert len(budget.turns) <= policy.max_reversals_per_6h
        if budget.failures == 0:
            self.failures = 0  # a stand-down is over
        assert self.failures < policy.max_failures_in_row
        makes, takes = bool(action.slots), not isinstance(action, CreateClones)
        if action.reason is Reason.ROLLOUT:
            victim = victim_of(action)
            assert victim is not None
            assert listed(world.view)[victim].digest != world.digest
            return
        assert policy.scale_up or not makes or takes
        assert policy.scale_down or not takes or makes
        if action.reason is Reason.LOW and self.restarted_at is not None:
            assert world.now - self.restarted_at >= policy.outage_hold

    def check_names(self, action: Action) -> None:
        names = {slot.name for slot in action.slots}
        assert len(names) == len(action.slots)
        assert not names & (self.named | set(self.world.processes)), "no name twice"
        self.named |= names

    def check_size(self, action: Action) -> None:
        policy, group = self.world.policy, self.world.group
        if not action.slots:
            return
        leaves = isinstance(action, ReplaceClone) and not action.create_first
        assert len(group.clones) + len(action.slots) - leaves <= policy.max_clones

    def check_load_decision(self, action: Action) -> None:
        policy, now = self.world.policy, self.world.now
        is_up = action.reason is Reason.HIGH
        cooldown = policy.cooldown_up if is_up else policy.cooldown_down
        if self.changed_at is not None:
            assert now - self.changed_at >= cooldown - 1e-6
        self.calm.append(action.reason)
        if not is_up:
            assert len(self.world.group.clones) > policy.min_clones
            assert len(self.world.group.members) > 1, "load takes no last member"
            self.check_nobody_is_missing()
        if policy.scale_up_step == 1 and not self.is_troubled():
            assert set(self.calm) != {Reason.HIGH, Reason.LOW}

    def check_nobody_is_missing(self) -> None:
        world = self.world
        assert world.feed.up_since is not None
        assert world.group.decision is not None
        given_up = {
            standing.name
            for standing in world.group.decision.load.standings
            if standing.counts_as.value == "given_up"
        }
        for member in world.group.members:
            if member.name in given_up:
                continue
            heard = world.tracks[member.name].heard
            assert heard is not None
            assert world.now - heard.at < world.feed.stale_after
            created = -math.inf if member.created is None else member.created
            assert world.now - created >= world.policy.warmup

    def is_troubled(self) -> bool:
        return any(p.silent or p.crashes for p in self.world.processes.values())

    # What always holds

    @invariant()
    def what_always_holds(self):
        self.check_clones_stay_within_the_policy()
        self.check_members_are_ours_and_there_is_one_of_each()
        self.check_an_action_is_in_flight_until_it_has_an_outcome()
        self.check_numbers_only_ever_grow()

    def check_clones_stay_within_the_policy(self) -> None:
        group = self.world.group
        if not self.overfull:
            leaving = any(isinstance(a, ReplaceClone) for a in group.ledger.actions)
            assert group.clones_and_slots - leaving <= self.world.policy.max_clones

    def check_members_are_ours_and_there_is_one_of_each(self) -> None:
        group = self.world.group
        names = [member.name for member in group.members]
        assert len(set(names)) == len(names)
        primaries = set() if self.world.is_managed else {PRIMARY}
        assert self.strangers & set(names) == primaries
        slots = group.ledger.slots
        pinned = [cpuid for slot in slots for cpuid in slot.claim.cpuids]
        assert len(set(pinned)) == len(pinned)

    def check_an_action_is_in_flight_until_it_has_an_outcome(self) -> None:
        in_flight = len(self.world.group.ledger.actions)
        assert in_flight == (self.open is not None)

    def check_numbers_only_ever_grow(self) -> None:
        group = self.world.group
        numbers = [group.id.number_of(name) or 0 for name in self.named]
        assert max(numbers, default=0) < group.ledger.next_number
