"""The demo's story and its live view, from values."""

import io

import pytest
from attrs import evolve
from rich.console import Console

from autoscaler.cli.demo import EXPECTED_SIZES, Story
from autoscaler.cli.live_view import EVENTS_SHOWN, LiveView
from autoscaler.core.decision import MemberClass
from autoscaler.shell.log import Field
from tests.core.builders import make_world, rule

CREATED: dict[str, Field] = {
    "action": "CreateClones",
    "clones": "user:web-clone-1",
    "reason": "high",
    "outcome": "done",
    "took_s": 1.234,
}
DESTROYED: dict[str, Field] = {
    "action": "DestroyClone",
    "victim": "user:web-clone-1",
    "reason": "low",
    "outcome": "done",
    "took_s": 0.1,
}


def story_of(*sizes):
    story = Story()
    for second, size in enumerate(sizes):
        story.note_size(float(second), size)
    return story


def shown(view, group):
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(view.render(group, "  12 s"))
    return console.export_text()


def decided(*states):
    group, view = make_world(*states)
    return evolve(group, decision=rule(group, view).decision)


def test_a_size_that_lasts_is_noted_once():
    assert story_of(1, 1, 2, 2, 2).sizes == [(0.0, 1), (2.0, 2)]


@pytest.mark.parametrize(
    ("sizes", "is_as_expected"),
    [
        pytest.param(EXPECTED_SIZES, True, id="up-and-down"),
        pytest.param((1, 2, 3, 2), False, id="not-yet-back"),
        pytest.param((1, 2, 3, 4, 3, 2, 1), False, id="too-far"),
        pytest.param((1, 2, 1, 2, 3, 2, 1), False, id="flapping"),
        pytest.param((), False, id="nothing"),
    ],
)
def test_only_one_to_three_and_back_is_as_expected(sizes, is_as_expected):
    assert story_of(*sizes).is_as_expected is is_as_expected


def test_the_summary_tells_sizes_actions_and_the_outcome():
    story = story_of(*EXPECTED_SIZES)
    story.actions += [CREATED, DESTROYED]

    lines = story.summary()

    assert "    2.0 s  ### 3" in lines
    assert "  CreateClones user:web-clone-1 (high): done in 1.234 s" in lines
    assert "  DestroyClone user:web-clone-1 (low): done in 0.1 s" in lines
    assert lines[-1] == "The group went 1 -> 2 -> 3 -> 2 -> 1 by itself."


@pytest.mark.parametrize(
    ("sizes", "last"),
    [
        pytest.param(
            (1, 2), "The group went 1 -> 2, and not 1 -> 2 -> 3 -> 2 -> 1.", id="half"
        ),
        pytest.param(
            (), "The group went nowhere, and not 1 -> 2 -> 3 -> 2 -> 1.", id="nowhere"
        ),
    ],
)
def test_the_summary_says_what_went_otherwise(sizes, last):
    assert story_of(*sizes).summary()[-1] == last


def test_an_action_without_a_duration_has_a_line_too():
    untimed: dict[str, Field] = {**CREATED}
    del untimed["took_s"]
    story = Story(actions=[untimed])

    assert "  CreateClones user:web-clone-1 (high): done" in story.summary()


def test_before_the_first_frames_the_view_says_that_it_waits():
    group, _ = make_world(50.0)

    assert "waiting for the host's first frames" in shown(LiveView("demo"), group)


def test_the_view_shows_members_the_mean_the_decision_and_why():
    text = shown(LiveView("demo"), decided(95.0, 93.0, MemberClass.WARMING))

    assert "demo" in text
    assert "user:web-clone-1" in text
    assert "93%" in text
    assert "warming" in text
    assert "94%" in text
    assert "down < 40   up > 90" in text
    assert "hold: rising" in text
    assert "1 of 3 ticks so far" in text
    assert "12 s" in text


def test_a_bar_is_as_long_as_the_usage():
    text = shown(LiveView("demo"), decided(50.0))

    row = next(line for line in text.splitlines() if "fresh" in line)
    assert row.count("█") == row.count("·") == 20


def test_a_member_without_a_usage_has_an_empty_bar():
    text = shown(LiveView("demo"), decided(MemberClass.UNKNOWN))

    row = next(line for line in text.splitlines() if "unknown" in line)
    assert "█" not in row
    assert "  - " in row


def test_the_latest_events_are_shown_with_what_fits_of_them():
    view = LiveView("demo")
    for number in range(EVENTS_SHOWN + 1):
        view.note("action_finished", {"took_s": number, "group": "x", "error": None})

    text = shown(view, decided(50.0))

    assert "took_s=0" not in text
    assert f"action_finished  took_s={EVENTS_SHOWN}" in text
    assert "group=x" not in text
    assert "error=" not in text
