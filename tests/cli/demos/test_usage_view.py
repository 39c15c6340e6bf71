"""The live view of a group that its CPUs drive, from values."""

import io

import pytest
from attrs import evolve
from rich.console import Console

from autoscaler.cli.demos.blocks import EVENTS_SHOWN
from autoscaler.cli.demos.usage_view import UsageView
from autoscaler.core.decision import MemberClass
from tests.core.builders import make_world, rule


def shown(view, group, width=120):
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(view.render(group, "  12 s", width))
    return console.export_text()


def decided(*states):
    group, view = make_world(*states)
    return evolve(group, decision=rule(group, view).decision)


def test_before_the_first_frames_the_view_says_that_it_waits():
    group, _ = make_world(50.0)

    assert "waiting for the host's first frames" in shown(UsageView("demo"), group)


def test_the_view_shows_members_the_mean_the_decision_and_why():
    text = shown(UsageView("demo"), decided(95.0, 93.0, MemberClass.WARMING))

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
    text = shown(UsageView("demo"), decided(50.0))

    row = next(line for line in text.splitlines() if "fresh" in line)
    assert row.count("█") == row.count("·") == 20


def test_a_member_without_a_usage_has_an_empty_bar():
    text = shown(UsageView("demo"), decided(MemberClass.UNKNOWN))

    row = next(line for line in text.splitlines() if "unknown" in line)
    assert "█" not in row
    assert "  - " in row


def test_the_latest_events_are_shown_with_what_fits_of_them():
    view = UsageView("demo")
    for number in range(EVENTS_SHOWN + 1):
        view.latest.note(
            "action_finished", {"took_s": number, "group": "x", "error": None}
        )

    text = shown(view, decided(50.0))

    assert "took_s=0" not in text
    assert f"action_finished  took_s={EVENTS_SHOWN}" in text
    assert "group=x" not in text
    assert "error=" not in text


def test_an_event_that_is_too_long_keeps_its_line():
    view = UsageView("demo")
    before = len(shown(view, decided(50.0)).splitlines())
    view.latest.note("action_finished", {"error": "no answer " * 20})

    assert len(shown(view, decided(50.0)).splitlines()) == before


@pytest.mark.parametrize("width", [120, 80, 60, 40])
def test_names_usages_and_limits_are_whole_on_narrow_terminals(width):
    group = decided(95.0, 93.0, MemberClass.WARMING)

    lines = shown(UsageView("demo"), group, width).splitlines()

    [row] = [line for line in lines if "user:web-clone-2" in line]
    assert "warming" in row
    assert "…" not in row
    [mean] = [line for line in lines if "mean " in line and "94%" in line]
    assert "< 40" in mean
    assert "> 90" in mean
    assert all(len(line) == width for line in lines)
