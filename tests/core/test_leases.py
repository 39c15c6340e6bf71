"""Tests of addresses: held by one, and nobody's for a while after that."""

import pytest
from attrs import evolve

from autoscaler.core.addresses import AddressPool
from autoscaler.core.decision import MemberClass, Outcome, Reason, Shortage
from autoscaler.core.describe import explain
from autoscaler.core.doubts import DOUBT_S, Doubt
from autoscaler.core.events import (
    ActionEnded,
    CloneCreated,
    CloneDestroyed,
    DisownAsked,
    Informed,
    Reconfigured,
    Redrawn,
    Ticked,
)
from autoscaler.core.group import Ticks
from autoscaler.core.leases import Rest, lease_of, mentioned
from autoscaler.core.ledger import Backoff, Ledger
from autoscaler.core.moments import Clocks
from autoscaler.core.numbers import fields
from autoscaler.core.observe import observe
from autoscaler.core.quarantine import held_by
from autoscaler.core.snapshot import restore, take
from tests.core.builders import (
    MANAGED,
    NOW,
    OTHER_IMAGE,
    destroying,
    happens,
    listed,
    make_info,
    make_listing,
    make_managed,
    make_policy,
    make_slot,
    make_template,
    make_world,
    rule,
)
from tests.core.builders import creating as creating_clones

POOL = AddressPool.parse("10.1.0.1-10.1.0.4")


def pooled(*states, ledger=None, ticks=None, pool=POOL, **policy):
    """Return a managed group whose member N has the address 10.1.0.N."""
    wanted = make_policy(address_pool=pool, **policy)
    group, view = make_managed(*states, policy=wanted, ledger=ledger, ticks=ticks)
    clones = tuple(
        evolve(clone, address=f"10.1.0.{clone.number}") for clone in group.clones
    )
    return evolve(group, clones=clones), view


def resting(group):
    return {rest.address: rest.length for rest in group.ledger.resting}


def creating(*numbers):
    slots = tuple(
        make_slot(number, 8 + number, f"10.1.0.{number}") for number in numbers
    )
    return evolve(creating_clones(*numbers), slots=slots)


# How addresses are let go


def test_the_address_of_a_clone_that_was_destroyed_rests():
    action = evolve(destroying(2), victim=MANAGED.clone(2))
    group, _ = pooled(50.0, 50.0, ledger=Ledger(next_number=3, actions=(action,)))

    group, _ = happens(group, CloneDestroyed(MANAGED.clone(2)))

    assert resting(group) == {"10.1.0.2": 60.0}


def test_the_address_of_a_clone_that_died_rests():
    group, view = pooled(MemberClass.STALE, 50.0, min_clones=2)
    infos = listed(view)
    del infos[MANAGED.clone(1)]
    group, _ = happens(group, Informed(evolve(view, listing=make_listing(infos))))

    later = evolve(view, listing=make_listing(infos, NOW + 10))
    group, (_, action) = happens(group, Informed(later), NOW + 10)

    assert resting(group) == {"10.1.0.1": 60.0}
    assert action.slots[0].address == "10.1.0.3", "not that of the dead one"


def test_the_address_of_a_create_that_failed_rests():
    ledger = Ledger(next_number=3, actions=(creating(2),))
    group, _ = pooled(50.0, ledger=ledger)

    group, _ = happens(group, ActionEnded(1, "refused"))

    assert resting(group) == {"10.1.0.2": 60.0}


def test_the_address_of_a_create_that_succeeded_is_held():
    ledger = Ledger(next_number=3, actions=(creating(2),))
    group, _ = pooled(50.0, ledger=ledger)
    name = creating(2).slots[0].name

    group, _ = happens(group, CloneCreated(name, NOW, 0.0))
    group, _ = happens(group, ActionEnded(1))

    assert resting(group) == {}
    assert dict(held_by(group)) == {"10.1.0.1": 1, "10.1.0.2": 2}


def test_the_address_of_a_create_in_doubt_rests_as_long_as_the_doubt():
    slot = evolve(make_slot(2), claim=evolve(make_slot(2).claim, name=MANAGED.clone(2)))
    slot = evolve(slot, address="10.1.0.2")
    action = evolve(creating(2), slots=(slot,))
    ledger = Ledger(next_number=3, actions=(action,))
    group, _ = pooled(50.0, ledger=ledger)

    group, _ = happens(group, ActionEnded(1, "lost", doubtful=(MANAGED.clone(2),)))

    assert resting(group) == {"10.1.0.2": DOUBT_S}


def test_the_address_of_a_clone_that_is_disowned_rests():
    group, _ = pooled(50.0, 50.0)

    group, _ = happens(group, DisownAsked(MANAGED.clone(1)))

    assert resting(group) == {"10.1.0.1": 60.0}


def test_an_operator_may_want_no_rest():
    group, _ = pooled(50.0, 50.0, address_quarantine=0.0)

    group, _ = happens(group, DisownAsked(MANAGED.clone(1)))

    assert resting(group) == {}


def test_addresses_rest_though_the_pool_is_taken_away():
    group, _ = pooled(50.0, 50.0)

    group, _ = happens(group, Reconfigured(make_policy()))
    group, _ = happens(group, DisownAsked(MANAGED.clone(1)))

    assert resting(group) == {"10.1.0.1": 60.0}


# How they come back


RESTING = (Rest("10.1.0.2", NOW - 30, 60.0), Rest("10.1.0.3", NOW - 50, 60.0))


def test_what_rests_is_given_to_nobody():
    ledger = Ledger(next_number=2, resting=RESTING)
    group, view = pooled(50.0, min_clones=2, ledger=ledger)

    _, [action] = happens(group, Informed(view))

    assert action.slots[0].address == "10.1.0.4"


@pytest.mark.parametrize("event", [Ticked, Informed])
def test_what_has_rested_is_given_again(event):
    ledger = Ledger(next_number=2, resting=RESTING)
    group, view = pooled(50.0, min_clones=2, ledger=ledger)
    later = evolve(
        view,
        listing=evolve(view.listing, answered=NOW + 30),
        rules=evolve(view.rules, answered=NOW + 30),
    )

    group, (*_, action) = happens(group, event(later), NOW + 30)

    assert action.slots[0].address == "10.1.0.2"
    assert group.ledger.resting == ()


def test_an_empty_pool_is_told_with_what_is_held_and_what_rests():
    pool = AddressPool.parse("10.1.0.1-10.1.0.3")
    ledger = Ledger(next_number=2, resting=RESTING)
    group, view = pooled(50.0, pool=pool, min_clones=2, ledger=ledger)

    decision = rule(group, view).decision

    assert (decision.outcome, decision.reason) == (Outcome.HOLD, Reason.NO_ADDRESS)
    assert decision.shortage == Shortage(
        Reason.NO_ADDRESS, "addresses", 1, 3, 3, resting=2
    )
    assert decision.left_s == 10.0
    assert explain(decision) == (
        "one more member does not fit: of the pool's addresses 1 are held, and 2 rest "
        "after they were (10 s left)"
    )
    assert fields(decision)["short_resting"] == 2


def test_a_pool_whose_addresses_are_all_held_has_no_time_left():
    pool = AddressPool.parse("10.1.0.1-10.1.0.1")
    group, view = pooled(50.0, pool=pool, min_clones=2)

    decision = rule(group, view).decision

    assert decision.reason is Reason.NO_ADDRESS
    assert decision.left_s is None


def test_a_pool_without_one_to_spare_holds_a_new_image_and_says_so():
    pool = AddressPool.parse("10.1.0.1-10.1.0.2")
    group, view = pooled(50.0, 50.0, pool=pool)
    group, _ = happens(group, Redrawn(make_template(digest=OTHER_IMAGE)))
    group, _ = observe(group, view, NOW)

    decision = rule(group, view).decision

    assert (decision.outcome, decision.reason) == (Outcome.HOLD, Reason.NO_ADDRESS)
    assert decision.outdated == 2


def test_a_new_image_that_waits_for_something_else_says_nothing_of_addresses():
    pool = AddressPool.parse("10.1.0.1-10.1.0.2")
    ticks = Ticks(low=0, last=NOW - 10, conclusive=NOW - 10)
    ledger = Ledger(next_number=3, changed_at=NOW - 1, destroying=Backoff())
    group, view = pooled(1.0, 1.0, pool=pool, ledger=ledger, ticks=ticks)
    group, _ = happens(group, Redrawn(make_template(digest=OTHER_IMAGE)))
    group, _ = observe(group, view, NOW)

    assert rule(group, view).decision.reason is Reason.COOLDOWN


# Whose address is it?


def joined(argv, pool=POOL, **changes):
    group, view = pooled(50.0, pool=pool, **changes)
    infos = {**listed(view), MANAGED.clone(5): make_info(5, argv=argv)}
    group, _ = observe(group, evolve(view, listing=make_listing(infos)), NOW)
    [clone] = [clone for clone in group.clones if clone.number == 5]
    return group, clone


def test_who_is_adopted_holds_the_address_that_its_arguments_mention():
    _, clone = joined(("--gateway=10.9.9.9", "--ipv4=10.1.0.3/24"))

    assert clone.address == "10.1.0.3"


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(None, id="no arguments"),
        pytest.param(("--ipv4=10.2.0.3/24",), id="an address of another range"),
        pytest.param(("--ipv4=10.1.0.1/24",), id="an address that is held"),
        pytest.param(("--ipv6=fd00::3/64",), id="an address of another family"),
        pytest.param(("--file=a.b:c",), id="no address"),
    ],
)
def test_who_is_adopted_without_an_address_of_the_pool_holds_none(argv):
    _, clone = joined(argv)

    assert clone.address is None


def test_who_is_adopted_where_there_is_no_pool_holds_none():
    _, clone = joined(("--ipv4=10.1.0.3/24",), pool=None)

    assert clone.address is None


def test_who_turns_up_holds_its_address_again():
    ledger = Ledger(
        next_number=6,
        doubts=(Doubt(5, NOW - 100),),
        resting=(Rest("10.1.0.3", NOW - 100, DOUBT_S),),
    )
    group, view = pooled(50.0, ledger=ledger)
    infos = {**listed(view), MANAGED.clone(5): make_info(5, argv=("--a=10.1.0.3",))}

    group, _ = happens(group, Informed(evolve(view, listing=make_listing(infos))))

    assert dict(held_by(group))["10.1.0.3"] == 5
    assert resting(group) == {}


def test_an_address_that_anybody_mentions_is_given_to_nobody():
    pool = AddressPool.parse("fd00::1-fd00::3")
    group, view = pooled(pool=pool, min_clones=1)
    infos = {
        **listed(view),
        MANAGED.clone(9): make_info(9, argv=("--ip=fd00:0::1/64",)),
    }
    infos = {name: evolve(i, digest=OTHER_IMAGE) for name, i in infos.items()}

    _, (_, action) = happens(group, Informed(evolve(view, listing=make_listing(infos))))

    assert action.slots[0].address == "fd00::2"


def test_addresses_are_read_wherever_they_stand_in_arguments():
    info = make_info(argv=("10.1.0.1", "--ips=10.1.0.2 10.1.0.3/8", "--v=1.2"))

    assert mentioned((info,)) == {"10.1.0.1", "10.1.0.2", "10.1.0.3"}
    assert lease_of(info, POOL, ("10.1.0.1",)) == "10.1.0.2"


def test_clones_of_a_primary_lease_alike():
    group, view = make_world(50.0, policy=make_policy(address_pool=POOL, min_clones=1))

    group, [action] = happens(group, Informed(view))
    group, _ = happens(group, ActionEnded(action.id, "refused"))

    assert action.slots[0].address == "10.1.0.1"
    assert resting(group) == {"10.1.0.1": 60.0}


# Restarts


def test_leases_and_rests_outlive_the_daemon():
    group, _ = pooled(50.0, ledger=Ledger(next_number=2, resting=RESTING))
    kept = take(group, Clocks(NOW, "boot", NOW, NOW))

    revived = restore(kept, group.policy, Clocks(7.0, "boot", NOW + 20, NOW), TEMPLATE)

    assert dict(held_by(revived)) == {"10.1.0.1": 1}
    assert [rest.left(7.0) for rest in revived.ledger.resting] == [10.0, 0.0]


def test_a_stepped_clock_lets_nothing_rest_for_longer_than_it_should():
    group, _ = pooled(50.0, ledger=Ledger(next_number=2, resting=RESTING))
    kept = take(group, Clocks(NOW, "boot", NOW, NOW))

    revived = restore(kept, group.policy, Clocks(7.0, "other", 7.0, 0.0), TEMPLATE)

    assert [rest.left(7.0) for rest in revived.ledger.resting] == [60.0, 60.0]


TEMPLATE = make_template()
