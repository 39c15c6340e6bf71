"""Groups that nobody asks for rest, and wake with the first who does."""

import pytest
from attrs import evolve

from autoscaler.core.actions import CreateClones, DestroyClone
from autoscaler.core.backend import Health, Place
from autoscaler.core.budget import Budget
from autoscaler.core.decision import Outcome, Reason
from autoscaler.core.events import NoteKind, Ticked, WakeAsked
from autoscaler.core.idle import IdlePolicy, Quiet
from autoscaler.core.ledger import (
    Backoff,
    Ledger,
    Parting,
)
from autoscaler.core.policy import Mode
from autoscaler.core.resting import is_coming
from tests.core.builders import (
    IMAGE,
    MANAGED,
    NOW,
    OTHER_IMAGE,
    creating,
    happens,
    make_listing,
    make_rules,
    make_template,
    make_world,
    replacing,
    rule,
)
from tests.core.served import (
    POOL,
    SERVING,
    label,
    make_backend,
    make_gate,
    make_served,
    make_server,
)

EVERYWHERE = Place("0.0.0.0", 9000)  # noqa: S104 - nobody listens
LONG = Quiet(NOW - 400, 0, "1")


def outcome(group, view):
    decision = rule(group, view).decision
    return decision.outcome, decision.reason


def leaving(group, view):
    decision = rule(group, view).decision
    if decision.reason is not Reason.IDLE:
        return []
    assert decision.victim is not None
    return [name.label for name in (decision.victim, *decision.more_victims)]


# To fewest


def test_an_idle_group_has_one_member_left_the_oldest():
    group, view = make_served(0, 0, 0)

    assert leaving(group, view) == ["web-3", "web-2"]
    assert rule(group, view).decision.age_s == 60


def test_an_idle_group_keeps_the_fewest_that_its_operator_wants():
    group, view = make_served(0, 0, 0, min_clones=2)

    assert leaving(group, view) == ["web-3"]


def test_the_clones_of_a_primary_all_go_and_the_primary_stays():
    served, view = make_served(0)
    group, seen = make_world(50.0, 50.0, policy=served.policy)
    clone = evolve(
        group.clones[0], address="10.0.0.1", created=NOW - 99, ready_at=NOW - 99
    )
    server = make_server(1, name="web-clone-1")
    group = evolve(group, clones=(clone,), quiet=LONG)
    seen = evolve(seen, backend=make_backend(server))

    assert leaving(group, seen) == ["web-clone-1"]
    assert outcome(evolve(group, clones=()), seen) == (Outcome.HOLD, Reason.STEADY)
    assert view.backend is not None


@pytest.mark.parametrize(
    "quiet",
    [
        pytest.param(Quiet(NOW - 29, 0, "1"), id="not-for-long"),
        pytest.param(Quiet(None, 0, "1"), id="somebody-asks"),
    ],
)
def test_a_group_that_somebody_asks_for_does_not_rest(quiet):
    group, view = make_served(0, 0)

    assert leaving(evolve(group, quiet=quiet), view) == []


def test_the_clock_begins_when_the_newest_member_is_ready():
    group, view = make_served(0, 0)
    young = evolve(group.clones[1], ready_at=NOW - 29)
    group = evolve(group, clones=(group.clones[0], young))

    assert leaving(group, view) == []


def test_one_that_is_not_ready_was_made_for_somebody():
    group, view = make_served(0, 0, 0)
    coming = evolve(group.clones[2], ready_at=None)

    assert leaving(evolve(group, clones=(*group.clones[:2], coming)), view) == []


def test_young_members_stay():
    group, view = make_served(0, 0, 0)
    young = evolve(group.clones[2], created=NOW - 19)

    assert leaving(evolve(group, clones=(*group.clones[:2], young)), view) == [
        "web-2",
        "web-1",
    ]


def test_a_member_that_ran_before_the_daemon_is_old_enough():
    group, view = make_served(0, 0)
    old = evolve(group.clones[1], created=None)

    assert leaving(evolve(group, clones=(group.clones[0], old)), view) == ["web-2"]


def test_members_with_open_sessions_stay():
    """A connection that says nothing is no request, and yet it is open."""
    group, view = make_served(0, 0, 1)

    assert leaving(group, view) == ["web-2", "web-1"]


def test_members_that_their_balancer_does_not_show_stay():
    group, view = make_served(0, 0)
    view = evolve(view, backend=make_backend(make_gate(), make_server(1)))

    assert leaving(evolve(group, quiet=Quiet(NOW - 60, 0, "1")), view) == ["web-1"]


@pytest.mark.parametrize("missing", ["serving", "idle", "backend"])
def test_without_idleness_to_tell_nobody_rests(missing):
    group, view = make_served(0, 0)
    if missing == "backend":
        view = evolve(view, backend=None)
    elif missing == "idle":
        policy = evolve(group.policy, serving=evolve(SERVING, idle=None))
        group = evolve(group, policy=policy)
    else:
        group = evolve(group, policy=evolve(group.policy, serving=None))

    assert leaving(group, view) == []


def test_nobody_rests_while_anything_is_done_or_could_not_be_undone():
    group, view = make_served(0, 0)
    failed = Ledger(next_number=3, destroying=Backoff(1, NOW - 1, 10.0))

    assert leaving(evolve(group, ledger=failed), view) == []
    busy = Ledger(next_number=3, actions=(creating(3),))
    assert leaving(evolve(group, ledger=busy), view) == []


def test_all_who_rest_go_at_once():
    group, view = make_served(0, 0, 0)

    group, effects = happens(group, Ticked(view))

    assert [type(effect) for effect in effects] == [DestroyClone, DestroyClone]
    assert {effect.reason for effect in effects} == {Reason.IDLE}
    assert group.decision.reason is Reason.IDLE


# To none


def test_after_longer_the_last_one_goes():
    group, view = make_served(0)

    assert leaving(evolve(group, quiet=LONG), view) == ["web-1"]


def test_the_last_one_stays_where_its_operator_wants_one():
    group, view = make_served(0, min_clones=1)

    assert leaving(evolve(group, quiet=LONG), view) == []


@pytest.mark.parametrize(
    "gate",
    [
        pytest.param((), id="missing"),
        pytest.param((make_gate(health=Health.FAILED),), id="failed"),
        pytest.param((make_gate(is_backup=False),), id="no-backup"),
    ],
)
def test_the_last_one_stays_where_nothing_would_wake_the_group(gate):
    group, view = make_served(0)
    group = evolve(group, quiet=LONG)
    view = evolve(view, backend=make_backend(*gate, make_server(1)))

    assert outcome(group, view) == (Outcome.HOLD, Reason.NO_ACTIVATOR)


def test_without_an_activator_the_others_go():
    group, view = make_served(0, 0, 0)
    policy = evolve(group.policy, serving=evolve(SERVING, activator=None))

    group = evolve(group, quiet=LONG, policy=policy)

    assert leaving(group, view) == ["web-3", "web-2"]


def test_a_group_that_can_not_sleep_still_gets_its_new_image():
    group, view = make_served(0)
    policy = evolve(group.policy, serving=evolve(SERVING, activator=None))
    template = make_template(digest=OTHER_IMAGE)
    group = evolve(group, quiet=LONG, policy=policy, template=template)
    group = evolve(group, outdated=(MANAGED.clone(1),))

    assert outcome(group, view) == (Outcome.REPLACE, Reason.ROLLOUT)
    assert template.digest != IMAGE


# Waking


def woken(group, view):
    """Return what becomes of a group that somebody asks for."""
    return happens(group, WakeAsked(view))


def test_the_first_who_asks_wakes_a_group_whatever_its_cooldowns():
    group, view = make_served()
    group = evolve(group, ledger=evolve(group.ledger, changed_at=NOW - 1))

    group, [action] = woken(group, view)

    assert isinstance(action, CreateClones)
    assert (action.reason, len(action.slots)) == (Reason.WAKE, 1)
    assert action.slots[0].address == str(POOL.first)
    assert group.decision.reason is Reason.WAKE


def test_a_hundred_who_ask_wake_it_once():
    group, view = make_served()
    begun = []

    for _ in range(100):
        group, effects = woken(group, view)
        begun += effects

    assert len(begun) == 1


def test_a_group_that_serves_has_nothing_to_wake():
    group, view = make_served(0)

    assert woken(group, view) == (group, ())


def test_a_group_around_a_primary_is_never_asleep():
    served, _ = make_served()
    group, view = make_world(50.0, policy=served.policy)

    assert woken(group, view) == (group, ())


def test_a_member_whose_old_one_is_gone_already_is_on_its_way():
    group, view = make_served()
    action = evolve(replacing(2, 1, create_first=False), victim=None)
    group = evolve(group, ledger=Ledger(next_number=3, actions=(action,)))

    assert woken(group, view) == (group, ())


def test_whoever_goes_holds_up_no_wake():
    """It may take as long as its last session to go."""
    group, view = make_served(1)
    action = DestroyClone(id=1, reason=Reason.IDLE, victim=MANAGED.clone(1))
    group = evolve(group, ledger=Ledger(next_number=2, actions=(action,)))

    _, [begun] = woken(group, view)

    assert begun.reason is Reason.WAKE


def test_there_is_never_one_more_than_may_be():
    group, view = make_served(1, max_clones=1)
    action = DestroyClone(id=1, reason=Reason.IDLE, victim=MANAGED.clone(1))
    group = evolve(group, ledger=Ledger(next_number=2, actions=(action,)))

    group, effects = woken(group, view)

    assert effects == ()
    assert group.decision.reason is Reason.AT_MAX


def test_a_paused_group_sleeps_on():
    group, view = make_served(mode=Mode.PAUSED)

    group, effects = woken(group, view)

    assert effects == ()
    assert group.decision.reason is Reason.PAUSED


def test_a_group_that_is_only_observed_would_wake():
    group, view = make_served(mode=Mode.OBSERVE)

    group, effects = woken(group, view)

    assert effects == ()
    assert group.decision.reason is Reason.WAKE
    assert group.ledger.slots == ()


def test_without_room_nobody_wakes():
    group, view = make_served()
    view = evolve(view, rules=make_rules(unikernels=1))

    group, effects = woken(group, view)

    assert effects == ()
    assert group.decision.reason is Reason.NO_CAPACITY


def test_without_answers_of_the_host_nobody_wakes():
    group, view = make_served()
    view = evolve(view, listing=make_listing({}, NOW - 500))

    group, effects = woken(group, view)

    assert effects == ()
    assert group.decision.reason is Reason.NO_DATA


def test_after_a_failed_wake_the_next_one_waits():
    group, view = make_served()
    failed = Ledger(creating=Backoff(1, NOW - 1, 10.0))

    group, effects = woken(evolve(group, ledger=failed), view)

    assert effects == ()
    assert group.decision.reason is Reason.BACKOFF


def test_a_group_that_has_done_too_much_does_not_wake():
    group, view = make_served(max_failures_in_row=2)
    failed = evolve(group.ledger, budget=Budget(failures=2))

    group, [note] = woken(evolve(group, ledger=failed), view)

    assert note.kind is NoteKind.STOOD_DOWN
    assert group.decision.reason is Reason.STOOD_DOWN

    later = NOW + group.policy.stand_down
    view = evolve(view, listing=make_listing({}, later), rules=make_rules(later))
    group, [note, action] = happens(group, WakeAsked(view), later)
    assert note.kind is NoteKind.STOOD_UP
    assert action.reason is Reason.WAKE


def test_what_is_decided_created_or_booting_is_coming():
    asleep, _ = make_served()
    serving, _ = make_served(0)
    booting = evolve(serving, clones=(evolve(serving.clones[0], ready_at=None),))
    going = booting.ledger.with_parting(MANAGED.clone(1), Parting.ENDS)
    decided = evolve(asleep, ledger=Ledger(actions=(creating(1),)))

    assert [is_coming(g) for g in (asleep, serving)] == [False, False]
    assert [is_coming(g) for g in (booting, decided)] == [True, True]
    assert not is_coming(evolve(booting, ledger=going))


def test_the_activator_may_listen_everywhere():
    group, view = make_served(0)
    serving = evolve(SERVING, activator=EVERYWHERE)
    group = evolve(group, quiet=LONG, policy=evolve(group.policy, serving=serving))

    assert leaving(group, view) == [label(1)]


def test_times_of_resting_have_an_order():
    with pytest.raises(ValueError, match="must not be shorter"):
        IdlePolicy(idle_to_min=60, idle_to_zero=30)
