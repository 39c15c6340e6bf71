"""An operator asks for standbys, and is told how many are possible."""

import pytest
from attrs import evolve

from autoscaler.core.decision import Reason
from autoscaler.core.events import PrewarmAsked
from autoscaler.core.ledger import (
    Backoff,
    Ledger,
    Prewarm,
)
from autoscaler.core.policy import Mode
from autoscaler.core.prewarming import describe_warmth, find_warmth
from autoscaler.core.view import View
from tests.core.builders import NOW, happens
from tests.core.standing_by import (
    NO_POOL,
    POOL,
    failing,
    make_pool,
    numbers,
    reason_of,
)

PAUSE = Backoff(failures=1, since=NOW, length=100.0)


def ask(group, view, count):
    """Return the group after the wish, what it does, and what is said."""
    group, effects = happens(group, PrewarmAsked(view, count))
    return group, effects, describe_warmth(find_warmth(group, view, count, NOW))


def tight(view: View, unikernels: int) -> View:
    assert view.rules is not None
    policies = {
        domain: evolve(policy, unikernels=unikernels)
        for domain, policy in view.rules.policies.items()
    }
    return evolve(view, rules=evolve(view.rules, policies=policies))


def test_what_is_asked_for_is_made_at_once_and_lasts():
    group, view = make_pool(50.0, standbys=1, standby=NO_POOL)

    group, actions, said = ask(group, view, 3)

    assert [numbers(action.slots) for action in actions] == [[3], [4]]
    assert all(action.as_standby for action in actions)
    assert group.ledger.prewarm == Prewarm(3, NOW)
    assert said == "3 of 3 standbys: 1 ready, 2 coming, for 600 s"
    assert reason_of(group) is Reason.REFILL


def test_nothing_is_made_where_enough_stand_by():
    group, view = make_pool(50.0, standbys=2)

    group, actions, said = ask(group, view, 1)

    assert actions == ()
    assert group.decision is None
    assert said == "1 of 1 standby: 1 ready, 0 coming, for 600 s"


def test_the_wish_can_be_taken_back():
    ledger = Ledger(prewarm=Prewarm(3, NOW - 9), next_number=9)
    group, view = make_pool(50.0, standbys=2, ledger=ledger)

    group, actions, said = ask(group, view, 0)

    assert (group.ledger.prewarm, actions) == (None, ())
    assert said == "no more stand by than the configuration says"


def test_those_that_could_not_serve_don_t_count():
    group, view = make_pool(50.0, standbys=2)

    _, (action,), said = ask(group, failing(view, 3), 2)

    assert action.reason is Reason.STANDBY_FAILED
    assert said == "2 of 2 standbys: 1 ready, 1 coming, for 600 s"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param(
            {"max_clones": 3},
            "at most 3 members are wanted, and 1 of them serve",
            id="no room",
        ),
        pytest.param({"mode": Mode.PAUSED}, "the group is paused", id="paused"),
        pytest.param(
            {"mode": Mode.OBSERVE}, "the group is only observed", id="observed"
        ),
        pytest.param(
            {"scale_up": False}, "scale_up is switched off", id="switched off"
        ),
        pytest.param(
            {"ledger": Ledger(refilling=PAUSE, next_number=9)},
            "the last one failed, and the next one waits",
            id="after a failure",
        ),
    ],
)
def test_why_not_all_are_possible_is_said(changes, why):
    group, view = make_pool(50.0, standbys=2, standby=POOL, **changes)

    _, actions, said = ask(group, view, 4)

    assert actions == ()
    assert said == f"2 of 4 standbys: 2 ready, 0 coming; {why}"


def test_as_many_are_made_as_fit_and_why_no_more_is_said():
    group, view = make_pool(50.0, standbys=0, standby=NO_POOL)

    group, actions, said = ask(group, tight(view, 3), 4)

    assert len(actions) == 1
    assert said == (
        "1 of 4 standbys: 0 ready, 1 coming; one more member does not "
        "fit: a member needs 1 of unikernels, and 3 of 3 are taken in the policy of "
        "user"
    )


def test_a_silent_balancer_makes_none_possible():
    group, view = make_pool(50.0, standbys=0, standby=NO_POOL)

    _, _, said = ask(group, evolve(view, backend=None), 1)

    assert said == ("0 of 1 standby: 0 ready, 0 coming; the balancer doesn't answer")


def test_who_goes_keeps_others_from_coming_only_for_a_moment():
    ledger = Ledger(needed_at=NOW, next_number=9)
    group, view = make_pool(50.0, standbys=1, standby=NO_POOL, ledger=ledger)
    group, _ = happens(group, PrewarmAsked(failing(view, 2), 1))

    _, _, said = ask(group, failing(view, 2), 1)

    assert said == "1 of 1 standby: 0 ready, 1 coming, for 600 s"


def test_a_group_that_lost_its_balancer_has_none():
    group, view = make_pool(50.0, standbys=0)
    bare = evolve(group, policy=evolve(group.policy, serving=None))

    warmth = find_warmth(bare, view, 1, NOW)

    assert (warmth.possible, warmth.lasts_s) == (0, 0.0)
    assert warmth.why == "others come or go"
