"""Follow another configuration without a restart, all of it or nothing.

Laws: until every file was read and every key fits, nothing changes; what the
new configuration says as the old one did goes on as if nothing had happened.
"""

from collections.abc import Awaitable, Callable, Mapping

import trio
from attrs import field, frozen

from albatross_client.errors import CertificateError
from autoscaler.shell.assemble import (
    actions_of,
    make_watches,
    revive_groups,
    tell_what_is_lost,
    traffic_of,
    under_word,
)
from autoscaler.shell.clock import wall_clock
from autoscaler.shell.configuration.changes import Change, changes
from autoscaler.shell.configuration.problems import (
    Place,
    Problem,
    SettingsError,
    titled,
)
from autoscaler.shell.configuration.settings import HostSettings, Settings
from autoscaler.shell.daemon import Adjustment, Daemon
from autoscaler.shell.deploy import stock
from autoscaler.shell.drafts import Drafts, Read, read_drafts, read_file
from autoscaler.shell.hosts.host import Host
from autoscaler.shell.log import Log
from autoscaler.shell.notifying.notices import Receiver
from autoscaler.shell.notifying.opening import open_receivers
from autoscaler.shell.state.schema import StoreError
from autoscaler.shell.state.store import Store, Stored

# So many changes are told in one line of the log; `check --diff` tells all.
MOST_TOLD = 5


@frozen
class Wanted:
    """A configuration of which every file could be read.

    Attributes:
        settings: What it says.
        hosts: By name, with their keys.
        drafts: What managed groups are made from, with their images.
        receivers: Who is told of events, with their keys.
    """

    settings: Settings
    hosts: Mapping[str, Host]
    drafts: Drafts = field(factory=Drafts)
    receivers: tuple[Receiver, ...] = ()


# Reads the configuration anew; raises SettingsError.
Source = Callable[[], Awaitable[Wanted]]


def open_wanted(
    settings: Settings,
    open_host: Callable[[HostSettings], Host],
    read: Read = read_file,
) -> Wanted:
    """Return *settings* with their hosts and images.

    Arguments:
        settings: A configuration.
        open_host: Reads the keys of a host; raises CertificateError.
        read: Reads an image.

    Raises:
        SettingsError: Keys or images can't be used; all complaints are told.
    """
    hosts: dict[str, Host] = {}
    problems: list[Problem] = []
    for number, host in enumerate(settings.hosts, 1):
        try:
            hosts[host.name] = open_host(host)
        except CertificateError as error:
            place = Place(settings.path, titled("hosts", number, host.name))
            problems.append(place.problem(str(error)))
    drafts, unfit = read_drafts(settings, read)
    receivers, unheard = open_receivers(settings, wall_clock)
    if problems or unfit or unheard:
        raise SettingsError([*problems, *unfit, *unheard])
    return Wanted(settings, hosts, drafts, receivers)


class Reloader:
    """Knows what configuration is in force, and puts another in its place.

    Attributes:
        settings: What is in force.
        follow: Told what is from now on, after the daemon.
    """

    def __init__(
        self, daemon: Daemon, settings: Settings, source: Source, store: Store, log: Log
    ) -> None:
        """Let *daemon*, which follows *settings*, follow what is read."""
        self.settings = settings
        self._daemon = daemon
        self._source = source
        self._store = store
        self._log = log
        self._turn = trio.Lock()
        self.follow: Callable[[Wanted], None] = lambda _wanted: None

    async def reload(self) -> tuple[Change, ...]:
        """Read the configuration again, follow it, and return what differs.

        Raises:
            SettingsError: The old one stays in force; all that is wrong with
                the new one is told, here and in the log.
        """
        async with self._turn:
            try:
                wanted = await self._source()
                differs = changes(self.settings, wanted.settings)
                self._check(wanted.settings, differs)
                stored = await self._stored(wanted.settings)
            except SettingsError as error:
                for problem in error.problems:
                    self._log.event("configuration_refused", error=str(problem))
                raise
            await stock(self._daemon.images, wanted.drafts.images)
            adjustment = self._adjustment(wanted, stored)
            self._daemon.adjust(adjustment)
            self.follow(wanted)
            new = (group.id for group in adjustment.groups)
            tell_what_is_lost(new, stored, self._daemon.fleet)
            self.settings = wanted.settings
        told = [str(change) for change in differs[:MOST_TOLD]]
        if len(differs) > MOST_TOLD:
            told.append(f"and {len(differs) - MOST_TOLD} more")
        self._log.event(
            "configuration_reloaded", changes=len(differs), differs="; ".join(told)
        )
        return differs

    def _check(self, wanted: Settings, differs: tuple[Change, ...]) -> None:
        """Refuse what a daemon that runs can't follow."""
        problems = [
            Place(wanted.path, f"[{change.what}]").problem(
                f"can't change without a restart: {change.says}", change.key
            )
            for change in differs
            if change.needs_restart
        ]
        if self._daemon.fleet.is_stopping:
            problems.append(Place(wanted.path).problem("the daemon is about to end"))
        if problems:
            raise SettingsError(problems)

    async def _stored(self, wanted: Settings) -> Stored:
        """Return what an earlier time has left of groups that are new."""
        fleet = self._daemon.fleet
        if all(group.id in fleet.groups for group in wanted.groups):
            return Stored((), {})
        try:
            return await self._store.load()
        except StoreError as error:
            # Without it a new group might take its own clones for foreign.
            raise SettingsError([Place(wanted.path).problem(str(error))]) from error

    def _adjustment(self, wanted: Wanted, stored: Stored) -> Adjustment:
        settings, fleet = wanted.settings, self._daemon.fleet
        drafts = wanted.drafts
        policies = {group.id: group.policy for group in settings.groups}
        intervals = {host.name: host.stats_interval for host in settings.hosts}
        subscribes = {host.name: host.subscribe for host in settings.hosts}
        kept = {snapshot.id: snapshot for snapshot in stored.snapshots}
        # What was left a moment ago may not be written yet.
        kept.update(fleet.left)
        new = {g: policy for g, policy in policies.items() if g not in fleet.groups}
        deployment = settings.deployment
        return Adjustment(
            hosts=wanted.hosts,
            moved=frozenset(_moved(self.settings, settings)),
            intervals=intervals,
            subscribes=subscribes,
            in_flight=deployment.max_actions_in_flight,
            in_flight_of=actions_of(settings),
            policies=policies,
            drafts=drafts.by_group,
            traffic=traffic_of(settings),
            groups=under_word(
                revive_groups(new, kept.values(), fleet.clocks(), drafts.templates),
                fleet.word,
            ),
            watches=make_watches(new, intervals, stored.intervals, subscribes),
            reconcile_interval=deployment.reconcile_interval,
            shutdown_timeout=deployment.shutdown_timeout,
            history_keep=deployment.history_keep,
        )


def _moved(old: Settings, new: Settings) -> set[str]:
    """Return the hosts at another address, or followed in another way."""
    before = {host.name: (host.address, host.subscribe) for host in old.hosts}
    return {
        host.name
        for host in new.hosts
        if host.name in before and before[host.name] != (host.address, host.subscribe)
    }
