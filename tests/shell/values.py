"""Strategies for what is kept: snapshots and decisions of any shape."""

from hypothesis import strategies as st

from albatross_client.names import Name
from autoscaler.core.actions import CreateClones, DestroyClone, ReplaceClone, Slot
from autoscaler.core.backend import Duty, Health
from autoscaler.core.decision import (
    Decision,
    Load,
    MemberClass,
    Outcome,
    Reason,
    Requests,
    Service,
    Shortage,
    Standing,
)
from autoscaler.core.group import GroupId
from autoscaler.core.moments import Stamp
from autoscaler.core.policy import Mode
from autoscaler.core.snapshot import (
    KeptBackoff,
    KeptBudget,
    KeptClone,
    KeptDoubt,
    KeptPrewarm,
    KeptRest,
    Snapshot,
)
from autoscaler.core.view import Claim

counts = st.integers(0, 10**6)
numbers = st.floats(allow_nan=False, allow_infinity=False)
labels = st.text("abz09.", min_size=1, max_size=8)
paths = st.lists(labels, max_size=3).map(tuple)
names = st.builds(Name, paths, labels)
domains = st.builds(Name, paths)
texts = st.text(max_size=20)
group_ids = st.builds(GroupId, labels, names)
stamps = st.builds(Stamp, texts, numbers, numbers)
claims = st.builds(Claim, names, counts, st.frozensets(counts, max_size=3))
slots = st.builds(Slot, counts, claims, st.none() | texts)
reasons = st.sampled_from(Reason)
actions = st.one_of(
    st.builds(
        CreateClones,
        id=counts,
        reason=reasons,
        slots=st.lists(slots, max_size=3).map(tuple),
        as_standby=st.booleans(),
    ),
    st.builds(
        DestroyClone,
        id=counts,
        reason=reasons,
        victim=names,
        as_standby=st.booleans(),
    ),
    st.builds(
        ReplaceClone,
        id=counts,
        reason=reasons,
        slots=st.lists(slots, max_size=1).map(tuple),
        victim=st.none() | names,
        create_first=st.booleans(),
        stable_for=numbers,
        as_standby=st.booleans(),
    ),
)
backoffs = st.builds(KeptBackoff, counts, stamps, numbers, st.binary(max_size=32))
rests = st.builds(KeptRest, st.text(max_size=20), stamps, st.floats(0, 4000))
doubts = st.builds(
    KeptDoubt, counts, stamps, st.binary(max_size=32), is_standby=st.booleans()
)
prewarms = st.builds(KeptPrewarm, counts, stamps)
instants = st.lists(stamps, max_size=2).map(tuple)
budgets = st.builds(
    KeptBudget,
    acted=instants,
    mended=instants,
    turns=instants,
    last=st.none() | reasons,
    failures=counts,
    stood_down_at=st.none() | stamps,
)
snapshots = st.builds(
    Snapshot,
    id=group_ids,
    clones=st.lists(
        st.builds(
            KeptClone,
            names,
            counts,
            st.none() | stamps,
            st.none() | texts,
            is_standby=st.booleans(),
        ),
        max_size=3,
    ).map(tuple),
    foreign=st.lists(names, max_size=2).map(tuple),
    next_number=counts,
    next_action=counts,
    actions=st.lists(actions, max_size=3).map(tuple),
    changed_by=st.lists(counts, max_size=3).map(tuple),
    failed_upto=counts,
    changed_at=st.none() | stamps,
    creating=st.none() | backoffs,
    destroying=st.none() | backoffs,
    replacing=st.none() | backoffs,
    replaced=st.lists(stamps, max_size=3).map(tuple),
    gave_up_at=st.none() | stamps,
    doubts=st.lists(doubts, max_size=3).map(tuple),
    mode=st.none() | st.sampled_from(Mode),
    adopted=st.lists(names, max_size=2).map(tuple),
    disowned=st.lists(names, max_size=2).map(tuple),
    is_ownership_lost=st.booleans(),
    budget=budgets,
    rolling=st.none() | backoffs,
    surge=st.none() | names,
    useless_at=st.none() | stamps,
    resting=st.lists(rests, max_size=3).map(tuple),
    refilling=st.none() | backoffs,
    needed_at=st.none() | stamps,
    prewarm=st.none() | prewarms,
)
services = st.builds(Service, st.sampled_from(Duty), st.sampled_from(Health), counts)
loads = st.builds(
    Load,
    standings=st.lists(
        st.builds(
            Standing,
            names,
            st.sampled_from(MemberClass),
            st.none() | numbers,
            st.none() | services,
        ),
        max_size=3,
    ).map(tuple),
    mean_up=st.none() | st.floats(0, 100),
    mean_down=st.none() | st.floats(0, 100),
    capacity=counts,
    fresh=counts,
    quorum=counts,
    requests=st.none() | st.builds(Requests, counts, counts, st.none() | numbers),
)
shortages = st.builds(
    Shortage, reasons, texts, counts, counts, counts, st.none() | domains
)
decisions = st.builds(
    Decision,
    outcome=st.sampled_from(Outcome),
    reason=reasons,
    mode=st.sampled_from(Mode),
    load=loads,
    high=counts,
    high_needed=counts,
    low=counts,
    low_needed=counts,
    up_threshold=numbers,
    down_threshold=numbers,
    clones=counts,
    min_clones=counts,
    max_clones=counts,
    count=counts,
    victim=st.none() | names,
    left_s=st.none() | numbers,
    shortage=st.none() | shortages,
    replacement_held=st.none() | reasons,
    barred=st.none() | reasons,
    age_s=st.none() | numbers,
    evidence=st.none() | texts,
    outdated=counts,
)
