"""Members that stand by take work within moments, through HAProxy."""

import re
from datetime import datetime

import trio

from albatross_client.sandbox.process import Serving
from albatross_client.sandbox.visitors.crowd import Habits, Load
from albatross_client.sandbox.visitors.embed import run_visitors
from albatross_client.sandbox.visitors.tally import Outcome
from albatross_client.sandbox.visitors.visit import Visitor
from autoscaler.core.backend import Duty, Health
from autoscaler.shell.operators.control import ask
from autoscaler.shell.operators.requests import Request
from tests.haproxy_fixture import needs_haproxy

pytestmark = needs_haproxy

POOL = 3
# HAProxy's log, by its manual (8.2.3): who asked, when, of which server, and
# how many milliseconds that took in all.
LINE = re.compile(
    r"\[(?P<when>[^]]+)\] \S+ web/(?P<server>\S+) \S*/(?P<took>\d+) (?P<status>\d+) "
)
ASLEEP = {
    "groups": {"min_members": 0, "max_members": 6, "poll_interval": "0.2s"},
    "groups.idle": {"idle_to_min": "0s", "idle_to_zero": "0.3s", "min_age": "0s"},
    "groups.standby": {"size": 1, "min": 1},
}
CALM = {
    "groups": {"min_members": 1, "max_members": 10},
    "groups.requests": {"target_in_flight": 1000, "stabilise": "10m"},
    "groups.standby": {"size": POOL, "min": POOL},
}


async def say(town, verb, **words):
    """Ask the daemon, as its operator; return what it says."""
    request = Request(verb, {"group": "user:web", **words})
    return await trio.to_thread.run_sync(ask, town.directory / "state", request)


async def standing_by(town):
    """Return the servers that drain, and whose check has passed."""
    servers = (await town.backend()).servers.values()
    return {
        server.name
        for server in servers
        if server.duty is Duty.DRAIN and server.health is Health.PASSED
    }


async def until_the_pool_is_full(town, size=POOL):
    with trio.fail_after(30):
        while len(await standing_by(town)) != size:
            await trio.sleep(0.02)


async def until_the_activator_is_found(town):
    with trio.fail_after(30):
        while not (await town.backend()).servers["activator"].serves:
            await trio.sleep(0.02)


def first_served(town):
    """Return when each server had answered first, seconds since 1970."""
    found: dict[str, float] = {}
    for line in town.haproxy.log().splitlines():
        match = LINE.search(line)
        if match is None or match["status"] != "200":
            continue
        came = datetime.strptime(match["when"], "%d/%b/%Y:%H:%M:%S.%f").astimezone()
        served = came.timestamp() + int(match["took"]) / 1000
        found[match["server"]] = min(found.get(match["server"], served), served)
    return found


def decided(town):
    """Return when each standby was promoted, seconds since 1970."""
    return {
        line["name"].partition(":")[2]: datetime.fromisoformat(
            line["timestamp"]
        ).timestamp()
        for line in town.said("standby_promoted")
    }


async def test_a_standby_serves_at_once_and_the_pool_is_filled_again(
    found, nursery, figure
):
    town = await found()
    town.configure(CALM)
    await town.start_daemon()
    await until_the_pool_is_full(town)
    before = await standing_by(town)
    visitors = await nursery.start(run_visitors, town.target, Habits())
    await visitors.come(Load(rate=300))
    await town.until(lambda: visitors.tally.answered > 100)

    for size in (2, 3, 4):
        reply = await say(town, "scale", clones=str(size))
        assert reply.is_done, reply
        await town.until(lambda: before & set(first_served(town)), seconds=5)
    await town.until(lambda: set(decided(town)) <= set(first_served(town)), seconds=5)
    full_in = trio.current_time()
    await until_the_pool_is_full(town)
    full_in = trio.current_time() - full_in
    tally = await visitors.leave()

    promoted, served = decided(town), first_served(town)
    assert set(promoted) == before
    took = sorted(served[name] - promoted[name] for name in promoted)
    figure(
        f"{len(took)} promotions: {', '.join(f'{1000 * s:.0f}' for s in took)} ms from "
        f"the decision to the first request served; the pool full {full_in:.1f} s later"
    )
    assert not before & await standing_by(town)
    assert tally.failed == 0
    assert await town.serving() == 4


async def test_a_sleeping_group_wakes_with_a_standby_and_without_a_boot(found, figure):
    town = await found(serving=Serving(request_seconds=0.002, boot_seconds=1.0))
    town.configure(CALM | ASLEEP)
    await town.start_daemon()
    await until_the_pool_is_full(town, 1)
    # HAProxy has passed it before the daemon looks.
    await town.until(lambda: town.said("action_finished", reason="refill"))
    await town.until(lambda: town.held_by == "asleep")
    await until_the_activator_is_found(town)
    [standby] = await standing_by(town)

    began = trio.current_time()
    answer = await Visitor(town.target).visit(keeps_alive=False)
    took = trio.current_time() - began

    figure(f"a wake with a standby: {1000 * took:.0f} ms to the answer")
    assert answer.outcome is Outcome.ANSWERED
    # The answer may come before the line that tells of it.
    await town.until(lambda: decided(town))
    assert set(decided(town)) == {standby}
    await until_the_pool_is_full(town, 1)


async def test_members_are_prewarmed_as_an_operator_asks(found):
    town = await found()
    town.configure(CALM | {"groups.standby": {"size": 0}})
    await town.start_daemon()
    await town.until_serving(1)

    reply = await say(town, "prewarm", count="3")

    assert reply.said == (
        "sandbox/user:web: 3 of 3 standbys: 0 ready, 3 coming, for 600 s",
    )
    await until_the_pool_is_full(town)
    [asked] = town.said("operator_asked", verb="prewarm", asked_for="3")
    assert asked["user"]
