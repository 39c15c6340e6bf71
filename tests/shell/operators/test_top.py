"""The fleet in one look: what holds each group, what needs a person first."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trio

from albatross_client.certificates import Validity
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.faults import HostDown
from autoscaler.core.record import Instant
from autoscaler.shell.operators.latest import KEPT_S
from autoscaler.shell.operators.outlook import NO_ASIDE, Aside
from autoscaler.shell.operators.requests import Reply, read_told
from autoscaler.shell.operators.top_form import MOST_NEEDS, top_form
from tests.shell.harness import GROUP, Wish, wait_until
from tests.shell.operators.office import API_GROUP, BUSY, open_office
from tests.shell.reloading import PLAIN, group


def look(office, aside=NO_ASIDE) -> Any:
    fleet = office.world.daemon.fleet
    return top_form(fleet, Instant(trio.current_time(), fleet.clocks().wall), aside)


def look_at_one(office):
    [only] = look(office)["groups"]
    return only


async def test_a_view_has_all_that_it_shows_in_one_answer(autojump_clock, nursery):
    office = await open_office(nursery)
    await trio.sleep(120)

    told = look(office)

    assert told["fleet"] == {
        "hosts": 1,
        "groups": 1,
        "members": 1,
        "clones": 0,
        "mode": None,
        "streams": [{"host": "alpha", "domain": "user:", "up": True, "age_s": 120.0}],
        "need": 0,
        "needs": [],
    }
    [only] = told["groups"]
    assert only["group"] == str(GROUP)
    assert only["decision"]["reason"] == "steady"
    assert only["load_percent"] == 50.0
    assert only["thresholds"] == {"up": 90.0, "down": 40.0}
    assert only["flip"]["lacks"][0].endswith("40.0 points below 90 %")
    assert only["sizes"]["told"] == "wants 0, can 3, has 0 (clones)"
    assert only["members"] == [
        {"name": "user:web", "class": "fresh", "usage_percent": 50.0}
    ]
    assert (only["need"], only["needs"]) == (0, [])


async def test_whoever_asks_is_told_the_same(autojump_clock, nursery):
    office = await open_office(nursery, PLAIN + group("user:api"))
    await trio.sleep(120)
    # A virtual clock goes on while a thread reads the state.
    await office.ask("top")
    await trio.sleep(KEPT_S)

    reply = await office.ask("top")

    assert read_told(reply) == json.loads(json.dumps(look(office)))


async def test_asking_is_no_part_of_the_history(autojump_clock, nursery):
    office = await open_office(nursery)

    await office.ask("top")

    assert office.world.events("operator_asked") == []


async def test_before_the_first_decision_members_are_named_alone(
    autojump_clock, nursery
):
    office = await open_office(nursery)

    only = look_at_one(office)

    assert only["decision"] is only["flip"] is only["sizes"] is None
    assert only["guards"] == []
    assert only["members"] == [
        {"name": "user:web", "class": None, "usage_percent": None}
    ]


async def test_an_action_in_flight_is_told_with_its_age(autojump_clock, nursery):
    office = await open_office(nursery, wish=BUSY)
    await wait_until(lambda: office.world.group.ledger.actions != (), 300)
    await trio.sleep(0.5)

    [action] = look_at_one(office)["actions"]

    assert action["what"] == "create user:web-clone-1"
    assert action["reason"] == "high"
    assert 0 < action["age_s"] < 5


async def test_an_action_that_has_ended_is_forgotten(autojump_clock, nursery):
    office = await open_office(nursery, wish=BUSY)

    await wait_until(lambda: office.world.size > 1, 300)
    await wait_until(lambda: office.world.group.ledger.actions == (), 300)

    assert office.world.daemon.fleet.began == {}


async def test_a_decision_has_the_age_of_its_last_change(autojump_clock, nursery):
    office = await open_office(nursery)
    await trio.sleep(120)
    before = look_at_one(office)["decision"]["age_s"]

    await trio.sleep(600)

    assert look_at_one(office)["decision"]["age_s"] == before + 600


async def test_a_guard_that_holds_has_the_age_of_the_records_that_say_so(
    autojump_clock, nursery
):
    office = await open_office(nursery, wish=BUSY)
    await wait_until(lambda: office.world.size == 4, 1200)
    await trio.sleep(120)

    guards = {each["name"]: each for each in look_at_one(office)["guards"]}

    assert guards["max_clones"]["says"] == "max_clones is reached (3 of 3)"
    assert guards["max_clones"]["of"] == "up"
    assert 100 <= guards["max_clones"]["age_s"] <= 140


# What needs a person


async def test_a_group_that_wants_more_than_it_can_needs_a_person(
    autojump_clock, nursery
):
    wish = Wish(demand=Demand.constant(9))
    office = await open_office(nursery, wish=wish)
    await wait_until(lambda: office.world.size == 4, 1200)
    await trio.sleep(120)

    told = look(office)

    [only] = told["groups"]
    assert only["need"] == 2
    assert only["needs"] == [
        "wants 4 or more, can 3, has 3 (clones); blocked by at max"
    ]
    assert told["fleet"]["needs"] == [f"{GROUP}: {only['needs'][0]}"]


async def test_a_host_that_falls_silent_is_told_first(autojump_clock, nursery):
    office = await open_office(nursery, PLAIN + group("user:api"))
    await trio.sleep(120)
    office.world.live.strike(HostDown(600))

    await trio.sleep(300)

    told = look(office)
    assert told["fleet"]["need"] == 3
    # Once, and not for each of its groups.
    about = [need for need in told["fleet"]["needs"] if "statistics" in need]
    assert about == ["no statistics of user: from alpha for 5.0m"]
    assert about[0] == told["fleet"]["needs"][0]
    assert {each["need"] for each in told["groups"]} == {3}


async def test_a_stream_that_is_lost_for_moments_needs_nobody(autojump_clock, nursery):
    office = await open_office(nursery)
    await trio.sleep(120)
    office.world.live.strike(HostDown(600))
    await trio.sleep(5)

    told = look(office)

    assert told["fleet"]["streams"][0]["up"] is False
    assert told["fleet"]["needs"] == []


async def test_what_was_paused_who_knows_when_is_told(autojump_clock, nursery):
    office = await open_office(nursery)
    await office.ask("pause", group=str(GROUP))

    only = look_at_one(office)

    # In memory the state can't be read by anybody else.
    assert only["said"] == {"mode": "paused", "user": None, "age_s": None}
    assert (only["need"], only["needs"]) == (
        1,
        ["paused by an operator, until resumed"],
    )


async def test_a_state_that_cannot_be_written_is_told_of_the_fleet(
    autojump_clock, nursery
):
    office = await open_office(nursery)
    office.world.daemon.fleet.is_writable = False

    told = look(office)["fleet"]

    assert (told["need"], told["needs"]) == (
        3,
        ["the state can't be written: nothing begins"],
    )


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("left", "need", "says"),
    [
        pytest.param(8 * DAY, 0, None, id="in a week"),
        pytest.param(6 * DAY, 2, "expires on 2026-01-07", id="soon"),
        pytest.param(-DAY, 3, "has expired", id="over"),
    ],
)
async def test_a_certificate_that_ends_needs_somebody(
    autojump_clock, nursery, left, need, says
):
    office = await open_office(nursery)
    now = datetime.fromtimestamp(office.world.daemon.fleet.clocks().wall, UTC)
    dates = {"alpha": (Validity("user", now - 99 * DAY, now + left),)}

    told = look(office, Aside(dates=dates))["fleet"]

    assert told["need"] == need
    if says is None:
        assert told["needs"] == []
    else:
        [sentence] = told["needs"]
        assert sentence.startswith("host alpha: the certificate user ")
        assert says in sentence


async def test_of_many_groups_that_need_somebody_some_are_named(
    autojump_clock, nursery
):
    names = [f"user:g{number:02}" for number in range(MOST_NEEDS + 4)]
    text = PLAIN + "".join(group(name) for name in names)
    office = await open_office(nursery, text)
    # None of them has ever run.
    await trio.sleep(300)

    told = look(office)["fleet"]

    assert len(told["needs"]) == MOST_NEEDS + 1
    assert told["needs"][-1] == "and 4 more groups"
    asked: Any = read_told(await office.ask("top"))
    assert len(asked["groups"]) == MOST_NEEDS + 5


async def test_groups_that_need_somebody_come_first(autojump_clock, nursery):
    office = await open_office(nursery, PLAIN + group("user:api"))
    await office.ask("pause", group=str(GROUP))

    order = [each["group"] for each in look(office)["groups"]]

    assert order == [str(GROUP), str(API_GROUP)]


def test_an_answer_that_tells_nothing_is_none_of_this_version():
    with pytest.raises(ValueError, match="no daemon of this version"):
        read_told(Reply(("done",)))
