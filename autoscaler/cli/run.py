"""`autoscaler run`: the daemon itself."""

import argparse
import os
import signal
from collections.abc import Callable, Collection
from functools import partial

import trio
from attrs import evolve

from albatross_client.cli.help import Formatter, examples
from albatross_client.errors import CertificateError
from albatross_client.secrecy import keep_memory_private
from autoscaler.cli.options import add_config
from autoscaler.cli.output import complain
from autoscaler.core.policy import Mode
from autoscaler.shell.acting.turns import Turns
from autoscaler.shell.assemble import (
    actions_of,
    make_fleet,
    open_host,
    open_hosts,
    traffic_of,
)
from autoscaler.shell.clock import read_clocks, wall_clock
from autoscaler.shell.configuration.problems import SettingsError
from autoscaler.shell.configuration.settings import Deployment, Settings, load_settings
from autoscaler.shell.daemon import Companion, Daemon, Parts
from autoscaler.shell.deploy import Lookout, Shelf, stock
from autoscaler.shell.drafts import read_drafts
from autoscaler.shell.events import LEVELS
from autoscaler.shell.fleet import Fleet, Reporter
from autoscaler.shell.garbage import collect_seldom
from autoscaler.shell.log import FORMATS, Log, configure
from autoscaler.shell.notifying.notices import Notices
from autoscaler.shell.notifying.opening import open_all
from autoscaler.shell.operators.desk import Desk, Ledgers
from autoscaler.shell.operators.notify import notifier
from autoscaler.shell.operators.service import (
    for_systemd,
    hear_operators,
    reload_at_signal,
)
from autoscaler.shell.reload import Reloader, Wanted, open_wanted
from autoscaler.shell.report import LogReporter, Reporters
from autoscaler.shell.state.images import ImageFiles
from autoscaler.shell.state.schema import StoreError
from autoscaler.shell.state.store import Store, Stored
from autoscaler.shell.stranded import tell_of_strays
from autoscaler.shell.web.tally import Tally

STOPS = (signal.SIGTERM, signal.SIGINT)


def add_command(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``run``."""
    parser = subparsers.add_parser(
        "run",
        help="run the daemon",
        description="Follow the statistics of all hosts, and scale the groups.",
        epilog=examples(
            ("autoscaler run --config FILE", ""),
            (
                "autoscaler run --config FILE --mode observe",
                "to see what it would do, before it may",
            ),
            (
                "autoscaler run --config FILE --log-format json --log-level debug",
                "every tick, for programs",
            ),
        ),
        formatter_class=Formatter,
    )
    add_config(parser)
    parser.add_argument(
        "--mode",
        choices=[mode.value for mode in Mode],
        default=Mode.ACTIVE.value,
        help="the most that may be done, whatever the file allows: "
        "`observe` only says what it would do",
    )
    parser.add_argument(
        "--log-format",
        choices=FORMATS,
        default="auto",
        help="auto: journal where standard error is the journal of systemd, else "
        "logfmt",
    )
    parser.add_argument(
        "--log-level",
        choices=LEVELS,
        default="info",
        help="the least that is worth a line; default: info",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the daemon until a signal ends it; return the exit code."""

    def read() -> Settings:
        return limited(load_settings(arguments.config), Mode(arguments.mode))

    try:
        settings = read()
    except SettingsError as error:
        complain(str(error))
        return 1
    collect_seldom()
    keep_memory_private()
    log = configure(arguments.log_format, arguments.log_level)
    try:
        trio.run(serve, settings, log, STOPS, read)
    except (CertificateError, SettingsError, StoreError) as error:
        complain(f"autoscaler: {error}")
        return 1
    return 0


def limited(settings: Settings, mode: Mode) -> Settings:
    """Return *settings* with nothing in a bolder mode than *mode*."""
    groups = tuple(
        evolve(
            group, policy=evolve(group.policy, mode=group.policy.mode.limited_by(mode))
        )
        for group in settings.groups
    )
    deployment = settings.deployment
    limited_to = evolve(deployment, mode=deployment.mode.limited_by(mode))
    return evolve(settings, deployment=limited_to, groups=groups)


async def serve(
    settings: Settings,
    log: Log,
    signals: Collection[signal.Signals] = STOPS,
    read: Callable[[], Settings] | None = None,
    *,
    task_status: trio.TaskStatus[Fleet] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run the daemon of *settings* until one of *signals* comes.

    The status that it reports is the fleet.

    Arguments:
        settings: What it begins with.
        log: Where events go.
        signals: What ends it; with none, no signal reloads it either.
        read: Reads the settings anew for a reload; None: from their file.
        task_status: Told when it runs.

    Raises:
        CertificateError: The files of a host's keys can't be used.
        SettingsError: The image of a managed group, or what somebody who is
            told of events needs, can't be used.
        StoreError: The state can't be used.
    """
    tally, reporter = _counted(log)
    notices, hosts = _notices(settings, log), open_hosts(settings, log)
    drafts, problems = read_drafts(settings)
    if problems:
        raise SettingsError(problems)
    deployment = settings.deployment
    async with await Store.open(deployment.state_dir) as store:
        stored = await store.load()
        fleet = make_fleet(settings, stored, reporter, read_clocks, drafts.by_group)
        shelf = Shelf(ImageFiles(deployment.state_dir / "images", log), fleet)
        await stock(shelf, drafts.images)
        parts = Parts(
            hosts=hosts,
            store=store,
            images=shelf,
            log=log,
            clocks=read_clocks,
            shutdown_timeout=deployment.shutdown_timeout,
            history_keep=deployment.history_keep,
            turns=Turns(deployment.max_actions_in_flight, actions_of(settings)),
            traffic=traffic_of(settings),
        )
        _tell_start(deployment, fleet, log, hosts=len(hosts))
        _tell_past(store, stored, fleet, log)
        task_status.started(fleet)
        daemon, told = Daemon(fleet, parts), notifier(os.environ)
        source = partial(
            read_wanted, read or partial(load_settings, settings.path), log
        )
        reloader = Reloader(daemon, settings, source, store, log)
        reloader.follow = lambda wanted: notices.follow(wanted.receivers)
        desk = Desk(daemon, reloader, Ledgers(store, log, told))
        companions = (
            *await hear_operators(deployment.state_dir, desk, log),
            *for_systemd(daemon, told),
            Lookout(fleet, shelf, log).look_for_ever,
            notices.run,
            *([partial(reload_at_signal, desk)] if signals else ()),
            *_over_http(settings, desk, tally, log),
        )
        await daemon.run(signals, companions)
    log.event("daemon_stopped")
    await notices.finish()


async def read_wanted(read: Callable[[], Settings], log: Log) -> Wanted:
    """Return what *read* reads, with its hosts, without holding up anything.

    *log* is told of what becomes of their keys later.

    Raises:
        SettingsError: Something in it, or in the files it names, is wrong.
    """

    def read_all() -> Wanted:
        return open_wanted(read(), partial(open_host, log=log))

    return await trio.to_thread.run_sync(read_all)


def _notices(settings: Settings, log: Log) -> Notices:
    """Return who is told of all that *log* writes from now on.

    Raises:
        SettingsError: A file that they need can't be used.
    """
    receivers = open_all(settings, wall_clock)
    notices = Notices(settings.deployment.name, log, wall_clock)
    notices.follow(receivers)
    log.sink = notices.tap(log.sink)
    return notices


def _counted(log: Log) -> tuple[Tally, Reporter]:
    """Return what counts all that *log* is told, and who tells both."""
    tally = Tally()
    log.listener = tally.hear
    return tally, Reporters((LogReporter(log), tally))


def _over_http(
    settings: Settings, desk: Desk, tally: Tally, log: Log
) -> tuple[Companion, ...]:
    """Return what answers over HTTP, where *settings* want that."""
    if settings.http is None:
        return ()
    # Only then: it takes some megabytes that most daemons never need.
    from autoscaler.shell.web.service import answer_clients  # noqa: PLC0415 - see above

    return answer_clients(settings.http, desk, tally, log)


def _tell_start(deployment: Deployment, fleet: Fleet, log: Log, hosts: int) -> None:
    log.event(
        "daemon_started",
        deployment=deployment.name,
        mode=deployment.mode.value,
        hosts=hosts,
        groups=len(fleet.groups),
    )


def _tell_past(store: Store, stored: Stored, fleet: Fleet, log: Log) -> None:
    """Say if the state was lost, and name clones of groups that are gone."""
    if store.set_aside is not None:
        log.event("state_set_aside", file=str(store.set_aside))
    for snapshot in stored.snapshots:
        if snapshot.id not in fleet.groups:
            tell_of_strays(snapshot, log)
