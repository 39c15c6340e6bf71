"""The last hour of a group, minute by minute."""

from autoscaler.core.guards import Kind as Guarded
from autoscaler.shell.web.pages.hour import (
    MINUTES,
    Deed,
    Glimpse,
    Hour,
    Kind,
    glimpse,
)
from tests.shell.kept import record

NOON = 1_800_000_000.0
MINUTE = int(NOON // 60)


def seen(after_s, usages=None, size=1, holding=()):
    return Glimpse(
        at=NOON + after_s,
        usages=usages or {},
        size=size,
        holding=frozenset(holding),
    )


def test_a_minute_has_the_mean_of_its_ticks():
    hour = Hour()

    for after_s, usage in ((0, 10), (10, 20), (20, 60)):
        hour.take(seen(after_s, {"web": usage}))

    assert hour.usages(MINUTE)["web"][-1] == 30
    assert hour.usages(MINUTE)["web"][:-1] == (None,) * (MINUTES - 1)


def test_minutes_without_a_tick_are_not_known():
    hour = Hour()

    hour.take(seen(0, {"web": 10}, size=2))
    hour.take(seen(180, {"web": 40}, size=3))

    assert hour.usages(MINUTE + 3)["web"][-4:] == (10, None, None, 40)
    assert hour.sizes(MINUTE + 3)[-4:] == (2, None, None, 3)


def test_what_is_older_than_an_hour_is_gone():
    hour = Hour()
    hour.take(seen(0, {"old": 10, "web": 10}))

    hour.take(seen(3600, {"web": 20}))

    assert list(hour.usages(MINUTE + 60)) == ["web"]
    assert hour.usages(MINUTE + 60)["web"][-1] == 20
    assert hour.usages(MINUTE + 600) == {}
    assert set(hour.sizes(MINUTE + 600)) == {None}


def test_an_hour_ends_when_it_is_asked_to():
    hour = Hour()
    hour.take(seen(0, {"web": 10}))

    later = hour.usages(MINUTE + 5)["web"]

    assert later[-6:] == (10, None, None, None, None, None)


def test_half_a_percent_is_as_fine_as_it_gets():
    hour = Hour()

    hour.take(seen(0, {"web": 12.34}))

    assert hour.usages(MINUTE)["web"][-1] == 12.5


def test_members_that_are_gone_for_an_hour_are_forgotten():
    hour = Hour()

    for minute in range(200):
        hour.take(seen(60 * minute, {"web": 10.0, f"clone-{minute}": 1.0}))

    assert len(hour.usages(MINUTE + 199)) == MINUTES + 1


def test_what_is_read_late_of_an_earlier_run_changes_nothing():
    hour = Hour()
    hour.take(seen(60, {"web": 10}))

    hour.take(seen(0, {"web": 90}))

    assert hour.usages(MINUTE + 1)["web"][-2:] == (None, 10)


def test_a_clock_that_is_set_back_begins_a_new_hour():
    hour = Hour()
    hour.take(seen(7200, {"web": 10}))

    hour.take(seen(0, {"web": 20}))

    assert hour.usages(MINUTE)["web"][-1] == 20


def test_a_guard_has_held_since_it_began_to_hold():
    hour = Hour()

    hour.take(seen(0, holding=[Guarded.COOLDOWN_UP, Guarded.QUORUM]))
    hour.take(seen(10, holding=[Guarded.QUORUM]))
    hour.take(seen(20, holding=[Guarded.COOLDOWN_UP, Guarded.QUORUM]))

    assert hour.held_since == {
        Guarded.COOLDOWN_UP: NOON + 20,
        Guarded.QUORUM: NOON,
    }


def test_deeds_are_told_for_an_hour():
    hour = Hour()
    first = Deed(NOON, Kind.CREATE, "create one")
    hour.deeds.append(first)

    assert hour.deeds_within(MINUTE + 59) == (first,)
    assert hour.deeds_within(MINUTE + 60) == ()


def test_a_record_is_taken_with_all_that_charts_need():
    made = glimpse(record(at=NOON, usage=50.0))

    assert made.usages == {"user:web": 50, "user:web-clone-1": 50}
    assert made.size == 2
    assert Guarded.MEAN_UP in made.holding
    assert Guarded.QUORUM not in made.holding
