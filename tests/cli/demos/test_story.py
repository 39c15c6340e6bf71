"""What a demo tells of its group, from values."""

import pytest

from autoscaler.cli.demos.story import Story, turns
from autoscaler.shell.log import Field

WANTED = (1, 3, 1)
CREATED: dict[str, Field] = {
    "action": "CreateClones",
    "creates": "user:web-clone-1",
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
    story = Story(WANTED)
    for second, size in enumerate(sizes):
        story.note_size(float(second), size)
    return story


def test_a_size_that_lasts_is_noted_once():
    assert story_of(1, 1, 2, 2, 2).sizes == [(0.0, 1), (2.0, 2)]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        pytest.param((), (), id="nothing"),
        pytest.param((2,), (2,), id="one-size"),
        pytest.param((0, 1, 4), (0, 4), id="up"),
        pytest.param((4, 1, 0), (4, 0), id="down"),
        pytest.param((0, 1, 4, 3, 1, 0, 1), (0, 4, 0, 1), id="up-down-up"),
        pytest.param((1, 2, 1, 2), (1, 2, 1, 2), id="to-and-fro"),
    ],
)
def test_sizes_between_two_turns_are_passed_over(sizes, expected):
    assert turns(sizes) == expected


@pytest.mark.parametrize(
    ("sizes", "is_as_wanted"),
    [
        pytest.param((1, 2, 3, 2, 1), True, id="up-and-down"),
        pytest.param((1, 3, 2, 1), True, id="two-at-once"),
        pytest.param((1, 2, 3, 2), False, id="not-yet-back"),
        pytest.param((1, 2, 3, 4, 3, 2, 1), False, id="too-far"),
        pytest.param((1, 2, 1, 2, 3, 2, 1), False, id="flapping"),
        pytest.param((), False, id="nothing"),
    ],
)
def test_only_one_to_three_and_back_is_as_wanted(sizes, is_as_wanted):
    assert story_of(*sizes).is_as_wanted is is_as_wanted


def test_the_summary_tells_sizes_actions_and_the_outcome():
    story = story_of(1, 2, 3, 2, 1)
    story.actions += [CREATED, DESTROYED]

    lines = story.summary()

    assert "    2.0 s  ### 3" in lines
    assert "  CreateClones user:web-clone-1 (high): done in 1.234 s" in lines
    assert "  DestroyClone user:web-clone-1 (low): done in 0.1 s" in lines
    assert lines[-1] == "The group went 1 -> 2 -> 3 -> 2 -> 1 by itself."


def test_no_members_have_a_line_too():
    assert "    0.0 s  0" in story_of(0, 1).summary()


@pytest.mark.parametrize(
    ("sizes", "last"),
    [
        pytest.param((1, 2), "The group went 1 -> 2, and not 1 -> 3 -> 1.", id="half"),
        pytest.param((), "The group went nowhere, and not 1 -> 3 -> 1.", id="nowhere"),
    ],
)
def test_the_summary_says_what_went_otherwise(sizes, last):
    assert story_of(*sizes).summary()[-1] == last


def test_an_action_without_a_duration_has_a_line_too():
    untimed: dict[str, Field] = {**CREATED}
    del untimed["took_s"]
    story = Story(WANTED, actions=[untimed])

    assert "  CreateClones user:web-clone-1 (high): done" in story.summary()


def test_an_action_that_failed_says_why():
    failed: dict[str, Field] = {**CREATED, "outcome": "failed", "error": "no answer"}
    story = Story(WANTED, actions=[failed])

    line = "  CreateClones user:web-clone-1 (high): failed in 1.234 s (no answer)"
    assert line in story.summary()


def test_where_nothing_was_done_nothing_is_told_of_it():
    assert "actions:" not in story_of(1).summary()


def test_programs_are_told_all_of_it():
    story = story_of(1, 2, 3, 1)
    story.actions += [CREATED, DESTROYED]

    assert story.form() == {
        "ok": True,
        "sizes": [
            {"at_s": float(at), "members": n} for at, n in enumerate([1, 2, 3, 1])
        ],
        "actions": [CREATED, DESTROYED],
        "ending": "The group went 1 -> 2 -> 3 -> 1 by itself.",
    }
