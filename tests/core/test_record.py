"""Records: what they hold, and that they never contradict the decision."""

from functools import partial
from random import Random

import pytest
from attrs import evolve
from hypothesis import settings
from hypothesis.stateful import invariant

from autoscaler.core.decision import MemberClass, Outcome, Reason
from autoscaler.core.demand import RequestPolicy
from autoscaler.core.events import Ticked
from autoscaler.core.group import Group, Ticks
from autoscaler.core.guards import Kind
from autoscaler.core.policy import Mode, OnPrimaryLoss
from autoscaler.core.record import Instant, Record, most_kept, take
from autoscaler.core.telling import tell
from autoscaler.core.view import View
from tests.core import performing
from tests.core.builders import (
    NOW,
    clone_name,
    happens,
    make_managed,
    make_policy,
    make_rules,
    make_world,
)
from tests.core.lifecycle import GroupLifecycle
from tests.core.requesting import serving
from tests.core.simulation import World

WALL = 1_800_000_000.0
HIGH = Ticks(high=2, last=NOW - 10, conclusive=NOW - 10)


def recorded(
    group: Group, view: View, last: Record | None = None, wall: float = WALL
) -> Record:
    after, _ = happens(group, Ticked(view))
    return take(group, after, view, Instant(NOW, wall), last)


def sizes(*states, **changes):
    ticks, ledger = changes.pop("ticks", None), changes.pop("ledger", None)
    made = make_world(
        *states, policy=make_policy(**changes), ticks=ticks, ledger=ledger
    )
    found = recorded(*made).sizes
    return found.wants, found.can, found.has


def test_a_group_without_a_decision_has_no_record():
    group, view = make_world(50.0)

    with pytest.raises(ValueError, match="nothing was decided"):
        take(group, group, view, Instant(NOW, WALL))


def test_every_member_has_the_age_of_its_usage():
    group, view = make_world(50.0, MemberClass.STALE, MemberClass.UNKNOWN)

    assert recorded(group, view).ages == (1.0, 100.0, None)


def test_a_member_that_nobody_heard_has_no_usage_of_any_age():
    group, view = make_world(50.0, 50.0)
    tracks = {n: t for n, t in view.tracks.items() if n != clone_name(1)}

    assert recorded(group, evolve(view, tracks=tracks)).ages == (1.0, None)


# What is wanted


@pytest.mark.parametrize(
    ("states", "changes", "wanted"),
    [
        pytest.param((50.0, 50.0), {}, 1, id="as many as there are"),
        pytest.param((95.0, 95.0), {}, 2, id="one more"),
        pytest.param((100.0,) * 10, {"max_clones": 20}, 11, id="two more"),
        pytest.param((1.0,) * 5, {}, 0, id="none"),
        pytest.param((35.0,) * 4, {}, 2, id="no fewer than would flap"),
        pytest.param((1.0,) * 5, {"min_clones": 2}, 2, id="the operator's least"),
        pytest.param((MemberClass.STALE,) * 2, {}, None, id="nobody tells"),
        pytest.param(
            (MemberClass.GIVEN_UP, 95.0), {}, 2, id="a given-up primary serves nobody"
        ),
    ],
)
def test_what_is_wanted_is_where_the_rules_would_rest(states, changes, wanted):
    assert sizes(*states, **changes)[0] == wanted


def test_a_managed_group_has_no_primary_that_serves():
    group, view = make_managed(95.0, 95.0)

    assert recorded(group, view).sizes.wants == 3


@pytest.mark.parametrize("demand", [0.2, 0.7, 1.3, 2.6, 3.9])
def test_a_group_that_rests_has_what_it_wants(demand):
    """The rules and the forecast of where they end must not drift apart."""
    world = World(policy=make_policy(max_clones=9), demand=demand)
    world.connect()
    records = watch(world)

    for _ in range(400):
        world.passes(1)
        if world.group.ledger.actions:
            performing.perform(world)

    rested = records[-1].sizes
    assert records[-1].decision.reason in {Reason.STEADY, Reason.WOULD_FLAP}
    assert (rested.wants, rested.blocked) == (rested.has, None)


# What can be


def test_room_is_looked_for_only_while_more_is_wanted():
    group, view = make_world(50.0, 50.0)
    found = recorded(group, evolve(view, rules=make_rules(unikernels=0))).sizes

    assert (found.can, found.looked) == (9, None)


def test_what_can_be_ends_where_the_policy_does():
    group, view = make_world(*[100.0] * 10, policy=make_policy(max_clones=20))
    roomy = recorded(group, view).sizes
    tight = recorded(group, evolve(view, rules=make_rules(unikernels=12))).sizes
    full = recorded(group, evolve(view, rules=make_rules(unikernels=5))).sizes

    assert (roomy.wants, roomy.can, roomy.shortage) == (11, 20, None)
    assert (tight.wants, tight.can, tight.shortage) == (11, 10, None)
    assert full.can == full.has == 9
    assert full.shortage is not None
    assert full.shortage.resource == "unikernels"


def test_where_a_look_found_no_room_nobody_looks_again_at_once():
    group, view = make_world(95.0, 95.0)
    full = evolve(view, rules=make_rules(unikernels=0))
    first = recorded(group, full)

    soon = recorded(group, view, first, WALL + 29)
    later = recorded(group, view, first, WALL + 30)
    stepped = recorded(group, view, first, WALL - 1)
    grown = recorded(*make_world(95.0, 95.0, 95.0), first, WALL + 1)

    assert (soon.sizes.can, later.sizes.can) == (1, 9)
    assert (stepped.sizes.can, grown.sizes.can) == (9, 9)
    assert soon.sizes is first.sizes


def test_what_is_between_wanted_and_had_is_the_reason_to_hold():
    rising = recorded(*make_world(95.0, 95.0))
    acting = recorded(*make_world(95.0, 95.0, ticks=HIGH))
    observed = recorded(
        *make_world(95.0, 95.0, ticks=HIGH, policy=make_policy(mode=Mode.OBSERVE))
    )

    assert rising.sizes.blocked is Reason.RISING
    assert acting.sizes.blocked is None
    assert observed.sizes.blocked is Reason.HIGH
    assert observed.flip.lacks[0].kind is Kind.MODE


def test_what_the_loss_of_a_primary_calls_for_lacks_what_has_held_it():
    policy = make_policy(on_primary_loss=OnPrimaryLoss.DESTROY_CLONES, scale_down=False)
    group, view = make_world(MemberClass.DEAD, 50.0, policy=policy)

    flip = recorded(group, view).flip

    assert flip.aim is Outcome.DOWN
    assert [guard.kind for guard in flip.lacks] == [Kind.SCALE_DOWN]


# What stays the same


def test_what_does_not_change_is_one_object_in_all_records():
    group, view = make_world(50.0, 50.0)
    first = recorded(group, view)

    second = recorded(*make_world(60.0, 60.0), first, WALL + 10)

    assert second.sizes is first.sizes
    changed = {
        old.kind
        for old, new in zip(first.guards, second.guards, strict=True)
        if old is not new
    }
    assert changed == {Kind.MEAN_UP, Kind.MEAN_DOWN, Kind.FLAP}


def test_the_action_that_a_decision_begins_is_no_reason_against_it():
    record = recorded(*make_world(95.0, 95.0, ticks=HIGH))

    assert not any(
        guard.holds for guard in record.guards if guard.kind is Kind.IN_FLIGHT
    )
    assert record.sizes.coming == 0


@pytest.mark.parametrize(
    ("groups", "most"), [(0, 60), (1, 60), (66, 60), (200, 20), (1000, 4), (9000, 4)]
)
def test_many_groups_leave_less_room_for_each(groups, most):
    assert most_kept(groups) == most


# Laws


def check(record: Record) -> None:
    """Check that what holds and what is said agree."""
    decision, flip = record.decision, record.flip
    acts = decision.acts and decision.mode is Mode.ACTIVE
    assert acts == (not flip.lacks), (decision, record.guards)
    if decision.acts:
        assert flip.aim is decision.outcome
    kinds = [guard.kind for guard in record.guards]
    assert len(set(kinds)) == len(kinds)
    assert all(guard.holds for guard in flip.lacks)
    for guard in record.guards:
        assert guard.left_s is None or (guard.holds and guard.left_s > 0), guard
    assert record.sizes.can >= record.sizes.has
    assert all(tell(record))
    if decision.left_s is not None:
        left = [guard.left_s for guard in record.guards if guard.left_s is not None]
        assert pytest.approx(decision.left_s) in left, (decision, record.guards)


def watch(world: World) -> list[Record]:
    """Check and keep a record of all that is decided in *world*."""
    records: list[Record] = []

    def look(before: Group, view: View) -> None:
        last = records[-1] if records else None
        at = Instant(world.now, WALL + world.now)
        record = take(before, world.group, view, at, last)
        check(record)
        records.append(record)

    world.on_look = look
    return records


class RecordedLifecycle(GroupLifecycle):
    """Whatever happens to a group, its records say what holds it."""

    is_watched = False

    @invariant()
    def its_records_are_checked(self):
        if not self.is_watched:
            watch(self.world)
        self.is_watched = True


RecordedLifecycle.TestCase.settings = settings(
    GroupLifecycle.TestCase.settings, max_examples=60
)
TestRecordedLifecycle = pytest.mark.no_cover(RecordedLifecycle.TestCase)


def steady(load: float, _now: float) -> float:
    return load


@pytest.mark.parametrize("seed", range(6))
def test_records_of_groups_that_requests_drive_say_what_holds_them(seed):
    random = Random(seed)  # noqa: S311 - the same ones each time
    requests = RequestPolicy(
        target_in_flight=3,
        target_rps=random.choice((None, 20.0)),
        max_step_down=random.choice((1, 3)),
        cooldown_up=random.choice((0.0, 3.0)),
        stabilise=random.choice((0.0, 30.0)),
    )
    world = serving(
        requests=requests,
        clones=random.choice((0, 3)),
        max_clones=random.choice((2, 6)),
        min_clones=random.choice((0, 1)),
    )
    records = watch(world)

    for _ in range(40):
        load = random.choice((0.0, 0.0, 1.0, 5.0, 40.0))
        world.load = partial(steady, load)
        world.level = random.choice((0.1, 0.5, 1.0))
        world.is_silent = random.random() < 0.1
        world.unikernels = random.choice((3, 1000, 1000))
        world.passes(random.choice((1, 2, 5)))
        world.ask()

    assert len({record.decision.reason for record in records}) > 3
