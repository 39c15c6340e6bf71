"""Tests of whose a clone is, as the operator says."""

import pytest
from attrs import evolve

from albatross_client.names import Name
from autoscaler.core.events import (
    AdoptAsked,
    DisownAsked,
    Note,
    NoteKind,
    OwnershipConfirmed,
    OwnershipLost,
)
from autoscaler.core.observe import observe
from autoscaler.core.policy import Adopt
from autoscaler.core.step import step
from tests.core.builders import (
    NOW,
    OTHER_IMAGE,
    PRIMARY,
    clone_name,
    listed,
    make_info,
    make_listing,
    make_world,
)

CLONE = clone_name(7)


def look_alike(adopt=Adopt.SAME_IMAGE, **changes):
    """Return a group, and a view in which somebody else's clone runs."""
    group, view = make_world(50.0, 50.0)
    group = evolve(group, policy=evolve(group.policy, adopt=adopt))
    infos = {**listed(view), CLONE: make_info(40, **changes)}
    return group, evolve(view, listing=make_listing(infos))


def told(group, *events):
    for event in events:
        group, _ = step(group, event, NOW)
    return group


def is_ours(group, view):
    seen, _ = observe(group, view, NOW)
    return CLONE in {clone.name for clone in seen.clones}


@pytest.mark.parametrize("adopt", Adopt)
def test_what_is_asked_for_by_name_is_ours_whatever_the_policy_says(adopt):
    group, view = look_alike(adopt, digest=OTHER_IMAGE)

    assert is_ours(told(group, AdoptAsked(CLONE)), view)


def test_a_word_counts_for_one_clone_and_not_for_a_later_one_of_that_name():
    group, view = look_alike(Adopt.NEVER)
    group, _ = observe(told(group, AdoptAsked(CLONE)), view, NOW)

    assert group.ledger.adopted == frozenset()
    gone = evolve(group, clones=group.clones[:1])
    assert not is_ours(gone, view)


def test_a_clone_that_is_ours_needs_no_word():
    group, _ = look_alike()

    assert told(group, AdoptAsked(clone_name(1))) == group


def test_a_clone_that_is_disowned_is_foreign_at_once_and_never_adopted():
    group, view = look_alike(Adopt.ALWAYS)

    group, notes = step(group, DisownAsked(clone_name(1)), NOW)

    assert notes == (Note(NoteKind.DISOWNED, clone_name(1)),)
    assert group.clones == ()
    assert group.foreign == {clone_name(1)}
    seen, _ = observe(group, view, NOW)
    assert clone_name(1) in seen.foreign
    assert CLONE in {clone.name for clone in seen.clones}


def test_a_stranger_can_be_disowned_before_it_comes():
    group, view = look_alike(Adopt.ALWAYS)

    group, notes = step(group, DisownAsked(CLONE), NOW)

    assert notes == ()
    assert not is_ours(group, view)
    assert is_ours(told(group, AdoptAsked(CLONE)), view)


@pytest.mark.parametrize(
    "name", [PRIMARY, Name(("user",), "db"), Name(("other",), "web-clone-7")], ids=str
)
def test_what_is_no_clones_name_of_the_group_is_ignored(name):
    group, _ = look_alike()

    assert told(group, AdoptAsked(name), DisownAsked(name)) == group


def test_after_a_lost_state_nothing_is_adopted_but_by_name():
    group, view = look_alike(Adopt.ALWAYS)
    lost = told(group, OwnershipLost())

    assert not is_ours(lost, view)
    assert is_ours(told(lost, AdoptAsked(CLONE)), view)
    assert is_ours(told(lost, OwnershipConfirmed()), view)
