"""What was last known of clones that are gone, in words."""

import json

import pytest
from attrs import evolve

from albatross_client.meaning.info_form import write_info
from albatross_client.stats import Sample
from albatross_client.values import BlockInfo, RestartOnExit
from autoscaler.shell.operators.mortem_words import tell_end, tell_facts
from autoscaler.shell.operators.times import format_time
from autoscaler.shell.state.mortems import PostMortem
from tests.core.builders import make_info
from tests.shell.kept import CLONE, WEST_WEB

BARE = PostMortem(group=WEST_WEB, name=CLONE, at=1_800_000_000.0, why="low")


@pytest.mark.parametrize(
    ("mortem", "says"),
    [
        pytest.param(BARE, "destroyed: low", id="destroyed"),
        pytest.param(
            evolve(BARE, why="given_up"), "destroyed: given up", id="words of a rule"
        ),
        pytest.param(
            evolve(BARE, why="high", failure="no"), "failed: high", id="failed"
        ),
        pytest.param(
            evolve(BARE, why="died"), "died: silent and no longer listed", id="died"
        ),
    ],
)
def test_the_end_is_told_in_words(mortem, says):
    assert tell_end(mortem) == says


def told(**known):
    return dict(tell_facts(evolve(BARE, **known)))


def test_all_counters_have_names_and_units_for_people():
    counters = {name: 1_500_000 for name in Sample.__annotations__ if name != "name"}

    facts = told(stats=counters, usage=12.345)

    assert facts["usage"] == "12.3 % of one CPU"
    assert facts["CPU time"] == "1.50 s"
    assert facts["process started"] == format_time(1.5)
    # A host's device receives what its unikernel sends.
    assert facts["bytes sent"] == "1500000"
    assert not [label for label in facts if "_" in label or " us" in label]
    assert len(facts) == len(counters) + 1


def test_what_the_host_said_of_it_is_told_without_json():
    info = evolve(
        make_info(),
        argv=("--name=web", "--motd=good day"),
        cpuids=frozenset({1, 2}),
        blocks=(BlockInfo("data", "web-data", 512, 64),),
        fail_behaviour=RestartOnExit(frozenset({2})),
    )

    facts = told(info=json.dumps(write_info(info)))

    assert facts["arguments"] == "--name=web '--motd=good day'"
    assert facts["CPUs"] == "1, 2"
    assert facts["memory"] == f"{info.memory} MB"
    assert facts["networks"] == "service on br0, 02:00:00:00:00:01"
    assert facts["block devices"] == "data on web-data"
    assert facts["image"] == f"SHA-256 {info.digest.hex()}"
    assert facts["when it exits"] == "it is started again after exit codes 2"
    assert not [text for text in facts.values() if text.startswith(("{", '"', "["))]


@pytest.mark.parametrize(
    "stats",
    [
        pytest.param({"start_us": 2**63}, id="no calendar goes so far"),
        pytest.param({"start_us": -(2**63)}, id="before all time"),
        pytest.param({"more_us": 5}, id="a counter of another version"),
    ],
)
def test_whatever_a_host_has_counted_can_be_told(stats):
    assert len(told(stats=stats)) == 1


@pytest.mark.parametrize(
    "info",
    [
        {name: value}
        for name in (
            "argv",
            "blocks",
            "bridges",
            "cpuids",
            "fail_behaviour",
            "started",
            "x_y",
        )
        for value in ("\x1b[2J", 5, {"a": "\x1b"}, ["\x1b", 1], {"days": 1})
    ],
)
def test_whatever_was_kept_is_told_on_printable_lines(info):
    [(_, text)] = told(info=json.dumps(info)).items()

    assert text.isprintable()


def test_what_is_not_known_is_not_told():
    assert told() == {}
    assert told(stats={"rss_pages": None}, info='{"startup": null, "blocks": []}') == {}
