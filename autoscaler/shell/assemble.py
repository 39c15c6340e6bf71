"""Put a daemon together from what the operator wants and what was kept."""

from collections.abc import Callable, Iterable, Mapping

from attrs import evolve

from albatross_client.client import Client
from albatross_client.hosts import open_private_endpoint
from albatross_client.names import Name
from autoscaler.core.events import OwnershipLost
from autoscaler.core.group import Group, GroupId, new_group
from autoscaler.core.moments import Clocks
from autoscaler.core.policy import Mode, Policy
from autoscaler.core.rhythm import Rhythm
from autoscaler.core.snapshot import Snapshot, restore
from autoscaler.shell.fleet import Fleet, Reporter
from autoscaler.shell.host import Host
from autoscaler.shell.host_tables import HostSettings
from autoscaler.shell.settings import Settings
from autoscaler.shell.store import Stored
from autoscaler.shell.watch import Watch


def open_hosts(settings: Settings) -> Mapping[str, Host]:
    """Return the hosts by name; reads the files of their keys.

    Raises:
        CertificateError: A file can't be read, or they don't fit together.
    """
    return {host.name: open_host(host) for host in settings.hosts}


def open_host(host: HostSettings) -> Host:
    """Return one host; reads the files of its keys.

    Raises:
        CertificateError: A file can't be read, or they don't fit together.
    """
    return Client(open_private_endpoint(host.access))


def make_fleet(
    settings: Settings,
    stored: Stored,
    reporter: Reporter,
    clocks: Callable[[], Clocks],
) -> Fleet:
    """Return the fleet that *settings* want, as an earlier run has left it.

    Needs a running trio.
    """
    wanted = {group.id: group.policy for group in settings.groups}
    intervals = {host.name: host.stats_interval for host in settings.hosts}
    groups = revive_groups(wanted, stored.snapshots, clocks())
    fleet = Fleet(
        under_word(groups, stored.word),
        make_watches(wanted, intervals, stored.intervals),
        reporter,
        clocks,
        settings.deployment.reconcile_interval,
    )
    fleet.word = stored.word
    if stored.lost_at is not None:
        kept = {snapshot.id for snapshot in stored.snapshots}
        for group_id in set(wanted) - kept:
            fleet.tell(group_id, OwnershipLost())
    return fleet


def revive_groups(
    wanted: Mapping[GroupId, Policy],
    kept: Iterable[Snapshot],
    clocks: Clocks,
) -> tuple[Group, ...]:
    """Return the groups that are *wanted*, as an earlier run has left them."""
    snapshots = {snapshot.id: snapshot for snapshot in kept}
    return tuple(
        restore(snapshots[group_id], policy, clocks)
        if group_id in snapshots
        else new_group(group_id, policy)
        for group_id, policy in wanted.items()
    )


def under_word(groups: Iterable[Group], word: Mode | None) -> tuple[Group, ...]:
    """Return *groups*; those without a word of their own get *word*."""
    return tuple(
        group
        if group.ledger.mode is not None
        else evolve(group, ledger=evolve(group.ledger, mode=word))
        for group in groups
    )


def make_watches(
    group_ids: Iterable[GroupId],
    configured: Mapping[str, float | None],
    remembered: Mapping[tuple[str, Name], float],
) -> tuple[Watch, ...]:
    """Return one watch for each domain of each host that has a group.

    Arguments:
        group_ids: The groups.
        configured: The hosts' stats intervals, seconds; None: measured.
        remembered: What was measured in an earlier run, by host and domain.
    """
    places = dict.fromkeys((g.host, g.primary.domain) for g in group_ids)
    return tuple(
        Watch(host, domain, Rhythm(configured[host], remembered.get((host, domain))))
        for host, domain in places
    )
