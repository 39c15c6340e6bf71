"""The live view of a group that visitors ask, from values."""

import io

import pytest
from attrs import evolve
from rich.console import Console, ConsoleDimensions

from autoscaler.cli.demos.traffic_view import Sight, TrafficView
from autoscaler.core.backend import Duty, Health
from autoscaler.core.decision import MemberClass
from tests.cli.demos.backends import backend_of, server_of
from tests.cli.demos.seconds import second_of
from tests.core.builders import creating, make_managed, rule

WIDE, NARROW = ConsoleDimensions(120, 40), ConsoleDimensions(80, 24)


def sight_of(group, **changes):
    return Sight(heading="  12 s   they come", group=group, **changes)


def decided(*states):
    group, view = make_managed(*states)
    return evolve(group, decision=rule(group, view).decision)


def shown(sight, size=WIDE, view=None):
    console = Console(record=True, width=size.width, file=io.StringIO())
    console.print((view or TrafficView("demo")).render(sight, size))
    return console.export_text()


def row(text, word):
    return next(line for line in text.splitlines() if word in line)


def test_requests_are_shown_with_how_long_they_took_and_how_many_failed():
    second = second_of(*[0.0625] * 9, 0.2, failures=2)
    sight = sight_of(decided(50.0), latest=second.tally, total=second.tally)

    text = shown(sight)

    assert "12 s   they come" in text
    assert "  12 " in row(text, "requests/s")
    assert " ms  p50, 200 ms p95" in row(text, "latency")
    assert " 2  of 12" in row(text, "failed")


def test_before_the_first_answer_there_is_no_latency():
    assert " -  p50, - p95" in row(shown(sight_of(decided(50.0))), "latency")


def test_connections_that_wait_for_a_member_are_shown():
    assert " 12  wait for a member" in row(shown(sight_of(decided(), held=12)), "held")


def test_requests_and_members_have_columns_as_high_as_they_were_many():
    course = [(0, 0), (10, 1), (80, 4), (40, 4)]

    text = shown(sight_of(decided(50.0), course=course))

    assert "  ▂█▅ " in row(text, "requests/s")
    assert "  ▃██ " in row(text, "members ")


def test_only_the_latest_columns_are_shown():
    course = [(1, 1)] * 500

    assert row(shown(sight_of(decided(50.0), course=course)), "held").endswith("│")
    assert row(shown(sight_of(decided(), course=course)), "requests/s").count("█") == 40


def test_a_group_without_members_is_said_to_sleep():
    assert "no members: the group sleeps" in shown(sight_of(decided()))


def test_members_are_shown_with_what_haproxy_tells_of_them():
    group = decided(95.0, MemberClass.WARMING, 40.0, 30.0, 20.0)
    backend = backend_of(
        server_of("web-1", sessions=3),
        server_of("web-2", Duty.DRAIN, Health.FAILED),
        server_of("web-3", Duty.DRAIN, sessions=1),
        server_of("web-4", Duty.MAINT, Health.FAILED),
    )

    text = shown(sight_of(group, backend=backend))

    assert row(text, "web-1").split()[-5:-1] == ["95%", "fresh", "ready", "3"]
    assert row(text, "web-2").split()[-4:-1] == ["warming", "down", "0"]
    assert row(text, "web-3").split()[-4:-1] == ["fresh", "drain", "1"]
    assert row(text, "web-4").split()[-4:-1] == ["fresh", "maint", "0"]
    assert row(text, "web-5").split()[-4:-1] == ["fresh", "-", "-"]


def test_members_that_came_after_the_last_tick_are_shown_at_once():
    group, view = make_managed(50.0, 50.0)
    before = evolve(group, clones=group.clones[:1])
    decision = rule(before, view).decision
    action = creating(3)
    ledger = evolve(group.ledger, actions=(action,))

    text = shown(sight_of(evolve(group, decision=decision, ledger=ledger)))

    assert "fresh" in row(text, "web-1")
    assert "unknown" in row(text, "web-2")
    assert "reserved" in row(text, "web-clone-3")


def test_the_decision_is_shown_with_its_reason():
    assert "hold: " in shown(sight_of(decided(50.0)))


def test_before_the_first_decision_there_is_none():
    group, _ = make_managed()

    assert "hold" not in shown(sight_of(group))


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("members", [0, 1, 4])
def test_everything_keeps_its_place_and_fits_the_terminal(size, members):
    view = TrafficView("demo")
    for number in range(20):
        view.latest.note("action_finished", {"took_s": number})
    most = shown(sight_of(decided(*[50.0] * 4)), size, view).splitlines()

    lines = shown(sight_of(decided(*[50.0] * members)), size, view).splitlines()

    assert len(lines) == len(most) <= size.height
    assert max(map(len, lines)) == size.width
    assert "took_s=19" in lines[-2]


def test_a_low_terminal_still_shows_some_events():
    view = TrafficView("demo")
    for number in range(20):
        view.latest.note("action_finished", {"took_s": number})

    text = shown(sight_of(decided(50.0)), ConsoleDimensions(80, 10), view)

    assert text.count("took_s=") == 3
