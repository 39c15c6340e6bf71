"""Tests of the group that is rebuilt from what its host lists."""

import pytest
from attrs import evolve

from albatross_client.names import Name
from albatross_client.values import Info
from autoscaler.core.decision import MemberClass
from autoscaler.core.doubts import DOUBT_S, Doubt
from autoscaler.core.events import Note, NoteKind
from autoscaler.core.group import Group, Member
from autoscaler.core.ledger import Ledger
from autoscaler.core.observe import next_look, observe
from autoscaler.core.policy import Adopt
from autoscaler.core.track import Track
from autoscaler.core.view import Listing, View
from tests.core.builders import (
    IMAGE,
    NOW,
    OTHER_IMAGE,
    PRIMARY,
    clone_name,
    creating,
    make_feed,
    make_info,
    make_moment,
    make_policy,
    make_world,
    primary_of,
)

CLONE = clone_name(1)


def listing(view: View, asked: float, **labels: Info | None) -> View:
    """Return *view* with an answer in which *labels* are different."""
    assert view.listing is not None
    changes = {Name(("user",), k.replace("_", "-")): i for k, i in labels.items()}
    infos = {
        name: info
        for name, info in {**view.listing.infos, **changes}.items()
        if info is not None
    }
    return evolve(view, listing=Listing(infos, asked, asked + 0.1))


def silent_clone(since: float) -> tuple[Group, View]:
    """Return a group whose clone was last heard at *since*."""
    group, view = make_world(50.0, 50.0)
    tracks = {**view.tracks, CLONE: Track(heard=make_moment(since))}
    return group, evolve(view, tracks=tracks)


def looks(since: float, *asked: float) -> Group:
    """Return the group after answers without the clone, asked at *asked*."""
    group, view = silent_clone(since)
    for at in asked:
        group, _ = observe(group, listing(view, at, web_clone_1=None), at + 0.1)
    return group


def test_without_an_answer_nothing_is_known():
    group, view = make_world(50.0, 50.0)

    assert observe(group, evolve(view, listing=None), NOW) == (group, ())


def test_a_group_that_runs_as_remembered_does_not_change():
    group, view = make_world(50.0, 50.0)

    seen, notes = observe(group, view, NOW)

    assert (evolve(seen, watched=group.watched), notes) == (group, ())


@pytest.mark.parametrize(
    ("asked", "is_dead"),
    [
        pytest.param((NOW + 1,), False, id="one look"),
        pytest.param((NOW + 1, NOW + 5.9), False, id="two looks, 4.9 s apart"),
        pytest.param((NOW + 1, NOW + 6), True, id="two looks, 5 s apart"),
        pytest.param((NOW, NOW + 5), False, id="the first before it was stale"),
        pytest.param((NOW + 1, NOW + 3, NOW + 6), True, id="three looks"),
    ],
)
def test_a_silent_clone_is_dead_after_two_looks_five_seconds_apart(asked, is_dead):
    # It turns stale at NOW: 35 s after it was heard.
    group = looks(NOW - 35, *asked)

    assert len(group.clones) == (0 if is_dead else 1)


def test_a_death_is_noted():
    group, view = silent_clone(NOW - 100)
    gone = listing(view, NOW, web_clone_1=None)
    group, first = observe(group, gone, NOW)

    group, second = observe(group, listing(gone, NOW + 5), NOW + 5)

    assert (first, second) == ((), (Note(NoteKind.DIED, CLONE),))


def test_a_clone_that_is_heard_is_alive_whatever_info_says():
    assert len(looks(NOW + 1000, NOW, NOW + 5, NOW + 60).clones) == 1


def test_a_look_at_a_listed_clone_starts_the_proof_of_its_death_anew():
    group, view = silent_clone(NOW - 100)
    gone = listing(view, NOW, web_clone_1=None)
    group, _ = observe(group, gone, NOW)
    group, _ = observe(group, listing(view, NOW + 2), NOW + 2)

    group, _ = observe(group, listing(gone, NOW + 6), NOW + 6)

    assert [clone.unlisted_at for clone in group.clones] == [NOW + 6]


def test_a_sign_of_life_starts_the_proof_of_a_death_anew():
    """One look from before and one after it were once enough."""
    group, view = silent_clone(NOW - 100)
    gone = listing(view, NOW, web_clone_1=None)
    group, _ = observe(group, gone, NOW)
    spoke = evolve(gone, tracks={CLONE: Track(heard=make_moment(NOW + 1))})
    group, _ = observe(group, listing(spoke, NOW + 10), NOW + 10)

    group, _ = observe(group, listing(spoke, NOW + 60), NOW + 60)

    assert [clone.unlisted_at for clone in group.clones] == [NOW + 60]


def test_nobody_dies_while_the_stream_is_down():
    group, view = silent_clone(NOW - 100)
    down = evolve(view, feed=evolve(make_feed(up_since=None), listened=NOW))
    for at in (NOW, NOW + 10, NOW + 60):
        gone = listing(down, at, web_clone_1=None)
        group, _ = observe(group, gone, at)

    assert [clone.unlisted_at for clone in group.clones] == [None]


def test_a_clone_that_was_never_heard_is_silent_since_its_create():
    group, view = make_world(50.0, 50.0)
    created = evolve(group.clones[0], listening_since=NOW - 30)
    group = evolve(group, clones=(created,))
    gone = listing(evolve(view, tracks={}), NOW, web_clone_1=None)

    young, _ = observe(group, gone, NOW)
    older, _ = observe(group, listing(gone, NOW + 6), NOW + 6)

    assert young.clones[0].unlisted_at is None
    assert older.clones[0].unlisted_at == NOW + 6


def lost_primary() -> tuple[Group, View, tuple[Note, ...]]:
    group, view = make_world(50.0, 50.0)
    gone = listing(evolve(view, tracks={}), NOW, web=None)
    group, _ = observe(group, gone, NOW)
    group, notes = observe(group, listing(gone, NOW + 5), NOW + 5)
    return group, gone, notes


def test_a_lost_primary_stays_a_member_that_is_dead():
    group, _, notes = lost_primary()

    assert primary_of(group).is_dead
    assert notes == (Note(NoteKind.PRIMARY_LOST, PRIMARY),)


def test_a_lost_primary_is_noted_once():
    group, view, _ = lost_primary()

    again, notes = observe(group, listing(view, NOW + 60), NOW + 60)

    assert primary_of(again).is_dead
    assert notes == ()


def test_a_primary_that_returns_begins_a_new_life():
    group, view, _ = lost_primary()

    group, notes = observe(group, listing(view, NOW + 60, web=make_info()), NOW + 60)

    assert group.primary == Member(name=PRIMARY, listening_since=NOW + 60)
    assert notes == (Note(NoteKind.PRIMARY_RETURNED, PRIMARY),)


def adopt(mode: Adopt, stranger: Info, **labels: Info | None):
    """Return what becomes of a group when *stranger* is listed as clone 4."""
    group, view = make_world(50.0, 50.0, policy=make_policy(adopt=mode))
    return observe(group, listing(view, NOW, web_clone_4=stranger, **labels), NOW)


@pytest.mark.parametrize(
    ("mode", "stranger", "is_adopted"),
    [
        pytest.param(Adopt.SAME_IMAGE, make_info(), True, id="same image"),
        pytest.param(
            Adopt.SAME_IMAGE, make_info(digest=OTHER_IMAGE), False, id="another image"
        ),
        pytest.param(Adopt.ALWAYS, make_info(digest=OTHER_IMAGE), True, id="always"),
        pytest.param(Adopt.NEVER, make_info(), False, id="never"),
    ],
)
def test_a_stranger_is_adopted_as_the_operator_says(mode, stranger, is_adopted):
    group, notes = adopt(mode, stranger)

    kind = NoteKind.ADOPTED if is_adopted else NoteKind.FOREIGN
    assert notes == (Note(kind, clone_name(4)),)
    assert [c.number for c in group.clones] == ([1, 4] if is_adopted else [1])
    assert group.foreign == (frozenset() if is_adopted else {clone_name(4)})
    assert group.ledger.next_number == 5
    assert group.ledger.changed_at is None


def test_an_adopted_clone_was_not_created_by_us():
    group, _ = adopt(Adopt.ALWAYS, make_info())

    assert group.clones[1] == Member(name=clone_name(4), number=4, listening_since=NOW)


def test_without_the_primary_nobody_can_tell_whose_image_it_is():
    group, _ = adopt(Adopt.SAME_IMAGE, make_info(), web=None)

    assert group.foreign == {clone_name(4)}


def test_clones_are_kept_in_the_order_of_their_numbers():
    group, view = make_world(50.0, 50.0, 50.0)
    group = evolve(group, clones=group.clones[1:])

    group, _ = observe(group, view, NOW)

    assert [clone.number for clone in group.clones] == [1, 2]


def test_a_foreign_unikernel_is_noted_once():
    group, _ = adopt(Adopt.NEVER, make_info())
    view = make_world(50.0, 50.0)[1]

    again, notes = observe(group, listing(view, NOW, web_clone_4=make_info()), NOW)

    assert notes == ()
    assert again.foreign == {clone_name(4)}


def test_a_foreign_unikernel_that_went_is_forgotten_but_not_its_number():
    group, _ = adopt(Adopt.NEVER, make_info())
    view = make_world(50.0, 50.0)[1]

    after, _ = observe(group, view, NOW + 60)

    assert (after.foreign, after.ledger.next_number) == (frozenset(), 5)


def test_what_only_looks_like_a_clone_of_another_is_no_concern():
    group, view = make_world(50.0, 50.0)
    strangers = {"api_clone_1": make_info(), "web_clone_x": make_info()}

    after, notes = observe(group, listing(view, NOW, **strangers), NOW)

    assert (evolve(after, watched=group.watched), notes) == (group, ())


def test_a_clone_whose_create_was_ambiguous_is_ours_when_it_turns_up():
    sent, later = Doubt(4, NOW - 60, OTHER_IMAGE), Doubt(5, NOW - 60)
    policy, ledger = make_policy(adopt=Adopt.NEVER), Ledger(doubts=(sent, later))
    group, view = make_world(50.0, policy=policy, ledger=ledger)
    stranger = make_info(digest=OTHER_IMAGE)

    group, notes = observe(group, listing(view, NOW, web_clone_4=stranger), NOW)

    assert notes == (Note(NoteKind.TURNED_UP, clone_name(4)),)
    assert [clone.number for clone in group.clones] == [4]
    assert group.ledger.doubts == (later,)


@pytest.mark.parametrize(
    ("doubt", "is_ours"),
    [
        pytest.param(Doubt(4, NOW - 60), True, id="of an image that is not known"),
        pytest.param(Doubt(4, NOW - 60, IMAGE), False, id="of another image"),
        pytest.param(Doubt(4, NOW - DOUBT_S), False, id="of long ago"),
        pytest.param(Doubt(5, NOW - 60), False, id="of another number"),
    ],
)
def test_a_name_that_was_in_doubt_once_is_not_ours_for_ever(doubt, is_ours):
    """A stranger's unikernel was once taken for a create lost days before."""
    policy, ledger = make_policy(adopt=Adopt.NEVER), Ledger(doubts=(doubt,))
    group, view = make_world(50.0, policy=policy, ledger=ledger)
    stranger = make_info(digest=OTHER_IMAGE)

    group, notes = observe(group, listing(view, NOW, web_clone_4=stranger), NOW)

    assert [note.kind is NoteKind.TURNED_UP for note in notes] == [is_ours]
    assert bool(group.clones) is is_ours


def test_a_reserved_name_is_no_stranger():
    group, view = make_world(50.0, ledger=Ledger(actions=(creating(4),)))

    group, notes = observe(group, listing(view, NOW, web_clone_4=make_info()), NOW)

    assert (group.clones, notes) == ((), ())
    assert group.ledger.next_number == 5


@pytest.mark.parametrize(
    ("ledger", "joins"),
    [
        pytest.param(Ledger(settled_at=NOW - 1), True, id="a newer answer"),
        pytest.param(Ledger(settled_at=NOW), False, id="an older answer"),
        pytest.param(Ledger(actions=(creating(7),)), False, id="an action in flight"),
    ],
)
def test_an_answer_that_may_show_what_we_just_removed_adopts_nobody(ledger, joins):
    group, view = make_world(50.0, ledger=ledger)
    foreign = evolve(group, foreign=frozenset({clone_name(9)}))
    nine = listing(view, NOW, web_clone_4=make_info(), web_clone_9=make_info())

    after, notes = observe(foreign, nine, NOW)

    assert len(after.clones) == (2 if joins else 0)
    assert bool(notes) is joins
    assert after.foreign == (frozenset() if joins else {clone_name(9)})


def test_a_host_is_asked_as_soon_as_a_member_turns_stale():
    group, view = silent_clone(NOW - 20)

    look = next_look(group, listing(view, NOW - 30), NOW)

    # The primary was heard a second before, and turns stale later.
    assert look == pytest.approx(NOW + 15.1)


def test_a_host_is_asked_again_five_seconds_after_the_first_look():
    group = looks(NOW - 100, NOW)
    view = silent_clone(NOW - 100)[1]

    look = next_look(group, listing(view, NOW, web_clone_1=None), NOW + 1)

    assert look == pytest.approx(NOW + 5.1)


def test_a_silent_member_that_is_listed_is_looked_at_in_the_usual_interval():
    group, view = silent_clone(NOW - 100)
    usual = next_look(evolve(group, clones=()), view, NOW)

    assert next_look(group, view, NOW) == usual


@pytest.mark.parametrize(
    "changes", [{"listing": None}, {"feed": make_feed(up_since=None)}]
)
def test_nobody_is_missed_without_a_stream_and_an_answer(changes):
    group, view = silent_clone(NOW - 100)

    assert next_look(group, evolve(view, **changes), NOW) is None


def test_a_dead_primary_is_not_waited_for():
    group, view = make_world(MemberClass.DEAD)

    assert next_look(group, listing(view, NOW - 1000), NOW) is None
