"""Small values to keep: a group's snapshot, actions, decisions."""

from attrs import evolve, frozen

from albatross_client.names import Name
from autoscaler.core.actions import CreateClones, DestroyClone, Slot
from autoscaler.core.blueprint import Blueprint
from autoscaler.core.decision import (
    Decision,
    Load,
    MemberClass,
    Outcome,
    Reason,
    Standing,
)
from autoscaler.core.events import Ticked
from autoscaler.core.group import GroupId, Member, new_group
from autoscaler.core.moments import Clocks
from autoscaler.core.policy import Mode, Policy
from autoscaler.core.record import Instant, Record
from autoscaler.core.record import take as take_record
from autoscaler.core.snapshot import take
from autoscaler.core.view import Claim
from tests.core.builders import NOW, happens, make_world

WEB = Name.parse("user:web")
API = Name.parse("user:api")
CLONE = Name.parse("user:web-clone-1")
WEST_WEB = GroupId("west", WEB)
WEST_API = GroupId("west", API)
CLOCKS = Clocks(now=1000.0, boot_id="boot", boot=5000.0, wall=1_800_000_000.0)


def group(group_id=WEST_WEB, clones=(), **ledger):
    template = Blueprint(digest=b"1" * 32) if group_id.is_managed else None
    made = new_group(group_id, Policy(max_clones=4), template)
    members = tuple(Member(name=group_id.clone(n), number=n) for n in clones)
    return evolve(made, clones=members, ledger=evolve(made.ledger, **ledger))


def snapshot(group_id=WEST_WEB, clones=(), **ledger):
    return take(group(group_id, clones, **ledger), CLOCKS)


def creation(number=1):
    claim = Claim(WEST_WEB.clone(number), 32, frozenset({1}))
    return CreateClones(id=number, reason=Reason.HIGH, slots=(Slot(number, claim),))


def destruction(number=1):
    return DestroyClone(id=number, reason=Reason.LOW, victim=CLONE)


def decision(reason=Reason.STEADY, outcome=Outcome.HOLD, **changes):
    load = Load(
        standings=(
            Standing(WEB, MemberClass.FRESH, 93.25),
            Standing(CLONE, MemberClass.STALE),
        ),
        mean_up=93.25,
        mean_down=96.625,
        capacity=2,
        fresh=1,
    )
    made = Decision(
        outcome=outcome,
        reason=reason,
        mode=Mode.ACTIVE,
        load=load,
        high=1,
        high_needed=3,
        low=0,
        low_needed=5,
        up_threshold=90.0,
        down_threshold=40.0,
        clones=1,
        min_clones=0,
        max_clones=4,
    )
    return evolve(made, **changes)


@frozen
class Row:
    """A decision of a group, and when it was made."""

    group: GroupId
    wall: float
    decision: Decision
    record: Record | None = None


def record(at=CLOCKS.wall, usage=50.0):
    """Return what a tick of a group of two has left."""
    before, view = make_world(usage, usage, policy=Policy(max_clones=4))
    after, _ = happens(before, Ticked(view))
    return take_record(before, after, view, Instant(NOW, at))
