"""What is answered at each path, by a daemon that runs."""

import json
import sqlite3

import pytest
import trio

from autoscaler.shell.configuration.settings import load_settings
from autoscaler.shell.operators.reading import Reading
from autoscaler.shell.state.store import Store
from autoscaler.shell.web.metrics import Sources
from autoscaler.shell.web.pulse import Pulse
from autoscaler.shell.web.site import Site
from autoscaler.shell.web.tally import Tally
from tests.cli.files import configuration
from tests.shell.harness import Wish, make_world
from tests.shell.web.clients import open_town


@pytest.fixture
def settings(tmp_path):
    settings = load_settings(configuration(tmp_path))
    settings.deployment.state_dir.mkdir(exist_ok=True)
    return settings


@pytest.fixture
async def world(nursery):
    world = await make_world(nursery, Wish())
    with trio.fail_after(20):
        [watch] = world.daemon.fleet.watches.values()
        while watch.listing is None or watch.feed.up_since is None:
            await trio.sleep(0.01)
    return world


@pytest.fixture
async def town(nursery, world, settings):
    site = Site(
        Sources(world.daemon, Tally()),
        Pulse(world.daemon.fleet),
        Reading(lambda: settings),
    )
    return await open_town(nursery, site.application())


async def test_metrics_are_told_as_prometheus_reads_them(town):
    answer = await town.get("/metrics")

    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["transfer-encoding"] == "chunked"
    assert b'\nautoscaler_stream_up{host="alpha",domain="user:"} 1\n' in answer.body


async def test_the_head_of_metrics_has_no_body(town):
    assert (await town.get("/metrics", method="HEAD")).body == b""


async def test_who_is_alive_says_so(town, world):
    answer = await town.get("/healthz")
    world.daemon.fleet.round_at -= 1000
    stuck = await town.get("/healthz")

    assert (answer.status, stuck.status) == (200, 503)
    assert json.loads(answer.body)["alive"] is True
    assert json.loads(stuck.body)["alive"] is False
    assert json.loads(stuck.body)["round_age_s"] > 990


async def test_who_is_ready_says_so_and_who_is_not_says_why(town, world):
    ready = await town.get("/readyz")
    world.daemon.fleet.is_writable = False
    not_ready = await town.get("/readyz")

    assert (ready.status, json.loads(ready.body)) == (
        200,
        {"ready": True, "missing": []},
    )
    assert (not_ready.status, json.loads(not_ready.body)) == (
        503,
        {"ready": False, "missing": ["the state can't be written"]},
    )


async def test_the_status_is_that_of_the_command_line(town):
    answer = await town.get("/api/v1/status")

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    told = json.loads(answer.body)
    assert told["daemon"] == {"running": False, "pid": None}
    assert [group["group"] for group in told["groups"]] == ["west/user:web"]


async def test_the_status_is_read_once_a_second_at_most(town, settings):
    first = await town.get("/api/v1/status")
    async with await Store.open(settings.deployment.state_dir):
        second = await town.get("/api/v1/status")

    # The lock of the state would show that somebody runs.
    assert second.body == first.body


async def test_a_state_that_can_not_be_read_is_told(town, settings):
    path = settings.deployment.state_dir / "state.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE x (y)")
    connection.close()

    answer = await town.get("/api/v1/status")

    assert answer.status == 503
    assert "state.db" in json.loads(answer.body)["error"]


@pytest.mark.parametrize("path", ["/", "/metrics/", "/api/v1/", "/%2e%2e/etc/passwd"])
async def test_there_is_nothing_elsewhere(town, path):
    answer = await town.get(path)

    assert (answer.status, answer.body) == (404, b"Not Found")
