"""Perform what groups decide: on disk first, then on the host.

An action is written down before it begins, at each of its steps and after it
ends, so that a daemon that is killed in between finds at its next start what
to ask the host.  An action that can't be written down does not begin: it has
failed.
"""

import random
from collections.abc import Callable

import trio
from attrs import define, field, frozen

from albatross_client.names import Name
from autoscaler.core.actions import Action, DestroyClone, names_of, victim_of
from autoscaler.core.events import ActionEnded, CloneDestroyed, Event, Interrupted
from autoscaler.core.group import Group, GroupId
from autoscaler.core.view import View
from autoscaler.shell.acting.actuate import carry_out
from autoscaler.shell.acting.balanced import Balancing
from autoscaler.shell.acting.inquest import Death, Witness, examine
from autoscaler.shell.acting.turns import Turn, Turns
from autoscaler.shell.acting.work import Images, Work
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.hosts.host import Host
from autoscaler.shell.log import Field, Log
from autoscaler.shell.reconcile import Reconciler
from autoscaler.shell.state.schema import StoreError
from autoscaler.shell.state.scribe import Scribe
from autoscaler.shell.state.store import Step, Store

# Back-offs of groups that failed together must not end together.
LEAST_JITTER, MOST_JITTER = 0.9, 1.1
# An action waits no longer than this for its turn.
PATIENCE_S = 60.0
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
    turn: Turn = field(factory=Turn)
    balancing: Balancing | None = None
    witness: Witness = field(factory=Witness)

    @property
    def group(self) -> Group:
        """The group as it is now."""
        return self.fleet.groups[self.group_id]

    async def look(self) -> View:
        """Ask the host anew and return what is known then."""
        await self.reconciler.look([self.group_id])
        view = self.view()
        self.witness.see(view)
        return view

    def view(self) -> View:
        """Return what is known without asking."""
        return self.fleet.view(self.group_id)

    def first_frame(self, name: Name) -> trio.Event:
        """Return an event that is set with the next frame of *name*."""
        return self.fleet.watch(self.group_id).first_frame(name)

    def tell(self, event: Event) -> None:
        """Let *event* happen to the group."""
        if isinstance(event, CloneDestroyed):
            # Then nothing is known of it any more.
            self.witness.see(self.view())
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


@define
class Entry:
    """One action in the journal, from its intent on.

    Attributes:
        action: As it begins.
        site: Where it takes place.
        journal: Where it is written down.
        error: Why it could not be.
    """

    action: Action
    site: Site
    journal: Journal
    error: StoreError | None = field(default=None, init=False)
    _is_written: trio.Event = field(factory=trio.Event, init=False)

    async def begin(self, scope: trio.CancelScope) -> None:
        """Write down what is intended; where that fails, *scope* is over."""
        journal, action, group_id = self.journal, self.action, self.site.group_id
        snapshot = self.site.fleet.snapshot(group_id)
        intent = journal.store.begin(snapshot, action, journal.wall())
        self.error = await journal.scribe.write(intent)
        self._is_written.set()
        if self.error is not None:
            scope.cancel()
            return
        journal.log.info("action_started", group=str(group_id), **_fields(action))

    async def note(self, name: Name, step: Step) -> StoreError | None:
        """Write down how far *name* has come; returns why that failed."""
        await self._is_written.wait()
        if self.error is not None:
            return self.error
        return await _note(self.action, self.site, self.journal, (name, step))


async def perform_in_turn(
    action: Action, site: Site, journal: Journal, turns: Turns
) -> None:
    """Perform *action* once it is its turn; till then its group is busy.

    What was decided long ago may be wrong by now: an action that waits for
    more than `PATIENCE_S` is withdrawn, and the group decides anew.
    """
    group, asked = str(site.group_id), trio.current_time()
    try:
        is_held = site.turn.take_at_once()
        if not is_held:
            journal.log.event("action_waiting", group=group, **_fields(action))
            is_held = await turns.wait(site.turn, PATIENCE_S)
        if is_held:
            await perform(action, site, journal)
        else:
            site.tell(ActionEnded(action.id, jitter=_jitter()))
            journal.log.event("action_withdrawn", group=group, **_fields(action))
            await _withdraw(action, site, journal, trio.current_time() - asked)
    finally:
        site.turn.give_back()


async def _withdraw(
    action: Action, site: Site, journal: Journal, waited_s: float
) -> None:
    """Write down that *action* was never begun; nothing depends on that."""
    is_over = site.fleet.is_stopping
    why = "the daemon ended before its turn came" if is_over else "no turn came in time"
    writing = journal.store.withdraw(site.group_id, action, why, waited_s)
    await journal.scribe.write(writing)


async def perform(action: Action, site: Site, journal: Journal) -> None:
    """Write *action* down, carry it out, and write down what came of it."""
    began, entry = trio.current_time(), Entry(action, site, journal)
    ended = await _carry_out(entry, _jitter())
    # Another victim may have taken the place of the first.
    action = _current(action, site.group)
    site.tell(ended)
    took = trio.current_time() - began
    _log_end(action, site, journal, ended.failure, took)
    if entry.error is None:
        await _write_end(action, site, journal, ended.failure, took)
        await _bury_all(action, site, journal, ended.failure)


async def settle(action: Action, site: Site, journal: Journal) -> None:
    """End *action*, which an earlier run left in flight, by what is listed."""
    unsent = await _unsent(action, site, journal)
    view = site.view()
    failure = _left_undone(action, view, unsent)
    site.tell(Interrupted(action.id, view, _jitter(), unsent))
    _log_end(action, site, journal, failure, None)
    for slot in action.slots:
        if view.lists(slot.name) and slot.name not in unsent:
            await _note(action, site, journal, (slot.name, Step.DONE))
    await _write_end(action, site, journal, failure, None)
    await _bury_all(action, site, journal, failure)


async def _bury_all(
    action: Action, site: Site, journal: Journal, failure: str | None
) -> None:
    """Write down what was last known of the clones that *action* lost."""
    site.turn.give_back()
    alive = {clone.name for clone in site.group.clones}
    for name in names_of(action):
        if name not in alive and not site.fleet.is_stopping:
            death = Death(
                group=site.group_id,
                name=name,
                at=journal.wall(),
                why=action.reason.value,
                failure=failure,
                decision_id=action.decision_id,
            )
            await bury(death, site.witness, site.host, journal)


async def bury(death: Death, witness: Witness, host: Host, journal: Journal) -> None:
    """Write down what was last known of the clone of *death*."""
    mortem = await examine(death, witness, host)
    await journal.scribe.write(journal.store.bury(mortem))


async def _carry_out(entry: Entry, jitter: float) -> ActionEnded:
    """Carry the action out while its intent is written down.

    Until its first effect, which waits for the journal, it only asks.
    """
    async with trio.open_nursery() as nursery:
        nursery.start_soon(entry.begin, nursery.cancel_scope)
        ended = await carry_out(entry.action, Work(entry.site, entry), jitter)
    if entry.error is not None:
        return ActionEnded(entry.action.id, f"not begun: {entry.error}", jitter)
    return ended


async def _note(
    action: Action, site: Site, journal: Journal, come: tuple[Name, Step]
) -> StoreError | None:
    """Write down how far a clone of *action* has come."""
    snapshot = site.fleet.snapshot(site.group_id)
    noting = journal.store.note(snapshot, action, *come)
    return await journal.scribe.write(noting)


async def _unsent(action: Action, site: Site, journal: Journal) -> frozenset[Name]:
    """Return the clones of *action* whose create was certainly not sent."""
    try:
        steps = await journal.store.steps(site.group_id, action)
    except StoreError:
        # Then any of them may have been.
        return frozenset()
    names = {slot.name for slot in action.slots}
    return frozenset(n for n in names if steps.get(n) is Step.INTENDED)


def _left_undone(action: Action, view: View, unsent: frozenset[Name]) -> str | None:
    """Return in words what is not as *action* should have left it."""
    names = [slot.name for slot in action.slots]
    undone = [f"{name} is not listed" for name in names if not view.lists(name)]
    undone += [f"{name} is not ours" for name in unsent if view.lists(name)]
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


def _current(action: Action, group: Group) -> Action:
    """Return *action*, which is in flight, with the victim that it has now."""
    current = group.ledger.action(action.id)
    return current if isinstance(current, DestroyClone) else action


def _outcome(failure: str | None) -> str:
    return "done" if failure is None else "failed"


def _fields(action: Action) -> dict[str, Field]:
    fields: dict[str, Field] = {
        **({} if action.decision_id is None else {"decision_id": action.decision_id}),
        "action": type(action).__name__,
        "action_id": action.id,
        "reason": action.reason.value,
    }
    if action.slots:
        fields["creates"] = ",".join(str(slot.name) for slot in action.slots)
    victim = victim_of(action)
    if victim is not None:
        fields["victim"] = str(victim)
    if isinstance(action, DestroyClone) and action.instead_of is not None:
        fields["instead_of"] = str(action.instead_of)
    return fields


def _jitter() -> float:
    return random.uniform(LEAST_JITTER, MOST_JITTER)  # noqa: S311 - no secret
