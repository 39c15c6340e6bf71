"""What waits for one receiver: bounded, tried again, and never waited for."""

from pathlib import Path

import pytest
import trio
from attrs import evolve

from autoscaler.shell.configuration.notify_table import NotifySettings
from autoscaler.shell.log import Log
from autoscaler.shell.notifying.outbox import MOST_WAITING, TELL_AGAIN_S, Outbox
from autoscaler.shell.notifying.schedule import MOST_TRIES, Failure
from tests.shell.notifying.messages import LOST
from tests.shell.notifying.receivers import DOWN, FakeSender


def settings(**changes):
    return NotifySettings(
        name="page", events=("level:error",), on_event=Path("/bin/x"), **changes
    )


@pytest.fixture
def lines():
    return []


@pytest.fixture
def make(nursery, lines):
    def make(sender, **changes):
        log = Log(lambda _level, name, fields: lines.append((name, dict(fields))))
        outbox = Outbox(settings(**changes), sender, log, lambda: 1.0)
        for _ in range(outbox.settings.max_at_once):
            nursery.start_soon(outbox.work)
        return outbox

    return make


def numbered(number):
    return evolve(LOST, id=str(number))


async def test_what_is_put_in_is_told_in_order(autojump_clock, make):
    sender = FakeSender()
    outbox = make(sender, max_at_once=1)

    for number in range(3):
        outbox.put(numbered(number))
    await trio.sleep(1)

    assert sender.told == ["0", "1", "2"]


async def test_one_who_fails_is_tried_again_with_longer_and_longer_pauses(
    autojump_clock, make, lines
):
    sender = FakeSender([DOWN] * 4)
    outbox = make(sender)

    outbox.put(LOST)
    await trio.sleep(100)

    assert sender.tries == [0, 1, 3, 7, 15]
    assert sender.told == ["42"]
    assert lines == [
        (
            "notification_delayed",
            {
                "receiver": "page",
                "about": "primary_lost",
                "error": "no answer",
                "retry_in_s": 1.0,
            },
        )
    ]


async def test_one_who_fails_for_long_is_given_up_and_the_next_is_told(
    autojump_clock, make, lines
):
    sender = FakeSender([DOWN] * MOST_TRIES)
    outbox = make(sender, max_at_once=1)

    outbox.put(numbered(1))
    outbox.put(numbered(2))
    await trio.sleep(3600)

    assert sender.told == ["2"]
    [failed] = [fields for name, fields in lines if name == "notification_failed"]
    assert failed == {
        "receiver": "page",
        "about": "primary_lost",
        "error": "no answer",
        "attempts": MOST_TRIES,
    }


async def test_what_is_final_is_given_up_at_once(autojump_clock, make, lines):
    sender = FakeSender([Failure("it answers 404", is_final=True)])
    outbox = make(sender)

    outbox.put(LOST)
    await trio.sleep(1)

    assert len(sender.tries) == 1
    assert [name for name, _ in lines] == ["notification_failed"]


async def test_who_hangs_is_left_in_time(autojump_clock, make, lines):
    outbox = make(FakeSender(pause=3600), timeout=5.0)

    outbox.put(LOST)
    await trio.sleep(5.5)

    assert lines[0][1]["error"] == "no answer within 5 s"


async def test_no_more_are_told_at_once_than_may_be(autojump_clock, make):
    sender = FakeSender(pause=1.0)
    outbox = make(sender, max_at_once=3)

    for number in range(9):
        outbox.put(numbered(number))
    await trio.sleep(3.5)

    assert len(sender.told) == 9
    assert sender.most_at_once == 3


async def test_all_who_may_are_told_again_after_a_pause(autojump_clock, make):
    """Each worker waits for news of its own: none is forgotten."""
    sender = FakeSender(pause=1.0)
    outbox = make(sender, max_at_once=3)

    await trio.sleep(1)
    for number in range(3):
        outbox.put(numbered(number))
    await trio.sleep(1.5)

    assert len(sender.told) == 3


async def test_of_too_many_the_oldest_are_dropped_and_that_is_said_once_a_minute(
    autojump_clock, make, lines
):
    sender = FakeSender(pause=1e6)
    outbox = make(sender, max_at_once=1, timeout=300.0)
    outbox.put(numbered("first"))
    await trio.sleep(0.1)

    for number in range(MOST_WAITING + 10):
        outbox.put(numbered(number))
    await trio.sleep(TELL_AGAIN_S)
    outbox.put(numbered("last"))

    assert len(outbox.waiting) == MOST_WAITING
    assert outbox.waiting[0].id == "11"
    assert lines == [
        ("notifications_dropped", {"receiver": "page", "dropped": 1}),
        ("notifications_dropped", {"receiver": "page", "dropped": 10}),
    ]


async def test_what_was_about_to_be_told_waits_again_when_its_worker_ends(
    autojump_clock, lines
):
    log = Log(lambda *_: None)
    outbox = Outbox(settings(), FakeSender(pause=3600), log, lambda: 1.0)
    outbox.put(LOST)

    with trio.move_on_after(1):
        await outbox.work()

    assert list(outbox.waiting) == [LOST]


async def test_at_the_end_each_is_tried_once_more(autojump_clock, lines):
    sender = FakeSender([DOWN])
    log = Log(lambda _level, name, fields: lines.append((name, dict(fields))))
    outbox = Outbox(settings(), sender, log, lambda: 1.0)
    outbox.put(numbered(1))
    outbox.put(numbered(2))

    await outbox.empty()

    assert sender.told == ["2"]
    assert [name for name, _ in lines] == ["notification_failed"]
