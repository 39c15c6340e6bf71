"""Tests of who else changes a group."""

from attrs import evolve

from albatross_client.values import RestartOnExit
from autoscaler.core.contest import contested_left
from autoscaler.core.decision import Outcome, Reason
from autoscaler.core.events import AdoptAsked, NoteKind
from autoscaler.core.group import Watched
from autoscaler.core.observe import observe
from autoscaler.core.policy import Adopt
from autoscaler.core.step import step
from autoscaler.core.track import Track
from tests.core.builders import (
    DOMAIN,
    NOW,
    OTHER_IMAGE,
    PRIMARY,
    clone_name,
    listed,
    make_info,
    make_listing,
    make_moment,
    make_policy,
    make_rules,
    make_world,
    rule,
)

STRANGER = make_info(40, digest=OTHER_IMAGE)


def looked(group, view, infos, at):
    """Let the host answer *infos* at *at*."""
    view = evolve(view, listing=make_listing(infos, at))
    group, notes = observe(group, view, at)
    return group, [note.kind for note in notes]


def started(**policy):
    group, view = make_world(50.0, 50.0)
    group = evolve(group, policy=evolve(group.policy, **policy))
    infos = listed(view)
    group, _ = looked(group, view, infos, NOW)
    return group, view, infos


def test_two_names_that_come_one_after_another_are_somebody_else_at_work():
    group, view, infos = started()
    infos[clone_name(7)] = STRANGER
    group, first = looked(group, view, infos, NOW + 60)
    infos[clone_name(8)] = STRANGER
    group, second = looked(group, view, infos, NOW + 120)

    assert first == [NoteKind.FOREIGN]
    assert second == [NoteKind.FOREIGN, NoteKind.CONTESTED]
    assert contested_left(group, NOW + 120) == 600
    assert contested_left(group, NOW + 720) == 0


def test_a_third_sign_is_no_second_warning():
    group, view, infos = started()
    kinds = []
    for number in (7, 8, 9):
        infos[clone_name(number)] = STRANGER
        group, kinds = looked(group, view, infos, NOW + 60 * number)

    assert kinds == [NoteKind.FOREIGN]


def test_what_an_operator_makes_at_once_is_one_sign():
    group, view, infos = started()
    infos |= {clone_name(7): STRANGER, clone_name(8): STRANGER}
    group, kinds = looked(group, view, infos, NOW + 60)

    assert NoteKind.CONTESTED not in kinds
    assert contested_left(group, NOW + 60) == 0


def test_two_signs_more_than_ten_minutes_apart_are_none():
    group, view, infos = started()
    infos[clone_name(7)] = STRANGER
    group, _ = looked(group, view, infos, NOW + 60)
    infos[clone_name(8)] = STRANGER
    group, kinds = looked(group, view, infos, NOW + 660)

    assert kinds == [NoteKind.FOREIGN]


def test_a_look_alike_that_comes_and_goes_counts_once():
    group, view, infos = started()
    kinds = []
    for at in (60, 120, 180, 240):
        infos.pop(clone_name(7), None)
        group, _ = looked(group, view, infos, NOW + at)
        infos[clone_name(7)] = STRANGER
        group, kinds = looked(group, view, infos, NOW + at + 10)

    assert kinds == [NoteKind.FOREIGN]
    assert contested_left(group, NOW + 250) == 0


def test_what_is_found_at_the_start_is_no_sign():
    group, view = make_world(50.0, 50.0)
    infos = {**listed(view), clone_name(7): STRANGER}
    group, _ = looked(group, view, infos, NOW)

    assert group.watched.signs == ()


def test_a_name_that_the_operator_asked_for_is_no_sign():
    group, view, infos = started(adopt=Adopt.NEVER)
    group, _ = step(group, AdoptAsked(clone_name(7)), NOW)
    infos[clone_name(7)] = STRANGER
    group, kinds = looked(group, view, infos, NOW + 60)

    assert kinds == [NoteKind.ADOPTED]
    assert group.watched.signs == ()


def test_policies_that_change_twice_are_somebody_else_at_work():
    group, view, infos = started()
    kinds = []
    for at, memory in ((60, 500), (120, 600)):
        view = evolve(view, rules=make_rules(memory=memory))
        group, kinds = looked(group, view, infos, NOW + at)

    assert kinds == [NoteKind.CONTESTED]


def test_a_policy_of_another_domain_is_no_concern():
    group, view, infos = started()
    other = evolve(DOMAIN, path=("other",))
    rules = make_rules()
    policy = rules.policies[DOMAIN]
    for at in (60, 120):
        policies = {**rules.policies, other: evolve(policy, memory=at)}
        view = evolve(view, rules=evolve(rules, policies=policies))
        group, _ = looked(group, view, infos, NOW + at)
    view = evolve(view, rules=None)
    group, _ = looked(group, view, infos, NOW + 180)

    assert group.watched.signs == ()


def vanishing(behaviour):
    """Return a group two clones of which went one after another."""
    group, view = make_world(50.0, 50.0, 50.0)
    tracks = dict(view.tracks)
    for number in (1, 2):
        tracks[clone_name(number)] = Track(heard=make_moment(NOW - 100))
    view = evolve(view, tracks=tracks)
    primary = make_info(0, fail_behaviour=behaviour)
    infos = {PRIMARY: primary, clone_name(1): make_info(1), clone_name(2): make_info(2)}
    group, kinds = looked(group, view, infos, NOW)
    for number, at in ((1, 60), (2, 120)):
        del infos[clone_name(number)]
        group, _ = looked(group, view, infos, NOW + at)
        group, kinds = looked(group, view, infos, NOW + at + 10)
    assert group.clones == ()
    return kinds


def test_clones_that_go_though_crashed_ones_are_restarted_were_destroyed():
    assert vanishing(RestartOnExit()) == [NoteKind.DIED, NoteKind.CONTESTED]


def test_clones_that_may_have_crashed_are_no_sign():
    assert vanishing(make_info().fail_behaviour) == [NoteKind.DIED]
    assert vanishing(RestartOnExit(frozenset({2}))) == [NoteKind.DIED]


def test_a_contested_group_keeps_too_many_clones():
    group, view = make_world(50.0, 50.0, policy=make_policy(max_clones=0))
    group = evolve(group, watched=Watched(signs=(NOW - 20, NOW - 10)))

    decision = rule(group, view).decision

    assert (decision.outcome, decision.reason) == (Outcome.HOLD, Reason.CONTESTED)
