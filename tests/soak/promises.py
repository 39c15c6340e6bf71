"""What must happen in time, and what must not grow."""

from collections.abc import Mapping

import attrs
import trio
from attrs import define, field

from autoscaler.core.decision import Decision, MemberClass, Reason
from autoscaler.core.group import Group, GroupId
from autoscaler.core.moments import Clocks
from autoscaler.core.policy import Mode
from autoscaler.core.snapshot import take
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.hosts.watch import Watch
from autoscaler.shell.state.records import to_json
from tests.core.builders import primary_of
from tests.soak.audit import Judge
from tests.soak.host import SoakHost, family_of

# Each of them says for how long, or what is missing: no deadlock.
EXCUSES = frozenset(
    {
        Reason.BACKOFF,
        Reason.NO_CAPACITY,
        Reason.BLOCK_DEVICE,
        Reason.UNSUPPORTED,
        Reason.CONTESTED,
        Reason.NO_EFFECT,
        Reason.STOOD_DOWN,
        Reason.IMAGE_UNHEALTHY,
        Reason.ROLLOUT,
    }
)
LOOK_S = 30.0
# Of ten groups of up to five members on a host; several times what is usual.
BOUNDS = {
    "values in a group": 2000,
    "octets of a snapshot": 16_384,
    "doubtful clones": 64,
    "foreign clones": 64,
    "tracks of a watch": 300,
    "values in a watch": 30_000,
    "unwritten changes": 10_000,
}
OWN_PACKAGES = ("autoscaler.", "albatross_client.")
LONGEST_ACTION_S = 3600.0
LONGEST_SILENCE_S = 600.0
RECOVERY_S = 120.0
FORGET_S = 6 * 3600.0


@define
class Growth:
    """The most that was ever kept.

    Attributes:
        most: By what it is.
    """

    most: dict[str, int] = field(factory=dict)

    def note(self, what: str, size: int) -> None:
        self.most[what] = max(size, self.most.get(what, 0))

    def excess(self) -> list[str]:
        """Return what has grown beyond its bound."""
        return [
            f"{size} {what}" for what, size in self.most.items() if size > BOUNDS[what]
        ]

    def measure(self, fleet: Fleet, clocks: Clocks) -> None:
        """Take in how much *fleet* keeps."""
        for group in fleet.groups.values():
            self.note("values in a group", population(group))
            self.note("octets of a snapshot", len(to_json(take(group, clocks))))
            self.note("doubtful clones", len(group.ledger.doubts))
            self.note("foreign clones", len(group.foreign))
        for watch in fleet.watches.values():
            self.note("tracks of a watch", len(watch.tracks))
            self.note("values in a watch", population(vars(watch)))
        self.note("unwritten changes", len(fleet.changes))


def population(value: object) -> int:
    """Return how many values *value* consists of."""
    if isinstance(value, Mapping):
        return 1 + sum(population(k) + population(v) for k, v in value.items())
    if isinstance(value, tuple | list | set | frozenset):
        return 1 + sum(map(population, value))
    kind = type(value)
    if kind.__module__.startswith(OWN_PACKAGES) and attrs.has(kind):
        names = (each.name for each in attrs.fields(kind))
        return 1 + sum(population(getattr(value, name)) for name in names)
    return 1


def check_progress(judge: Judge, fleet: Fleet) -> None:
    """Look at every group: what is due, is done."""
    now = trio.current_time()
    for group in fleet.groups.values():
        watch, host = fleet.watch(group.id), judge.hosts[group.id.host]
        account = judge.account(group.id)
        if account.open is not None and now - account.opened > LONGEST_ACTION_S:
            judge.accuse(group.id, f"{account.open} does not end")
        check_ticks(judge, group, watch, now)
        # What waits for the state to be written waits a moment longer.
        recovers = now - judge.unwritable_at < RECOVERY_S
        if recovers or not is_overloaded(group, watch, host):
            account.overloaded_since = None
        elif account.overloaded_since is None:
            account.overloaded_since = now
        elif now - account.overloaded_since > longest_hesitation(group, host):
            judge.accuse(group.id, f"overloaded, and holds: {group.decision}")
            account.overloaded_since = None


def check_ticks(judge: Judge, group: Group, watch: Watch, now: float) -> None:
    """A group that is heard is looked at."""
    track = watch.tracks.get(group.id.name)
    up_since = watch.feed.up_since
    if track is None or track.usage_at is None or up_since is None:
        return
    if primary_of(group).is_dead or now - track.usage_at > LOOK_S:
        return
    since = max(up_since, judge.account(group.id).disturbed, group.ticks.last or 0.0)
    if now - since > LONGEST_SILENCE_S:
        judge.accuse(group.id, f"no tick for {now - since:g} s")


def check_orphans(judge: Judge, fleet: Fleet) -> None:
    """What we made is a member, or was given up in so many words."""
    for group in fleet.groups.values():
        known = {m.name for m in group.members} | {s.name for s in group.ledger.slots}
        running = judge.hosts[group.id.host].live.state.unikernels
        now = trio.current_time()
        quiet = now - judge.account(group.id).disturbed > LONGEST_SILENCE_S
        for host, name in judge.ours:
            if host != group.id.host or group.id.number_of(name) is None:
                continue
            if quiet and name in running and name not in known:
                judge.accuse(group.id, f"{name} is orphaned")


def forget_gone(judge: Judge) -> None:
    """Forget clones that have not run for long."""
    now = trio.current_time()
    for host, name in judge.ours:
        if name in judge.hosts[host].live.state.unikernels:
            judge.ours[host, name] = now
    # Until the state can be written, a daemon may remember what is gone.
    judge.ours = {
        place: seen for place, seen in judge.ours.items() if now - seen < FORGET_S
    }


def is_overloaded(group: Group, watch: Watch, host: SoakHost) -> bool:
    """Tell whether nothing but load is missing for an up, and there is load."""
    policy, ledger = group.policy, group.ledger
    running = host.live.state.unikernels
    demand = host.demand.get(group.id.name, 0.0)
    if (
        # Cheap to tell, and nearly always so.
        100 * demand < policy.scale_up_threshold_percent * len(group.members)
        or group.clones_and_slots >= policy.max_clones
    ):
        return False
    family = [name for name in running if family_of(name) == group.id.name]
    names = {member.name for member in group.members}
    sick = host.silent | host.looping
    if (
        group.mode is not Mode.ACTIVE
        or ledger.actions
        or watch.feed.up_since is None
        or watch.feed.rhythm.interval is None
        or watch.listing is None
        or watch.rules is None
        or host.live.is_down
        or host.is_irregular
        or names - set(running)
        or sick & names
        or (group.decision is not None and is_excused(group.decision))
    ):
        return False
    share = min(1.0, demand / max(1, len(family)))
    delay = host.jitter / host.interval
    return 100 * share > policy.scale_up_threshold_percent * (1 + delay) + 0.5


def is_excused(decision: Decision) -> bool:
    """Tell whether *decision* waits for something else than time or load."""
    return decision.reason in EXCUSES or bool(decision.load.names(MemberClass.GIVEN_UP))


def longest_hesitation(group: Group, host: SoakHost) -> float:
    """Return for how many seconds an overload may last before it is met."""
    policy = group.policy
    period = max(policy.poll_interval, host.interval)
    return (
        policy.scale_up_trigger_ticks * 1.5 * period
        + max(policy.cooldown_up, policy.warmup)
        + host.interval
        # Until every pair of a tick lies within the overload; and our looks.
        + period
        + host.interval
        + 2 * LOOK_S
    )


def groups_on(fleet: Fleet, host: str) -> tuple[GroupId, ...]:
    """Return the groups of *host*."""
    return tuple(group_id for group_id in fleet.groups if group_id.host == host)
