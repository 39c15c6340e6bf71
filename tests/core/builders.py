"""Small makers of the values that the core's tests are about.

Times are seconds of a clock on which the stream began at 0 and `NOW` is late
enough that nothing is young any more.
"""

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from albatross_client.names import Name
from albatross_client.stats import Sample
from albatross_client.values import Info, Interface, InterfaceInfo, ResourcePolicy
from autoscaler.core.actions import CreateClones, DestroyClone, ReplaceClone, Slot
from autoscaler.core.blueprint import Blueprint
from autoscaler.core.case import Ruling
from autoscaler.core.decide import decide
from autoscaler.core.decision import MemberClass, Reason
from autoscaler.core.events import Event
from autoscaler.core.group import (
    Group,
    GroupId,
    Member,
    Ticks,
    new_group,
)
from autoscaler.core.ledger import Ledger
from autoscaler.core.policy import Policy
from autoscaler.core.rhythm import Rhythm
from autoscaler.core.standing import assess
from autoscaler.core.step import step
from autoscaler.core.track import Moment, Track
from autoscaler.core.view import Claim, Feed, Listing, Rules, View

SECOND_US = 1_000_000
NOW = 5000.0
DOMAIN = Name(("user",))
PRIMARY = Name(("user",), "web")
NEIGHBOUR = Name(("user",), "db")
GROUP = GroupId("alpha", PRIMARY)
MANAGED = GroupId("alpha", PRIMARY, is_managed=True)
IMAGE = b"\x01" * 32
OTHER_IMAGE = b"\x02" * 32
ALL_CPUS = frozenset(range(32))

State = float | MemberClass


def clone_name(number: int) -> Name:
    return GROUP.clone(number)


def make_sample(cpu_us: int = 0, **changes: int | None) -> Sample:
    """Return a frame with all its counters at one million."""
    values: dict[str, Any] = dict.fromkeys(
        ("minflt", "majflt", "nvcsw", "nivcsw", "start_us"), 1_000_000
    )
    values |= dict.fromkeys(
        ("packets_in", "packets_out", "bytes_in", "bytes_out", "rss_pages"), 0
    )
    values |= {"runtime_us": cpu_us} | changes
    return Sample(name=":web", cpu_us=cpu_us, **values)


def make_moment(at: float, *, stream: int = 1, listened: float | None = None) -> Moment:
    return Moment(at, stream, at if listened is None else listened)


def make_rhythm(interval: float = 10.0) -> Rhythm:
    return Rhythm(distances=(interval,) * 4, median=interval)


def make_feed(interval: float = 10.0, up_since: float | None = 0.0) -> Feed:
    return Feed(rhythm=make_rhythm(interval), stream=1, up_since=up_since)


def make_info(cpuid: int = 0, **changes: Any) -> Info:
    standard = Info(
        cpuids=frozenset({cpuid}),
        memory=32,
        digest=IMAGE,
        interfaces=(InterfaceInfo("service", "br0", b"\x02\x00\x00\x00\x00\x01"),),
        argv=("--name=web", "--ipv4=10.0.0.2/24"),
    )
    return evolve(standard, **changes)


def make_rules(answered: float = NOW, **changes: Any) -> Rules:
    standard = ResourcePolicy(
        cpuids=ALL_CPUS,
        unikernels=100,
        memory=100_000,
        bridges=frozenset({"br0"}),
    )
    return Rules({DOMAIN: evolve(standard, **changes)}, answered)


def make_listing(infos: Mapping[Name, Info], asked: float = NOW) -> Listing:
    return Listing(infos, asked, asked)


def fresh_track(usage: float = 50.0, at: float = NOW - 1) -> Track:
    """Return a unikernel with one counted pair of 10 s that ended at *at*."""
    return Track(
        sample=make_sample(),
        heard=make_moment(at),
        row=(10.0,),
        cpu_us=round(usage / 100 * 10 * SECOND_US),
        span_s=10.0,
        usage_at=at,
        usage=usage,
    )


def make_policy(**changes: Any) -> Policy:
    return evolve(Policy(max_clones=9), **changes)


def make_view(infos: Mapping[Name, Info], tracks: Mapping[Name, Track]) -> View:
    return View(
        feed=make_feed(),
        tracks=tracks,
        listing=make_listing(infos),
        rules=make_rules(),
    )


def member_in(name: Name, number: int | None, state: State) -> tuple[Member, Track]:
    """Return a member that counts as *state* at `NOW`, or so busy."""
    member = Member(name=name, number=number, usage=50.0)
    match state:
        case MemberClass.STALE:
            return member, fresh_track(at=NOW - 100)
        case MemberClass.WARMING:
            return member, evolve(fresh_track(), began=NOW - 10)
        case MemberClass.UNKNOWN:
            silent = Track(heard=make_moment(NOW - 1), began=NOW - 10)
            return evolve(member, usage=None), silent
        case MemberClass.GIVEN_UP:
            looping = (NOW - 300, NOW - 200, NOW - 100)
            return member, evolve(fresh_track(at=NOW - 100), restarts=looping)
        case MemberClass.DEAD:
            return evolve(member, is_dead=True), Track()
        case float():
            return evolve(member, usage=state), fresh_track(state)
        case _:
            raise AssertionError(state)


def make_world(
    *states: State,
    policy: Policy | None = None,
    ledger: Ledger | None = None,
    ticks: Ticks | None = None,
) -> tuple[Group, View]:
    """Return a group whose members count as *states*, the primary's first.

    The clones have the numbers from 1 on; clone N is pinned to cpuid N.
    """
    names = [PRIMARY, *(clone_name(n) for n in range(1, len(states)))]
    found = [
        member_in(name, number or None, state)
        for number, (name, state) in enumerate(zip(names, states, strict=True))
    ]
    group = Group(
        id=GROUP,
        policy=policy or make_policy(),
        primary=found[0][0],
        clones=tuple(member for member, _ in found[1:]),
        ticks=ticks or Ticks(last=NOW - 10, conclusive=NOW - 10),
        ledger=ledger or Ledger(next_number=len(states)),
    )
    infos = {name: make_info(cpuid) for cpuid, name in enumerate(names)}
    if found[0][0].is_dead:
        del infos[PRIMARY]
    infos[NEIGHBOUR] = make_info(31)
    tracks = {name: track for name, (_, track) in zip(names, found, strict=True)}
    tracks[NEIGHBOUR] = fresh_track()
    return group, make_view(infos, tracks)


def make_template(**changes: Any) -> Blueprint:
    standard = Blueprint(
        digest=IMAGE, interfaces=(Interface("service", "br0"),), argv=("--port=80",)
    )
    return evolve(standard, **changes)


def make_managed(
    *states: State,
    policy: Policy | None = None,
    ledger: Ledger | None = None,
    ticks: Ticks | None = None,
) -> tuple[Group, View]:
    """Return a managed group whose members count as *states*.

    They have the numbers from 1 on; member N is pinned to cpuid N.
    """
    names = [MANAGED.clone(number) for number in range(1, len(states) + 1)]
    found = [
        member_in(name, number, state)
        for number, (name, state) in enumerate(zip(names, states, strict=True), 1)
    ]
    group = evolve(
        new_group(MANAGED, policy or make_policy(), make_template()),
        clones=tuple(member for member, _ in found),
        ticks=ticks or Ticks(last=NOW - 10, conclusive=NOW - 10),
        ledger=ledger or Ledger(next_number=len(states) + 1),
    )
    infos = {name: make_info(cpuid) for cpuid, name in enumerate(names, 1)}
    infos[NEIGHBOUR] = make_info(31)
    tracks = {name: track for name, (_, track) in zip(names, found, strict=True)}
    tracks[NEIGHBOUR] = fresh_track()
    return group, make_view(infos, tracks)


def primary_of(group: Group) -> Member:
    """Return the primary of a group that has one."""
    assert group.primary is not None
    return group.primary


def listed(view: View) -> dict[Name, Info]:
    """Return what the newest `info` in *view* shows."""
    assert view.listing is not None
    return dict(view.listing.infos)


def happens(group: Group, event: Event, at: float = NOW) -> Any:
    """Return what *event* makes of *group*, and the effects, of any kind."""
    return step(group, event, at)


def rule(group: Group, view: View) -> Ruling:
    """Return what is decided about *group* at a tick at `NOW`."""
    return decide(group, view, assess(group, view, NOW), NOW)


def make_slot(number: int, cpuid: int = 9, address: str | None = None) -> Slot:
    return Slot(number, Claim(clone_name(number), 32, frozenset({cpuid})), address)


def creating(*numbers: int) -> CreateClones:
    slots = tuple(make_slot(number, 8 + number) for number in numbers)
    return CreateClones(id=1, reason=Reason.HIGH, slots=slots)


def destroying(number: int) -> DestroyClone:
    return DestroyClone(id=1, reason=Reason.LOW, victim=clone_name(number))


def replacing(new: int, old: int, *, create_first: bool = True) -> ReplaceClone:
    return ReplaceClone(
        id=1,
        reason=Reason.GIVEN_UP,
        slots=(make_slot(new),),
        victim=clone_name(old),
        create_first=create_first,
    )
