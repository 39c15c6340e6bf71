"""HTTP: what a scrape of a thousand groups takes, and what it holds up."""

import json
import os
import socket
import sys
import time
import urllib.request
from collections.abc import Iterable
from pathlib import Path

import trio
from attrs import evolve, frozen

from albatross_client.names import Name
from autoscaler.core.backend import Place
from autoscaler.core.group import GroupId, new_group
from autoscaler.core.policy import Policy
from autoscaler.core.rhythm import Rhythm
from autoscaler.shell.configuration.http_table import HttpSettings
from autoscaler.shell.configuration.settings import Deployment, Settings
from autoscaler.shell.daemon import Daemon
from autoscaler.shell.garbage import collect_seldom
from autoscaler.shell.hosts.watch import Watch
from autoscaler.shell.log import Log
from autoscaler.shell.operators.desk import Desk, Ledgers
from autoscaler.shell.operators.notify import Notifier
from autoscaler.shell.reload import Reloader, Wanted
from autoscaler.shell.state.store import Store
from autoscaler.shell.web.api import Api
from autoscaler.shell.web.metrics import Sources
from autoscaler.shell.web.pages.routes import Pages
from autoscaler.shell.web.pulse import Pulse
from autoscaler.shell.web.server import Server
from autoscaler.shell.web.site import Site
from autoscaler.shell.web.tally import Tally
from tests.benchmarks import Result, at_most
from tests.benchmarks.daemon import MANY, of_many, resident_mb
from tests.benchmarks.still import still
from tests.shell.kept import decision, record
from tests.shell.web.clients import Beat, siege_of

GROUPS, SCRAPES = 1000, 20
USER = Name(("user",))
MS_PER_S = 1000
SETTLE_S, MEASURED_S, SCRAPED_EVERY_S, SIEGE_S = 60.0, 60.0, 5.0, 10.0
SETTINGS = Settings(
    path=Path("none"),
    deployment=Deployment(name="none", state_dir=Path("none")),
    hosts=(),
    groups=(),
)
# A process of its own: what it does with an answer is not our time.
CLIENT = """
import http.client, json, sys, time
connection, took = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1])), []
for _ in range(int(sys.argv[2])):
    began = time.perf_counter()
    connection.request("GET", sys.argv[3])
    size = len(connection.getresponse().read())
    took.append((time.perf_counter() - began) * 1000)
    time.sleep(0.05)
print(json.dumps({"took": took, "size": size}))
"""


def run() -> Iterable[Result]:
    """Yield what a scrape costs."""
    collect_seldom()  # as the daemon does
    for path, bound in (("/metrics", 100), ("/api/v1/top", 1000)):
        took, size, late = trio.run(_ask, path)
        yield at_most(f"{path} of {GROUPS} groups", "ms", took, bound)
        yield at_most("everybody else is held up by at most", "ms", [late], 50)
        yield Result(f"{path} of {GROUPS} groups", "kB", (size / 1000,))
    yield at_most("the same under siege", "ms", [trio.run(_besieged)], 500)
    plain, answering = _beside(is_answering=False), _beside(is_answering=True)
    what = f"{MANY} unikernels, 10 s apart"
    for name, used in (("without", plain), ("with, scraped each 5 s", answering)):
        yield Result(f"{what}: memory {name}", "MB", (used.memory_mb,))
        yield Result(f"{what}: CPU {name}", "% of one", (used.cpu_percent,))


@frozen
class _Used:
    """What a daemon takes of its machine."""

    memory_mb: float
    cpu_percent: float


def _beside(*, is_answering: bool) -> _Used:
    """Return what a daemon takes that answers over HTTP, or that doesn't."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    http = f'[http]\nlisten = "127.0.0.1:{port}"\n' if is_answering else ""
    with of_many("10s", http) as pid:
        time.sleep(SETTLE_S)
        before, began = _cpu_s(pid), time.monotonic()
        while time.monotonic() - began < MEASURED_S:
            if is_answering:
                url = f"http://127.0.0.1:{port}/metrics"
                with urllib.request.urlopen(url, timeout=10) as answer:
                    answer.read()
            time.sleep(SCRAPED_EVERY_S)
        took = time.monotonic() - began
        return _Used(resident_mb(pid), 100 * (_cpu_s(pid) - before) / took)


def _cpu_s(pid: int) -> float:
    # proc(5) - utime and stime, the 14th and 15th; the 2nd may have blanks.
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _besieged() -> float:
    """Return by how many milliseconds everybody else is held up at most."""
    daemon = _daemon()
    sources, pulse = Sources(daemon, Tally()), Pulse(daemon.fleet)
    pages = Pages(daemon, lambda: SETTINGS, Log(lambda *_: None))
    site = Site(sources, pulse, api_of(daemon), pages)
    http = HttpSettings(listen=Place("127.0.0.1", 9090))
    server, beat = Server(http, site.application(), Log(lambda *_: None)), Beat()
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.serve, listeners)
        nursery.start_soon(beat.beat)
        await trio.run_process(siege_of(port, SIEGE_S), capture_stdout=True)
        nursery.cancel_scope.cancel()
    return beat.most * MS_PER_S


async def _ask(path: str) -> tuple[list[float], int, float]:
    daemon = _daemon()
    sources, pulse = Sources(daemon, Tally()), Pulse(daemon.fleet)
    api, pages = api_of(daemon), Pages(daemon, lambda: SETTINGS, Log(lambda *_: None))
    site = Site(sources, pulse, api, pages).application()
    http = HttpSettings(listen=Place("127.0.0.1", 9090))
    server, beat = Server(http, site, Log(lambda *_: None)), Beat()
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.serve, listeners)
        nursery.start_soon(beat.beat)
        command = [sys.executable, "-c", CLIENT, str(port), str(SCRAPES), path]
        done = await trio.run_process(command, capture_stdout=True)
        nursery.cancel_scope.cancel()
    told = json.loads(done.stdout)
    return told["took"], told["size"], beat.most * MS_PER_S


def api_of(daemon: Daemon) -> Api:
    """Return what answers programs, of whom none asks here."""

    async def source() -> Wanted:
        raise AssertionError

    log, store = Log(lambda *_: None), Store.in_memory()
    reloader = Reloader(daemon, SETTINGS, source, store, log)
    desk = Desk(daemon, reloader, Ledgers(store, log, Notifier()))
    return Api(desk, None, log)


def _daemon() -> Daemon:
    """Return a daemon of many groups, which stands still."""
    ids = [GroupId("alpha", Name(("user",), f"web{n}")) for n in range(GROUPS)]
    groups = [
        evolve(new_group(i, Policy(max_clones=4)), decision=decision()) for i in ids
    ]
    watch = Watch("alpha", USER, Rhythm(10.0))
    return still(groups, watch, dict.fromkeys(ids, record()))
