"""Perform what groups decide: on disk first, then on the host.

An action is written down before it begins and after it ends, so that a daemon
that is killed in between finds at its next start what to ask the host.  An
action that can't be written down does not begin: it has failed.
"""

import random
from collections.abc import Callable

import trio
from attrs import frozen

from albatross_client.names import Name
from autoscaler.core.actions import Action, victim_of
from autoscaler.core.events import ActionEnded, Event, Interrupted
from autoscaler.core.group import Group, GroupId
from autoscaler.core.view import View
from autoscaler.shell.actuate import Images, carry_out
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.host import Host
from autoscaler.shell.log import Field, Log
from autoscaler.shell.reconcile import Reconciler
from autoscaler.shell.scribe import Scribe
from autoscaler.shell.store import Store

# Back-offs of groups that failed together must not end together.
LEAST_JITTER, MOST_JITTER = 0.9, 1.1
# Until an outcome can be written down it is tried again and again.
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 10.0


@frozen
class Site:
    """Where an action takes place: a group, its host, what both tell."""

    group_id: GroupId
    fleet: Fleet
    host: Host
    images: Images
    reconciler: Reconciler

    @property
    def group(self) -> Group:
        """The group as it is now."""
        return self.fleet.groups[self.group_id]

    async def look(self) -> View:
        """Ask the host anew and return what is known then."""
        await self.reconciler.look([self.group_id])
        return self.view()

    def view(self) -> View:
        """Return what is known without asking."""
        return self.fleet.view(self.group_id)

    def first_frame(self, name: Name) -> trio.Event:
        """Return an event that is set with the next frame of *name*."""
        return self.fleet.watch(self.group_id).first_frame(name)

    def tell(self, event: Event) -> None:
        """Let *event* happen to the group."""
        self.fleet.tell(self.group_id, event)


@frozen
class Journal:
    """Where actions are written down.

    Attributes:
        store: On disk.
        scribe: Says when that doesn't work.
        log: For people.
        wall: Reads the wall clock, seconds since 1970.
    """

    store: Store
    scribe: Scribe
    log: Log
    wall: Callable[[], float]


async def perform(action: Action, site: Site, journal: Journal) -> None:
    """Write *action* down, carry it out, and write down what came of it."""
    group_id, fleet = site.group_id, site.fleet
    began = trio.current_time()
    intent = journal.store.begin(fleet.snapshot(group_id), action, journal.wall())
    error = await journal.scribe.write(intent)
    if error is not None:
        ended = ActionEnded(f"not begun: {error}", _jitter())
        site.tell(ended)
        _log_end(action, site, journal, ended.failure, 0.0)
        return
    journal.log.info("action_started", group=str(group_id), **_fields(action))
    ended = await carry_out(action, site, _jitter())
    site.tell(ended)
    took = trio.current_time() - began
    _log_end(action, site, journal, ended.failure, took)
    await _write_end(action, site, journal, ended.failure, took)


async def settle(action: Action, site: Site, journal: Journal) -> None:
    """End *action*, which an earlier run left in flight, by what is listed."""
    failure = _left_undone(action, site.view())
    site.tell(Interrupted(site.view(), _jitter()))
    _log_end(action, site, journal, failure, None)
    await _write_end(action, site, journal, failure, None)


def _left_undone(action: Action, view: View) -> str | None:
    """Return in words what is not as *action* should have left it."""
    undone = [f"{s.name} is not listed" for s in action.slots if not view.lists(s.name)]
    victim = victim_of(action)
    if victim is not None and view.lists(victim):
        undone.append(f"{victim} is still listed")
    return f"the daemon ended before: {', '.join(undone)}" if undone else None


def _log_end(
    action: Action,
    site: Site,
    journal: Journal,
    failure: str | None,
    took_s: float | None,
) -> None:
    fields: dict[str, Field] = {"group": str(site.group_id), **_fields(action)}
    fields["outcome"] = _outcome(failure)
    if took_s is not None:
        fields["took_s"] = round(took_s, 3)
    if failure is None:
        journal.log.info("action_finished", **fields)
    else:
        journal.log.warning("action_finished", **fields, error=failure)


async def _write_end(
    action: Action,
    site: Site,
    journal: Journal,
    failure: str | None,
    took_s: float | None,
) -> None:
    """Write the outcome down, and try again until that works."""
    outcome, pause = _outcome(failure), FIRST_PAUSE_S
    while True:
        snapshot = site.fleet.snapshot(site.group_id)
        writing = journal.store.end(snapshot, action, outcome, failure, took_s)
        error = await journal.scribe.write(writing)
        # An end of the daemon isn't held up: the next start asks the host.
        if error is None or site.fleet.is_stopping:
            return
        await trio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_S)


def _outcome(failure: str | None) -> str:
    return "done" if failure is None else "failed"


def _fields(action: Action) -> dict[str, Field]:
    fields: dict[str, Field] = {
        "action": type(action).__name__,
        "action_id": action.id,
        "reason": action.reason.value,
    }
    if action.slots:
        fields["clones"] = ",".join(str(slot.name) for slot in action.slots)
    victim = victim_of(action)
    if victim is not None:
        fields["victim"] = str(victim)
    return fields


def _jitter() -> float:
    return random.uniform(LEAST_JITTER, MOST_JITTER)  # noqa: S311 - no secret
