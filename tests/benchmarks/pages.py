"""Pages: what two hundred groups take to be shown, and what that holds up."""

import json
import random
import sys
from collections.abc import Iterable

import trio
from attrs import evolve

from albatross_client.names import Name
from autoscaler.core.backend import Place
from autoscaler.core.decision import Load, MemberClass, Standing
from autoscaler.core.group import GroupId, new_group
from autoscaler.core.policy import Policy
from autoscaler.core.record import Record
from autoscaler.core.rhythm import Rhythm
from autoscaler.shell.clock import read_clocks
from autoscaler.shell.configuration.http_table import HttpSettings
from autoscaler.shell.daemon import Daemon
from autoscaler.shell.garbage import collect_seldom
from autoscaler.shell.hosts.watch import Watch
from autoscaler.shell.log import Log
from autoscaler.shell.web.metrics import Sources
from autoscaler.shell.web.pages.hour import Deed, Glimpse, Kind
from autoscaler.shell.web.pages.routes import Pages
from autoscaler.shell.web.pulse import Pulse
from autoscaler.shell.web.server import Server
from autoscaler.shell.web.site import Site
from autoscaler.shell.web.tally import Tally
from tests.benchmarks import Result, at_most
from tests.benchmarks.still import still
from tests.benchmarks.web import MS_PER_S, SETTINGS, api_of
from tests.shell import kept
from tests.shell.web.clients import Beat

GROUPS, VISITS, MINUTES = 200, 10, 60
MOST_KB, MOST_MS = 150, 50
USER = Name(("user",))
# A process of its own: what it does with an answer is not our time.
CLIENT = """
import http.client, json, sys, time, zlib
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    began = time.perf_counter()
    connection.request("GET", "/", headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    packed = answer.read(1)
    first = (time.perf_counter() - began) * 1000
    unpack, seen = zlib.decompressobj(31), b""
    seen = unpack.decompress(packed)
    size = 1
    while b"</article>" not in seen:
        packed = answer.read1()
        size += len(packed)
        seen += unpack.decompress(packed)
    card = (time.perf_counter() - began) * 1000
    size += len(answer.read())
    took = (time.perf_counter() - began) * 1000
    time.sleep(0.05)
    print(json.dumps({"first": first, "card": card, "took": took, "size": size}))
"""


def run() -> Iterable[Result]:
    """Yield what a page costs."""
    collect_seldom()  # as the daemon does
    told, late = trio.run(_visit)
    cold, *warm = told
    name = f"/ of {GROUPS} groups"
    first = [visit["first"] for visit in warm]
    yield at_most(f"{name}, first byte", "ms", first, MOST_MS)
    yield at_most(f"{name}, all", "ms", [v["took"] for v in warm], MOST_MS)
    anew = f"{name}, all made anew"
    yield at_most(f"{anew}, first card", "ms", [cold["card"]], MOST_MS)
    yield Result(f"{anew}, all", "ms", (cold["took"],))
    yield at_most(f"{name}, packed", "kB", [cold["size"] / 1000], MOST_KB)
    yield at_most("everybody else is held up by at most", "ms", [late], 50)


async def _visit() -> tuple[list[dict[str, float]], float]:
    daemon = _daemon()
    pages = Pages(daemon, lambda: SETTINGS, Log(lambda *_: None))
    _fill(pages)
    sources, pulse = Sources(daemon, Tally()), Pulse(daemon.fleet)
    site = Site(sources, pulse, api_of(daemon), pages).application()
    http = HttpSettings(listen=Place("127.0.0.1", 9090))
    server, beat = Server(http, site, Log(lambda *_: None)), Beat()
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.serve, listeners)
        nursery.start_soon(pages.follow_for_ever)
        await trio.sleep(0.1)
        nursery.start_soon(beat.beat)
        command = [sys.executable, "-c", CLIENT, str(port), str(VISITS)]
        done = await trio.run_process(command, capture_stdout=True)
        nursery.cancel_scope.cancel()
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return told, beat.most * MS_PER_S


def _daemon() -> Daemon:
    """Return a daemon of many groups, which stands still."""
    chance = random.Random(7)  # noqa: S311 - no secret
    ids = [GroupId("alpha", Name(("user",), f"service{n:03}")) for n in range(GROUPS)]
    records = {each: _record(each, chance) for each in ids}
    groups = [
        evolve(new_group(i, Policy(max_clones=4)), decision=records[i].decision)
        for i in ids
    ]
    watch = Watch("alpha", USER, Rhythm(10.0))
    watch.open(trio.current_time())
    return still(groups, watch, records)


def _record(group_id: GroupId, chance: random.Random) -> Record:
    """Return a record of one primary and two clones."""
    names = [group_id.name, group_id.clone(1), group_id.clone(2)]
    usages = [chance.uniform(45, 80) for _ in names]
    standings = tuple(
        Standing(name, MemberClass.FRESH, usage)
        for name, usage in zip(names, usages, strict=True)
    )
    mean = sum(usages) / len(usages)
    load = Load(
        standings=standings, mean_up=mean, mean_down=mean, capacity=3, fresh=3, quorum=2
    )
    made: Record = kept.record(at=read_clocks().wall, usage=mean)
    decision = evolve(made.decision, load=load, clones=2)
    sizes = evolve(made.sizes, wants=2, has=2)
    return evolve(made, decision=decision, ages=(1.0,) * 3, sizes=sizes)


def _fill(pages: Pages) -> None:
    """Give each group an hour that goes up and down, and an action."""
    chance, wall = random.Random(8), read_clocks().wall  # noqa: S311 - no secret
    for group_id, newest in pages.daemon.fleet.records.items():
        hour = pages.chronicle.hour(group_id)
        usages = {
            str(s.name): s.usage or 0.0 for s in newest[-1].decision.load.standings
        }
        for minute in range(MINUTES, 0, -1):
            usages = {
                name: min(100.0, max(2.0, usage + chance.gauss(0, 5)))
                for name, usage in usages.items()
            }
            at = wall - minute * 60.0
            hour.take(Glimpse(at=at, usages=usages, size=3, holding=frozenset()))
        hour.deeds.append(Deed(wall - chance.uniform(0, 3600), Kind.CREATE, "create"))
