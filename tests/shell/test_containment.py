"""Bugs that are told and end: what passes, and what the log has of them."""

import pytest
import trio

from autoscaler.shell.containment import LONGEST_MESSAGE, Containment
from autoscaler.shell.log import Log


class PlannedError(Exception):
    pass


@pytest.fixture
def lines():
    return []


@pytest.fixture
def log(lines):
    def write(_level, event, fields):
        lines.append((event, fields))

    return Log(write, now=lambda: 0.0)


def fail(error):
    raise error


def test_a_bug_is_told_with_where_it_was_and_goes_no_further(log, lines):
    with Containment(log, "adding up"):
        fail(ValueError("no sum"))

    [(event, fields)] = lines
    here = "test_containment.py"
    assert event == "bug_contained"
    assert fields["doing"] == "adding up"
    assert fields["error"].startswith(f"ValueError at {here}:")
    message, innermost, outermost = fields["traceback"].split("; ")
    assert message == "no sum"
    assert (innermost.split()[-1], outermost.split()[-1]) == (
        "fail",
        "test_a_bug_is_told_with_where_it_was_and_goes_no_further",
    )


def test_what_is_no_bug_passes_untold(log, lines):
    with pytest.raises(PlannedError), Containment(log, "trying", (PlannedError,)):
        fail(PlannedError())
    with pytest.raises(KeyboardInterrupt), Containment(log, "trying"):
        fail(KeyboardInterrupt())

    assert not lines


async def test_a_cancellation_passes(autojump_clock, log, lines):
    with trio.move_on_after(1) as scope:
        with Containment(log, "waiting"):
            await trio.sleep(10)
        await trio.sleep(10)

    assert scope.cancelled_caught
    assert trio.current_time() == pytest.approx(1, abs=0.1)
    assert not lines


async def test_a_bug_among_cancellations_is_told_and_they_pass(
    autojump_clock, log, lines
):
    async def fail_when_cancelled():
        try:
            await trio.sleep_forever()
        finally:
            fail(KeyError("gone"))

    async def work():
        async with trio.open_nursery() as nursery:  # noqa: TID251 - ends here
            nursery.start_soon(fail_when_cancelled)
            nursery.start_soon(trio.sleep_forever)

    with trio.move_on_after(1) as scope:
        with Containment(log, "working"):
            await work()
        await trio.sleep(10)

    assert trio.current_time() == pytest.approx(1, abs=0.1)
    assert scope.cancel_called
    [(_, fields)] = lines
    assert fields["error"].startswith("KeyError at ")


def test_of_a_group_of_bugs_the_first_is_told(log, lines):
    with Containment(log, "working"):
        group = ExceptionGroup("inner", [OSError("first"), ValueError("second")])
        raise ExceptionGroup("outer", [group])

    [(_, fields)] = lines
    assert fields["error"] == "OSError"
    assert fields["traceback"] == "first"


def test_one_bug_is_one_line_whatever_was_asked_for(log, lines):
    for number in range(100):
        with Containment(log, f"answering /{number}"):
            fail(KeyError(f"what client {number} sent" * 100))

    [(_, fields)] = lines
    assert len(fields["traceback"].split("; ")[0]) == LONGEST_MESSAGE
