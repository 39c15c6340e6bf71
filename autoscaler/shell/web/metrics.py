"""What is measured, read from where it is known when somebody asks.

Laws: the number of series is bounded by the configuration; between some
hundred lines everybody else gets their turn, whatever is asked for.
"""

import platform
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from itertools import islice

from attrs import frozen

from albatross_client.texts import clean
from autoscaler.core.group import Group, GroupId
from autoscaler.core.track import Verdict
from autoscaler.shell.balancing.keeper import Keeper
from autoscaler.shell.clock import wall_clock
from autoscaler.shell.daemon import Daemon
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.hosts.watch import Watch
from autoscaler.shell.web.exposition import Family, braced
from autoscaler.shell.web.tally import BOUNDS, KINDS, OUTCOMES, Tally

# So many lines take a millisecond or two.
LINES_AT_ONCE = 200

Samples = Iterable[str]


@frozen
class Sources:
    """What metrics are read from.

    Attributes:
        daemon: What runs.
        tally: What has happened.
    """

    daemon: Daemon
    tally: Tally

    @property
    def fleet(self) -> Fleet:
        """The groups."""
        return self.daemon.fleet


@frozen
class Metric:
    """One family and where its samples come from."""

    family: Family
    samples: Callable[[Family, Sources], Samples]


def tell(sources: Sources) -> Iterator[bytes]:
    """Yield all metrics as text, some lines at a time."""
    for metric in METRICS:
        lines = iter(metric.samples(metric.family, sources))
        batch = metric.family.head
        while batch:
            yield batch.encode()
            batch = "".join(islice(lines, LINES_AT_ONCE))


def _of_groups(
    read: Callable[[Group, Sources], float | None],
) -> Callable[[Family, Sources], Samples]:
    """Return samples of what *read* reads of each group; None: it has none."""

    def samples(family: Family, sources: Sources) -> Samples:
        groups = sources.fleet.groups
        # Between two batches groups may come and go.
        for group_id in tuple(groups):
            group = groups.get(group_id)
            value = None if group is None else read(group, sources)
            if value is not None:
                yield family.line(_labels(group_id), value)

    return samples


def _of_balancers(
    read: Callable[[Keeper], float | None],
) -> Callable[[Family, Sources], Samples]:
    def samples(family: Family, sources: Sources) -> Samples:
        for group_id, keeper in sources.daemon.exchange.keepers.items():
            value = read(keeper)
            if value is not None:
                yield family.line(_labels(group_id), value)

    return samples


def _of_daemon(
    read: Callable[[Sources], float],
) -> Callable[[Family, Sources], Samples]:
    def samples(family: Family, sources: Sources) -> Samples:
        yield family.line("", read(sources))

    return samples


def _labels(group_id: GroupId) -> str:
    return braced({"host": group_id.host, "group": str(group_id.name)})


def _usage(group: Group, _sources: Sources) -> float | None:
    return None if group.decision is None else group.decision.load.mean_up


def _clones(group: Group, _sources: Sources) -> float:
    return len(group.serving)


def _standbys(group: Group, _sources: Sources) -> float:
    return len(group.standbys)


def _most_clones(group: Group, _sources: Sources) -> float:
    return group.policy.max_clones


def _wanted(group: Group, sources: Sources) -> float | None:
    record = sources.fleet.newest(group.id)
    return None if record is None else record.sizes.wants


def _possible(group: Group, sources: Sources) -> float | None:
    record = sources.fleet.newest(group.id)
    return None if record is None else record.sizes.can


def _build(family: Family, _sources: Sources) -> Samples:
    labels = {
        "version": version("albatross-autoscaler"),
        "python": platform.python_version(),
    }
    yield family.line(braced(labels), 1)


def _decisions(family: Family, sources: Sources) -> Samples:
    for (outcome, reason), count in tuple(sources.tally.decisions.items()):
        yield family.line(braced({"outcome": outcome, "reason": reason}), count)


def _actions(family: Family, sources: Sources) -> Samples:
    # From the start on, or the first failure would be no increase.
    for kind in KINDS.values():
        for outcome in OUTCOMES:
            count = sources.tally.actions[kind, outcome]
            yield family.line(braced({"kind": kind, "outcome": outcome}), count)


def _durations(family: Family, sources: Sources) -> Samples:
    for kind, each in sources.tally.durations.items():
        yield from family.buckets({"kind": kind}, BOUNDS, each.counts, each.total)


def _frames(family: Family, sources: Sources) -> Samples:
    for labels, watch in _watches(sources):
        yield family.line(braced(labels), sum(watch.verdicts.values()))


def _dropped(family: Family, sources: Sources) -> Samples:
    for labels, watch in _watches(sources):
        for verdict in Verdict:
            if verdict is not Verdict.COUNTED:
                more = {**labels, "reason": verdict.value}
                yield family.line(braced(more), watch.verdicts[verdict])


def _streams(family: Family, sources: Sources) -> Samples:
    for labels, watch in _watches(sources):
        yield family.line(braced(labels), watch.feed.up_since is not None)


def _lost(family: Family, sources: Sources) -> Samples:
    for host in tuple(sources.daemon.hosts):
        yield family.line(braced({"host": host}), sources.tally.lost[host])


def _certificates(family: Family, sources: Sources) -> Samples:
    wall = wall_clock()
    for host, reach in tuple(sources.daemon.hosts.items()):
        # Two of one name: the one that ends first is what matters.
        left: dict[str, float] = {}
        for each in reach.dates:
            seconds = each.ends.timestamp() - wall
            subject = clean(each.subject)
            left[subject] = min(seconds, left.get(subject, seconds))
        for subject, seconds in left.items():
            labels = braced({"host": host, "certificate": subject})
            yield family.line(labels, round(seconds))


def _watches(sources: Sources) -> Iterator[tuple[dict[str, str], Watch]]:
    for (host, domain), watch in tuple(sources.fleet.watches.items()):
        yield {"host": host, "domain": str(domain)}, watch


def _up(keeper: Keeper) -> float:
    return keeper.answers()


def _in_flight(keeper: Keeper) -> float | None:
    return None if keeper.seen is None else keeper.seen.in_flight


def _held(keeper: Keeper) -> float | None:
    return None if keeper.activator is None else keeper.activator.held


def _wakes(keeper: Keeper) -> float | None:
    return None if keeper.activator is None else keeper.activator.holding.woken


METRICS = (
    Metric(
        Family("group_usage_percent", "gauge", "Mean usage of those that report."),
        _of_groups(_usage),
    ),
    Metric(
        Family("group_clones", "gauge", "Clones that a group has for work."),
        _of_groups(_clones),
    ),
    Metric(
        Family("group_standbys", "gauge", "Clones that stand by beside them."),
        _of_groups(_standbys),
    ),
    Metric(
        Family("group_wanted_clones", "gauge", "Clones that the load calls for."),
        _of_groups(_wanted),
    ),
    Metric(
        Family("group_possible_clones", "gauge", "Clones that there is room for."),
        _of_groups(_possible),
    ),
    Metric(
        Family("group_max_clones", "gauge", "Clones that a group may have at most."),
        _of_groups(_most_clones),
    ),
    Metric(
        Family("decision_total", "counter", "Decisions at ticks."),
        _decisions,
    ),
    Metric(
        Family("actions_total", "counter", "Actions that have ended."),
        _actions,
    ),
    Metric(
        Family("action_duration_seconds", "histogram", "How long actions took."),
        _durations,
    ),
    Metric(
        Family("stats_frames_total", "counter", "Statistics frames received."),
        _frames,
    ),
    Metric(
        Family("stats_dropped_total", "counter", "Frames that made no usage."),
        _dropped,
    ),
    Metric(
        Family("stream_up", "gauge", "Whether statistics are subscribed to."),
        _streams,
    ),
    Metric(
        Family("stats_subscription_lost_total", "counter", "Subscriptions ended."),
        _lost,
    ),
    Metric(
        Family("certificate_expiry_seconds", "gauge", "Seconds until it expires."),
        _certificates,
    ),
    Metric(
        Family("tick_lag_seconds", "gauge", "How late the last tick was."),
        _of_daemon(lambda sources: sources.fleet.tick_lag),
    ),
    Metric(
        Family("state_writable", "gauge", "Whether the state can be written."),
        _of_daemon(lambda sources: sources.fleet.is_writable),
    ),
    Metric(
        Family("bugs_contained_total", "counter", "Bugs in what only tells."),
        _of_daemon(lambda sources: sources.tally.bugs),
    ),
    Metric(
        Family("build_info", "gauge", "What runs; its value is 1."),
        _build,
    ),
    Metric(
        Family("balancer_up", "gauge", "Whether a group's balancer answers."),
        _of_balancers(_up),
    ),
    Metric(
        Family("requests_in_flight", "gauge", "Requests that members work on."),
        _of_balancers(_in_flight),
    ),
    Metric(
        Family("held_connections", "gauge", "Connections that wait for a member."),
        _of_balancers(_held),
    ),
    Metric(
        Family("wakes_total", "counter", "Members that waiting connections asked for."),
        _of_balancers(_wakes),
    ),
)
