"""What is answered at each path, by a daemon that runs."""

import json
import re
from urllib.parse import unquote

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from tests.shell.web.clients import open_town
from tests.shell.web.offices import (
    TOKEN,
    application_of,
    open_office_on_disk,
    write_token,
)


@pytest.fixture
async def office(nursery, tmp_path):
    return await open_office_on_disk(nursery, tmp_path)


@pytest.fixture
def world(office):
    return office.world


@pytest.fixture
async def town(nursery, office):
    return await open_town(nursery, application_of(office))


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


@pytest.mark.parametrize("path", ["/x", "/metrics/", "/api/v1/", "/%2e%2e/etc/passwd"])
async def test_there_is_nothing_elsewhere(town, path):
    answer = await town.get(path)

    assert answer.status == 404
    assert json.loads(answer.body) == {
        "error": f"'{unquote(path)}': there is nothing at this path"
    }


async def test_what_is_read_is_not_posted_to(town):
    answer = await town.post("/metrics")

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert json.loads(answer.body) == {"error": "this path takes only GET and HEAD"}


async def test_no_path_ignores_a_word_that_it_does_not_know(nursery, office, tmp_path):
    site = application_of(office, write_token(tmp_path))
    town = await open_town(nursery, site)
    assert isinstance(site, Starlette)
    given = {"{host}": "alpha", "{name}": "user:web", "{which:path}": "user:web"}

    for route in site.routes:
        assert isinstance(route, Route)
        path = re.sub(r"{[^}]*}", lambda found: given[found[0]], route.path)
        if "GET" in (route.methods or ()):
            answer = await town.get(f"{path}?zz=1")
        else:
            answer = await town.post(f"{path}?zz=1", authorization=f"Bearer {TOKEN}")
        assert (answer.status, route.path) == (400, route.path)
        assert "'zz'" in answer.body.decode()
