"""Decisions to tell of."""

from attrs import evolve

from albatross_client.names import Name
from autoscaler.core.decision import (
    Decision,
    Load,
    MemberClass,
    Outcome,
    Reason,
    Shortage,
    Standing,
)
from autoscaler.core.demand import Signal, SignalKind
from autoscaler.core.policy import Mode

WEB, CLONE = Name.parse("user:web"), Name.parse("user:web-clone-1")
USER = Name.parse("user:")
LOAD = Load(
    standings=(
        Standing(WEB, MemberClass.FRESH, 93.256),
        Standing(CLONE, MemberClass.STALE),
    ),
    mean_up=93.256,
    mean_down=36.6251,
    capacity=2,
    fresh=1,
    quorum=1,
)
MEMORY = Shortage(Reason.NO_CAPACITY, "memory", 32, 480, 500, USER)
FLIGHT = Signal(SignalKind.IN_FLIGHT, 12.0, 3, 4)
CPU = Signal(SignalKind.CPU, 95.25, 90.0, 3)


def decision(reason=Reason.STEADY, outcome=Outcome.HOLD, **changes):
    made = Decision(
        outcome=outcome,
        reason=reason,
        mode=Mode.ACTIVE,
        load=LOAD,
        high=1,
        high_needed=3,
        low=2,
        low_needed=5,
        up_threshold=90.0,
        down_threshold=40.0,
        clones=1,
        min_clones=0,
        max_clones=4,
    )
    return evolve(made, **changes)
