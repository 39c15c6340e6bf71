"""A bug in a card or a template costs that card, and nothing else."""

import pytest
import trio

from autoscaler.shell.web.pages import live
from autoscaler.shell.web.pages.chronicle import LOOK_S, Chronicle
from autoscaler.shell.web.pages.paint import Painter
from tests.shell.web.pages.asking import ask, follow
from tests.shell.web.pages.museum import AT_MAX, LOAD_AT, STEADY, open_museum

TICK_S = 10.0


@pytest.fixture
async def museum(autojump_clock, nursery, tmp_path):
    museum = await open_museum(nursery, (STEADY, AT_MAX), tmp_path)
    await trio.sleep(60)
    return museum


def break_card_of(monkeypatch, exhibit):
    whole = Painter.card

    def card(painter, card):
        if card.id == exhibit.id:
            msg = "a bug"
            raise ValueError(msg)
        return whole(painter, card)

    monkeypatch.setattr(Painter, "card", card)


def bugs(museum):
    return [fields for event, fields in museum.world.log if event == "bug_contained"]


async def test_where_a_card_can_not_be_made_one_says_so_among_the_others(
    autojump_clock, museum, monkeypatch
):
    break_card_of(monkeypatch, STEADY)

    page = await ask(museum.pages, "/")

    assert page.status == 200
    assert page.text.count("<article") == 2
    assert page.text.count("No card could be made") == 1
    assert page.text.rstrip().endswith("</html>")
    [bug] = bugs(museum)
    assert bug["doing"] == "making the card of alpha/user:web"


async def test_cards_that_are_made_beside_do_not_end_what_makes_them(
    autojump_clock, museum, monkeypatch
):
    await ask(museum.pages, "/")
    with monkeypatch.context() as for_now:
        break_card_of(for_now, STEADY)
        await trio.sleep(2 * TICK_S)
    looks = museum.pages.chronicle.looks
    await trio.sleep(2 * TICK_S)

    assert bugs(museum)
    assert museum.pages.chronicle.looks > looks
    assert "No card" not in (await ask(museum.pages, "/")).text


async def test_followers_are_told_of_all_other_groups(
    autojump_clock, nursery, museum, monkeypatch
):
    break_card_of(monkeypatch, STEADY)

    told = follow(nursery, museum.pages, "/live")
    await trio.sleep(2 * TICK_S)

    assert {card["anchor"] for card in told.named("card")} == {"alpha/user:at-max"}
    assert bugs(museum)[0]["doing"] == "telling followers of alpha/user:web"


async def test_programs_that_follow_are_told_of_all_other_groups(
    autojump_clock, nursery, museum, monkeypatch
):
    def form(_fleet, look, _aside):
        if look.group.id == STEADY.id:
            msg = "a bug"
            raise ValueError(msg)
        return {"group": str(look.group.id)}

    monkeypatch.setattr(live, "group_form", form)

    told = follow(nursery, museum.pages, "/api/v1/events")
    await trio.sleep(2 * TICK_S)

    assert {each["group"] for each in told.named("group")} == {str(AT_MAX.id)}


@pytest.mark.parametrize("name", ["look", "_has_changed", "hear", "remember"])
async def test_what_follows_the_groups_goes_on_when_its_bug_is_over(
    autojump_clock, nursery, museum, monkeypatch, name
):
    def explode(*_args):
        msg = "a bug"
        raise ValueError(msg)

    with monkeypatch.context() as for_now:
        for_now.setattr(Chronicle, name, explode)
        # As after a start.
        nursery.start_soon(museum.pages.follow_for_ever)
        await trio.sleep(LOAD_AT + 2 * TICK_S)
    looks = museum.pages.chronicle.looks
    await trio.sleep(2 * LOOK_S)

    assert bugs(museum)
    assert museum.pages.chronicle.looks > looks
    assert len(museum.world.daemon.fleet.groups[AT_MAX.id].clones) == 1
