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


def bounds(least: int, most: int):
    return {"groups": {"min_members": least, "max_members": most}}


async def test_none_fails_while_a_group_is_changed_under_load(found, nursery, figure):
    town = await found()
    town.configure(bounds(1, 1) | {"groups.requests": {"target_in_flight": 1000}})
    await town.start_daemon()
    await town.until_serving(1)
    visitors = await nursery.start(run_visitors, town.target, Habits(keep_alive=0.5))
    await visitors.come(Load(rate=RATE))
    await trio.sleep(3)

    await town.reconfigure(bounds(6, 6))
    await town.until_serving(6)
    await town.haproxy.reload()
    await town.until_serving(6)
    await town.end_daemon(signal.SIGTERM)
    await trio.sleep(2)
    await town.start_daemon()
    await town.reconfigure(bounds(2, 2))
    await town.until(lambda: town.said("server_changed", step="Drain"))
    await town.haproxy.reload()
    await town.until_serving(2)
    town.renew_image()
    await town.until(lambda: town.said("action_started", reason="rollout"))
    await town.end_daemon(signal.SIGKILL)
    await trio.sleep(1)
    await town.start_daemon()
    await town.until(lambda: len(town.digests) == 1)
    await town.until_serving(2)
    await town.reconfigure(bounds(1, 1))
    await town.until_serving(1)
    seconds = (LEAST_REQUESTS - visitors.tally.requests) / RATE
    await trio.sleep(max(0.0, seconds) + 2)
    tally = await visitors.leave()

    figure(
        f"changed under load: {tally.requests} requests, failed {dict(tally.failures)}, "
        f"sent again {tally.retried}, p50 {tally.percentile(50):.3f} s, "
        f"p99 {tally.percentile(99):.3f} s, worst {tally.worst:.3f} s"
    )
    assert tally.requests >= LEAST_REQUESTS
    assert not tally.failures
