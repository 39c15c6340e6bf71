"""A daemon of many groups that stands still, for what only reads it."""

from collections import deque
from collections.abc import Iterable, Mapping

from autoscaler.core.group import Group, GroupId
from autoscaler.core.record import Record
from autoscaler.shell.clock import read_clocks
from autoscaler.shell.daemon import Daemon, Parts
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.hosts.watch import Watch
from autoscaler.shell.log import Log
from autoscaler.shell.state.images import ImagesInMemory
from autoscaler.shell.state.store import Store
from autoscaler.shell.web.tally import Tally


def still(
    groups: Iterable[Group], watch: Watch, records: Mapping[GroupId, Record]
) -> Daemon:
    """Return a daemon of *groups*, each with the newest record that it has."""
    fleet = Fleet(groups, [watch], Tally(), read_clocks, 60.0)
    fleet.records = {each: deque([newest]) for each, newest in records.items()}
    parts = Parts(
        hosts={},
        store=Store.in_memory(),
        images=ImagesInMemory(),
        log=Log(lambda *_: None),
        clocks=read_clocks,
        shutdown_timeout=1,
        history_keep=60,
    )
    return Daemon(fleet, parts)
