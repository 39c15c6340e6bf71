"""A month of weather in 40 minutes of one core: `make soak-virtual`.

The real daemon on hosts of values, under a virtual clock.  So that the month
fits, four hosts of five speak once a minute instead of every 10 s
(``--slow-share 0.8``).  Prints what it took, what was kept at most, and every
promise that was broken; the seed and PYTHONHASHSEED repeat a run.
"""

# ruff: noqa: T201 - what it found is for a terminal

import argparse
import gc
import resource
import secrets
import sys
from pathlib import Path

import trio
from trio._core import _run as trio_run
from trio.testing import MockClock

from tests.soak.world import DAY_S, Soak, Wish

KB_PER_MB = 1024
# By then all history that is kept has been written once.
SETTLED_DAYS = 3
MOST_GROWTH = 1.25


def main() -> int:
    """Soak, print what was found, and return 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--groups", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--slow-share", type=float, default=0.8)
    options = parser.parse_args()
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    wish = Wish(
        seconds=options.days * DAY_S,
        groups=options.groups,
        seed=seed,
        slow_share=options.slow_share,
        longest_s=options.minutes * 60,
    )
    make_repeatable(seed)
    soak, days = trio.run(soaked, wish, clock=MockClock(autojump_threshold=0))
    tell(soak, days)
    return int(bool(soak.judge.violations) or days < options.days)


def make_repeatable(seed: int) -> None:
    """Let trio's scheduler draw the same lots again."""
    # It is what trio's own tests and hypothesis do; there is no other way.
    vars(trio_run)["_ALLOW_DETERMINISTIC_SCHEDULING"] = True
    vars(trio_run)["_r"].seed(seed)


async def soaked(wish: Wish) -> tuple[Soak, float]:
    """Return the soak that is over, and how many days have passed."""
    soak = Soak(wish)
    async with trio.open_nursery() as nursery:  # noqa: TID251 - prints beside it
        nursery.start_soon(tell_days, soak)
        await soak.run()
        nursery.cancel_scope.cancel()
    return soak, trio.current_time() / DAY_S


async def tell_days(soak: Soak) -> None:
    """Print a line for every day that is over."""
    day, settled = 0, 0.0
    while True:
        await trio.sleep(DAY_S)
        day += 1
        # What would be collected some time is nobody's leak, nor is a peak.
        gc.collect()
        resident = resident_mb()
        print(f"day {day}: {soak.took_s:.0f} s, {resident:.0f} MB", flush=True)
        if day == SETTLED_DAYS:
            settled = resident
        if day > SETTLED_DAYS and resident > settled * MOST_GROWTH:
            soak.judge.accuse("the daemon", f"{settled:.0f} MB became {resident:.0f}")


def tell(soak: Soak, days: float) -> None:
    """Print what came of it."""
    judge = soak.judge
    frames = sum(host.readings for host in soak.hosts.values())
    print(
        f"{days:.2f} days, {len(soak.policies)} groups on {len(soak.hosts)} hosts: "
        f"{frames} frames, {judge.events} events, {sum(judge.actions.values())} "
        f"actions, {soak.weather.faults} faults, {soak.daemons} daemons"
    )
    print("actions:", ", ".join(f"{n} {r}" for r, n in judge.actions.most_common()))
    print("at most:", ", ".join(f"{n} {w}" for w, n in soak.growth.most.items()))
    print(f"took {soak.took_s:.0f} s of one core, {memory_mb():.0f} MB at most")
    for violation in judge.violations:
        print("BROKEN:", violation)
    print(f"{len(judge.violations)} promises broken")


def resident_mb() -> float:
    """Return how much memory is resident now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / KB_PER_MB / KB_PER_MB


def memory_mb() -> float:
    """Return the most memory that was resident so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KB_PER_MB


if __name__ == "__main__":
    sys.exit(main())
