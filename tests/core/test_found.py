"""Tests of members of which it has to be found out where they listen."""

from attrs import evolve

from autoscaler.core.backend import Place
from autoscaler.core.events import AddressFound, Ticked
from autoscaler.core.moments import Clocks
from autoscaler.core.places import place_of
from autoscaler.core.serving import ServePolicy
from autoscaler.core.snapshot import restore, take
from tests.core.builders import MANAGED, NOW, happens, make_managed, make_template

SOUGHT = ServePolicy(port=80, is_sought=True)
FOUND = AddressFound(MANAGED.clone(2), "10.0.0.9")


def test_who_was_found_listens_there():
    group, _ = make_managed(50.0, 50.0)
    one, other = group.clones

    group, effects = happens(group, FOUND)

    assert effects == ()
    assert group.clones == (one, evolve(other, found="10.0.0.9"))
    assert place_of(group.clones[0], SOUGHT) is None
    assert place_of(group.clones[1], SOUGHT) == Place("10.0.0.9", 80)


def test_who_need_not_be_found_listens_at_its_own_address():
    group, _ = make_managed(50.0)
    member = evolve(group.clones[0], address="10.0.0.1", found="10.0.0.9")

    assert place_of(member, ServePolicy(port=80)) == Place("10.0.0.1", 80)
    assert place_of(member, SOUGHT) == Place("10.0.0.9", 80)


def test_who_is_gone_is_found_by_nobody():
    group, _ = make_managed(50.0)

    group, _ = happens(group, FOUND)

    assert [clone.found for clone in group.clones] == [None]


def test_where_somebody_listens_is_known_after_ticks_and_restarts():
    group, view = make_managed(50.0, 50.0)
    group, _ = happens(group, FOUND)
    group, _ = happens(group, Ticked(view))
    clocks = Clocks(NOW, "boot", NOW, NOW)

    revived = restore(take(group, clocks), group.policy, clocks, make_template())

    assert [clone.found for clone in group.clones] == [None, "10.0.0.9"]
    assert [clone.found for clone in revived.clones] == [None, "10.0.0.9"]
