"""No request fails while a group changes its size, its image and its daemon."""

import signal

import pytest
import trio

from albatross_client.sandbox.visitors.crowd import Habits, Load
from albatross_client.sandbox.visitors.embed import run_visitors
from tests.haproxy_fixture import needs_haproxy

pytestmark = [needs_haproxy, pytest.mark.slow]

LEAST_REQUESTS = 20_000
RATE = 200


# Requests never call for more members, and soon for fewer.
CALM = {
    "groups.requests": {
        "target_in_flight": 1000,
        "stabilise": "2s",
        "cooldown_down": "0s",
    }
}


def told(tally):
    return (
        f"{tally.requests} requests, {tally.failed} failed {dict(tally.failures)}, "
        f"{tally.retried} sent again, p50 {tally.percentile(50):.3f} s, "
        f"p99 {tally.percentile(99):.3f} s, worst {tally.worst:.3f} s"
    )


def bounds(least: int, most: int):
    return {"groups": {"min_members": least, "max_members": most}}


async def grow_to_6(town):
    """Grow, and then find HAProxy without its servers."""
    await town.reconfigure(bounds(6, 6))
    await town.until_serving(6)
    await town.haproxy.reload()
    await town.until_serving(6)


async def shrink_to_2(town):
    """Shrink, with a daemon that was restarted, past a reload of HAProxy."""
    await town.end_daemon(signal.SIGTERM)
    await trio.sleep(2)
    await town.start_daemon()
    await town.reconfigure(bounds(2, 2))
    await town.until(lambda: town.said("server_changed", step="Drain"))
    await town.haproxy.reload()
    await town.until_serving(2)


async def change_the_image(town):
    """Replace all members, with a daemon that is killed while it does so."""
    town.renew_image()
    await town.until(lambda: town.said("action_started", reason="rollout"))
    await town.end_daemon(signal.SIGKILL)
    await trio.sleep(1)
    await town.start_daemon()
    await town.until(lambda: len(town.digests) == 1)
    await town.until_serving(2)


async def test_none_fails_while_a_group_is_changed_under_load(found, nursery, figure):
    town = await found()
    town.configure(bounds(1, 1) | CALM)
    await town.start_daemon()
    await town.until_serving(1)
    visitors = await nursery.start(run_visitors, town.target, Habits(keep_alive=0.5))
    await visitors.come(Load(rate=RATE))

    await grow_to_6(town)
    await shrink_to_2(town)
    await change_the_image(town)
    await town.reconfigure(bounds(1, 1))
    await town.until_serving(1)
    await town.until(lambda: visitors.tally.requests >= LEAST_REQUESTS, seconds=200)
    tally = await visitors.leave()

    figure(f"changed under load: {told(tally)}")
    assert not tally.failures


async def test_none_fails_while_clones_of_a_primary_come_and_go(found, nursery, figure):
    """The primary is a server of the operator's own in HAProxy."""
    town = await found()
    place = town.place_a_primary()
    town.haproxy.set_up(f"    server primary {place} check inter 200ms rise 1\n")
    await town.haproxy.reload()
    town.configure({"groups": {"min_clones": 0, "max_clones": 4}, **CALM})
    await town.start_daemon()
    await town.until_serving(1)
    visitors = await nursery.start(run_visitors, town.target, Habits(keep_alive=0.5))
    await visitors.come(Load(rate=RATE))

    await town.reconfigure({"groups": {"min_clones": 4}})
    await town.until_serving(5)
    await town.end_daemon(signal.SIGKILL)
    await town.start_daemon()
    await town.haproxy.reload()
    await town.until_serving(5)
    await town.reconfigure({"groups": {"min_clones": 1, "max_clones": 1}})
    await town.until_serving(2)
    await town.reconfigure({"groups": {"min_clones": 0, "max_clones": 0}})
    await town.until_serving(1)
    await trio.sleep(2)
    tally = await visitors.leave()

    figure(f"clones of a primary under load: {told(tally)}")
    assert town.started == 5
    assert not tally.failures
