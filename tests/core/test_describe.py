import pytest

from autoscaler.core.decision import (
    Load,
    Reason,
    Shortage,
)
from autoscaler.core.describe import explain
from autoscaler.core.numbers import fields, members
from autoscaler.core.shortages import describe_shortage
from tests.core.deciding import CLONE, CPU, FLIGHT, MEMORY, USER, WEB, decision


def test_all_numbers_of_a_decision_are_fields():
    assert fields(decision()) == {
        "outcome": "hold",
        "reason": "steady",
        "mode": "active",
        "mean_up_percent": 93.26,
        "mean_down_percent": 36.63,
        "up_percent": 90.0,
        "down_percent": 40.0,
        "high": 1,
        "high_needed": 3,
        "low": 2,
        "low_needed": 5,
        "fresh": 1,
        "quorum": 1,
        "capacity": 2,
        "clones": 1,
        "min_clones": 0,
        "max_clones": 4,
        "missing": "user:web-clone-1",
    }


def test_what_a_decision_does_and_lacks_are_fields_where_they_apply():
    found = fields(
        decision(
            count=2,
            victim=CLONE,
            left_s=12.3456,
            shortage=MEMORY,
            replacement_held=Reason.COOLDOWN,
        )
    )

    assert {key: found[key] for key in found if key not in fields(decision())} == {
        "create": 2,
        "victim": "user:web-clone-1",
        "left_s": 12.35,
        "replacement_held": "cooldown",
        "short_of": "memory",
        "short_needed": 32,
        "short_used": 480,
        "short_limit": 500,
        "short_domain": "user:",
    }


def test_an_unknown_mean_is_nothing_and_no_zero():
    found = fields(decision(load=Load()))

    assert found["mean_up_percent"] is None
    assert found["mean_down_percent"] is None
    assert "missing" not in found


def test_members_are_told_with_class_and_usage():
    assert members(decision()) == "user:web=fresh:93.3 user:web-clone-1=stale"


def test_the_signals_are_fields_of_a_line():
    told = fields(
        decision(
            signal=FLIGHT, signals=(FLIGHT, CPU), wanted=4, more_victims=(WEB, CLONE)
        )
    )

    assert told["more_victims"] == "user:web,user:web-clone-1"
    assert (told["wanted"], told["signal"]) == (4, "in_flight")
    assert (told["signal_value"], told["signal_target"]) == (12.0, 3)
    assert (told["signal_in_flight"], told["signal_cpu"]) == (12.0, 95.25)
    assert not [key for key in fields(decision()) if "signal" in key]


@pytest.mark.parametrize(
    ("shortage", "words"),
    [
        pytest.param(
            Shortage(Reason.NO_CAPACITY, "unikernels", 1, 2, 2, USER),
            "a clone needs 1 of unikernels, and 2 of 2 are taken in the policy of user",
            id="unikernels",
        ),
        pytest.param(
            Shortage(Reason.NO_CAPACITY, "cpuids", 1, 0, 0, None),
            "no cpuids for a clone",
            id="no cpuids",
        ),
        pytest.param(
            Shortage(Reason.NO_CAPACITY, "bridges (\x1b[1mb\n)", 1, domain=USER),
            "no bridges (\\x1b[1mb\\n) for a clone in the policy of user",
            id="a hostile bridge",
        ),
        pytest.param(
            Shortage(Reason.BLOCK_DEVICE, "block devices", used=1),
            "the primary has 1 block device",
            id="one block device",
        ),
    ],
)
def test_what_is_short_is_told_in_words(shortage, words):
    assert describe_shortage(shortage) == words


def test_a_hostile_name_of_a_resource_does_not_reach_the_fields():
    shortage = Shortage(Reason.NO_CAPACITY, "bridges (\x1b[1m)", 1)

    assert fields(decision(shortage=shortage))["short_of"] == "bridges (\\x1b[1m)"


def test_how_far_a_new_image_has_come_is_told():
    made = decision(Reason.COOLDOWN, clones=3, outdated=2)

    assert explain(made).endswith("; 1 of 3 clones have the new image")
    assert "image" not in explain(decision(Reason.COOLDOWN, clones=3))


def test_what_holds_an_action_is_in_the_fields():
    found = fields(
        decision(barred=Reason.LOW, age_s=40.125, evidence="silence", outdated=1)
    )

    assert (found["barred"], found["evidence_age_s"]) == ("low", 40.12)
    assert (found["evidence"], found["outdated"]) == ("silence", 1)
