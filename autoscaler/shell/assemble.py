"""Put a fleet together from what the operator wants and what was kept."""

from collections.abc import Iterable, Mapping

from albatross_client.names import Name
from autoscaler.core.group import Group, GroupId, new_group
from autoscaler.core.moments import Clocks
from autoscaler.core.policy import Policy
from autoscaler.core.rhythm import Rhythm
from autoscaler.core.snapshot import Snapshot, restore
from autoscaler.shell.watch import Watch


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
