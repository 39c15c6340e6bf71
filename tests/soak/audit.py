"""What must hold whatever happens, looked at with every event of every group.

The judge knows more than the daemon: what really runs, who made it, who is
silent.  It keeps its own account of what the daemon did, so that a daemon that
forgets is found out.
"""

import math
from collections import Counter, deque
from collections.abc import Callable, Mapping
from sqlite3 import Connection

import trio
from attrs import define, field

from albatross_client.names import Name
from autoscaler.core.actions import Action, CreateClones, ReplaceClone, victim_of
from autoscaler.core.budget import HOUR_S, REPLACEMENTS_AN_HOUR
from autoscaler.core.decision import MemberClass, Reason
from autoscaler.core.events import (
    CloneCreated,
    CloneDestroyed,
    Event,
    Interrupted,
    Note,
    NoteKind,
    Ticked,
)
from autoscaler.core.group import Group, GroupId
from autoscaler.core.policy import Mode
from autoscaler.shell.hosts.watch import Watch
from tests.soak.host import SoakHost, Verb

# Instants that were kept lose a little to the floats of three clocks.
ROUNDING_S = 0.01
KEPT_VIOLATIONS = 5
MOST_REPLACED = 64


@define
class Account:
    """What one group did, as the judge has seen it.

    Attributes:
        last_number: The highest number of a clone that a host was asked for.
        last_action: The number of the last action that a host heard of.
        open: The action that has begun and not ended.
        opened: When it began.
        touched: Whether it has changed anything.
        changed_at: When an action that did has last ended.
        replaced: When replacements began.
        acted: When actions by load began.
        calm: Reasons of actions since anything but time has happened.
        disturbed: When anything but time has last happened.
    """

    last_number: int = 0
    last_action: int = 0
    open: Action | None = None
    opened: float = 0.0
    touched: bool = False
    changed_at: float | None = None
    replaced: deque[float] = field(factory=lambda: deque(maxlen=MOST_REPLACED))
    acted: deque[float] = field(factory=lambda: deque(maxlen=MOST_REPLACED))
    calm: set[Reason] = field(factory=set)
    disturbed: float = 0.0
    overloaded_since: float | None = None


@define
class Judge:
    """Holds the daemon to what it promises.

    Attributes:
        hosts: By name, as they really are.
        journal: The state, where intents have to be.
        history: Says what has happened lately.
        ours: Clones that the daemon has made or taken on; when they last ran.
        accounts: By group.
        actions: How many have begun, by reason.
        events: How many groups were told.
        unwritable_at: When the state could last not be written.
        violations: What should never be.
    """

    hosts: Mapping[str, SoakHost]
    journal: Connection
    history: Callable[[], list[str]]
    accounts: dict[GroupId, Account] = field(factory=dict)
    ours: dict[tuple[str, Name], float] = field(factory=dict)
    actions: Counter[str] = field(factory=Counter)
    events: int = 0
    unwritable_at: float = -math.inf
    violations: list[str] = field(factory=list)

    def account(self, group_id: GroupId) -> Account:
        return self.accounts.setdefault(group_id, Account())

    def disturb(self, *group_ids: GroupId) -> None:
        """Something other than time has happened to these groups."""
        for group_id in group_ids:
            account = self.account(group_id)
            account.calm.clear()
            account.disturbed = trio.current_time()
            account.overloaded_since = None

    def require(self, holds: bool, group_id: GroupId, what: str) -> None:  # noqa: FBT001 - reads as one sentence
        """Note that *what* is wrong, unless it *holds*."""
        if not holds:
            self.accuse(group_id, what)

    def accuse(self, whom: GroupId | str, what: str) -> None:
        """Note that *what* is wrong."""
        if len(self.violations) >= KEPT_VIOLATIONS:
            return
        when = f"second {trio.current_time():.1f}"
        story = "\n    ".join(self.history())
        self.violations.append(f"{when}, {whom}: {what}\n    {story}")

    # What clients are about to change

    def commanded(self, host: str, verb: Verb, name: Name) -> None:
        """A client sends *verb* for *name* to *host*."""
        group_id = next(
            g for g in self.accounts if g.host == host and g.number_of(name) is not None
        )
        open_actions = self.journal.execute(
            "SELECT action FROM actions WHERE host = ? AND primary_name = ? "
            "AND ended IS NULL",
            (host, str(group_id.name)),
        ).fetchall()
        self.require(
            any(f'"{name}"' in text for (text,) in open_actions),
            group_id,
            f"{verb} {name} without an intent on record",
        )
        account = self.account(group_id)
        if account.open is not None:
            account.last_action = account.open.id
        if verb == "destroy":
            mine = (host, name) in self.ours
            self.require(mine, group_id, f"{name} isn't ours to destroy")
            return
        number = group_id.number_of(name) or 0
        grown = number > account.last_number
        self.require(grown, group_id, f"{name} is created after {account.last_number}")
        account.last_number = max(account.last_number, number)
        self.ours[host, name] = trio.current_time()

    # What groups are told

    def told(self, before: Group, after: Group, event: Event, watch: Watch) -> None:
        """*event* has made *after* of the group that was *before*."""
        self.events += 1
        account = self.account(after.id)
        if isinstance(event, CloneCreated | CloneDestroyed):
            account.touched = True
        had, has = before.ledger.actions, after.ledger.actions
        if has and not had:
            self._begun(after, has[0], watch)
        if had and not has:
            self._ended(after, event)
        if not isinstance(event, Ticked):
            self._members(after)

    def noted(self, group: Group, note: Note) -> None:
        """The daemon says something about a member."""
        if note.kind is NoteKind.ADOPTED:
            infos = self.hosts[group.id.host].live.state.unikernels
            primary, clone = infos.get(group.id.name), infos.get(note.name)
            self.require(
                primary is None or clone is None or primary.digest == clone.digest,
                group.id,
                f"{note.name} is adopted, but runs another image",
            )
            self.ours[group.id.host, note.name] = trio.current_time()
        if note.kind is NoteKind.TURNED_UP:
            self.require(
                (group.id.host, note.name) in self.ours,
                group.id,
                f"{note.name} turned up, but was never asked for",
            )

    def _begun(self, group: Group, action: Action, watch: Watch) -> None:
        account, now, id_ = self.account(group.id), trio.current_time(), group.id
        self.actions[action.reason.value] += 1
        self.require(account.open is None, id_, f"{action} while {account.open}")
        new = action.id > account.last_action
        self.require(new, id_, f"action {action.id} is begun again")
        mode = group.mode
        self.require(mode is Mode.ACTIVE, id_, f"{action} in mode {mode.value}")
        account.open, account.opened, account.touched = action, now, False
        for slot in action.slots:
            fresh = slot.number > account.last_number
            self.require(fresh, id_, f"the number of {slot.name} is used again")
        self._check_size(group, action)
        victim = victim_of(action)
        if victim is not None:
            mine = (id_.host, victim) in self.ours and victim != id_.name
            self.require(mine, id_, f"{victim} is a victim, and not ours")
        # How often there is a new image is the operator's affair.
        if isinstance(action, ReplaceClone) and action.reason is Reason.GIVEN_UP:
            account.replaced.append(now)
            lately = [at for at in account.replaced if now - at < HOUR_S - 1]
            few = len(lately) <= REPLACEMENTS_AN_HOUR
            self.require(few, id_, f"{len(lately)} replacements in an hour")
        if action.reason in {Reason.HIGH, Reason.LOW}:
            self._check_load_decision(group, action, watch)

    def _check_size(self, group: Group, action: Action) -> None:
        if not action.slots:
            return
        leaves = isinstance(action, ReplaceClone) and not action.create_first
        size = len(group.clones) + len(action.slots) - leaves
        most = group.policy.max_clones
        self.require(size <= most, group.id, f"{size} clones where {most} may be")

    def _check_load_decision(self, group: Group, action: Action, watch: Watch) -> None:
        policy, now, account = group.policy, trio.current_time(), self.account(group.id)
        is_up = isinstance(action, CreateClones)
        length = policy.cooldown_up if is_up else policy.cooldown_down
        if account.changed_at is not None:
            passed = now - account.changed_at
            kept = passed >= length - ROUNDING_S
            what = f"{action.reason.value} {passed:.1f} s after a change"
            self.require(kept, group.id, what)
        heard = watch.feed.up_since is not None
        self.require(heard, group.id, "a decision by load while nobody listens")
        account.acted.append(now)
        lately = sum(now - at < HOUR_S - 1 for at in account.acted)
        few = lately <= policy.max_actions_per_hour
        self.require(few, group.id, f"{lately} actions by load in an hour")
        if not is_up:
            self._check_nobody_is_missing(group, watch)
        account.calm.add(action.reason)
        if policy.scale_up_step == 1:
            one_way = not {Reason.HIGH, Reason.LOW} <= account.calm
            self.require(one_way, group.id, "up and down under constant load")

    def _check_nobody_is_missing(self, group: Group, watch: Watch) -> None:
        now = trio.current_time()
        assert group.decision is not None
        many = len(group.clones) > group.policy.min_clones
        self.require(many, group.id, "low, but there were no more than min_clones")
        useless = group.decision.load.names(MemberClass.GIVEN_UP)
        for member in group.members:
            if member.name in useless:
                continue
            track = watch.tracks.get(member.name)
            heard = track.heard if track is not None else None
            fresh = heard is not None and now - heard.at < watch.feed.stale_after
            self.require(fresh, group.id, f"low while {member.name} is silent")
            old = member.created is None or now - member.created >= group.policy.warmup
            self.require(old, group.id, f"low while {member.name} is warming")

    def _ended(self, group: Group, event: Event) -> None:
        account, now = self.account(group.id), trio.current_time()
        if isinstance(event, Interrupted):
            account.touched |= group.ledger.changed_at == now
        # Clones that change places for a new image leave the cooldown alone.
        rolls = account.open is not None and account.open.reason is Reason.ROLLOUT
        if account.touched and not rolls:
            account.changed_at = now
        self.disturb(group.id)
        account.open = None

    def _members(self, group: Group) -> None:
        names = [member.name for member in group.members]
        self.require(len(set(names)) == len(names), group.id, "a member twice")
        # What turned up late or was adopted may be one too many; not more.
        many = group.policy.max_clones + 4
        self.require(len(group.clones) <= many + 4, group.id, f"{len(names)} members")
        account = self.account(group.id)
        reused = group.ledger.next_number <= account.last_number
        self.require(not reused, group.id, "the next number was used")
        for clone in group.clones:
            if (group.id.host, clone.name) not in self.ours:
                self.accuse(group.id, f"{clone.name} is a member, and not ours")

    # What a restart does to the account

    def restarted(self, group: Group, step: float) -> None:
        """A daemon began, after the wall clock was stepped by *step*."""
        account, now, policy = self.account(group.id), trio.current_time(), group.policy
        longest = max(policy.cooldown_up, policy.cooldown_down)
        left = _left(group.ledger.changed_at, longest, now)
        pinned = left > longest + ROUNDING_S
        self.require(not pinned, group.id, "a clock has pinned a cooldown")
        if step or now - self.unwritable_at < 2 * HOUR_S:
            # By a clock that was stepped nobody knows better than the daemon.
            account.changed_at = group.ledger.changed_at
            # An action that ended may be in flight in the last that was kept.
            account.touched = False
            account.acted.clear()
            account.replaced = deque(group.ledger.replaced, maxlen=MOST_REPLACED)
        should = _left(account.changed_at, longest, now)
        was_open = account.open is not None
        kept = was_open or abs(should - left) < ROUNDING_S
        self.require(kept, group.id, f"a cooldown of {should:g} s became {left:g} s")
        account.open = next(iter(group.ledger.actions), None)
        self.disturb(group.id)


def _left(changed_at: float | None, longest: float, now: float) -> float:
    return 0.0 if changed_at is None else max(0.0, changed_at + longest - now)
