"""Events: what is told while it happens, to those who read and who don't."""

import pytest
import trio
import trio.testing
from starlette.applications import Starlette

from autoscaler.shell.web.gate import Gate
from autoscaler.shell.web.pages.board import MOST_SUBSCRIBERS
from autoscaler.shell.web.pages.chronicle import LOOK_S
from autoscaler.shell.web.pages.live import HEARTBEAT_S, PAUSE_S
from autoscaler.shell.web.visit import WRITE_S, Visit
from tests.shell.harness import wait_until
from tests.shell.web.clients import HTTP
from tests.shell.web.pages.asking import ask, follow
from tests.shell.web.pages.museum import (
    AT_MAX,
    LOAD_AT,
    STEADY,
    crowd,
    open_museum,
)

TICK_S = 10.0


@pytest.fixture
async def museum(autojump_clock, nursery, tmp_path):
    museum = await open_museum(nursery, (STEADY, AT_MAX), tmp_path)
    await trio.sleep(LOAD_AT - 60)
    return museum


async def test_programs_are_told_of_each_change_within_a_second_or_two(
    autojump_clock, nursery, museum
):
    told = follow(nursery, museum.pages, "/api/v1/events")
    fleet = museum.world.daemon.fleet
    await wait_until(lambda: fleet.groups[AT_MAX.id].clones != (), within=LOAD_AT)
    await trio.sleep(LOOK_S + 2 * PAUSE_S)

    newest = [each for each in told.named("group") if each["group"] == str(AT_MAX.id)]

    assert told.headers["content-type"] == "text/event-stream"
    assert told.text.startswith("retry: ")
    assert newest[-1]["sizes"]["has"] == 1
    assert len(newest[-1]["members"]) == 2


async def test_a_change_is_on_the_page_within_one_tick(autojump_clock, nursery, museum):
    told = follow(nursery, museum.pages, "/live")
    fleet = museum.world.daemon.fleet
    await wait_until(lambda: len(fleet.groups[AT_MAX.id].clones) == 1, within=LOAD_AT)

    await trio.sleep(TICK_S)

    cards = [c for c in told.named("card") if c["anchor"] == "alpha/user:at-max"]
    assert "at-max-clone-1" in cards[-1]["html"]


async def test_the_page_is_told_what_needs_a_person_and_in_which_order(
    autojump_clock, nursery, museum
):
    told = follow(nursery, museum.pages, "/live")

    await trio.sleep(LOAD_AT)

    assert told.named("fleet")[0]["verdict"] == "Nothing needs a person"
    assert told.named("fleet")[-1]["verdict"] == "1 thing needs a person"
    assert told.named("order")[-1] == ["alpha/user:at-max", "alpha/user:web"]


async def test_who_comes_back_is_told_only_what_has_changed(
    autojump_clock, nursery, museum
):
    since = museum.pages.chronicle.board.instant
    museum.pages.chronicle.board.change([STEADY.id])

    by_header = follow(nursery, museum.pages, "/live", last_event_id=since)
    by_query = follow(nursery, museum.pages, f"/live?since={since}")
    foreign = follow(nursery, museum.pages, "/live?since=deadbeef-1")
    await trio.sleep(0.1)

    for told in (by_header, by_query):
        assert [card["anchor"] for card in told.named("card")] == ["alpha/user:web"]
    assert len(foreign.named("card")) == 2
    [*_, (_, _, number)] = [e for e in foreign.events if e[0] == "card"]
    assert number == museum.pages.chronicle.board.instant


async def test_a_group_s_own_page_is_told_of_it_alone(autojump_clock, nursery, museum):
    told = follow(nursery, museum.pages, "/live?group=alpha/user:at-max")

    await trio.sleep(LOAD_AT)

    assert {event[0] for event in told.events} == {"card"}
    assert {card["anchor"] for card in told.named("card")} == {"alpha/user:at-max"}
    assert "Guards that hold" in told.named("card")[-1]["html"]
    assert told.named("card")[0]["html"] != told.named("card")[-1]["html"]


async def test_a_slow_reader_is_told_the_newest_and_loses_what_was_between(
    autojump_clock, nursery, museum
):
    quick = follow(nursery, museum.pages, "/api/v1/events")
    slow = follow(nursery, museum.pages, "/api/v1/events", pause=60.0)

    await trio.sleep(1200)

    assert len(quick.named("group")) > 5 * len(slow.named("group"))
    [*_, newest] = [g for g in slow.named("group") if g["group"] == str(AT_MAX.id)]
    assert newest["decision"]["reason"] == "at_max"


async def test_who_hears_nothing_else_hears_a_heartbeat(
    autojump_clock, nursery, museum
):
    told = follow(nursery, museum.pages, "/live?group=alpha/user:web")
    museum.world.live.close()
    museum.world.life.cancel()
    await trio.sleep(60)
    before = len(told.named("heartbeat"))

    await trio.sleep(10 * HEARTBEAT_S)

    assert len(told.named("heartbeat")) - before >= 7


async def test_no_more_follow_than_there_is_room_for(autojump_clock, nursery, museum):
    followers = [
        follow(nursery, museum.pages, "/live") for _ in range(MOST_SUBSCRIBERS)
    ]
    await trio.sleep(1)

    refused = await ask(museum.pages, "/live")
    followers[0].life.cancel()
    await trio.sleep(1)
    again = follow(nursery, museum.pages, "/live")
    await trio.sleep(1)

    assert refused.status == 503
    assert refused.headers["retry-after"] == "10"
    assert again.headers["content-type"] == "text/event-stream"


async def test_who_asks_for_the_head_alone_does_not_stay(autojump_clock, museum):
    answer = await ask(museum.pages, "/live", method="HEAD")

    assert answer.status == 200
    assert not museum.pages.chronicle.board.is_followed


async def test_many_groups_hold_up_nobody(autojump_clock, nursery, tmp_path):
    """Between some cards everybody else gets their turn."""
    museum = await open_museum(nursery, crowd(60), tmp_path)
    await trio.sleep(60)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with trio.open_nursery() as inner:  # noqa: TID251 - ends here
        inner.start_soon(count)
        await ask(museum.pages, "/")
        inner.cancel_scope.cancel()

    assert turns >= 60 // 10


@pytest.mark.parametrize("goes", [True, False], ids=["goes", "does not read"])
async def test_who_is_gone_or_does_not_read_is_followed_by_nothing(
    autojump_clock, nursery, museum, goes
):
    ours, theirs = trio.testing.lockstep_stream_pair()
    app = Starlette(routes=museum.pages.routes())
    visit = Visit(ours, app, Gate.of(HTTP), museum.world.told)
    nursery.start_soon(visit.run)
    await theirs.send_all(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await theirs.receive_some(10_000)
    assert museum.pages.chronicle.board.is_followed

    if goes:
        await theirs.aclose()
    await trio.sleep(HEARTBEAT_S + WRITE_S + 5)

    assert not museum.pages.chronicle.board.is_followed
