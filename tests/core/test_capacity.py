"""Tests of where one more clone fits, and why it does not."""

import pytest
from attrs import evolve

from albatross_client.names import ROOT, Name
from albatross_client.values import BlockInfo, InterfaceInfo, ResourcePolicy, Typ
from autoscaler.core.actions import Slot
from autoscaler.core.addresses import AddressPool
from autoscaler.core.blueprint import copied
from autoscaler.core.capacity import cloneable, confirm_slot, find_slots
from autoscaler.core.decision import Reason, Shortage
from autoscaler.core.group import GroupId
from autoscaler.core.ledger import Ledger
from autoscaler.core.view import Around, Claim, Listing, Occupant, Rules
from tests.core.builders import (
    DOMAIN,
    NEIGHBOUR,
    NOW,
    PRIMARY,
    clone_name,
    creating,
    make_info,
    make_listing,
    make_policy,
    make_rules,
    make_slot,
    make_world,
)
from tests.core.fitting import cpuids, found, listing_with, view_with


def test_a_clone_takes_the_next_number_and_the_primarys_memory():
    (slot,) = found()

    assert slot.name == clone_name(2)
    assert slot.claim == Claim(clone_name(2), 32, frozenset({2}))
    assert slot.address is None


def test_several_clones_get_numbers_and_cpus_of_their_own():
    slots = found(count=3)

    assert [slot.number for slot in slots] == [2, 3, 4]
    assert cpuids(slots) == [{2}, {3}, {4}]


def test_as_many_clones_as_fit_are_found():
    assert len(found(view_with(unikernels=5), count=9)) == 2


@pytest.mark.parametrize(
    ("changes", "resource", "numbers"),
    [
        pytest.param({"unikernels": 3}, "unikernels", (1, 3, 3), id="unikernels"),
        pytest.param({"memory": 127}, "memory", (32, 96, 127), id="memory"),
        pytest.param({"cpuids": frozenset({0, 1})}, "cpuids", (1, 0, 0), id="cpuids"),
        pytest.param(
            {"bridges": frozenset()}, "bridges (br0)", (1, 0, 0), id="bridges"
        ),
    ],
)
def test_what_a_policy_refuses_is_named_with_its_numbers(changes, resource, numbers):
    shortage = found(view_with(**changes))

    needed, used, limit = numbers
    assert shortage == Shortage(
        Reason.NO_CAPACITY, resource, needed, used, limit, DOMAIN
    )


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"unikernels": 4}, id="unikernels"),
        pytest.param({"memory": 128}, id="memory"),
        pytest.param({"cpuids": frozenset({0, 1, 2})}, id="cpuids"),
        pytest.param({"bridges": frozenset({"br0", "x"})}, id="bridges"),
    ],
)
def test_what_a_policy_just_allows_is_found(changes):
    assert len(found(view_with(**changes))) == 1


@pytest.mark.parametrize(
    ("parent", "resource"),
    [
        pytest.param({"unikernels": 4}, "unikernels", id="unikernels"),
        pytest.param({"memory": 159}, "memory", id="memory"),
        pytest.param({"bridges": frozenset({"br1"})}, "bridges (br0)", id="bridges"),
    ],
)
def test_policies_of_domains_above_count_what_runs_below_them(parent, resource):
    group, view = make_world(50.0, 50.0)
    view = listing_with(view, web=make_info(0))
    assert view.listing is not None
    elsewhere = {**view.listing.infos, Name(("other",), "x"): make_info(30)}
    rules = make_rules()
    root = evolve(rules.policies[DOMAIN], **parent)
    view = evolve(
        view,
        listing=Listing(elsewhere, NOW, NOW),
        rules=Rules({DOMAIN: rules.policies[DOMAIN], ROOT: root}, NOW),
    )

    shortage = find_slots(group, view, 1)

    assert isinstance(shortage, Shortage)
    assert (shortage.resource, shortage.domain) == (resource, ROOT)


@pytest.mark.parametrize(
    ("parent", "resource", "numbers"),
    [
        pytest.param({"unikernels": 4}, "unikernels", (1, 4, 4), id="unikernels"),
        pytest.param({"memory": 191}, "memory", (32, 160, 191), id="memory"),
    ],
)
def test_what_runs_in_other_domains_takes_room_of_those_above(
    parent, resource, numbers
):
    view = view_with(unikernels=4)
    rules = make_rules()
    root = evolve(rules.policies[DOMAIN], **parent)
    policies = {DOMAIN: rules.policies[DOMAIN], ROOT: root}
    other = Occupant(Name(("other",), "x"), 64, frozenset({30}))
    view = evolve(view, rules=Rules(policies, NOW), around=Around((other,)))

    needed, used, limit = numbers
    assert found(view) == Shortage(
        Reason.NO_CAPACITY, resource, needed, used, limit, ROOT
    )


def test_a_claim_that_is_listed_elsewhere_takes_room_once():
    view = view_with(unikernels=5)
    other = Occupant(Name(("other",), "x-clone-1"), 32, frozenset({30}))
    roomy = make_rules().policies[DOMAIN]
    view = evolve(
        view,
        around=Around((other,)),
        claims=(Claim(other.name, other.memory, other.cpuids),),
        rules=Rules({DOMAIN: roomy, ROOT: evolve(roomy, unikernels=5)}, NOW),
    )

    assert len(found(view)) == 1


def test_policies_of_other_domains_do_not_matter():
    other = {Name(("other",)): ResourcePolicy()}
    rules = make_rules()
    view = evolve(view_with(), rules=Rules({**rules.policies, **other}, NOW))

    assert cpuids(found(view)) == [{2}]


def test_claims_of_other_groups_take_room():
    claim = Claim(Name(("user",), "api-clone-1"), 32, frozenset({2}))
    view = evolve(view_with(unikernels=4), claims=(claim,))

    assert isinstance(found(view), Shortage)


def test_a_claim_that_is_listed_already_takes_room_once():
    claim = Claim(NEIGHBOUR, 32, frozenset({31}))
    view = evolve(view_with(unikernels=4), claims=(claim,))

    assert len(found(view)) == 1


def test_own_reservations_take_room():
    group, view = make_world(50.0, 50.0, ledger=Ledger(actions=(creating(2),)))

    assert isinstance(
        found(evolve(view, rules=make_rules(unikernels=4)), group), (Shortage)
    )


def test_without_a_policy_there_is_no_limit_but_the_primarys_cpus():
    view = evolve(view_with(), rules=Rules({}, NOW))
    sharing = evolve(make_world(50.0, 50.0)[0], policy=make_policy(share_cpuids=True))

    assert found(view) == Shortage(Reason.NO_CAPACITY, "cpuids", 1, 0, 0, None)
    assert cpuids(found(view, sharing)) == [{0}]


def test_a_clone_that_goes_first_leaves_its_place():
    group, _ = make_world(50.0, 50.0)
    view = view_with(unikernels=3, memory=96, cpuids=frozenset({0, 1}))

    assert isinstance(find_slots(group, view, 1), Shortage)
    assert cpuids(find_slots(group, view, 1, clone_name(1))) == [{1}]


@pytest.mark.parametrize(
    ("changes", "share", "expected"),
    [
        pytest.param(
            {"blocks": (BlockInfo("b", "b", 512, 1),)},
            False,
            Shortage(Reason.BLOCK_DEVICE, "block devices", used=1),
            id="block devices",
        ),
        pytest.param(
            {"blocks": (BlockInfo("b", "b", 512, 1),)}, True, None, id="shared"
        ),
        pytest.param(
            {"typ": Typ.BHYVE}, False, Shortage(Reason.UNSUPPORTED, "bhyve"), id="BHyve"
        ),
        pytest.param(
            {"typ": Typ.BHYVE, "blocks": (BlockInfo("b", "b", 512, 1),)},
            False,
            Shortage(Reason.BLOCK_DEVICE, "block devices", used=1),
            id="block devices first",
        ),
        pytest.param({}, False, None, id="an ordinary one"),
    ],
)
def test_some_primaries_cannot_be_cloned(changes, share, expected):
    made_from = copied(make_info(**changes))

    assert cloneable(made_from, share_block_devices=share) == expected


def test_a_primary_that_cannot_be_cloned_is_said_before_a_lack_of_room():
    view = listing_with(view_with(unikernels=0), web=make_info(typ=Typ.BHYVE))

    assert found(view) == Shortage(Reason.UNSUPPORTED, "bhyve")


@pytest.mark.parametrize("missing", ["info", "policies"])
def test_nothing_is_found_before_the_host_has_answered(missing):
    view = view_with()
    view = (
        listing_with(view, web=None) if missing == "info" else evolve(view, rules=None)
    )

    shortage = found(view)

    assert isinstance(shortage, Shortage)
    assert shortage.reason is Reason.NO_DATA


def test_a_unikernel_without_interfaces_needs_no_bridges():
    view = listing_with(view_with(bridges=frozenset()), web=make_info(interfaces=()))

    assert len(found(view)) == 1


def test_all_bridges_that_are_refused_are_named():
    taps = tuple(InterfaceInfo(n, n, b"\x02" * 6) for n in ("b", "a"))
    view = listing_with(view_with(), web=make_info(interfaces=taps))

    shortage = found(view)

    assert isinstance(shortage, Shortage)
    assert shortage.resource == "bridges (a, b)"


def test_addresses_come_from_the_pool_lowest_first():
    pool = AddressPool.parse("10.0.0.1-10.0.0.9")
    group, view = make_world(50.0, 50.0, policy=make_policy(address_pool=pool))
    held = evolve(group.clones[0], address="10.0.0.3")

    slots = find_slots(evolve(group, clones=(held,)), view, 2)

    # The first is the pool's, the second everybody's argument, the third held.
    assert not isinstance(slots, Shortage)
    assert [slot.address for slot in slots] == ["10.0.0.1", "10.0.0.4"]


def test_a_pool_that_is_used_up_is_told_with_how_many_are_held():
    pool = AddressPool.parse("10.0.0.2-10.0.0.2")
    group, view = make_world(50.0, policy=make_policy(address_pool=pool))

    shortage = find_slots(group, view, 1)

    assert shortage == Shortage(Reason.NO_ADDRESS, "addresses", 1, 1, 1)


def test_a_number_that_does_not_fit_in_a_label_is_a_lack_of_capacity():
    """A tenant can list a look-alike with any number; that must stop nobody."""
    group, view = make_world(50.0, ledger=Ledger(next_number=10**53))

    shortage = find_slots(group, view, 1)

    assert isinstance(shortage, Shortage)
    assert shortage.resource == "labels of at most 63 characters"
    longest = evolve(group, ledger=Ledger(next_number=10**53 - 1))
    assert not isinstance(find_slots(longest, view, 1), Shortage)


def test_a_reservation_keeps_its_number_and_address_when_it_is_confirmed():
    group, view = make_world(50.0, 50.0, ledger=Ledger(actions=(creating(2, 3),)))
    slot = evolve(make_slot(2, 30), address="10.0.0.77")

    confirmed = confirm_slot(group, view, slot)

    assert isinstance(confirmed, Slot)
    assert (confirmed.number, confirmed.address) == (2, "10.0.0.77")
    assert confirmed.claim.cpuids == {2}


def test_an_address_that_somebody_turns_out_to_have_is_not_given_to_another():
    group, view = make_world(50.0)
    slot = make_slot(1, address="10.1.0.6")
    other = {Name(("user",), "other"): make_info(5, argv=("--ipv4=10.1.0.6/24",))}
    assert view.listing is not None
    infos = {**view.listing.infos, **other}

    found = confirm_slot(group, evolve(view, listing=make_listing(infos)), slot)

    assert isinstance(found, Shortage)
    assert found.reason is Reason.NO_ADDRESS


def test_a_reservation_that_no_longer_fits_says_why():
    group, view = make_world(50.0, 50.0, ledger=Ledger(actions=(creating(2, 3),)))
    full = evolve(view, rules=make_rules(unikernels=4))

    shortage = confirm_slot(group, full, make_slot(2))

    assert shortage == Shortage(Reason.NO_CAPACITY, "unikernels", 1, 4, 4, DOMAIN)
    freed = confirm_slot(group, full, make_slot(2), clone_name(1))
    assert isinstance(freed, Slot)


def test_names_of_clones_lie_in_the_primarys_domain():
    assert GroupId("alpha", PRIMARY).clone(7) == Name(("user",), "web-clone-7")
