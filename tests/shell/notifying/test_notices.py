"""Everybody who is told: chosen, changed by a reload, told at the end."""

from functools import partial
from pathlib import Path

import pytest
import trio
from attrs import evolve

from autoscaler.shell.configuration.notify_table import NotifySettings
from autoscaler.shell.log import Log
from autoscaler.shell.notifying.notices import GOODBYE_S, Notices, Receiver
from tests.shell.notifying.receivers import DOWN, FakeSender

PAGE = NotifySettings(
    name="page", events=("level:error",), on_event=Path("/x"), max_at_once=1
)


@pytest.fixture
def lines():
    return []


@pytest.fixture
def log(lines):
    return Log(lambda _level, name, fields: lines.append((name, dict(fields))))


@pytest.fixture
def notices(log):
    numbers = iter(range(1000))
    notices = Notices("west", log, lambda: 1000.0, lambda: str(next(numbers)))
    log.sink = notices.tap(log.sink)
    return notices


def receiver(sender, settings=PAGE, key=None):
    return Receiver(settings, key, lambda: sender)


def lose(log, group="west/user:web"):
    log.event("primary_lost", group=group, name="user:web")


async def test_who_wants_an_event_is_told_and_nobody_else(
    autojump_clock, nursery, notices, log
):
    page, chat = FakeSender(), FakeSender()
    all_of_it = evolve(PAGE, name="chat", events=("level:info",))
    notices.follow([receiver(page), receiver(chat, all_of_it)])
    nursery.start_soon(notices.run)

    log.event("daemon_stopped")
    lose(log)
    await trio.sleep(1)

    assert page.told == ["1"]
    assert chat.told == ["0", "1"]


async def test_what_the_log_leaves_out_as_a_repetition_nobody_is_told_of(
    autojump_clock, nursery, notices, log
):
    sender = FakeSender()
    notices.follow([receiver(sender, evolve(PAGE, events=("level:warning",)))])
    nursery.start_soon(notices.run)

    for _ in range(100):
        log.event("http_refused", status=400, error="no host")
    await trio.sleep(1)

    assert len(sender.told) == 1


async def test_nobody_is_told_of_what_befalls_the_telling(
    autojump_clock, nursery, notices, log, lines
):
    sender = FakeSender([DOWN] * 100)
    notices.follow([receiver(sender, evolve(PAGE, events=("level:info",)))])
    nursery.start_soon(notices.run)

    lose(log)
    await trio.sleep(3600)

    assert {name for name, _ in lines} == {
        "primary_lost",
        "notification_delayed",
        "notification_failed",
    }
    assert sender.told == []


async def test_a_receiver_that_hangs_holds_up_no_event_and_no_other_receiver(
    autojump_clock, nursery, notices, log
):
    hung, well = FakeSender(pause=1e9), FakeSender()
    notices.follow([receiver(hung), receiver(well, evolve(PAGE, name="well"))])
    nursery.start_soon(notices.run)
    began = trio.current_time()

    for number in range(50):
        lose(log, f"west/user:web{number}")
    took = trio.current_time() - began
    await trio.sleep(1)

    assert took == 0
    assert len(well.told) == 50


async def test_who_stays_after_a_reload_keeps_what_waits(
    autojump_clock, nursery, notices, log
):
    before, after = FakeSender(pause=1e9), FakeSender()
    notices.follow([receiver(before)])
    nursery.start_soon(notices.run)
    for number in range(3):
        lose(log, f"west/user:web{number}")
    await trio.sleep(1)

    notices.follow([receiver(after, key=b"another")])
    await trio.sleep(1)

    assert after.told == ["0", "1", "2"]


async def test_who_is_told_as_before_goes_on_as_if_nothing_had_happened(
    autojump_clock, nursery, notices, log
):
    sender = FakeSender(pause=2.0)
    notices.follow([receiver(sender)])
    nursery.start_soon(notices.run)
    lose(log)
    await trio.sleep(1)

    notices.follow([receiver(FakeSender())])
    await trio.sleep(2)

    assert sender.told == ["0"]
    assert len(sender.tries) == 1


async def test_who_is_no_longer_wanted_is_left_and_what_waited_is_said_to_be_dropped(
    autojump_clock, nursery, notices, log, lines
):
    sender = FakeSender(pause=1e9)
    notices.follow([receiver(sender)])
    nursery.start_soon(notices.run)
    lose(log)
    lose(log)
    await trio.sleep(1)

    notices.follow([])
    lose(log)
    await trio.sleep(1)

    assert ("notifications_dropped", {"receiver": "page", "dropped": 1}) in lines
    assert len(sender.tries) == 1


async def test_a_new_receiver_is_told_from_then_on(
    autojump_clock, nursery, notices, log
):
    sender = FakeSender()
    nursery.start_soon(notices.run)
    await trio.sleep(1)
    lose(log)

    notices.follow([receiver(sender)])
    lose(log)
    await trio.sleep(1)

    assert sender.told == ["0"]


async def test_at_the_end_what_waits_is_told_in_bounded_time(
    autojump_clock, notices, log, lines
):
    well, hung = FakeSender(), FakeSender(pause=1e9)
    notices.follow([receiver(well), receiver(hung, evolve(PAGE, name="hung"))])
    with trio.move_on_after(10):
        await notices.run()
    lose(log)
    began = trio.current_time()

    await notices.finish()

    assert trio.current_time() - began == GOODBYE_S
    assert well.told == ["0"]
    assert ("notifications_dropped", {"receiver": "hung", "dropped": 1}) in lines


async def test_what_was_being_told_at_the_end_is_tried_once_more(
    autojump_clock, notices, log
):
    sender = FakeSender(pause=2.0)
    notices.follow([receiver(sender)])
    lose(log)
    with trio.move_on_after(1):
        await notices.run()

    await notices.finish()

    assert sender.told == ["0"]


def test_no_key_is_in_what_is_printed_of_a_receiver():
    told = Receiver(PAGE, b"hush", partial(FakeSender, told=["hush"]))

    assert "hush" not in repr(told)
