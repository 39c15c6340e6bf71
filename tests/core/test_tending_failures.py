"""Standbys that fail or are old: who is replaced, by whom, and when."""

import pytest
from attrs import evolve

from autoscaler.core.actions import DestroyClone, ReplaceClone
from autoscaler.core.backend import Duty, Health
from autoscaler.core.decision import Reason
from autoscaler.core.doubts import Doubt
from autoscaler.core.events import (
    ActionEnded,
    CloneDestroyed,
    Informed,
    Note,
    NoteKind,
)
from autoscaler.core.group import Ticks
from autoscaler.core.ledger import (
    Backoff,
    Ledger,
    Parting,
)
from autoscaler.core.serving import StandbyPolicy
from tests.core.builders import (
    IMAGE,
    NOW,
    fresh_track,
    happens,
    make_info,
    make_listing,
)
from tests.core.standing_by import (
    PAUSE,
    failing,
    held,
    make_pool,
    name,
    numbers,
    other_image,
    reason_of,
    refill,
    slot,
    tick,
    with_server,
)


def renewal(new: int, old: int, reason: Reason = Reason.STANDBY_FAILED):
    return ReplaceClone(
        id=1,
        reason=reason,
        slots=(slot(new),),
        victim=name(old),
        create_first=True,
        as_standby=True,
    )


# Those that could not serve


def test_a_standby_that_could_not_serve_is_replaced():
    group, view = make_pool(50.0, standbys=2)

    group, (action,) = tick(group, failing(view, 2))

    assert action == evolve(renewal(4, 2), slots=action.slots)
    assert numbers(action.slots) == [4]
    assert group.ledger.replaced == (NOW,)
    assert group.ledger.replacing.failures == 0


def test_a_given_up_standby_is_replaced_as_one():
    group, view = make_pool(50.0, standbys=2)
    loops = evolve(fresh_track(), restarts=(NOW - 300, NOW - 200, NOW - 100))
    view = evolve(view, tracks={**view.tracks, name(3): loops})

    group, (note, action) = tick(group, view)

    assert note == Note(NoteKind.GAVE_UP, name(3))
    assert (action.victim, action.as_standby) == (name(3), True)


def test_without_room_the_old_one_goes_first():
    group, view = make_pool(50.0, standbys=2, max_clones=3)

    _, (action,) = tick(group, failing(view, 2))

    assert not action.create_first


def test_a_standby_in_the_way_of_load_is_removed_and_not_replaced():
    group, view = make_pool(99.0, 99.0, standbys=1, max_clones=3)
    group = evolve(group, ticks=Ticks(high=9, last=NOW - 10, conclusive=NOW - 10))

    group, (action,) = tick(group, failing(view, 3))

    assert isinstance(action, DestroyClone)
    assert action.victim == name(3)
    assert group.ticks.high == 10


def test_while_others_come_or_go_a_replacement_waits():
    ledger = Ledger(next_number=9, next_action=2, actions=(refill(8),))
    wanted = StandbyPolicy(size=3)
    group, view = make_pool(50.0, standbys=2, standby=wanted, ledger=ledger)

    assert held(group, failing(view, 2)) is None


def test_a_refill_that_is_held_holds_no_replacement():
    group, view = make_pool(50.0, standbys=1, max_clones=2)

    _, (action,) = tick(group, failing(view, 2))

    assert action.victim == name(2)


@pytest.mark.parametrize(
    "ledger",
    [
        pytest.param(Ledger(next_number=9, refilling=PAUSE), id="after a failure"),
        pytest.param(Ledger(next_number=9, replaced=(NOW - 9,) * 15), id="too many"),
    ],
)
def test_replacements_have_their_limits(ledger):
    group, view = make_pool(50.0, standbys=2, ledger=ledger)

    assert held(group, failing(view, 2)) is Reason.BACKOFF


def test_a_replacement_that_does_not_fit_waits():
    group, view = make_pool(50.0, standbys=2)
    assert view.rules is not None
    policies = {
        domain: evolve(policy, unikernels=1)
        for domain, policy in view.rules.policies.items()
    }
    view = evolve(view, rules=evolve(view.rules, policies=policies))

    assert held(group, failing(view, 2)) is Reason.NO_CAPACITY


def test_after_a_replacement_the_next_one_waits():
    group, view = make_pool(50.0, standbys=2)
    group, (action,) = tick(group, failing(view, 2))

    group, _ = happens(group, ActionEnded(action.id), NOW + 5)

    assert group.ledger.refilling.left(NOW + 5) == 10
    assert group.ledger.replacing == group.ledger.creating == Backoff()


# Failures


def test_standbys_that_fail_hold_no_others():
    group, view = make_pool(50.0, standbys=0)
    group, (first, second) = tick(group, view)

    group, _ = happens(group, ActionEnded(first.id, "refused", digest=IMAGE), NOW + 1)
    group, _ = happens(group, ActionEnded(second.id, "refused", digest=IMAGE), NOW + 1)

    ledger = group.ledger
    assert (ledger.refilling.failures, ledger.refilling.left(NOW + 1)) == (1, 10)
    assert (ledger.creating, ledger.budget.failures) == (Backoff(), 0)
    assert ledger.failed_upto == 1


def test_a_standby_that_can_t_be_destroyed_is_left_for_a_while():
    group, view = make_pool(50.0, standbys=3)
    group, (action,) = tick(group, view)

    group, _ = happens(group, ActionEnded(action.id, "refused"), NOW + 1)

    assert group.ledger.destroying.failures == 1
    assert group.ledger.refilling == Backoff()


def test_a_standby_that_dies_is_not_made_anew_at_once():
    group, view = make_pool(50.0, standbys=2)
    gone = evolve(group.clones[2], unlisted_at=NOW - 60)
    group = evolve(group, clones=(*group.clones[:2], gone))
    assert view.listing is not None
    infos = {n: i for n, i in view.listing.infos.items() if n != gone.name}
    view = evolve(
        view,
        listing=make_listing(infos),
        tracks={**view.tracks, gone.name: fresh_track(at=NOW - 500)},
    )

    group, effects = happens(group, Informed(view))

    assert Note(NoteKind.DIED, name(3)) in effects
    assert group.ledger.refilling.failures == 1

    again, _ = happens(
        evolve(group, clones=(*group.clones, evolve(gone, unlisted_at=NOW - 60))),
        Informed(view),
    )
    assert again.ledger.refilling.failures == 1


def test_after_a_while_without_failures_pauses_are_short_again():
    pause = Backoff(failures=3, since=NOW - 161, length=40.0)
    ledger = Ledger(next_number=9, refilling=pause)
    group, view = make_pool(50.0, standbys=2, ledger=ledger)

    kept, _ = tick(group, view, at=NOW - 1)
    group, _ = tick(group, view)

    assert kept.ledger.refilling == pause
    assert group.ledger.refilling == Backoff()


def test_a_standby_in_doubt_that_turns_up_stands_by():
    group, view = make_pool(50.0, standbys=1)
    doubt = Doubt(7, NOW - 60, IMAGE, is_standby=True)
    group = evolve(group, ledger=evolve(group.ledger, doubts=(doubt,)))
    assert view.listing is not None
    infos = {**view.listing.infos, name(7): make_info(7)}

    group, effects = happens(group, Informed(evolve(view, listing=make_listing(infos))))

    assert Note(NoteKind.TURNED_UP, name(7)) in effects
    assert numbers(group.standbys) == [2, 7]


def test_the_doubt_about_a_standby_says_so():
    group, view = make_pool(50.0, standbys=1)
    group, (action,) = tick(group, view)

    ended = ActionEnded(action.id, "lost", doubtful=(name(3),), digest=IMAGE)
    group, _ = happens(group, ended)

    assert group.ledger.doubts == (Doubt(3, NOW, IMAGE, is_standby=True),)


def test_who_could_not_be_removed_again_serves_again():
    group, view = make_pool(50.0, standbys=1)
    group, (action,) = tick(group, view)
    parting = {name(2): Parting.LEAVES}
    group = evolve(group, ledger=evolve(group.ledger, parting=parting))

    group, _ = happens(group, ActionEnded(action.id, "still there"))

    assert group.ledger.parting == {}


def test_what_a_standby_leaves_behind_is_no_change_of_those_that_serve():
    """A standby that is removed again beside a replacement is not its clone."""
    replaces = ReplaceClone(
        id=1, reason=Reason.GIVEN_UP, slots=(), victim=name(1), create_first=True
    )
    ledger = Ledger(next_number=9, next_action=2, actions=(replaces,))
    group, _ = make_pool(50.0, standbys=1, ledger=ledger)

    group, _ = happens(group, CloneDestroyed(name(2)))

    assert group.ledger.changed_by == frozenset()


# Images


def outdated(*clones: int, standbys: int = 2, ledger: Ledger | None = None, **policy):
    group, view = make_pool(50.0, standbys=standbys, ledger=ledger, **policy)
    names = tuple(name(number) for number in clones)
    return evolve(group, outdated=names), other_image(view, *clones)


def test_a_new_image_goes_to_standbys_first():
    group, view = outdated(1, 2, 3)

    group, (action,) = tick(group, view)

    assert (action.victim, action.reason) == (name(2), Reason.ROLLOUT)
    assert (action.as_standby, action.stable_for) == (True, 30.0)


def test_those_that_serve_get_it_once_all_standbys_have_it():
    group, view = outdated(1)

    group, (action,) = tick(group, view)

    assert (action.victim, action.as_standby) == (name(1), False)


def test_while_standbys_wait_for_it_so_do_those_that_serve():
    group, view = outdated(1, 2)

    group, effects = tick(group, evolve(view, backend=None))

    assert (effects, reason_of(group)) == ((), Reason.STEADY)


def test_a_sleeping_group_gets_it_too():
    group, view = make_pool(standbys=2)
    group = evolve(group, outdated=(name(1),))

    _, (action,) = happens(group, Informed(other_image(view, 1)))

    assert action.victim == name(1)


def test_one_at_a_time_gets_it():
    ledger = Ledger(next_number=9, next_action=2, actions=(refill(8),))
    group, view = outdated(1, 2, standbys=1, ledger=ledger)

    assert held(group, view) is None


def test_an_image_that_failed_is_not_tried_again_at_once():
    ledger = Ledger(next_number=9, rolling=evolve(PAUSE, digest=IMAGE))
    group, view = outdated(2, ledger=ledger)

    assert held(group, view) is Reason.IMAGE_UNHEALTHY


def test_without_room_an_image_that_failed_is_not_tried_again_at_all():
    rolling = Backoff(failures=1, since=NOW - 500, length=10.0, digest=IMAGE)
    ledger = Ledger(next_number=9, rolling=rolling)
    group, view = outdated(1, 2, 3, ledger=ledger, max_clones=3)

    assert held(group, view) is Reason.IMAGE_UNHEALTHY


def test_an_image_that_lives_in_a_standby_is_tried_again():
    rolling = Backoff(failures=1, since=NOW - 500, length=10.0, digest=IMAGE)
    ledger = Ledger(next_number=9, rolling=rolling)
    group, view = outdated(1, 2, ledger=ledger, max_clones=3)

    _, (action,) = tick(group, view)

    assert (action.victim, action.create_first) == (name(2), False)


def test_an_image_that_fits_nowhere_waits():
    group, view = outdated(2)
    assert view.rules is not None
    policies = {
        domain: evolve(policy, memory=1)
        for domain, policy in view.rules.policies.items()
    }
    view = evolve(view, rules=evolve(view.rules, policies=policies))

    assert held(group, view) is Reason.NO_CAPACITY


def test_a_new_standby_whose_old_one_stayed_is_enough():
    ledger = Ledger(next_number=9, surge=name(3))
    group, view = outdated(2, ledger=ledger)

    _, (action,) = tick(group, view)

    assert action == DestroyClone(
        id=1, reason=Reason.ROLLOUT, victim=name(2), as_standby=True
    )


def test_an_old_one_stays_until_the_new_one_is_ready():
    ledger = Ledger(next_number=9, surge=name(3))
    group, view = outdated(2, ledger=ledger)

    assert held(group, with_server(view, 3, Duty.DRAIN, Health.UNPROVEN)) is None


def test_an_old_one_that_can_t_be_destroyed_stays_for_a_while():
    ledger = Ledger(next_number=9, surge=name(3), destroying=PAUSE)
    group, view = outdated(2, ledger=ledger)

    assert held(group, view) is None


def test_a_new_standby_is_no_surge_of_those_that_serve():
    ledger = Ledger(next_number=9, surge=name(2))
    group, view = outdated(1, ledger=ledger)

    _, (action,) = tick(group, view)

    assert isinstance(action, ReplaceClone)


def test_an_image_that_fails_as_a_standby_stops_the_rollout():
    group, view = outdated(1, 2)
    group, (action,) = tick(group, view)

    group, _ = happens(group, ActionEnded(action.id, "it died", digest=IMAGE))

    assert group.ledger.rolling.failures == 1
    assert group.ledger.refilling == Backoff()
