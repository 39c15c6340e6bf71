"""Perform what groups decide: on disk first, then on the host.

An action is written down before it begins and after it ends, so that a daemon
that is killed in between finds at its next start what to ask the host.
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
from autoscaler.shell.log import Log
from autoscaler.shell.reconcile import Reconciler
from autoscaler.shell.store import Store

# Back-offs of groups that failed together must not end together.
LEAST_JITTER, MOST_JITTER = 0.9, 1.1


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
        log: For people.
        wall: Reads the wall clock, seconds since 1970.
    """

    store: Store
    log: Log
    wall: Callable[[], float]


async def perform(action: Action, site: Site, journal: Journal) -> None:
    """Write *action* down, carry it out, and write down what came of it."""
    group_id, fleet = site.group_id, site.fleet
    began = trio.current_time()
    await journal.store.begin(fleet.snapshot(group_id), action, journal.wall())
    journal.log.info("action_started", group=str(group_id), **_fields(action))
    ended = await carry_out(action, site, _jitter())
    site.tell(ended)
    took = trio.current_time() - began
    await _write_end(action, site, journal, ended, took)


async def settle(action: Action, site: Site, journal: Journal) -> None:
    """End *action*, which an earlier run left in flight, by what is listed."""
    before = site.group.ledger.changed_at
    site.tell(Interrupted(site.view(), _jitter()))
    changed = site.group.ledger.changed_at != before
    failure = None if changed else "the daemon ended before it was done"
    await _write_end(action, site, journal, ActionEnded(failure), None)


async def _write_end(
    action: Action,
    site: Site,
    journal: Journal,
    ended: ActionEnded,
    took_s: float | None,
) -> None:
    outcome = "done" if ended.failure is None else "failed"
    fields = _fields(action)
    if took_s is not None:
        fields["took_s"] = round(took_s, 3)
    if ended.failure is None:
        journal.log.info(
            "action_finished", group=str(site.group_id), outcome=outcome, **fields
        )
    else:
        journal.log.warning(
            "action_finished",
            group=str(site.group_id),
            outcome=outcome,
            error=ended.failure,
            **fields,
        )
    snapshot = site.fleet.snapshot(site.group_id)
    await journal.store.end(snapshot, action, outcome, ended.failure, took_s)


def _fields(action: Action) -> dict[str, str | int | float]:
    fields: dict[str, str | int | float] = {
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
