"""How long the core takes for one tick of a large deployment."""

from collections.abc import Iterable
from time import perf_counter

from attrs import frozen

from albatross_client.names import Name
from albatross_client.stats import Sample
from albatross_client.values import Info, ResourcePolicy
from autoscaler.core.events import Ticked
from autoscaler.core.group import Group, GroupId, Member, new_group
from autoscaler.core.policy import Policy
from autoscaler.core.rhythm import Rhythm
from autoscaler.core.step import step
from autoscaler.core.ticking import next_tick
from autoscaler.core.track import Moment, Track, follow
from autoscaler.core.view import Feed, Listing, Rules, View
from autoscaler.shell.garbage import collect_seldom
from tests.benchmarks import ROUNDS, Result, at_most

GROUPS = 1000
MEMBERS = 5
INTERVAL_S = 10.0
DOMAIN = Name(("user",))
# Busy enough to be counted, not enough to act: 60 %.
CPU_US_PER_INTERVAL = 6_000_000
MOST_MS = 150.0


@frozen
class Deployment:
    """All groups of one host, and what is known of it."""

    groups: tuple[Group, ...]
    tracks: dict[Name, Track]
    rhythm: Rhythm
    listing: Listing


def run() -> Iterable[Result]:
    """Yield the time of one tick of 1,000 groups of 5 members."""
    collect_seldom()  # as the daemon does
    deployment, figures = _deploy(), []
    # The first rounds make the interval known, and every member fresh.
    for tick in range(1, ROUNDS + 5):
        samples = _samples(deployment, tick)
        started = perf_counter()
        deployment = _tick(deployment, samples, tick * INTERVAL_S)
        figures.append((perf_counter() - started) * 1000)
    assert all(_is_steady(group) for group in deployment.groups)
    name = f"one tick of {GROUPS} groups of {MEMBERS}"
    yield at_most(name, "ms", figures[-ROUNDS:], MOST_MS)


def _deploy() -> Deployment:
    groups = tuple(_group(number) for number in range(GROUPS))
    names = [member.name for group in groups for member in group.members]
    infos = {name: Info(cpuids=frozenset({k})) for k, name in enumerate(names)}
    tracks = dict.fromkeys(names, Track())
    return Deployment(groups, tracks, Rhythm(), Listing(infos, 0.0, 0.0))


def _group(number: int) -> Group:
    group_id = GroupId("host", Name(("user",), f"app{number}"))
    group = new_group(group_id, Policy(max_clones=9))
    clones = [Member(name=group_id.clone(k), number=k) for k in range(1, MEMBERS)]
    return Group(
        id=group_id, policy=group.policy, primary=group.primary, clones=tuple(clones)
    )


def _samples(deployment: Deployment, tick: int) -> list[tuple[Name, Sample]]:
    """Return the frames of one interval, as they would come off the wire."""
    cpu_us = tick * CPU_US_PER_INTERVAL
    return [
        (
            name,
            Sample(
                name=f":{name.label}",
                cpu_us=cpu_us,
                minflt=tick,
                majflt=0,
                nvcsw=tick,
                nivcsw=tick,
                runtime_us=cpu_us,
                start_us=1,
                rss_pages=1,
                packets_in=0,
                packets_out=0,
                bytes_in=0,
                bytes_out=0,
            ),
        )
        for name in deployment.tracks
    ]


def _tick(
    deployment: Deployment, samples: list[tuple[Name, Sample]], now: float
) -> Deployment:
    """Take in all frames of an interval, then look at every group."""
    tracks, rhythm = deployment.tracks, deployment.rhythm
    moment = Moment(now, 1, now)
    for name, sample in samples:
        tracks[name], rhythm, _ = follow(tracks[name], rhythm, sample, moment, 1)
    feed = Feed(rhythm=rhythm, stream=1, up_since=0.0)
    limits = Rules({DOMAIN: ResourcePolicy(unikernels=10_000)}, now)
    groups = []
    for group in deployment.groups:
        view = View(feed=feed, tracks=tracks, listing=deployment.listing, rules=limits)
        if next_tick(group, view, now) is not None:
            group, _ = step(group, Ticked(view), now + 1.0)  # noqa: PLW2901 - its next state
        groups.append(group)
    return Deployment(tuple(groups), tracks, rhythm, deployment.listing)


def _is_steady(group: Group) -> bool:
    decision = group.decision
    return decision is not None and decision.load.fresh == MEMBERS
