"""What is kept of a clone that is gone."""

from autoscaler.shell.state.mortems import ConsoleText, PostMortem
from autoscaler.shell.state.store import Store
from tests.shell.kept import CLOCKS, CLONE, WEST_WEB

WALL = CLOCKS.wall
MORTEM = PostMortem(
    group=WEST_WEB,
    name=CLONE,
    at=WALL,
    why="given_up",
    failure="the host said no",
    usage=12.345,
    stats={"cpu_us": 5_000_000, "rss_pages": None},
    info='{"memory": 32, "argv": ["--x=\\u001b"]}',
    console=(ConsoleText(WALL - 1, "out of memory"),),
)


async def keep(directory, *mortems):
    async with await Store.open(directory / "state", lambda: WALL) as store:
        for mortem in mortems:
            await store.bury(mortem)
