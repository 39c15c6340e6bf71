"""Which CPUs a clone is pinned to."""

from attrs import evolve

from albatross_client.names import ROOT, Name
from autoscaler.core.capacity import find_slots
from autoscaler.core.decision import Shortage
from autoscaler.core.view import Around, Occupant, Rules
from tests.core.builders import (
    DOMAIN,
    NEIGHBOUR,
    NOW,
    clone_name,
    fresh_track,
    make_info,
    make_policy,
    make_rules,
    make_world,
)
from tests.core.fitting import cpuids, found, listing_with, view_with


def test_only_cpuids_that_every_policy_allows_are_used():
    narrow = make_rules(cpuids=frozenset({0, 1, 5, 7})).policies[DOMAIN]
    wide = make_rules(cpuids=frozenset({2, 3, 7})).policies[DOMAIN]
    view = evolve(view_with(), rules=Rules({DOMAIN: narrow, ROOT: wide}, NOW))

    assert cpuids(found(view)) == [{7}]


def test_no_clone_is_pinned_beside_a_member_of_its_group():
    few = view_with(cpuids=frozenset({0, 1, 4}))

    assert cpuids(found(few, count=3)) == [{4}]


def test_shared_cpus_are_taken_when_the_operator_allows_it():
    group = evolve(make_world(50.0, 50.0)[0], policy=make_policy(share_cpuids=True))

    assert cpuids(found(view_with(cpuids=frozenset({0})), group)) == [{0}]


def test_a_foreign_look_alike_does_not_keep_a_cpu_from_the_group():
    group, view = make_world(50.0, 50.0)
    view = listing_with(view, **{"web-clone-9": make_info(2)})
    view = evolve(view, rules=make_rules(cpuids=frozenset({2})))

    assert isinstance(find_slots(group, view, 1), Shortage)
    stranger = evolve(group, foreign=frozenset({clone_name(9)}))
    assert cpuids(find_slots(stranger, view, 1)) == [{2}]


def test_the_least_loaded_cpus_are_taken():
    view = listing_with(view_with(cpuids=frozenset({2, 3, 31})), a=make_info(2))
    view = evolve(
        view,
        tracks={
            Name(("user",), "a"): fresh_track(20.0),
            NEIGHBOUR: fresh_track(10.0),
            Name(("user",), "gone"): fresh_track(1.0),
        },
    )

    assert cpuids(found(view)) == [{3}]
    three_is_busier = listing_with(view, b=make_info(3))
    tracks = {**view.tracks, Name(("user",), "b"): fresh_track(15.0)}
    assert cpuids(found(evolve(three_is_busier, tracks=tracks))) == [{31}]


def test_what_other_domains_use_is_load_too():
    view = view_with(cpuids=frozenset({2, 3}))
    busy = Occupant(Name(("other",), "x"), 32, frozenset({2}))
    unheard = Occupant(Name(("other",), "y"), 32, frozenset({3}))
    another = Occupant(Name(("other",), "z"), 32, frozenset({3}))
    elsewhere = (busy, unheard, another)
    view = evolve(view, around=Around(elsewhere))

    assert cpuids(found(view)) == [{2}]
    heard = {busy.name: fresh_track(20.0)}
    view = evolve(view, around=Around(elsewhere, (view.tracks, heard)))
    assert cpuids(found(view)) == [{3}]


def test_a_usage_is_spread_over_the_cpus_of_its_unikernel():
    wide = make_info(cpuids=frozenset({2, 3}))
    view = listing_with(view_with(cpuids=frozenset({2, 3, 31})), a=wide)
    tracks = {Name(("user",), "a"): fresh_track(50.0), NEIGHBOUR: fresh_track(30.0)}

    assert cpuids(found(evolve(view, tracks=tracks))) == [{2}]


def test_of_equally_loaded_cpus_the_one_with_fewest_pinned_is_taken():
    view = listing_with(view_with(cpuids=frozenset({2, 3})), a=make_info(2))

    assert cpuids(found(view)) == [{3}]


def test_of_equal_cpus_the_lowest_is_taken():
    assert cpuids(found(view_with(cpuids=frozenset({9, 4, 7})))) == [{4}]


def test_a_clone_gets_as_many_cpus_as_its_primary():
    view = listing_with(view_with(), web=make_info(cpuids=frozenset({0, 5})))

    assert cpuids(found(view)) == [{2, 3}]
