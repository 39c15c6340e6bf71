"""As many standbys as are wanted, and good ones, beside all else."""

from attrs import evolve

from autoscaler.core.actions import DestroyClone
from autoscaler.core.decision import Outcome, Reason
from autoscaler.core.events import (
    ActionEnded,
    CloneCreated,
    CloneDestroyed,
    Informed,
)
from autoscaler.core.group import Ticks
from autoscaler.core.ledger import (
    Ledger,
)
from autoscaler.core.policy import Mode
from tests.core.builders import (
    NOW,
    happens,
)
from tests.core.standing_by import (
    PAUSE,
    POOL,
    failing,
    held,
    make_pool,
    name,
    numbers,
    reason_of,
    refill,
    tick,
)

LONG_AGO = Ledger(needed_at=NOW - 1000, next_number=9)
ANOTHER = b"\x07" * 32


# Refilling


def test_all_standbys_that_are_missing_are_made_at_once():
    group, view = make_pool(50.0, standbys=0)

    group, actions = tick(group, view)

    assert [numbers(action.slots) for action in actions] == [[2], [3]]
    assert all(action.as_standby for action in actions)
    assert {action.reason for action in actions} == {Reason.REFILL}
    decision = group.decision
    assert (decision.outcome, decision.standbys_wanted) == (Outcome.UP, 2)


def test_a_refill_is_nothing_to_those_that_serve():
    group, view = make_pool(50.0, standbys=0)
    group = evolve(group, ticks=Ticks(high=2, low=0, last=NOW - 10))

    group, (action, _) = tick(group, view)
    group, _ = happens(group, CloneCreated(name(2), NOW, 0.0), NOW + 1)
    group, _ = happens(group, ActionEnded(action.id), NOW + 2)

    assert group.ledger.changed_at is None
    assert numbers(group.standbys) == [2]
    assert group.ledger.needed_at == NOW - 10
    assert group.ledger.budget.acted == group.ledger.budget.mended == ()


def test_no_ticks_are_lost_to_standbys():
    group, view = make_pool(99.0, standbys=0)
    group, _ = tick(group, view)
    assert (group.ticks.high, reason_of(group)) == (1, Reason.REFILL)

    group, _ = happens(group, ActionEnded(1), NOW + 1)

    assert group.ticks.high == 1


def test_load_is_acted_upon_while_standbys_are_made():
    ledger = Ledger(next_number=9, next_action=2, actions=(refill(8),))
    group, view = make_pool(99.0, standbys=0, standby=POOL, ledger=ledger)
    group = evolve(group, ticks=Ticks(high=9, last=NOW - 10, conclusive=NOW - 10))

    group, (action,) = tick(group, view)

    assert (action.reason, action.as_standby) == (Reason.HIGH, False)
    assert len(group.ledger.actions) == 2


def test_standbys_are_made_while_another_action_is_in_flight():
    destroys = DestroyClone(id=1, reason=Reason.LOW, victim=name(2))
    ledger = Ledger(next_number=9, next_action=2, actions=(destroys,))
    group, view = make_pool(50.0, 50.0, standbys=1, ledger=ledger)

    group, (action,) = tick(group, view)

    assert numbers(action.slots) == [9]


def test_a_group_that_nobody_hears_gets_its_standbys_too():
    group, view = make_pool(50.0, standbys=0)

    _, actions = happens(group, Informed(view))

    assert len(actions) == 2


def test_a_sleeping_group_keeps_its_standbys():
    group, view = make_pool(standbys=1)

    _, (action,) = happens(group, Informed(view))

    assert numbers(action.slots) == [2]


def test_standbys_have_the_room_that_is_left():
    group, view = make_pool(50.0, standbys=0, max_clones=2)

    _, actions = tick(group, view)

    assert len(actions) == 1


def test_where_there_is_no_room_it_is_said_why():
    group, view = make_pool(50.0, standbys=1, max_clones=2)

    assert held(group, view) is Reason.AT_MAX


def test_after_a_failure_standbys_wait():
    ledger = Ledger(next_number=9, refilling=PAUSE)
    group, view = make_pool(50.0, standbys=1, ledger=ledger)

    assert held(group, view) is Reason.BACKOFF


def test_where_clones_fail_standbys_wait_too():
    ledger = Ledger(next_number=9, creating=PAUSE)
    group, view = make_pool(50.0, standbys=1, ledger=ledger)

    assert held(group, view) is Reason.BACKOFF


def test_what_policies_refuse_is_not_tried():
    group, view = make_pool(50.0, standbys=1)
    assert view.rules is not None
    policies = {
        domain: evolve(policy, unikernels=3)
        for domain, policy in view.rules.policies.items()
    }
    view = evolve(view, rules=evolve(view.rules, policies=policies))

    assert held(group, view) is Reason.NO_CAPACITY


def test_nothing_is_made_that_no_balancer_would_check():
    group, view = make_pool(50.0, standbys=1)

    assert held(group, evolve(view, backend=None)) is Reason.NO_SIGNAL


def test_nothing_is_made_by_answers_that_are_too_old():
    group, view = make_pool(50.0, standbys=1)

    assert held(group, evolve(view, reconcile_interval=0.0)) is Reason.NO_DATA


def test_what_is_switched_off_stays_so():
    group, view = make_pool(50.0, standbys=1, scale_up=False)

    assert held(group, view) is Reason.SWITCHED_OFF


def test_a_paused_group_makes_no_standbys():
    group, view = make_pool(50.0, standbys=0, mode=Mode.PAUSED)

    assert held(group, view) is None


def test_where_load_acts_standbys_come_after_that():
    group, view = make_pool(99.0, standbys=0)
    group = evolve(group, ticks=Ticks(high=9, last=NOW - 10, conclusive=NOW - 10))

    group, (action,) = tick(group, view)

    assert action.reason is Reason.HIGH


# Those that are not needed


def test_what_nobody_has_needed_for_long_goes_but_the_least():
    group, view = make_pool(50.0, standbys=3, ledger=LONG_AGO)

    group, actions = tick(group, view)

    assert [action.victim for action in actions] == [name(4), name(3)]
    assert all(action.as_standby for action in actions)
    assert (reason_of(group), group.decision.age_s) == (Reason.SURPLUS, 1000)


def test_those_that_could_not_serve_go_first():
    group, view = make_pool(50.0, standbys=2, ledger=LONG_AGO)

    group, (action,) = tick(group, failing(view, 2))

    assert action.victim == name(2)
    assert reason_of(group) is Reason.STANDBY_FAILED


def test_one_that_goes_already_is_not_taken_again():
    goes = DestroyClone(id=1, reason=Reason.SURPLUS, victim=name(4), as_standby=True)
    ledger = evolve(LONG_AGO, actions=(goes,), next_action=2)
    group, view = make_pool(50.0, standbys=3, ledger=ledger)

    _, (action,) = tick(group, view)

    assert action.victim == name(3)


def test_nobody_goes_while_standbys_come():
    ledger = evolve(LONG_AGO, actions=(refill(8),), next_action=2)
    group, view = make_pool(50.0, standbys=3, ledger=ledger)

    assert held(group, view) is None


def test_after_a_failed_destroy_those_that_should_go_wait():
    ledger = evolve(LONG_AGO, destroying=PAUSE)
    group, view = make_pool(50.0, standbys=3, ledger=ledger)

    assert held(group, view) is Reason.BACKOFF


def test_without_a_balancer_no_standby_stays():
    group, view = make_pool(50.0, standbys=1)
    policy = evolve(group.policy, serving=None)

    group, (action,) = tick(evolve(group, policy=policy), view)

    assert action.victim == name(2)


def test_a_removal_starts_no_cooldown():
    group, view = make_pool(50.0, standbys=3)
    group, (action,) = tick(group, view)

    group, _ = happens(group, CloneDestroyed(action.victim), NOW + 1)
    group, _ = happens(group, ActionEnded(action.id), NOW + 1)

    assert (group.ledger.changed_at, numbers(group.standbys)) == (None, [2, 3])
