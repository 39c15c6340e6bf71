"""What a group can have done: create clones, destroy one, replace one."""

from attrs import evolve, frozen

from albatross_client.names import Name
from autoscaler.core.decision import Reason
from autoscaler.core.view import Claim


@frozen
class Slot:
    """A reservation: a clone that is decided and not yet a member.

    Attributes:
        number: Of the clone.
        claim: Its name, and what it takes of the host.
        address: From the group's pool.
    """

    number: int
    claim: Claim
    address: str | None = None

    @property
    def name(self) -> Name:
        """The clone's absolute name."""
        return self.claim.name


@frozen(kw_only=True)
class CreateClones:
    """Create clones, one after another.

    Attributes:
        id: Number of the action, unique in its group.
        reason: Why.
        slots: Those that are still to be made.
        by: The operator who asked for it; None: a rule decided.
        as_standby: Whether they stand by.
        decision_id: What the decision is called that it follows from.
    """

    id: int
    reason: Reason
    slots: tuple[Slot, ...]
    by: str | None = None
    as_standby: bool = False
    decision_id: str | None = None


@frozen(kw_only=True)
class DestroyClone:
    """Destroy one clone.

    Attributes:
        id: Number of the action, unique in its group.
        reason: Why.
        victim: The clone.
        by: The operator who asked for it; None: a rule decided.
        instead_of: The one that was to go first, and went on working.
        as_standby: Whether it stood by.
        decision_id: What the decision is called that it follows from.
    """

    id: int
    reason: Reason
    victim: Name
    by: str | None = None
    instead_of: Name | None = None
    as_standby: bool = False
    decision_id: str | None = None

    @property
    def slots(self) -> tuple[Slot, ...]:
        """None: it makes no clone."""
        return ()


@frozen(kw_only=True)
class ReplaceClone:
    """Create one clone and destroy another, as one action.

    Attributes:
        id: Number of the action, unique in its group.
        reason: Why.
        slots: The new clone, until it is made.
        victim: The old one, None once it is gone.
        create_first: Otherwise there is no room before the old one is gone.
        stable_for: How long the new clone has to run without a restart,
            seconds: else it is removed again and the action has failed.
        as_standby: Whether both stand by.
        decision_id: What the decision is called that it follows from.
    """

    id: int
    reason: Reason
    slots: tuple[Slot, ...]
    victim: Name | None
    create_first: bool
    stable_for: float = 0.0
    as_standby: bool = False
    decision_id: str | None = None


Action = CreateClones | DestroyClone | ReplaceClone


def asker(action: Action) -> str | None:
    """Return the operator who asked for *action*, None where a rule decided."""
    return None if isinstance(action, ReplaceClone) else action.by


def without_slot(action: Action, name: Name) -> Action:
    """Return *action* with the clone *name* no longer to be made."""
    if isinstance(action, DestroyClone):
        return action
    slots = tuple(slot for slot in action.slots if slot.name != name)
    return evolve(action, slots=slots)


def victim_of(action: Action) -> Name | None:
    """Return the clone that *action* destroys, if it does and it isn't gone."""
    return None if isinstance(action, CreateClones) else action.victim


def names_of(action: Action) -> tuple[Name, ...]:
    """Return the clones that *action* has yet to make, and to destroy."""
    victim = victim_of(action)
    made = tuple(slot.name for slot in action.slots)
    return made if victim is None else (*made, victim)
