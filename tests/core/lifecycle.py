"""A group's life, in any order of events."""

import math

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
    rule,
)

from autoscaler.core.decision import Reason
from autoscaler.core.events import (
    AdoptAsked,
    DisownAsked,
    Interrupted,
    ModeSet,
    OwnershipConfirmed,
    OwnershipLost,
    Reconfigured,
    Resumed,
)
from autoscaler.core.moments import Clocks
from autoscaler.core.policy import Mode
from autoscaler.core.rhythm import Rhythm
from autoscaler.core.snapshot import restore, take
from autoscaler.core.track import Track, is_crash_loop
from autoscaler.core.view import Feed, closed
from tests.core import performing
from tests.core.builders import (
    IMAGE,
    OTHER_IMAGE,
    PRIMARY,
)
from tests.core.policies import POLICIES
from tests.core.promises import HOUR_S, Promises


class GroupLifecycle(Promises):
    """A group, a host that misbehaves, and a daemon that is restarted."""

    # Time and load

    @rule(rounds=st.integers(1, 6))
    def time_passes(self, rounds):
        self.world.passes(rounds)

    @precondition(lambda self: not self.open)
    @rule(rounds=st.integers(8, 16))
    def much_time_passes(self, rounds):
        self.world.passes(rounds)

    @rule(cores=st.floats(0, 5))
    def demand_changes(self, cores):
        self.world.demand, self.world.level = cores, None
        self.calm.clear()
        self.world.passes(1 if self.open else 5)

    @rule(interval=st.sampled_from([2.0, 5.0, 10.0]))
    def the_host_is_set_to_another_interval(self, interval):
        world = self.world
        world.jitter *= interval / world.interval
        world.interval = interval
        self.calm.clear()

    # How actions end

    def ended(self, *, changed: bool, failed: bool = True) -> None:
        assert self.open is not None
        is_rollout = self.open.reason is Reason.ROLLOUT
        uncounted = {Reason.ROLLOUT, Reason.PRIMARY_LOST}
        if self.open.reason not in uncounted:
            self.failures = self.failures + 1 if failed else 0
        self.open = None
        self.calm.clear()
        assert not self.world.group.ledger.actions
        if changed and not is_rollout:
            self.changed_at = self.world.now

    @precondition(lambda self: self.open)
    @rule()
    def the_action_succeeds(self):
        performing.perform(self.world)
        self.ended(changed=True, failed=False)

    @precondition(lambda self: self.open)
    @rule()
    def the_action_fails(self):
        performing.fail(self.world)
        self.ended(changed=False)

    @precondition(lambda self: self.open)
    @rule()
    def the_action_fails_half_way(self):
        performing.perform_partly(self.world)
        self.ended(changed=True)

    @precondition(lambda self: self.open and self.open.slots)
    @rule(came=st.booleans())
    def the_outcome_is_ambiguous(self, came):
        performing.lose(self.world, came=came)
        self.ended(changed=False)
        # It joins when it turns up, even if another took its place by then.
        self.overfull |= came

    # What goes wrong

    @rule(which=st.integers(0, 9), how=st.sampled_from(["silent", "crashes", "dies"]))
    def a_member_is_lost(self, which, how):
        names = [*self.world.processes, self.clone_name(0)]
        name = names[which % len(names)]
        process = self.world.processes.get(name)
        if process is None or how == "dies":
            self.world.processes.pop(name, None)
        else:
            process.silent, process.crashes = how == "silent", how == "crashes"
        self.calm.clear()

    @precondition(lambda self: self.world.group.clones and not self.open)
    @rule(which=st.integers(0, 9))
    def a_clone_falls_silent_for_long(self, which):
        clones = self.world.group.clones
        process = self.world.processes.get(clones[which % len(clones)].name)
        if process is not None:
            process.silent = True
        self.calm.clear()
        self.world.passes(10)

    @rule()
    def all_is_well_again(self):
        for process in self.world.processes.values():
            process.silent = process.crashes = False
        if not self.has_primary():
            self.world.spawn(PRIMARY, 0)
        self.world.ask()
        self.calm.clear()

    @rule(ahead=st.integers(0, 2), digest=st.sampled_from([b"\x01" * 32, OTHER_IMAGE]))
    def somebody_creates_a_look_alike(self, ahead, digest):
        name = self.clone_name(self.world.group.ledger.next_number + ahead)
        if name in self.world.processes or name in self.named or self.open:
            return
        self.world.spawn(name, 50 + ahead, digest)
        if digest == OTHER_IMAGE:
            self.strangers.add(name)
        # A name that is taken must be known before it can be avoided.
        self.world.ask()
        self.overfull = True
        self.calm.clear()

    @rule(unikernels=st.sampled_from([2, 4, 1000, 1000]))
    def the_domain_gets_other_limits(self, unikernels):
        self.world.unikernels = unikernels
        self.world.ask()
        self.calm.clear()

    @rule(rounds=st.integers(1, 4))
    def the_stream_stalls(self, rounds):
        self.world.held = []
        self.world.passes(rounds)
        self.world.release()

    @rule(rounds=st.integers(0, 4))
    def the_stream_is_cut(self, rounds):
        self.world.cut()
        self.world.passes(rounds)
        self.world.connect()
        self.calm.clear()

    @rule(policy=POLICIES)
    def the_operator_wants_something_else(self, policy):
        self.world.policy = policy
        self.world.tell(Reconfigured(policy))
        self.overfull = True
        self.calm.clear()

    @rule(
        down=st.floats(0, 100),
        wall_step=st.sampled_from([0.0, 0.0, -5000.0, 5000.0]),
        rebooted=st.booleans(),
        remembers=st.booleans(),
        was_done=st.booleans(),
    )
    def the_daemon_is_killed(self, down, wall_step, rebooted, remembers, was_done):
        world = self.world
        snapshot = take(world.group, Clocks(world.now, "a", world.now, world.now))
        if was_done and self.open:
            performing.reach_host(world)
        world.now += down
        step = wall_step if rebooted else 0.0
        boot = Clocks(
            world.now, "b" if rebooted else "a", world.now, world.now + wall_step
        )
        self.age_by(step)
        world.group = restore(snapshot, world.policy, boot, world.template)
        rhythm = Rhythm(remembered=world.feed.rhythm.interval if remembers else None)
        world.feed = evolve(closed(Feed(), world.now), stream=world.feed.stream)
        world.tracks, world.held = {}, None
        changed = world.group.ledger.changed_at
        world.look()
        for action in world.group.ledger.actions:
            world.tell(Interrupted(action.id, world.view))
        self.failures = world.group.ledger.budget.failures
        # What frames told is not kept: nobody suspects an outage any more.
        self.restarted_at = None
        self.open = None
        if world.group.ledger.changed_at != changed:
            self.changed_at = world.now
        world.connect(rhythm)
        self.calm.clear()

    def age_by(self, step: float) -> None:
        """Make what was kept as much older as a stepped clock makes it."""
        policy, now = self.world.policy, self.world.now
        longest = max(policy.cooldown_up, policy.cooldown_down)
        if self.changed_at is not None:
            age = min(max(now - self.changed_at + step, 0.0), longest)
            self.changed_at = now - age
        self.replaced = [
            now - min(max(now - at + step, 0.0), HOUR_S) for at in self.replaced
        ]

    # What the operator says

    @rule(mode=st.sampled_from([None, Mode.ACTIVE, Mode.OBSERVE, Mode.PAUSED]))
    def the_operator_sets_a_mode(self, mode):
        self.world.tell(ModeSet(mode))
        self.world.tell(ModeSet(None if mode is Mode.PAUSED else mode))
        self.calm.clear()

    @rule()
    def the_operator_resumes_the_group(self):
        if self.world.group.ledger.budget.stood_down_at is not None:
            self.failures = 0
        self.world.tell(Resumed())

    @precondition(lambda self: self.world.group.clones and not self.open)
    @rule(which=st.integers(0, 9), returns=st.booleans())
    def the_operator_disowns_a_clone(self, which, returns):
        clones = self.world.group.clones
        name = clones[which % len(clones)].name
        self.world.tell(DisownAsked(name))
        assert name not in {clone.name for clone in self.world.group.clones}
        if returns:
            self.world.tell(AdoptAsked(name))
        self.world.ask()
        self.overfull = True
        self.calm.clear()

    @rule(is_lost=st.booleans())
    def the_state_is_lost_or_confirmed(self, is_lost):
        self.world.tell(OwnershipLost() if is_lost else OwnershipConfirmed())
        self.world.ask()

    @rule(is_writable=st.booleans(), rounds=st.integers(0, 3))
    def the_disk_is_full_or_has_room(self, is_writable, rounds):
        self.world.is_writable = is_writable
        self.world.passes(rounds)
        self.world.is_writable = True

    @precondition(lambda self: self.has_primary() and not self.open)
    @rule(digest=st.sampled_from([IMAGE, b"\x03" * 32]))
    def the_operator_deploys_an_image(self, digest):
        self.world.deploy(digest)
        self.world.ask()
        self.calm.clear()
        self.world.passes(6)

    @rule()
    def the_host_restarts_everything(self):
        processes = self.world.processes.values()
        if any(p.silent or p.crashes for p in processes):
            return
        for process in processes:
            process.starts, process.cpu_us = process.starts + 1, 0.0
        self.world.ask()
        peers = self.world.peers
        together = len(peers & set(self.world.processes))
        if together > self.world.policy.outage_fraction / 100 * len(peers):
            # Beside many that are dead already, a few that restart are no sign.
            self.restarted_at = self.world.now
        self.calm.clear()
        self.world.passes(4)

    # What must happen

    def can_grow(self) -> bool:
        """Tell whether nothing but load is missing for an up."""
        world, group = self.world, self.world.group
        names = [member.name for member in group.members]
        reporting = [
            name
            for name in names
            if (process := world.processes.get(name)) is not None
            and not process.silent
            # Deployed and restarted too often it is given up: no quorum.
            and not is_crash_loop(
                world.tracks.get(name, Track()), world.policy.death_timeout, world.now
            )
        ]
        needed = math.ceil(world.policy.quorum * len(names) - 0.05)
        interval = world.feed.rhythm.interval
        is_known = interval is None or abs(interval / world.interval - 1) < 0.1
        pauses = (group.ledger.creating, group.ledger.destroying)
        return (
            group.mode is Mode.ACTIVE
            and world.policy.scale_up
            and self.has_primary()
            and not any(member.is_dead for member in group.members)
            and self.open is None
            # One that starts anew between samples lowers the mean.
            and not any(p.crashes for p in world.processes.values())
            and group.clones_and_slots < world.policy.max_clones
            and world.unikernels > 100
            and len(reporting) >= max(1, needed)
            and is_known
            and not any(pause.left(world.now) for pause in pauses)
        )

    @precondition(lambda self: self.can_grow())
    @rule()
    def an_overload_is_acted_upon_in_time(self):
        world, policy = self.world, self.world.policy
        share = world.jitter / world.interval
        mean = policy.scale_up_threshold_percent * (1 + share) + 0.5
        if mean > 100:
            return
        before = len(world.begun)
        period = max(policy.poll_interval, world.interval)
        limit = (
            policy.scale_up_trigger_ticks * 1.5 * period
            + max(policy.cooldown_up, policy.warmup)
            + world.interval
        )
        if world.feed.rhythm.interval is None:
            limit += 5 * world.interval
        world.level = mean / 100
        self.calm.clear()
        # Until every pair of a tick lies within the overload.
        world.passes_for(period + world.interval)
        since = world.now
        while len(world.begun) == before and world.now - since <= limit:
            world.passes(1)
            if world.group.clones_and_slots >= policy.max_clones:
                return  # a clone that was doubtful took the room
            if world.group.ledger.budget.stood_down_at is not None:
                return  # it did too much before
            held = world.group.decision
            if held is not None and held.reason is Reason.NO_EFFECT:
                return  # one that got no work was removed lately

        assert len(world.begun) > before, world.group.decision
        assert world.begun[before][0] - since <= limit
        world.level = None
