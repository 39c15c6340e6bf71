"""Members that stand by: no capacity, and the first to be given work."""

import pytest
from attrs import evolve

from autoscaler.core.actions import CreateClones, DestroyClone, ReplaceClone
from autoscaler.core.backend import Duty, Health
from autoscaler.core.decision import MemberClass, Outcome, Reason
from autoscaler.core.demand import Demand, RequestPolicy
from autoscaler.core.events import (
    Balanced,
    Informed,
    Note,
    NoteKind,
    Reconfigured,
    WakeAsked,
)
from autoscaler.core.group import Group, Ticks
from autoscaler.core.ledger import (
    Backoff,
    Ledger,
    Parting,
    Prewarm,
)
from autoscaler.core.places import find_places
from autoscaler.core.policy import Mode
from autoscaler.core.serving import StandbyPolicy
from autoscaler.core.standbys import find_failing, find_wanted
from autoscaler.core.standing import assess
from autoscaler.core.ticking import next_usage
from autoscaler.core.track import Track
from autoscaler.core.view import View
from tests.core.builders import NOW, fresh_track, happens, make_listing
from tests.core.standing_by import (
    NO_POOL,
    case_of,
    failing,
    make_pool,
    name,
    numbers,
    reason_of,
    serving_policy,
    slot,
    tick,
    with_server,
)

HIGH = Ticks(high=9, last=NOW - 10, conclusive=NOW - 10)
LOW = Ticks(low=9, last=NOW - 10, conclusive=NOW - 10)


def busy(*states: float, **changes) -> tuple[Group, View]:
    """Return a group that has to grow."""
    group, view = make_pool(*(states or (99.0, 99.0)), **changes)
    return evolve(group, ticks=HIGH), view


def without(view: View, number: int) -> View:
    """Return *view* with a listing that misses a member."""
    assert view.listing is not None
    infos = {n: i for n, i in view.listing.infos.items() if n != name(number)}
    return evolve(view, listing=make_listing(infos))


def refill(*numbers_: int) -> CreateClones:
    slots = tuple(slot(number) for number in numbers_)
    return CreateClones(id=1, reason=Reason.REFILL, slots=slots, as_standby=True)


# What they count as


def test_a_standby_is_in_no_mean_and_no_capacity():
    group, view = make_pool(20.0, 40.0, standbys=2)

    load = assess(group, view, NOW)

    assert load.names(MemberClass.STANDBY) == (name(3), name(4))
    assert (load.mean_up, load.mean_down) == (30.0, 30.0)
    assert (load.capacity, load.fresh, load.quorum) == (2, 2, 1)


def test_a_standby_that_is_being_made_is_no_capacity_either():
    ledger = Ledger(next_number=9, actions=(refill(8),))
    group, view = make_pool(20.0, standbys=0, ledger=ledger)

    load = assess(group, view, NOW)

    assert load.names(MemberClass.STANDBY) == (name(8),)
    assert load.capacity == 1
    assert (group.serving_and_slots, group.clones_and_slots) == (1, 2)


def test_a_standby_that_goes_drains_and_one_that_is_silent_is_given_up():
    goes = DestroyClone(id=1, reason=Reason.SURPLUS, victim=name(2), as_standby=True)
    ledger = Ledger(next_number=9, actions=(goes,))
    group, view = make_pool(20.0, standbys=2, ledger=ledger)
    loops = evolve(fresh_track(), restarts=(NOW - 300, NOW - 200, NOW - 100))

    load = assess(group, evolve(view, tracks={**view.tracks, name(3): loops}), NOW)

    assert load.names(MemberClass.DRAINING) == (name(2),)
    assert load.names(MemberClass.GIVEN_UP) == (name(3),)


def test_frames_of_standbys_make_no_tick_where_others_serve():
    group, view = make_pool(20.0, standbys=1)
    silent = {**view.tracks, name(1): Track(heard=view.tracks[name(1)].heard)}

    assert next_usage(group, view, NOW) is not None
    assert next_usage(group, evolve(view, tracks=silent), NOW) is None


def test_frames_of_standbys_make_ticks_where_nobody_serves():
    group, view = make_pool(standbys=1)

    assert next_usage(group, view, NOW) is not None


def test_a_standby_gets_no_work_from_its_balancer():
    group, _ = make_pool(20.0, standbys=1)

    places = find_places(group, serving_policy())

    assert [wanted.duty for wanted in places.values()] == [Duty.READY, Duty.DRAIN]


# Who could serve at once


def test_standbys_are_ready_whose_check_has_passed():
    group, view = make_pool(20.0, standbys=3)
    view = with_server(view, 2, Duty.DRAIN, Health.UNPROVEN)
    view = with_server(view, 3, Duty.MAINT, Health.PASSED)

    assert numbers(case_of(group, view).ready) == [4]


def test_without_an_answer_of_the_balancer_none_is_ready():
    group, view = make_pool(20.0, standbys=2)

    assert case_of(group, evolve(view, backend=None)).ready == ()


def test_one_that_the_balancer_does_not_know_is_not_ready():
    group, view = make_pool(20.0, standbys=1)
    assert view.backend is not None
    known = {n: s for n, s in view.backend.servers.items() if n != name(2).label}
    backend = evolve(view.backend, servers=known)

    assert case_of(group, evolve(view, backend=backend)).ready == ()


def test_one_that_the_host_no_longer_lists_is_not_ready():
    group, view = make_pool(20.0, standbys=1)

    assert case_of(group, without(view, 2)).ready == ()
    assert case_of(group, evolve(view, listing=None)).ready == ()


def test_one_that_came_after_the_last_listing_is_ready():
    group, view = make_pool(20.0, standbys=1)
    young = evolve(group.clones[1], created=NOW + 1)
    group = evolve(group, clones=(group.clones[0], young))

    assert numbers(case_of(group, without(view, 2)).ready) == [2]


@pytest.mark.parametrize(
    "ledger",
    [
        pytest.param(
            Ledger(
                actions=(
                    DestroyClone(
                        id=1, reason=Reason.SURPLUS, victim=name(2), as_standby=True
                    ),
                )
            ),
            id="one that is destroyed",
        ),
        pytest.param(Ledger(parting={name(2): Parting.LEAVES}), id="one that leaves"),
        pytest.param(
            Ledger(
                surge=name(2),
                actions=(
                    ReplaceClone(
                        id=1,
                        reason=Reason.ROLLOUT,
                        slots=(),
                        victim=name(9),
                        create_first=True,
                        as_standby=True,
                    ),
                ),
            ),
            id="one that has to prove its image",
        ),
    ],
)
def test_who_goes_or_is_tried_is_not_ready(ledger):
    group, view = make_pool(20.0, standbys=2, ledger=ledger)

    assert numbers(case_of(group, view).ready) == [3]


def test_those_with_the_newest_image_are_taken_first():
    group, view = make_pool(20.0, standbys=2)
    group = evolve(group, outdated=(name(2),))

    assert numbers(case_of(group, view).ready) == [3, 2]


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


# How many are wanted


@pytest.mark.parametrize(
    ("ledger", "wanted"),
    [
        pytest.param(Ledger(needed_at=NOW - 599), 2, id="needed lately"),
        pytest.param(Ledger(needed_at=NOW - 600), 1, id="needed long ago"),
        pytest.param(Ledger(needed_at=None), 2, id="never looked at"),
        pytest.param(
            Ledger(needed_at=NOW - 900, prewarm=Prewarm(5, NOW - 599)), 5, id="asked"
        ),
        pytest.param(
            Ledger(needed_at=NOW - 900, prewarm=Prewarm(5, NOW - 600)), 1, id="once"
        ),
        pytest.param(
            Ledger(needed_at=NOW, prewarm=Prewarm(1, NOW)), 2, id="fewer than usual"
        ),
    ],
)
def test_as_many_are_wanted_as_were_needed_or_asked_for(ledger, wanted):
    group, _ = make_pool(50.0)

    assert find_wanted(evolve(group, ledger=ledger), NOW) == wanted


def test_without_a_balancer_none_are_wanted():
    group, _ = make_pool(50.0)
    policy = evolve(group.policy, serving=None)

    assert find_wanted(evolve(group, policy=policy), NOW) == 0


def test_the_first_look_begins_the_time_in_which_none_was_needed():
    group, view = make_pool(50.0, standbys=2)
    group = evolve(group, ledger=evolve(group.ledger, needed_at=None))

    group, _ = tick(group, view)

    assert group.ledger.needed_at == NOW


def test_where_no_standbys_are_wanted_no_time_is_kept():
    group, view = busy(standbys=0, standby=NO_POOL)
    group = evolve(group, ledger=evolve(group.ledger, needed_at=None))

    group, _ = tick(group, view)

    assert group.ledger.needed_at is None


def test_other_wishes_begin_the_time_anew():
    group, _ = make_pool(50.0)
    larger = StandbyPolicy(size=4)
    more = evolve(group.policy, serving=serving_policy(larger))
    same = evolve(group.policy, max_clones=8)
    none = evolve(group.policy, serving=None)

    assert happens(group, Reconfigured(more))[0].ledger.needed_at is None
    assert happens(group, Reconfigured(none))[0].ledger.needed_at is None
    assert happens(group, Reconfigured(same))[0].ledger.needed_at == NOW - 10


# Who could not serve


def test_a_standby_whose_checks_fail_could_not_serve():
    group, view = make_pool(50.0, standbys=2)
    view = failing(view, 3)

    load = assess(group, view, NOW)

    assert numbers(find_failing(group, view, load, NOW)) == [3]
    assert find_failing(group, evolve(view, backend=None), load, NOW) == ()


def test_while_standbys_are_made_young_ones_may_fail_their_checks():
    ledger = Ledger(next_number=9, actions=(refill(),))
    group, view = make_pool(50.0, standbys=2, ledger=ledger)
    view = failing(view, 2, 3)
    young = evolve(group.clones[1], created=NOW - 60)
    old = evolve(group.clones[2], created=NOW - 61)
    group = evolve(group, clones=(group.clones[0], young, old))

    load = assess(group, view, NOW)

    assert numbers(find_failing(group, view, load, NOW)) == [3]
