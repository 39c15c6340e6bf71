"""What requests that HAProxy works on make of the size of a group."""

import pytest
import trio

from albatross_client.sandbox.process import Serving
from albatross_client.sandbox.visitors.crowd import Habits, Load
from albatross_client.sandbox.visitors.embed import run_visitors
from tests.haproxy_fixture import needs_haproxy

pytestmark = needs_haproxy

# Each visitor has one request in flight, nearly all the time.
PATIENT = Habits(keep_alive=1.0, patience=60)
SLOW = Serving(request_seconds=0.25, boot_seconds=0.1)
EAGER = {"groups.requests": {"cooldown_up": "0s"}}


def sized(least: int, most: int):
    return {"groups": {"min_members": least, "max_members": most}}


async def test_12_in_flight_with_a_target_of_3_make_exactly_4_members(found, nursery):
    town = await found(serving=SLOW)
    town.configure(sized(1, 10))
    await town.start_daemon()
    await town.until_serving(1)
    visitors = await nursery.start(run_visitors, town.target, PATIENT)

    await visitors.come(Load(visitors=12))
    await town.until_serving(4)
    await trio.sleep(4)
    tally = await visitors.leave()

    assert town.started == 4
    assert not tally.failures


@pytest.mark.slow
async def test_100_in_flight_make_as_many_as_there_may_be_and_not_one_more(
    found, nursery
):
    town = await found(serving=SLOW)
    town.configure(sized(1, 5))
    await town.start_daemon()
    await town.until_serving(1)
    visitors = await nursery.start(run_visitors, town.target, PATIENT)

    await visitors.come(Load(visitors=100))
    await town.until_serving(5)
    await town.until(lambda: town.held_by == "at_max")
    await trio.sleep(5)
    tally = await visitors.leave()

    assert town.started == 5
    assert not tally.failures


@pytest.mark.slow
async def test_a_load_makes_ten_of_one_within_seconds_and_one_again_after_it(
    found, nursery, figure
):
    """Ten serve within seconds; without requests one is left after 30 s."""
    town = await found(serving=SLOW)
    town.configure(sized(1, 10) | EAGER)
    town.configure({"groups.idle": {"idle_to_min": "30s", "idle_to_zero": "300s"}})
    await town.start_daemon()
    await town.until_serving(1)
    visitors = await nursery.start(run_visitors, town.target, PATIENT)
    await trio.sleep(2)

    await visitors.come(Load(visitors=30))
    grew = await town.until_serving(10)
    await trio.sleep(3)
    await visitors.come(Load(visitors=0))
    shrank = await town.until_serving(1, seconds=90)
    await town.until(lambda: len(town.said("action_finished", reason="idle")) == 9)
    tally = await visitors.leave()

    figure(
        f"from a load for 10 to 10 serving members: {grew:.1f} s; from no load to "
        f"1 member: {shrank:.1f} s with idle_to_min = 30 s"
    )
    assert town.started == 10
    assert grew < 20
    assert shrank < 30 + 10 + 15
    assert not tally.failures
