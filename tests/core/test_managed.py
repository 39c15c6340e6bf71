"""Tests of managed groups: all members are ours, and there may be none."""

import pytest
from attrs import evolve

from albatross_client.names import Name
from albatross_client.values import Config, Interface, RestartOnExit
from autoscaler.core.clone import clone_config
from autoscaler.core.contest import contested_left
from autoscaler.core.decision import MemberClass, Outcome, Reason, Shortage
from autoscaler.core.describe import explain
from autoscaler.core.events import (
    ActionEnded,
    CloneCreated,
    Informed,
    Note,
    NoteKind,
    Redrawn,
)
from autoscaler.core.group import Ticks, new_group
from autoscaler.core.moments import Clocks
from autoscaler.core.observe import observe
from autoscaler.core.policy import Mode
from autoscaler.core.snapshot import restore, take
from autoscaler.core.traffic import Traffic
from tests.core.builders import (
    GROUP,
    IMAGE,
    MANAGED,
    NOW,
    OTHER_IMAGE,
    happens,
    listed,
    make_info,
    make_listing,
    make_managed,
    make_policy,
    make_rules,
    make_template,
    rule,
)
from tests.core.managing import DEAD, GIVEN_UP, named, outcome

LOW_TICKS = Ticks(low=9, last=NOW - 10, conclusive=NOW - 10)
HIGH_TICKS = Ticks(high=9, last=NOW - 10, conclusive=NOW - 10)


def shown(view, **changes):
    """Return *view* with other unikernels listed, by their labels."""
    infos = {Name(("user",), label): info for label, info in changes.items()}
    return evolve(view, listing=make_listing({**listed(view), **infos}))


# Names


def test_members_are_named_after_the_group_and_a_number():
    assert str(named(3)) == "user:web-3"
    assert MANAGED.number_of(named(3)) == 3
    assert MANAGED.primary is None
    assert MANAGED.domain == Name(("user",))


@pytest.mark.parametrize("label", ["web", "web-03", "web-x", "web-clone-3", "web-3-1"])
def test_other_names_are_no_members(label):
    assert MANAGED.number_of(Name(("user",), label)) is None


def test_a_group_around_a_primary_of_the_same_name_is_another_group():
    assert MANAGED != GROUP
    assert MANAGED.key != GROUP.key
    assert {type(MANAGED).of_key("alpha", group.key) for group in (MANAGED, GROUP)} == {
        MANAGED,
        GROUP,
    }


def test_a_group_that_nothing_could_be_made_for_cannot_be_made():
    with pytest.raises(ValueError, match="needs a template"):
        new_group(MANAGED, make_policy())


def test_a_group_around_a_primary_has_no_template_of_its_own():
    with pytest.raises(ValueError, match="copies its primary"):
        new_group(GROUP, make_policy(), make_template())


# From none to some


def test_a_group_that_may_have_no_members_is_asleep_without_any():
    group, view = make_managed()

    decision = rule(group, view).decision

    assert (decision.outcome, decision.reason) == (Outcome.HOLD, Reason.ASLEEP)
    assert decision.is_managed


def test_a_group_that_is_asleep_says_so_at_an_answer_to_info():
    group, view = make_managed()

    group, effects = happens(group, Informed(view))

    assert group.decision.reason is Reason.ASLEEP
    assert effects == ()


def test_nothing_is_said_of_a_group_before_its_host_was_asked():
    group, view = make_managed()

    assert outcome(group, evolve(view, listing=None)) == (Outcome.HOLD, Reason.NO_DATA)


def test_the_first_member_comes_because_one_is_wanted():
    group, view = make_managed(policy=make_policy(min_clones=1))

    group, [action] = happens(group, Informed(view))

    assert action.reason is Reason.BELOW_MIN
    [slot] = action.slots
    assert (slot.name, slot.claim.memory) == (named(1), 32)
    assert not slot.claim.cpuids & {31}


def test_a_first_member_needs_a_policy_that_says_where_it_may_run():
    group, view = make_managed(policy=make_policy(min_clones=1, share_cpuids=True))
    view = evolve(view, rules=make_rules(cpuids=frozenset({7})))

    _, [action] = happens(group, Informed(view))

    assert action.slots[0].claim.cpuids == {7}


def test_a_first_member_that_does_not_fit_is_held_with_the_numbers():
    group, view = make_managed(policy=make_policy(min_clones=1))
    view = evolve(view, rules=make_rules(memory=40))

    group, effects = happens(group, Informed(view))

    assert effects == ()
    assert group.decision.shortage == Shortage(
        Reason.NO_CAPACITY, "memory", 32, 32, 40, Name(("user",))
    )


def test_a_bridge_is_the_device_s_name_where_none_is_said():
    template = make_template(interfaces=(Interface("br1"),))
    group, view = make_managed(policy=make_policy(min_clones=1))
    group, _ = happens(group, Redrawn(template))

    group, _ = happens(group, Informed(view))

    assert group.decision.shortage is not None
    assert group.decision.shortage.resource == "bridges (br1)"


def test_a_member_is_made_from_what_the_operator_says():
    template = make_template(memory=64, fail_behaviour=RestartOnExit())
    group, view = make_managed(policy=make_policy(min_clones=1))
    group, _ = happens(group, Redrawn(template))
    group, [action] = happens(group, Informed(view))
    policy = make_policy(argument_template=("--name={name}", "--n={index}"))

    config = clone_config(template, action.slots[0], policy)

    assert config == Config(
        memory=64,
        fail_behaviour=RestartOnExit(),
        cpuids=action.slots[0].claim.cpuids,
        interfaces=(Interface("service", "br0"),),
        argv=("--port=80", "--name=web-1", "--n=1"),
    )


def test_a_first_member_that_came_wakes_the_group():
    group, view = make_managed(policy=make_policy(min_clones=1))
    group, [action] = happens(group, Informed(view))

    group, _ = happens(group, CloneCreated(action.slots[0].name, NOW, 0.0))
    group, _ = happens(group, ActionEnded(action.id))

    assert [member.name for member in group.members] == [named(1)]
    assert group.ledger.changed_at == NOW


# Load


def test_load_adds_members_up_to_the_most():
    group, view = make_managed(99.0, ticks=HIGH_TICKS)

    assert outcome(group, view) == (Outcome.UP, Reason.HIGH)
    full = evolve(group, policy=make_policy(max_clones=1))
    assert outcome(full, view) == (Outcome.HOLD, Reason.AT_MAX)


def test_load_removes_members_down_to_one():
    group, view = make_managed(1.0, 1.0, ticks=LOW_TICKS)

    assert outcome(group, view) == (Outcome.DOWN, Reason.LOW)


def test_low_load_never_takes_the_last_member():
    group, view = make_managed(0.0, ticks=LOW_TICKS)

    assert outcome(group, view) == (Outcome.HOLD, Reason.STEADY)


def test_low_load_never_takes_the_last_member_that_works():
    group, view = make_managed(0.0, GIVEN_UP, ticks=LOW_TICKS)

    decision = rule(group, view).decision

    assert decision.victim == named(2)
    assert decision.reason is Reason.GIVEN_UP


def test_the_operator_s_number_may_take_the_last_member():
    group, view = make_managed(50.0, policy=make_policy(max_clones=0))

    assert outcome(group, view) == (Outcome.DOWN, Reason.ABOVE_MAX)


def test_a_member_that_gets_no_work_is_no_primary():
    policy = make_policy(roll_back_useless=True)
    ticks = Ticks(9, 0, NOW - 10, NOW - 10, 0, ((named(1), 9),))
    group, view = make_managed(1.0, 99.0, 99.0, policy=policy, ticks=ticks)
    busy = Traffic((), (NOW - 20, 0), (NOW, 2000))
    tracks = {
        name: track if name == named(1) else evolve(track, traffic=busy)
        for name, track in view.tracks.items()
    }
    view = evolve(view, tracks=tracks)

    decision = rule(group, view).decision

    assert (decision.reason, decision.victim) == (Reason.USELESS, named(1))


# No primary to lose


def test_members_that_die_leave_a_group_that_is_not_orphaned():
    group, view = make_managed(DEAD)
    group = evolve(group, clones=())

    assert outcome(group, view) == (Outcome.HOLD, Reason.ASLEEP)


def test_a_lost_member_is_noted_as_any_clone():
    group, view = make_managed(MemberClass.STALE, 50.0)
    infos = listed(view)
    del infos[named(1)]

    group, _ = observe(group, evolve(view, listing=make_listing(infos)), NOW)
    later = evolve(view, listing=make_listing(infos, NOW + 10))
    group, notes = observe(group, later, NOW + 10)

    assert notes == (Note(NoteKind.DIED, named(1)),)
    assert [member.name for member in group.members] == [named(2)]


def test_members_that_go_although_they_would_be_restarted_are_a_sign_of_others():
    group, view = make_managed(MemberClass.STALE, MemberClass.STALE)
    group = evolve(group, template=make_template(fail_behaviour=RestartOnExit()))
    infos = listed(view)
    for later, gone in ((0, None), (60, 1), (70, None), (80, 2), (90, None)):
        if gone:
            del infos[named(gone)]
        at = NOW + later
        view = evolve(view, listing=make_listing(dict(infos), at))
        group, _ = observe(group, view, at)

    assert contested_left(group, NOW + 90) > 0


# Whose is it?


def test_one_named_like_a_member_is_ours_with_the_image_of_the_group():
    group, view = make_managed()

    group, notes = observe(group, shown(view, **{"web-4": make_info(4)}), NOW)

    assert notes == (Note(NoteKind.ADOPTED, named(4)),)
    assert group.ledger.next_number == 5


def test_one_named_like_a_member_is_foreign_with_another_image():
    group, view = make_managed()
    stranger = make_info(4, digest=OTHER_IMAGE)

    group, notes = observe(group, shown(view, **{"web-4": stranger}), NOW)

    assert notes == (Note(NoteKind.FOREIGN, named(4)),)
    assert group.members == ()
    assert group.ledger.next_number == 5


# Restarts and words


def test_a_restarted_daemon_knows_its_members_and_makes_them_as_is_wanted_now():
    group, _ = make_managed(50.0, 50.0)
    clocks = Clocks(NOW, "boot", NOW, NOW)
    wanted = make_template(memory=99)

    revived = restore(take(group, clocks), make_policy(), clocks, wanted)

    assert [member.name for member in revived.members] == [named(1), named(2)]
    assert revived.primary is None
    assert revived.template == wanted


def test_a_paused_group_is_not_asleep():
    group, view = make_managed(policy=make_policy(mode=Mode.PAUSED))

    assert outcome(group, view) == (Outcome.HOLD, Reason.PAUSED)


def test_the_words_of_a_managed_group_know_no_clones():
    group, view = make_managed(99.0, ticks=HIGH_TICKS)

    said = explain(rule(group, view).decision)

    assert said.endswith("create 1 member")
    assert "clone" not in said


def test_the_image_of_a_group_is_what_its_template_says():
    group, view = make_managed()

    made_from = group.blueprint(view)

    assert made_from is not None
    assert made_from.digest == IMAGE
