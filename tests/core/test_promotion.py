"""Standbys are promoted: under load, for requests, to wake a group."""

from attrs import evolve

from autoscaler.core.actions import CreateClones, DestroyClone
from autoscaler.core.backend import Duty, Health
from autoscaler.core.decision import Outcome, Reason
from autoscaler.core.demand import Demand, RequestPolicy
from autoscaler.core.events import (
    Balanced,
    Informed,
    Note,
    NoteKind,
    WakeAsked,
)
from autoscaler.core.group import Group, Ticks
from autoscaler.core.ledger import (
    Backoff,
    Ledger,
)
from autoscaler.core.policy import Mode
from autoscaler.core.standing import assess
from autoscaler.core.view import View
from tests.core.builders import NOW, happens
from tests.core.standing_by import (
    busy,
    failing,
    make_pool,
    name,
    numbers,
    reason_of,
    tick,
    with_server,
)

LOW = Ticks(low=9, last=NOW - 10, conclusive=NOW - 10)


# Promotion


def test_under_load_a_standby_is_promoted_and_nothing_created():
    group, view = busy(standbys=2)

    group, effects = tick(group, view)

    assert effects == (Note(NoteKind.PROMOTED, name(3)),)
    assert numbers(group.serving) == [1, 2, 3]
    assert numbers(group.standbys) == [4]
    decision = group.decision
    assert (decision.outcome, decision.reason) == (Outcome.UP, Reason.HIGH)
    assert (decision.promoted, decision.count) == (1, 0)


def test_a_promotion_starts_the_cooldown_and_the_ticks_anew():
    group, view = busy(standbys=1)

    group, _ = tick(group, view)

    assert group.ledger.changed_at == group.ledger.needed_at == NOW
    assert group.ticks.high == 0
    assert group.serving[-1].ready_at == NOW


def test_what_a_standby_used_says_nothing_of_its_work():
    group, view = busy(standbys=1)

    group, _ = tick(group, view)
    load = assess(group, view, NOW)

    promoted = group.serving[-1]
    assert promoted.usage is None
    track = view.tracks[promoted.name]
    assert promoted.taken_cpu_us == track.cpu_us
    assert promoted.taken_span_s == track.span_s
    assert load.mean_up == 99.0
    assert load.capacity == 3


def test_a_promotion_counts_as_one_action_of_the_budget():
    group, view = busy(standbys=2, scale_up_step=2)

    group, _ = tick(group, view)

    assert len(group.standbys) == 0
    assert group.ledger.budget.acted == (NOW,)
    assert group.ledger.budget.last is Reason.HIGH


def test_what_standbys_don_t_give_is_created():
    group, view = busy(standbys=1, scale_up_step=2)

    group, (promoted, action) = tick(group, view)

    assert promoted == Note(NoteKind.PROMOTED, name(3))
    assert isinstance(action, CreateClones)
    assert numbers(action.slots) == [4]
    assert not action.as_standby
    assert (group.decision.promoted, group.decision.count) == (1, 1)


def test_the_room_for_promotions_is_that_of_those_that_serve():
    group, view = busy(standbys=2, scale_up_step=2, max_clones=4)

    group, _ = tick(group, view)

    assert len(group.serving) == 4


def test_at_max_nobody_is_promoted():
    group, view = busy(99.0, 99.0, standbys=0, max_clones=2)

    group, effects = tick(group, view)

    assert effects == ()
    assert reason_of(group) is Reason.AT_MAX


def test_creates_have_the_room_that_standbys_leave():
    group, view = busy(standbys=2, scale_up_step=3, max_clones=5)
    view = failing(view, 4)

    group, (_, action) = tick(group, view)

    assert group.decision.promoted == 1
    assert numbers(action.slots) == [5]


def test_standbys_that_can_t_serve_keep_others_from_the_room_they_take():
    group, view = busy(standbys=1, max_clones=3)
    view = with_server(view, 3, Duty.DRAIN, Health.UNPROVEN)

    group, effects = tick(group, view)

    assert effects == ()
    assert reason_of(group) is Reason.STANDBY_UNREADY


def test_a_failed_create_holds_no_promotion():
    pause = Backoff(failures=3, since=NOW, length=100.0)
    ledger = Ledger(next_number=9, creating=pause)
    group, view = busy(standbys=1, scale_up_step=2, ledger=ledger)

    group, effects = tick(group, view)

    assert effects == (Note(NoteKind.PROMOTED, name(3)),)


def test_an_only_observed_group_promotes_nobody():
    group, view = busy(standbys=1, mode=Mode.OBSERVE)

    group, effects = tick(group, view)

    assert effects == ()
    assert (group.decision.promoted, len(group.standbys)) == (1, 1)


def test_below_the_least_a_standby_is_promoted():
    group, view = make_pool(50.0, standbys=1, min_clones=2)

    group, effects = tick(group, view)

    assert effects == (Note(NoteKind.PROMOTED, name(2)),)
    assert reason_of(group) is Reason.BELOW_MIN


def test_below_the_least_a_standby_is_promoted_while_the_host_is_silent():
    group, view = make_pool(50.0, standbys=1, min_clones=2)

    later = NOW + 10_000
    group, (*_, note) = tick(group, view, at=later)

    assert note == Note(NoteKind.PROMOTED, name(2))


def test_with_too_many_altogether_standbys_go_first():
    group, view = make_pool(50.0, 50.0, standbys=2, max_clones=3)

    group, (action,) = tick(group, view)

    assert isinstance(action, DestroyClone)
    assert (action.victim, action.as_standby) == (name(4), True)
    assert reason_of(group) is Reason.ABOVE_MAX


def test_while_the_host_is_silent_nobody_is_too_many():
    group, view = make_pool(50.0, 50.0, standbys=2, max_clones=3)

    group, effects = tick(group, view, at=NOW + 10_000)

    assert effects == ()
    assert reason_of(group) is Reason.NO_DATA


def test_one_that_goes_already_is_not_one_too_many():
    goes = DestroyClone(id=1, reason=Reason.ABOVE_MAX, victim=name(4), as_standby=True)
    ledger = Ledger(next_number=5, next_action=2, actions=(goes,))
    group, view = make_pool(50.0, 50.0, standbys=2, max_clones=3, ledger=ledger)

    group, effects = tick(group, view)

    assert effects == ()
    assert reason_of(group) is Reason.STEADY


def test_low_load_takes_no_standby():
    group, view = make_pool(5.0, 5.0, standbys=2)
    group = evolve(group, ticks=LOW)

    _, (action,) = tick(group, view)

    assert action == DestroyClone(id=1, reason=Reason.LOW, victim=name(2))


def test_low_load_goes_no_lower_than_the_least_that_serve():
    group, view = make_pool(5.0, 5.0, standbys=2, min_clones=2)
    group = evolve(group, ticks=LOW)

    group, effects = tick(group, view)

    assert (effects, reason_of(group)) == ((), Reason.AT_MIN)


# Requests, sleep and waking


def asked(wanted: int, *states: float, **changes) -> tuple[Group, View]:
    """Return a group whose requests call for *wanted* members."""
    requests = RequestPolicy(target_in_flight=1, cooldown_up=0.0)
    group, view = make_pool(*states, requests=requests, **changes)
    assert view.backend is not None
    backend = evolve(view.backend, in_flight=wanted)
    demand = Demand(newest=evolve(backend, at=NOW - 1))
    ticks = evolve(group.ticks, demand=demand)
    return evolve(group, ticks=ticks), evolve(view, backend=backend)


def test_requests_promote_all_that_are_wanted_at_once():
    group, view = asked(3, 50.0, standbys=2)

    group, effects = tick(group, view)

    assert effects == tuple(Note(NoteKind.PROMOTED, name(k)) for k in (2, 3))
    assert group.ticks.demand.grew_at == NOW


def test_requests_promote_while_the_host_is_silent():
    group, view = asked(3, 50.0, standbys=1)
    old = evolve(view, reconcile_interval=0.0)

    group, effects = tick(group, old)

    assert effects == (Note(NoteKind.PROMOTED, name(2)),)


def test_without_a_standby_requests_wait_for_the_host():
    group, view = asked(3, 50.0, standbys=0)

    group, effects = tick(group, evolve(view, reconcile_interval=0.0))

    assert (effects, reason_of(group)) == ((), Reason.NO_DATA)


def test_a_sleeping_group_wakes_with_a_standby():
    group, view = make_pool(standbys=1)

    group, effects = happens(group, WakeAsked(view))

    assert effects == (Note(NoteKind.PROMOTED, name(1)),)
    assert reason_of(group) is Reason.WAKE


def test_a_sleeping_group_wakes_with_a_standby_though_the_host_is_silent():
    group, view = make_pool(standbys=1)

    group, effects = happens(group, WakeAsked(view), NOW + 10_000)

    assert effects == (Note(NoteKind.PROMOTED, name(1)),)


def test_where_standbys_are_all_a_group_is_asleep():
    group, view = make_pool(standbys=2)

    group, effects = happens(group, Informed(view))

    assert (effects, reason_of(group)) == ((), Reason.ASLEEP)


def test_what_gets_work_stands_by_no_longer():
    """A daemon that was killed had not written down that it was promoted."""
    group, view = make_pool(50.0, standbys=1)
    view = with_server(view, 2, Duty.READY, Health.PASSED)

    group, _ = happens(group, Balanced(view.backend))

    assert group.standbys == ()
    assert group.clones[1].ready_at == NOW


def test_a_standby_is_not_ready_because_its_balancer_tells_of_it():
    group, view = make_pool(50.0, standbys=1)

    group, _ = happens(group, Balanced(view.backend))

    assert group.clones[1].ready_at is None
