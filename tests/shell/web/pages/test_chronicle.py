"""What has happened lately: followed while it does, remembered afterwards."""

import pytest
import trio

from autoscaler.core.guards import Kind as Guarded
from autoscaler.core.record import MOST_KEPT
from autoscaler.shell.web.pages.chronicle import LOOK_S, Chronicle
from autoscaler.shell.web.pages.hour import MINUTE_S, Kind, glimpse
from autoscaler.shell.web.pages.memory import glimpse_of, read_glimpses
from tests.shell.kept import creation
from tests.shell.web.pages.museum import (
    AT_MAX,
    FAILING,
    LOAD_AT,
    STEADY,
    open_museum,
)


@pytest.fixture
async def museum(autojump_clock, nursery, tmp_path):
    museum = await open_museum(nursery, (STEADY, AT_MAX, FAILING), tmp_path)
    await trio.sleep(LOAD_AT + 300)
    return museum


def chronicle_of(museum):
    world = museum.world
    return Chronicle(world.daemon.fleet, lambda: museum.settings, world.told)


def minute_of(museum):
    return int(museum.world.daemon.fleet.clocks().wall // MINUTE_S)


async def test_an_hour_has_usage_size_and_actions_of_a_group(autojump_clock, museum):
    hour = museum.pages.chronicle.hour(AT_MAX.id)
    until = minute_of(museum) - 1

    usages, sizes = hour.usages(until), hour.sizes(until)
    [deed] = hour.deeds_within(until)

    assert usages["user:at-max"][-1] == 100
    assert usages["user:at-max"][-12] == 50
    assert usages["user:at-max-clone-1"][-12] is None
    assert (sizes[-12], sizes[-1]) == (1, 2)
    assert (deed.kind, deed.says) == (Kind.CREATE, "create user:at-max-clone-1")
    assert Guarded.MAX_CLONES in hour.held_since


async def test_an_action_that_fails_is_told_as_that(autojump_clock, museum):
    deeds = museum.pages.chronicle.hour(FAILING.id).deeds

    assert (deeds[0].kind, deeds[0].has_failed) == (Kind.CREATE, True)


async def test_after_a_restart_the_hour_is_as_it_was(autojump_clock, museum):
    before = museum.pages.chronicle.hour(AT_MAX.id)
    until = minute_of(museum) - 1

    later = chronicle_of(museum)
    await later.remember()
    after = later.hour(AT_MAX.id)

    # One record a minute is kept, and one for each change.
    assert sum(a is not None for a in after.usages(until)["user:at-max"]) >= 10
    for name, was in before.usages(until).items():
        now = after.usages(until)[name]
        pairs = [(a, b) for a, b in zip(now, was, strict=True) if a is not None]
        assert all(abs(a - b) < 35 for a, b in pairs)
    assert [d.says for d in after.deeds] == [d.says for d in before.deeds]
    assert after.held_since[Guarded.MAX_CLONES] == pytest.approx(
        before.held_since[Guarded.MAX_CLONES], abs=MINUTE_S
    )


async def test_an_action_that_never_began_is_in_no_chart(autojump_clock, museum):
    store = museum.world.store
    before = len(museum.pages.chronicle.hour(AT_MAX.id).deeds)
    await store.withdraw(AT_MAX.id, creation(9), "no turn came in time", 60.0)

    later = chronicle_of(museum)
    await later.remember()

    assert len(later.hour(AT_MAX.id).deeds) == before


async def test_what_is_read_from_the_state_is_what_was_seen(autojump_clock, museum):
    directory = museum.settings.deployment.state_dir

    found = read_glimpses(directory, [STEADY.id], 0.0)[STEADY.id]

    assert len(found) > 10
    records = museum.world.daemon.fleet.records[STEADY.id]
    seen = {record.at: glimpse(record) for record in records}
    both = [(seen[each.at], each) for each in found if each.at in seen]
    assert both
    assert all(was == read for was, read in both)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"at": 1, "decision": []}'])
def test_what_is_no_record_is_told_as_that(text):
    with pytest.raises(ValueError, match=r"no record|Expecting"):
        glimpse_of(text)


async def test_what_happens_between_two_looks_is_taken_all_the_same(
    autojump_clock, museum
):
    chronicle = chronicle_of(museum)

    first = chronicle.look()
    nothing = chronicle.look()
    await trio.sleep(50)
    second = chronicle.look()

    assert set(first) == set(second) == {STEADY.id, AT_MAX.id, FAILING.id}
    assert nothing == ()
    known = chronicle.hour(STEADY.id).usages(minute_of(museum))["user:web"]
    assert sum(value is not None for value in known) >= MOST_KEPT // 6


async def test_a_state_that_can_not_be_read_costs_the_past_alone(
    autojump_clock, museum
):
    (museum.settings.deployment.state_dir / "state.db").write_text("no database")
    chronicle = chronicle_of(museum)

    await chronicle.remember()
    await chronicle.read_words()
    chronicle.look()

    assert chronicle.hour(STEADY.id).usages(minute_of(museum))
    assert chronicle.words == ()
    assert LOOK_S <= 1
