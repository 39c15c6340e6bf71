"""A host and a daemon around one group, without clock, network or disk.

The host's processes use CPU time and are sampled once per interval; the daemon
hears the frames, asks what is listed, ticks when the core says so, and hands
on what the group wants done.  Time passes from sample to sample.
"""

from collections.abc import Callable
from random import Random

from attrs import define, evolve, field

from albatross_client.names import Name
from albatross_client.stats import Sample
from albatross_client.values import ResourcePolicy, Timestamp
from autoscaler.core.actions import (
    Action,
    CreateClones,
    DestroyClone,
    ReplaceClone,
    Slot,
)
from autoscaler.core.blueprint import Blueprint
from autoscaler.core.events import Event, Informed, Note, Redrawn, Ticked, WakeAsked
from autoscaler.core.group import Group, new_group
from autoscaler.core.observe import next_look
from autoscaler.core.outage import find_lost
from autoscaler.core.policy import Policy
from autoscaler.core.rhythm import Rhythm
from autoscaler.core.step import step
from autoscaler.core.ticking import next_tick
from autoscaler.core.track import Moment, Track, follow, relist
from autoscaler.core.view import Feed, Listing, Rules, View, closed, opened
from tests.core.builders import (
    DOMAIN,
    GROUP,
    IMAGE,
    MANAGED,
    PRIMARY,
    make_info,
    make_sample,
    make_template,
)

SECOND_US = 1_000_000
# Linux counts CPU time in steps of 10 ms.
CPU_STEP_US = 10_000
RECONCILE_S = 60.0


@define
class Process:
    """A unikernel that runs.

    Attributes:
        cpuid: What it is pinned to.
        digest: Of its image.
        cpu_us: CPU time since its start.
        starts: How often it has started.
        silent: Whether the host no longer samples it.
        crashes: Whether it starts anew between any two samples.
        address: In its arguments, if it has one.
    """

    cpuid: int
    digest: bytes = IMAGE
    cpu_us: float = 0.0
    starts: int = 1
    silent: bool = False
    crashes: bool = False
    address: str | None = None

    @property
    def argv(self) -> tuple[str, ...]:
        """Its arguments."""
        return () if self.address is None else (f"--ipv4={self.address}/24",)

    def sampled(self, used_us: float) -> Sample:
        """Return the next frame, after *used_us* of CPU time more."""
        if self.crashes:
            self.starts, self.cpu_us = self.starts + 1, 0.0
        self.cpu_us += used_us
        return make_sample(int(self.cpu_us) // CPU_STEP_US * CPU_STEP_US)


@define(kw_only=True)
class World:
    """One host, one daemon, one group.

    Attributes:
        policy: What the operator wants.
        interval: Between two samples, seconds.
        jitter: Most delay of a frame, seconds.
        demand: Cores that are asked of all members together.
        level: Share of its core that every member uses instead, if set.
        begun: Every action with the time of its begin.
        on_action: What looks at every action that begins.
        on_look: What looks at every decision, with the group before it.
        held: Frames that a stall holds back; None: there is no stall.
        is_writable: Whether the daemon can write its state.
        digest: Of the image that clones get.
        is_managed: Whether there is no primary.
    """

    policy: Policy
    is_managed: bool = False
    interval: float = 10.0
    jitter: float = 0.0
    demand: float = 0.5
    level: float | None = None
    seed: int = 0
    now: float = 0.0
    sampled: float = 0.0
    unikernels: int = 1000
    processes: dict[Name, Process] = field(factory=dict)
    group: Group = field(init=False)
    feed: Feed = field(factory=Feed)
    tracks: dict[Name, Track] = field(factory=dict)
    listing: Listing | None = None
    begun: list[tuple[float, Action]] = field(factory=list)
    on_action: Callable[[Action], None] = lambda _action: None
    on_look: Callable[[Group, View], None] = lambda _group, _view: None
    held: list[tuple[Name, Sample]] | None = None
    is_writable: bool = True
    digest: bytes = IMAGE
    peers: set[Name] = field(factory=set)
    random: Random = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 - only jitter
        if self.is_managed:
            self.group = new_group(MANAGED, self.policy, self.template)
        else:
            self.group = new_group(GROUP, self.policy)
            self.processes[PRIMARY] = Process(cpuid=0)

    @property
    def template(self) -> Blueprint | None:
        """What the operator of a managed group says."""
        return make_template(digest=self.digest) if self.is_managed else None

    @property
    def view(self) -> View:
        """What the daemon knows."""
        limits = ResourcePolicy(
            cpuids=frozenset(range(60)),
            unikernels=self.unikernels,
            memory=10**6,
            bridges=frozenset({"br0"}),
        )
        asked = self.listing.answered if self.listing else 0.0
        self.peers |= {member.name for member in self.group.members}
        view = View(
            feed=self.feed,
            tracks=self.tracks,
            listing=self.listing,
            rules=Rules({DOMAIN: limits}, asked),
            reconcile_interval=RECONCILE_S,
            is_writable=self.is_writable,
        )
        lost = find_lost(view, self.peers, self.now)
        return evolve(view, lost=lost, peers=len(self.peers))

    def connect(self, rhythm: Rhythm | None = None) -> None:
        """Subscribe anew, and ask what runs."""
        self.feed = opened(self.feed, self.now)
        if rhythm is not None:
            self.feed = evolve(self.feed, rhythm=rhythm)
        self.ask()

    def cut(self) -> None:
        """Lose the stream."""
        self.feed = closed(self.feed, self.now)

    def ask(self) -> None:
        """Take in an answer to `info` and `policy info`."""
        self.look()
        self.tell(Informed(self.view))

    def look(self) -> None:
        """Take in an answer without telling the group."""
        infos = {
            name: make_info(
                p.cpuid,
                digest=p.digest,
                started=Timestamp(1000 * p.starts),
                argv=p.argv,
            )
            for name, p in self.processes.items()
        }
        self.listing = Listing(infos, self.now, self.now)
        for name, info in infos.items():
            track = self.tracks.get(name, Track())
            self.tracks[name] = relist(track, info.started, None, self.now)

    def tell(self, event: Event) -> None:
        """Let *event* happen, and note what is begun about it."""
        before = self.group
        self.group, effects = step(before, event, self.now)
        if isinstance(event, Ticked | Informed | WakeAsked) and (
            self.group.decision is not before.decision
        ):
            self.on_look(before, event.view)
        for effect in effects:
            if not isinstance(effect, Note):
                self.begun.append((self.now, effect))
                self.on_action(effect)

    def passes(self, rounds: int) -> None:
        """Let time pass until that many more samples were taken."""
        for _ in range(rounds):
            self._round()

    def passes_for(self, seconds: float) -> None:
        """Let at least so many seconds pass."""
        until = self.now + seconds
        while self.now < until:
            self._round()

    def spawn(self, name: Name, cpuid: int, digest: bytes | None = None) -> Process:
        """Start a unikernel, of the primary's image if not of another."""
        assert name not in self.processes, f"{name} was created twice"
        process = Process(cpuid=cpuid, digest=digest or self.digest)
        self.processes[name] = process
        return process

    def fill(self, slot: Slot) -> None:
        """Start the clone that is to be in *slot*."""
        process = self.spawn(slot.name, min(slot.claim.cpuids))
        process.address = slot.address

    def deploy(self, digest: bytes) -> None:
        """Put another image in the place of the primary's, or the group's."""
        self.digest = digest
        template = self.template
        if template is not None:
            self.tell(Redrawn(template))
            return
        self.processes.pop(PRIMARY, None)
        self.spawn(PRIMARY, 0)

    def forget(self, name: Name) -> None:
        """Forget a unikernel that the daemon has removed."""
        self.peers.discard(name)
        self.tracks.pop(name, None)

    def actions(self, kind: type[CreateClones | DestroyClone | ReplaceClone]) -> int:
        """Return how many actions of this *kind* have begun."""
        return sum(isinstance(action, kind) for _, action in self.begun)

    def release(self) -> None:
        """End a stall: what it held back comes at once."""
        frames, self.held = self.held or [], None
        for place, (name, sample) in enumerate(frames):
            self._hear(name, sample, self.now + 0.001 * (place + 1))

    def _round(self) -> None:
        self.sampled = max(self.sampled, self.now - self.interval) + self.interval
        share = self._share()
        frames = [
            (name, process.sampled(share * self.interval * SECOND_US))
            for name, process in self.processes.items()
            if not process.silent
        ]
        if self.held is not None:
            self.held += frames
        elif self.feed.up_since is not None:
            delays = [self.random.uniform(0, self.jitter) for _ in frames]
            for delay, (name, sample) in sorted(
                zip(delays, frames, strict=True), key=lambda pair: pair[0]
            ):
                self._hear(name, sample, self.sampled + delay)
        self._advance(self.sampled + 0.9 * self.interval)
        self._ask_in_time()

    def _share(self) -> float:
        if self.level is not None:
            return self.level
        return min(1.0, self.demand / max(1, len(self.processes)))

    def _hear(self, name: Name, sample: Sample, at: float) -> None:
        self._advance(at)
        moment = Moment(self.now, self.feed.stream, self.feed.listened_by(self.now))
        track, rhythm, _ = follow(
            self.tracks.get(name, Track()), self.feed.rhythm, sample, moment, 1
        )
        self.tracks[name] = track
        self.feed = evolve(self.feed, rhythm=rhythm)

    def _advance(self, until: float) -> None:
        """Move on to *until*, ticking when the group is due."""
        until = max(until, self.now)
        while (due := next_tick(self.group, self.view, self.now)) is not None:
            if due > until:
                break
            self.now = max(self.now, due)
            self.tell(Ticked(self.view))
        self.now = until

    def _ask_in_time(self) -> None:
        asked = self.listing.asked if self.listing is not None else 0.0
        look = next_look(self.group, self.view, self.now)
        if self.now - asked >= RECONCILE_S or (look is not None and look <= self.now):
            self.ask()
