"""What can happen to a group, and what it can have to say besides actions."""

import enum

from attrs import frozen

from albatross_client.names import Name
from autoscaler.core.backend import Backend
from autoscaler.core.blueprint import Blueprint
from autoscaler.core.ledger import Parting
from autoscaler.core.policy import Mode, Policy
from autoscaler.core.view import View


@frozen
class Ticked:
    """It is time to look at the usage of the members."""

    view: View


@frozen
class Informed:
    """The host answered `info` and `policy info`, or one of them."""

    view: View


@frozen
class WakeAsked:
    """Somebody waits for a member, and none serves."""

    view: View


@frozen
class PrewarmAsked:
    """The operator wants members to stand by, for a while.

    Attributes:
        view: What is known.
        count: How many; 0 takes back what was asked before.
    """

    view: View
    count: int


@frozen
class CloneCreated:
    """A clone of an action in flight runs, and was heard or waited for.

    Attributes:
        name: The clone.
        created: When the host answered its create.
        listening_since: The stream's listening clock then.
    """

    name: Name
    created: float
    listening_since: float


@frozen
class AddressFound:
    """It was told where a clone listens.

    Attributes:
        name: The clone.
        address: Where, whatever its group's pool gave it.
    """

    name: Name
    address: str


@frozen
class CloneDestroyed:
    """The clone that an action in flight destroys is no longer listed."""

    name: Name


@frozen
class MemberParts:
    """A member that an action in flight removes leaves its balancer now.

    Attributes:
        name: The member.
        how: How far it has come; None: it stays after all.
    """

    name: Name
    how: Parting | None


@frozen
class MemberLingers:
    """A member that an action in flight removes goes on working for long.

    Attributes:
        name: The member.
        view: With what its balancer told.
    """

    name: Name
    view: View


@frozen
class ScaleAsked:
    """An operator asks for a size, once.

    Attributes:
        view: What is known of the host.
        clones: How many there are to be, reservations included.
        user: Who asks.
    """

    view: View
    clones: int
    user: str


@frozen
class Balanced:
    """The group's balancer was asked.

    Attributes:
        backend: What it told; None: it doesn't answer.
    """

    backend: Backend | None


@frozen
class ActionEnded:
    """An action in flight is over.

    Attributes:
        action: Its number.
        failure: Why it failed, in words; None: it did all it should.
        jitter: Factor for a back-off that may follow, about 1.
        doubtful: Clones of which nobody can tell yet whether they came.
        digest: Of the image that was to be created; empty: not known.
        has_begun: Whether it was written down, so that it could begin.
    """

    action: int
    failure: str | None = None
    jitter: float = 1.0
    doubtful: tuple[Name, ...] = ()
    digest: bytes = b""
    has_begun: bool = True


@frozen
class Interrupted:
    """An action in flight belongs to an earlier run: the host settles it.

    Attributes:
        action: Its number.
        view: With an answer to `info` that was asked since the start.
        jitter: Factor for a back-off that may follow, about 1.
        unsent: Clones of it whose create was certainly never sent: what has
            such a name is not of our making.
    """

    action: int
    view: View
    jitter: float = 1.0
    unsent: frozenset[Name] = frozenset()


@frozen
class Reconfigured:
    """The operator wants something else."""

    policy: Policy


@frozen
class Redrawn:
    """Members of a managed group are made from something else from now on.

    Attributes:
        template: What from; another image than before replaces theirs.
    """

    template: Blueprint


@frozen
class ModeSet:
    """The operator's word for this group alone; survives restarts.

    Attributes:
        mode: The most that the group may do, whatever its policy allows; None
            takes the word back.
    """

    mode: Mode | None


@frozen
class Resumed:
    """The operator ends a stand-down."""


@frozen
class AdoptAsked:
    """The operator says that a unikernel with a clone's name is ours.

    Attributes:
        name: Absolute; one that is no clone's name of the group is ignored.
    """

    name: Name


@frozen
class DisownAsked:
    """The operator says that a clone is not ours, until it is asked for again.

    Attributes:
        name: Absolute; one that is no clone's name of the group is ignored.
    """

    name: Name


@frozen
class OwnershipLost:
    """The state was lost: nobody knows any more which clones were ours.

    Until `OwnershipConfirmed` nothing is adopted but by name.
    """


@frozen
class OwnershipConfirmed:
    """The operator says that the policy's `adopt` may be followed again."""


# What happens between a group and its balancer.
AtBalancer = MemberParts | MemberLingers | Balanced | AddressFound
# What the operator says about one group.
Word = ModeSet | Resumed | AdoptAsked | DisownAsked | OwnershipLost | OwnershipConfirmed
Event = (
    Ticked
    | Informed
    | WakeAsked
    | PrewarmAsked
    | CloneCreated
    | CloneDestroyed
    | ScaleAsked
    | AtBalancer
    | ActionEnded
    | Interrupted
    | Reconfigured
    | Redrawn
    | Word
)


class NoteKind(enum.Enum):
    """What is worth a line in the log; the values are the event names."""

    ADOPTED = "clone_adopted"
    FOREIGN = "foreign_found"
    DIED = "clone_died"
    MISSED = "first_frame_missed"
    PRIMARY_LOST = "primary_lost"
    PRIMARY_RETURNED = "primary_returned"
    GAVE_UP = "member_given_up"
    TURNED_UP = "clone_turned_up"
    DISOWNED = "clone_disowned"
    STOOD_DOWN = "group_stood_down"
    STOOD_UP = "group_stood_up"
    CONTESTED = "group_contested"
    PROMOTED = "standby_promoted"


@frozen
class Note:
    """Something that the operator should read about a member or its group.

    Attributes:
        kind: What.
        name: The member; the name of the group stands for it.
        evidence: What it was seen by, as fields of the line.
    """

    kind: NoteKind
    name: Name
    evidence: tuple[tuple[str, str | int | float], ...] = ()
