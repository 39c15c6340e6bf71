"""Records as programs get them."""

from attrs import evolve

from autoscaler.core.decision import MemberClass
from autoscaler.core.events import Ticked
from autoscaler.core.ledger import Ledger
from autoscaler.core.policy import Mode
from autoscaler.core.record import Instant, take
from autoscaler.core.record_form import record_form
from tests.core.builders import NOW, happens, make_policy, make_rules, make_world


def form(*states, ledger=None, unikernels=100, **policy):
    group, view = make_world(*states, policy=make_policy(**policy), ledger=ledger)
    view = evolve(view, rules=make_rules(unikernels=unikernels))
    after, _ = happens(group, Ticked(view))
    return record_form(take(group, after, view, Instant(NOW, 1_800_000_000.0)))


def test_all_of_a_record_is_told_to_programs():
    made = form(95.0, MemberClass.UNKNOWN, quorum=0.5)

    assert set(made) == {"at", "decision", "sizes", "flip", "members", "guards"}
    assert made["at"] == 1_800_000_000.0
    assert made["decision"]["reason"] == "rising"
    assert made["decision"]["why"].endswith("1 of 3 ticks so far")
    assert made["flip"] == {
        "aim": "up",
        "lacks": ["1 of 3 high ticks"],
        "told": "to grow: 1 of 3 high ticks; 8 clones below max_clones",
    }
    assert made["members"] == [
        {
            "name": "user:web",
            "class": "fresh",
            "usage_percent": 95.0,
            "age_s": 1.0,
        },
        {
            "name": "user:web-clone-1",
            "class": "unknown",
            "usage_percent": None,
            "age_s": None,
        },
    ]


def test_sizes_are_told_with_what_is_between_them():
    assert form(95.0, 95.0, unikernels=0)["sizes"] == {
        "wants": 2,
        "can": 1,
        "has": 1,
        "coming": 0,
        "blocked_by": "rising",
        "told": "wants 2, can 1, has 1 (clones); blocked by rising (a clone needs 1 "
        "of unikernels, and 3 of 0 are taken in the policy of user)",
    }
    assert form(50.0)["sizes"]["blocked_by"] is None


def test_a_group_that_would_act_is_blocked_by_its_mode():
    made = form(95.0, 95.0, mode=Mode.OBSERVE, scale_up_trigger_ticks=1)

    assert made["decision"]["reason"] == "high"
    assert made["sizes"]["blocked_by"] == "observe"


def test_guards_are_told_with_the_way_they_stand_in():
    made = form(85.9, ledger=Ledger(changed_at=NOW - 8.0004), cooldown_up=120.0)

    guards = {each["guard"]: each for each in made["guards"]}
    assert guards["cooldown_up"] == {
        "guard": "cooldown_up",
        "of": "up",
        "holds": True,
        "value": None,
        "limit": 120.0,
        "left_s": 112.0,
        "note": None,
    }
    assert guards["quorum"]["of"] == "all"
    assert guards["low_ticks"]["of"] == "down"
