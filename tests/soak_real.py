"""Ten minutes of broken streams in real time: `make soak`.

The real daemon over TLS on loopback, and in a process of its own a sandbox of
200 unikernels that cuts, stalls and takes its streams every few seconds, ends
unikernels and loses replies.  Prints tasks, sockets, file descriptors and
memory of the daemon's process before and after, and returns 1 where something
has grown.  SOAK_SECONDS makes it shorter.
"""

# ruff: noqa: T201 - what it found is for a terminal

import os
import stat
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import trio
from attrs import frozen

from albatross_client.names import Name
from albatross_client.sandbox.authority import ca_files
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import Options, Sandbox, run_sandbox
from albatross_client.sandbox.faults import (
    CountersRestarted,
    HostDown,
    Killed,
    MalformedFrame,
    OversizedFrame,
    ReplyLost,
    Rule,
    StreamCut,
    StreamEvicted,
    StreamStalled,
)
from albatross_client.sandbox.live import Settings
from albatross_client.values import Config, ResourcePolicy
from autoscaler.cli.run import serve
from autoscaler.shell.configuration.settings import parse_settings
from autoscaler.shell.log import Log

LONG = float(os.environ.get("SOAK_SECONDS", "600"))
# One domain with a stream of its own, one with a stream of each member.
DOMAINS = {"whole": "domain", "each": "unikernel"}
UNIKERNELS, GROUPS = 100, 10
INTERVAL_S = 1.0
# What begins is no leak: caches fill, connections come.
WARM_UP_SHARE, WINDOW_SHARE = 0.15, 0.15
# One stream more or less is chance; so is a page.
MORE_TASKS = MORE_SOCKETS = MORE_FILES = 6
MORE_MEMORY_MB = 10.0
KB_PER_MB = 1024
ROOMY = ResourcePolicy(
    cpuids=frozenset(range(8)),
    unikernels=1000,
    memory=100_000,
    block=0,
    bridges=frozenset(),
)


@frozen
class Reading:
    """What the process holds at a moment."""

    tasks: int
    sockets: int
    files: int
    memory_mb: float


def main() -> int:
    """Soak, print what was found, and return 1 where something has grown."""
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "tests.soak_real", directory]
        host = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
        try:
            assert host.stdout is not None
            port = int(host.stdout.readline())
            readings, counts = trio.run(soak, Path(directory), port)
        finally:
            host.terminate()
            host.wait()
            if host.stdout is not None:
                host.stdout.close()
    return tell(readings, counts)


async def soak(directory: Path, port: int) -> tuple[list[Reading], Mapping[str, int]]:
    """Run the daemon for `LONG` seconds; return readings, one a second."""
    counts: Counter[str] = Counter()
    log = Log(lambda _level, event, _fields: counts.update([event]))
    settings = parse_settings(configuration(directory, port), directory / "soak.toml")
    readings: list[Reading] = []
    async with trio.open_nursery() as nursery:  # noqa: TID251 - the daemon's life
        fleet = await nursery.start(serve, settings, log, ())
        began = trio.current_time()
        while trio.current_time() - began < LONG:
            await trio.sleep(1)
            readings.append(take_reading())
        counts["frames"] = sum(w.verdicts.total() for w in fleet.watches.values())
        nursery.cancel_scope.cancel()
    return readings, counts


def tell(readings: list[Reading], counts: Mapping[str, int]) -> int:
    """Print what was found; return 1 where something has grown."""
    window = max(1, int(len(readings) * WINDOW_SHARE))
    warm = int(len(readings) * WARM_UP_SHARE)
    before, after = readings[warm : warm + window], readings[-window:]
    print(", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    rows = [
        ("tasks", most(before, "tasks"), most(after, "tasks"), MORE_TASKS),
        ("sockets", most(before, "sockets"), most(after, "sockets"), MORE_SOCKETS),
        ("files", most(before, "files"), most(after, "files"), MORE_FILES),
        ("memory MB", usual_memory(before), usual_memory(after), MORE_MEMORY_MB),
    ]
    grown = 0
    for what, old, new, allowed in rows:
        is_leak = new > old + allowed
        grown += is_leak
        verdict = "LEAK" if is_leak else "ok"
        print(f"{what:>10}: {old:8.1f} before, {new:8.1f} after  {verdict}")
    if counts.get("stream_opened", 0) < LONG / 10 or not counts.get("frames"):
        print("too little has happened for this to show anything")
        grown += 1
    return int(grown > 0)


def most(readings: list[Reading], what: str) -> float:
    """Return the most of *what*: it comes and goes with the streams."""
    return float(max(getattr(reading, what) for reading in readings))


def usual_memory(readings: list[Reading]) -> float:
    """Return the median of the memory, MB."""
    return median(reading.memory_mb for reading in readings)


def take_reading() -> Reading:
    """Return what this process holds now."""
    kinds = Counter(kind_of(entry) for entry in Path("/proc/self/fd").iterdir())
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    memory_mb = pages * os.sysconf("SC_PAGESIZE") / (KB_PER_MB * KB_PER_MB)
    tasks = trio.lowlevel.current_statistics().tasks_living
    return Reading(tasks, kinds["socket"], kinds.total(), memory_mb)


def kind_of(entry: Path) -> str:
    """Return what a file descriptor is of; the one of the listing is gone."""
    try:
        return "socket" if stat.S_ISSOCK(entry.stat().st_mode) else "other"
    except OSError:
        return "gone"


def configuration(directory: Path, port: int) -> str:
    """Return a configuration with one host for each way to subscribe."""
    files = ca_files(directory)
    parts = ['[deployment]\nname = "soak"\nstate_dir = "state"\n']
    for domain, subscribe in DOMAINS.items():
        parts.append(
            f'[[hosts]]\nname = "{domain}"\naddress = "127.0.0.1:{port}"\n'
            f'server_ca = "{files.certificate}"\nca = "{files.certificate}"\n'
            f'ca_key = "{files.key}"\nsubscribe = "{subscribe}"\n'
        )
        parts += [
            f'[[groups]]\nhost = "{domain}"\nprimary = "{domain}:u{number:03}"\n'
            "min_clones = 1\nmax_clones = 3\n"
            'poll_interval = "1s"\nwarmup = "2s"\nboot_timeout = "10s"\n'
            'cooldown_up = "5s"\ncooldown_down = "10s"\ndeath_timeout = "30s"\n'
            "max_actions_per_hour = 10000\nmax_reversals_per_6h = 10000\n"
            "max_failures_in_row = 1000\nshare_cpuids = true\n"
            for number in range(GROUPS)
        ]
    return "\n".join(parts)


def weather() -> tuple[Rule, ...]:
    """Return what goes wrong, again and again."""
    whole, each = (Name((domain,)) for domain in DOMAINS)
    member = Name(each.path, "u000")
    return (
        Rule(fault=StreamCut(), after=5, every=5, times=None),
        Rule(fault=StreamStalled(4, whole), after=7, every=11, times=None),
        Rule(fault=StreamStalled(50, member), after=8, every=61, times=None),
        Rule(fault=StreamEvicted(whole), after=20, every=23, times=None),
        Rule(fault=StreamEvicted(member), after=9, every=9, times=None),
        Rule(fault=MalformedFrame(), after=3, every=4, times=None),
        Rule(fault=OversizedFrame(), after=12, every=17, times=None),
        Rule(fault=CountersRestarted(member), after=14, every=19, times=None),
        Rule(
            fault=Killed(Name(whole.path, "u001-clone-1")),
            after=30,
            every=31,
            times=None,
        ),
        Rule(fault=HostDown(3), after=45, every=47, times=None),
        Rule(fault=ReplyLost(), verb="create", probability=0.2, times=None),
        Rule(fault=ReplyLost(), verb="info", probability=0.1, times=None),
    )


async def host_for_ever(directory: Path) -> None:
    """Run the sandbox, and say on standard output at which port."""
    names = [
        Name((domain,), f"u{number:03}")
        for domain in DOMAINS
        for number in range(UNIKERNELS)
    ]
    # Up and down within a minute, so that clones come and go.
    steps = tuple((30.0 * n, 2.5 if n % 2 else 0.2) for n in range(1000))
    busy = dict.fromkeys(names[::20], Demand(steps))
    options = Options(
        directory=directory,
        settings=Settings(
            interval=INTERVAL_S,
            root_policy=ROOMY,
            policies={Name((domain,)): ROOMY for domain in DOMAINS},
            demands=busy,
            rules=weather(),
        ),
        unikernels={name: Config(memory=32) for name in names},
    )
    async with trio.open_nursery() as nursery:  # noqa: TID251 - until it is ended
        sandbox: Sandbox = await nursery.start(run_sandbox, options)
        print(sandbox.port, flush=True)


if __name__ == "__main__":
    if sys.argv[1:]:
        trio.run(host_for_ever, Path(sys.argv[1]))
    else:
        sys.exit(main())
