"""What the demo tells of visitors, from values."""

import pytest

from autoscaler.cli.demos.visits import NO_REQUESTS, VisitedStory, Wake, milliseconds
from tests.cli.demos.seconds import second_of

WANTED = (0, 4, 0, 1)


def story_of(*sizes):
    story = VisitedStory(WANTED)
    for second, size in enumerate(sizes):
        story.note_size(float(second), size)
    return story


@pytest.mark.parametrize(
    ("sizes", "second", "is_as_wanted"),
    [
        pytest.param(WANTED, second_of(0.1), True, id="all-answered"),
        pytest.param(WANTED, second_of(0.1, failures=1), False, id="one-failed"),
        pytest.param(WANTED, second_of(), False, id="nobody-asked"),
        pytest.param((0, 4, 0), second_of(0.1), False, id="not-awake-again"),
    ],
)
def test_all_is_well_only_where_every_request_was_answered(sizes, second, is_as_wanted):
    story = story_of(*sizes)
    story.hear(second)

    assert story.is_as_wanted is is_as_wanted


def test_requests_of_all_seconds_are_added():
    story = story_of(0, 4)
    story.hear(second_of(0.1, 0.1))
    story.hear(second_of(0.1, failures=1))

    lines = story.summary()

    assert "  3 answered, 1 failed" in lines
    assert "    1 times: status 5xx" in lines
    assert "  answered within 100 ms (half of them), 100 ms (95 %)" in lines


def test_where_nobody_was_answered_nothing_is_said_of_how_long_it_took():
    assert not [line for line in story_of(0).summary() if "answered within" in line]


def test_the_course_has_requests_and_members_of_each_second():
    story = story_of()
    story.hear(second_of())
    story.note_size(1.0, 4)
    story.hear(second_of(0.1, failures=2))

    assert story.course == [(0, 0), (3, 4)]


def test_a_wake_lasts_until_the_first_answers_that_come():
    story = story_of(0)
    story.waking = "12 visitors"
    story.hear(second_of())
    story.hear(second_of(0.9, 1.1))
    story.hear(second_of(0.2))

    assert story.wakes == [Wake("12 visitors", 1.1)]
    assert "  12 visitors: answered after 1.10 s" in story.summary()


def test_without_a_wake_nothing_is_said_of_any():
    story = story_of(0)
    story.hear(second_of(0.2))

    assert not [line for line in story.summary() if "waking" in line]


@pytest.mark.parametrize(
    ("second", "end"),
    [
        pytest.param(second_of(0.1), "by itself, and no request failed.", id="none"),
        pytest.param(
            second_of(0.1, failures=1), "by itself, but 1 request failed.", id="one"
        ),
        pytest.param(second_of(failures=3), "but 3 requests failed.", id="all"),
        pytest.param(second_of(), "and no request was answered.", id="nobody-asked"),
    ],
)
def test_the_last_line_says_what_came_of_requests(second, end):
    story = story_of(*WANTED)
    story.hear(second)

    last = story.summary()[-1]

    assert last.startswith("The group went 0 -> 4 -> 0 -> 1 by itself")
    assert last.endswith(end)


def test_no_answer_took_no_time():
    assert milliseconds(NO_REQUESTS, 50) == "-"
    assert milliseconds(second_of(0.062).tally, 50) == "62 ms"
