"""A group that sleeps wakes with the first who asks, through HAProxy."""

import statistics

import pytest
import trio

from albatross_client.sandbox.process import Serving
from albatross_client.sandbox.sites import site_of
from albatross_client.sandbox.visitors.tally import Outcome
from albatross_client.sandbox.visitors.visit import Visitor
from tests.haproxy_fixture import needs_haproxy

pytestmark = needs_haproxy

WAKES = 50
ASLEEP = {
    "groups": {"min_members": 0, "max_members": 6, "poll_interval": "0.2s"},
    "groups.idle": {"idle_to_min": "0s", "idle_to_zero": "0.3s", "min_age": "0s"},
}


async def boots(town, seconds):
    """Note how long each member takes from its start until it listens."""
    known = set()
    while True:
        for name, unikernel in town.sandbox.host.state.unikernels.items():
            if name not in known:
                known.add(name)
                site = site_of(unikernel.config.argv or ())
                began = trio.current_time()
                await until_it_listens(site.address, site.port)
                seconds.append(trio.current_time() - began)
        await trio.sleep(0.002)


async def until_it_listens(address, port):
    while True:
        try:
            stream = await trio.open_tcp_stream(address, port)
        except OSError:
            await trio.sleep(0.003)
        else:
            await stream.aclose()
            return


async def ask(town, answers):
    """Ask once, on a connection of its own."""
    began = trio.current_time()
    answer = await Visitor(town.target).visit(keeps_alive=False)
    answers.append((answer.outcome, trio.current_time() - began))


def spread(seconds):
    ordered = sorted(seconds)
    p95 = ordered[round(0.95 * (len(ordered) - 1))]
    return f"p50 {statistics.median(ordered):.3f} s, p95 {p95:.3f} s"


@pytest.mark.slow
async def test_fifty_wakes_are_answered(found, nursery, figure):
    town = await found(serving=Serving(request_seconds=0.002, boot_seconds=0.2))
    town.configure(ASLEEP)
    await town.start_daemon()
    await town.until_asleep()
    answers, booted = [], []
    nursery.start_soon(boots, town, booted)

    for number in range(1, WAKES + 1):
        await ask(town, answers)
        assert town.started == number
        await town.until_asleep()

    took = [seconds for _, seconds in answers]
    ours = [whole - boot for whole, boot in zip(took, booted, strict=True)]
    figure(f"{WAKES} wakes: {spread(took)}; without the boot: {spread(ours)}")
    assert {outcome for outcome, _ in answers} == {Outcome.ANSWERED}


async def test_a_hundred_first_requests_make_one_member_and_get_a_hundred_answers(
    found, figure
):
    town = await found()
    town.configure(ASLEEP | {"groups.requests": {"target_in_flight": 1000}})
    await town.start_daemon()
    await town.until_asleep()
    answers = []

    async with trio.open_nursery() as visitors:
        for _ in range(100):
            visitors.start_soon(ask, town, answers)

    figure(f"100 first requests: {spread([seconds for _, seconds in answers])}")
    assert [outcome for outcome, _ in answers] == 100 * [Outcome.ANSWERED]
    assert town.started == 1


async def test_the_first_one_hangs_up_and_the_other_ninety_nine_are_answered(found):
    town = await found()
    town.configure(ASLEEP | {"groups.requests": {"target_in_flight": 1000}})
    await town.start_daemon()
    await town.until_asleep()
    answers = []

    async with trio.open_nursery() as first:
        first.start_soon(ask, town, [])
        await town.until(lambda: town.said("wake_asked"))
        first.cancel_scope.cancel()
    async with trio.open_nursery() as visitors:
        for _ in range(99):
            visitors.start_soon(ask, town, answers)

    assert [outcome for outcome, _ in answers] == 99 * [Outcome.ANSWERED]
    assert town.started == 1
