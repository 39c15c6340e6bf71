"""`autoscaler destroy --stranded`: remove clones that nobody looks after.

Laws: only what the state says is ours is destroyed; nothing is, unless somebody
has said yes to this very list.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import trio
from attrs import field, frozen

from albatross_client.cli.help import Formatter, examples
from albatross_client.errors import AlbatrossError
from albatross_client.texts import clean
from autoscaler.cli.options import add_config
from autoscaler.cli.output import complain, print_json, print_table
from autoscaler.shell.assemble import open_host
from autoscaler.shell.clock import wall_clock
from autoscaler.shell.configuration.settings import (
    Settings,
    SettingsError,
    load_settings,
)
from autoscaler.shell.operators.control import (
    ControlError,
    DaemonDownError,
    ask,
    user_name,
)
from autoscaler.shell.operators.requests import Reply, Request
from autoscaler.shell.state.reader import read_state
from autoscaler.shell.state.rows import RequestRow
from autoscaler.shell.state.schema import StoreError
from autoscaler.shell.state.store import Store
from autoscaler.shell.stranded import Stray, destroy, strays


def add_command(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``destroy``."""
    parser = subparsers.add_parser(
        "destroy",
        help="remove clones that nobody looks after any more",
        description="Destroy the clones of groups that are no longer configured, as "
        "the state knows them. Asks first. Works whether the daemon runs or not.",
        epilog=examples(
            ("autoscaler destroy --stranded --config FILE", "all of them; asks first"),
            (
                "autoscaler destroy --stranded alpha/user:web-clone-1 --config FILE",
                "this one alone; --yes: without a question",
            ),
        ),
        formatter_class=Formatter,
    )
    parser.add_argument(
        "--stranded",
        action="store_true",
        required=True,
        help="the clones that `status` lists as stranded",
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="HOST/NAME",
        help="these of them alone",
    )
    add_config(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


@frozen(order=True)
class Clone:
    """A stranded clone, as it is listed and asked about."""

    host: str
    name: str

    def __str__(self) -> str:
        return f"{self.host}/{self.name}"


@frozen
class Way:
    """How clones are listed and destroyed: by the daemon, or without it.

    Attributes:
        found: The clones that are stranded.
        destroy: Destroys one of them.
    """

    found: tuple[Clone, ...]
    destroy: Callable[[Clone], Reply]


def run(arguments: argparse.Namespace) -> int:
    """List, ask and destroy; return the exit code."""
    try:
        way = _way(load_settings(arguments.config))
        found = _chosen(way.found, arguments.names)
    except (SettingsError, StoreError, ControlError, LookupError) as error:
        complain(str(error))
        return 1
    if found and not arguments.yes:
        if arguments.json:
            complain("nothing was destroyed: --json asks nobody, so say --yes")
            return 1
        if not _confirmed(found):
            return 1
    replies = {clone: way.destroy(clone) for clone in found}
    _tell(replies, as_json=arguments.json)
    return 0 if all(reply.is_done for reply in replies.values()) else 1


def _chosen(found: tuple[Clone, ...], names: list[str]) -> tuple[Clone, ...]:
    """Return those of *found* that *names* say, all where there are none.

    Raises:
        LookupError: One is not among them.
    """
    known = {str(clone): clone for clone in found}
    for name in names:
        if name not in known:
            msg = f"{clean(name)} is not stranded: it is left alone"
            raise LookupError(msg)
    return tuple(known[name] for name in names) if names else found


def _way(settings: Settings) -> Way:
    """Return the way by the daemon if one answers, else by the state itself.

    Raises:
        ControlError: The daemon does not answer as it should.
        StoreError: The state can't be read.
    """
    directory = settings.deployment.state_dir
    try:
        listed = ask(directory, Request("stranded"))
    except DaemonDownError:
        return _without_daemon(settings)
    if not listed.is_done:
        raise ControlError("\n".join(listed.said))
    found = (Clone(row["host"], row["name"]) for row in listed.rows)
    return Way(tuple(found), partial(_by_daemon, directory))


def _by_daemon(directory: Path, clone: Clone) -> Reply:
    words = {"host": clone.host, "name": clone.name}
    try:
        return ask(directory, Request("destroy_stranded", words))
    except ControlError as error:
        return Reply((f"{clone}: {error}",), is_done=False)


def _without_daemon(settings: Settings) -> Way:
    configured = frozenset(group.id for group in settings.groups)
    state = read_state(settings.deployment.state_dir)
    known = {
        Clone(stray.group.host, str(stray.name)): stray
        for stray in strays(state.snapshots.values(), configured)
    }
    alone = _Alone(settings, known)
    return Way(tuple(known), alone.destroy)


@frozen
class _Alone:
    """Destroys with the keys and the state that the daemon would use."""

    settings: Settings
    known: Mapping[Clone, Stray] = field(repr=False)

    def destroy(self, clone: Clone) -> Reply:
        try:
            return trio.run(self._destroy, self.known[clone])
        except (AlbatrossError, StoreError) as error:
            return Reply((f"{clone}: {error}",), is_done=False)
        except trio.TooSlowError:
            return Reply((f"{clone}: no answer in time",), is_done=False)

    async def _destroy(self, stray: Stray) -> Reply:
        hosts = {host.name: host for host in self.settings.hosts}
        if stray.group.host not in hosts:
            msg = (
                f"{stray}: {stray.group.host} is no longer configured, so its keys are "
                "not known: put it back first"
            )
            return Reply((msg,), is_done=False)
        # A daemon that has begun meanwhile has the lock, and looks after it.
        async with await Store.open(self.settings.deployment.state_dir) as store:
            kept = {each.id: each for each in (await store.load()).snapshots}
            host = open_host(hosts[stray.group.host])
            said = await destroy(stray, kept[stray.group], host, store)
            await store.record_request(_row(stray, said))
        return Reply((f"{stray} {said}",))


def _row(stray: Stray, said: str) -> RequestRow:
    """Return what the history keeps of what we have done ourselves."""
    return RequestRow(
        wall=wall_clock(),
        uid=os.getuid(),
        user=user_name(os.getuid()),
        verb="destroy_stranded",
        words={"host": stray.group.host, "name": str(stray.name)},
        is_done=True,
        said=(f"{stray} {said}",),
    )


def _confirmed(found: tuple[Clone, ...]) -> bool:
    print_table(
        "Stranded: clones of groups that are no longer configured",
        ("host", "clone"),
        ((clone.host, clone.name) for clone in found),
    )
    if not sys.stdin.isatty():
        complain("nothing was destroyed: this is no terminal to ask at, so say --yes")
        return False
    if input(f"Destroy all {len(found)}? [y/N] ").strip().lower() in {"y", "yes"}:
        return True
    complain("nothing was destroyed")
    return False


def _tell(replies: Mapping[Clone, Reply], *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "ok": all(reply.is_done for reply in replies.values()),
                "clones": [
                    {
                        "host": clone.host,
                        "name": clone.name,
                        "destroyed": reply.is_done,
                        "said": "; ".join(reply.said),
                    }
                    for clone, reply in replies.items()
                ],
            }
        )
        return
    if not replies:
        print("nothing is stranded")
    for reply in replies.values():
        for line in reply.said:
            if reply.is_done:
                print(clean(line))
            else:
                complain(line)
