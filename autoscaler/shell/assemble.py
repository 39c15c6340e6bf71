"""Put a daemon together from what the operator wants and what was kept."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from attrs import evolve

from albatross_client.errors import CertificateError
from albatross_client.names import ROOT, Name
from autoscaler.core.blueprint import Blueprint
from autoscaler.core.events import OwnershipLost
from autoscaler.core.group import Group, GroupId, new_group
from autoscaler.core.moments import Clocks
from autoscaler.core.policy import Mode, Policy
from autoscaler.core.rhythm import Rhythm
from autoscaler.core.snapshot import Snapshot, restore
from autoscaler.shell.configuration.host_tables import HostSettings
from autoscaler.shell.configuration.settings import Settings
from autoscaler.shell.configuration.traffic_tables import TrafficSettings
from autoscaler.shell.drafts import Draft
from autoscaler.shell.fleet import Fleet, Reporter
from autoscaler.shell.hosts.host import Host, Subscribe
from autoscaler.shell.hosts.renewal import RenewingHost
from autoscaler.shell.hosts.watch import Watch
from autoscaler.shell.log import Log
from autoscaler.shell.state.store import Stored

NO_DRAFTS: Mapping[GroupId, Draft] = MappingProxyType({})
NO_TEMPLATES: Mapping[GroupId, Blueprint] = MappingProxyType({})
BY_DOMAIN: Mapping[str, Subscribe] = MappingProxyType({})
# For those who are gone before anything can change.
NOBODY = Log(lambda _level, _name, _fields: None)


def open_hosts(settings: Settings, log: Log = NOBODY) -> Mapping[str, Host]:
    """Return the hosts by name; reads the files of their keys.

    Raises:
        CertificateError: A file can't be read, or they don't fit together.
    """
    return {host.name: open_host(host, log) for host in settings.hosts}


def open_host(host: HostSettings, log: Log = NOBODY) -> Host:
    """Return one host; reads the files of its keys.

    *log* is told when they change later, or expire.

    Raises:
        CertificateError: A file can't be read, or they don't fit together, or
            they don't reach as far as statistics are wanted of.
    """
    opened = RenewingHost(host.access, log)
    if host.subscribe is Subscribe.ROOT and opened.domain != ROOT:
        msg = (
            f'{host.access.ca} acts in {opened.domain} alone: subscribe = "root" needs '
            'the root\'s CA, take "domain" or "unikernel"'
        )
        raise CertificateError(msg)
    return opened


def make_fleet(
    settings: Settings,
    stored: Stored,
    reporter: Reporter,
    clocks: Callable[[], Clocks],
    drafts: Mapping[GroupId, Draft] = NO_DRAFTS,
) -> Fleet:
    """Return the fleet that *settings* want, as an earlier run has left it.

    Needs a running trio.

    Arguments:
        settings: What is wanted.
        stored: What an earlier run has left.
        reporter: Is told what happens to groups.
        clocks: Reads all clocks.
        drafts: What members of managed groups are made from.
    """
    wanted = {group.id: group.policy for group in settings.groups}
    intervals = {host.name: host.stats_interval for host in settings.hosts}
    subscribes = {host.name: host.subscribe for host in settings.hosts}
    templates = {group_id: draft.template for group_id, draft in drafts.items()}
    groups = revive_groups(wanted, stored.snapshots, clocks(), templates)
    fleet = Fleet(
        under_word(groups, stored.word),
        make_watches(wanted, intervals, stored.intervals, subscribes),
        reporter,
        clocks,
        settings.deployment.reconcile_interval,
    )
    fleet.word, fleet.last_id = stored.word, stored.last_id
    fleet.drafts = dict(drafts)
    tell_what_is_lost(wanted, stored, fleet)
    return fleet


def traffic_of(settings: Settings) -> Mapping[GroupId, TrafficSettings]:
    """Return how groups get their requests, of those that have a balancer."""
    return {g.id: g.traffic for g in settings.groups if g.traffic is not None}


def actions_of(settings: Settings) -> Mapping[str, int]:
    """Return how many actions may run at once on each host."""
    return {host.name: host.max_actions_in_flight for host in settings.hosts}


def revive_groups(
    wanted: Mapping[GroupId, Policy],
    kept: Iterable[Snapshot],
    clocks: Clocks,
    templates: Mapping[GroupId, Blueprint] = NO_TEMPLATES,
) -> tuple[Group, ...]:
    """Return the groups that are *wanted*, as an earlier run has left them.

    Arguments:
        wanted: Their policies.
        kept: What was kept of them, and of others.
        clocks: All clocks, now.
        templates: What members of the managed ones are made from.
    """
    snapshots = {snapshot.id: snapshot for snapshot in kept}
    return tuple(
        restore(snapshots[group_id], policy, clocks, templates.get(group_id))
        if group_id in snapshots
        else new_group(group_id, policy, templates.get(group_id))
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


def tell_what_is_lost(
    group_ids: Iterable[GroupId], stored: Stored, fleet: Fleet
) -> None:
    """Tell those of *group_ids* whose record went with a damaged state."""
    if stored.lost_at is not None:
        kept = {snapshot.id for snapshot in stored.snapshots}
        for group_id in set(group_ids) - kept:
            fleet.tell(group_id, OwnershipLost())


def make_watches(
    group_ids: Iterable[GroupId],
    configured: Mapping[str, float | None],
    remembered: Mapping[tuple[str, Name], float],
    subscribes: Mapping[str, Subscribe] = BY_DOMAIN,
) -> tuple[Watch, ...]:
    """Return one watch for each domain of each host that has a group.

    Arguments:
        group_ids: The groups.
        configured: The hosts' stats intervals, seconds; None: measured.
        remembered: What was measured in an earlier run, by host and domain.
        subscribes: At which paths a host is listened to, if not by domain.
    """
    places = dict.fromkeys((g.host, g.domain) for g in group_ids)
    return tuple(
        Watch(
            host,
            domain,
            Rhythm(configured[host], remembered.get((host, domain))),
            subscribes.get(host, Subscribe.DOMAIN),
        )
        for host, domain in places
    )
