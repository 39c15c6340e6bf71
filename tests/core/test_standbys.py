"""Members that stand by: no capacity, and the first to be given work."""

import pytest
from attrs import evolve

from autoscaler.core.actions import CreateClones, DestroyClone, ReplaceClone
from autoscaler.core.backend import Duty, Health
from autoscaler.core.decision import MemberClass, Reason
from autoscaler.core.events import (
    Reconfigured,
)
from autoscaler.core.ledger import (
    Ledger,
    Parting,
    Prewarm,
)
from autoscaler.core.places import find_places
from autoscaler.core.serving import StandbyPolicy
from autoscaler.core.standbys import find_failing, find_wanted
from autoscaler.core.standing import assess
from autoscaler.core.ticking import next_usage
from autoscaler.core.track import Track
from autoscaler.core.view import View
from tests.core.builders import NOW, fresh_track, happens, make_listing
from tests.core.standing_by import (
    NO_POOL,
    busy,
    case_of,
    failing,
    make_pool,
    name,
    numbers,
    serving_policy,
    slot,
    tick,
    with_server,
)


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
