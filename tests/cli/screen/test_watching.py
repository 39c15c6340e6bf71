"""The loop behind `autoscaler top`, at a terminal of this very process."""

import contextlib
import os
import select
import signal
import termios
import threading

import pyte
import pytest
import trio
from attrs import define, field

from autoscaler.cli.screen.sights import Seen
from autoscaler.cli.screen.teletype import Teletype
from autoscaler.cli.screen.watching import rest, watch
from tests.cli.screen.fleets import HELD, SHORT, group, sight

PATIENCE_S = 10
FLEET = Seen(sight(SHORT, HELD, group()))


@define
class FakeSource:
    """Tells what a test wants told.

    Attributes:
        answers: Clear while nobody answers.
    """

    seen: Seen = FLEET
    looks: int = 0
    obeyed: list[tuple[str, str]] = field(factory=list)
    answers: threading.Event = field(factory=threading.Event)

    def __attrs_post_init__(self):
        self.answers.set()

    def see(self):
        self.answers.wait(PATIENCE_S)
        self.looks += 1
        return self.seen

    def explain(self, group, width):
        return (f"why {group} is as it is, on {width} cells", *["more"] * 99)

    def obey(self, verb, group):
        self.obeyed.append((verb, group))
        return f"{group} did {verb}"


@define
class Watched:
    """Somebody watches; the code comes when they leave."""

    source: FakeSource
    ours: int
    theirs: int
    screen: pyte.Screen = field(factory=lambda: pyte.Screen(80, 24))
    code: int | None = None
    left: trio.Event = field(factory=trio.Event)
    reads: trio.Event = field(factory=trio.Event)

    def __attrs_post_init__(self):
        self.reads.set()

    async def stop_reading(self):
        """Read no more, and wait until there is no room for more."""
        self.reads = trio.Event()
        with trio.fail_after(PATIENCE_S):
            while select.select([], [self.theirs], [], 0)[1]:
                self.type("?")
                await trio.sleep(0.02)
                self.type("\x1b")
                await trio.sleep(0.1)

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    async def run(self, interval):
        teletype = Teletype.of(self.theirs, self.theirs, has_unicode=True)
        self.code = await watch(teletype, self.source, "a title", interval)
        self.left.set()

    async def keep(self):
        stream = pyte.ByteStream(self.screen)
        while True:
            await self.reads.wait()
            await trio.lowlevel.wait_readable(self.ours)
            if self.reads.is_set():
                stream.feed(os.read(self.ours, 65_536))

    def type(self, keys):
        os.write(self.ours, keys.encode())

    async def wait_for(self, text):
        with trio.fail_after(PATIENCE_S):
            while text not in self.text:
                await trio.sleep(0.01)

    async def end(self):
        with trio.fail_after(PATIENCE_S):
            await self.left.wait()
        return self.code


@pytest.fixture
async def begin(nursery):
    ends = []

    async def begin(source, interval=0.05):
        ours, theirs = os.openpty()
        termios.tcsetwinsize(ours, (24, 80))
        ends.extend([ours, theirs])
        watched = Watched(source, ours, theirs)
        nursery.start_soon(watched.keep)
        nursery.start_soon(watched.run, interval)
        await watched.wait_for("a title")
        return watched

    yield begin
    nursery.cancel_scope.cancel()
    for end in ends:
        with contextlib.suppress(OSError):
            os.close(end)


async def test_what_is_told_is_shown_and_asked_for_again_and_again(begin):
    source = FakeSource()
    watched = await begin(source)
    await watched.wait_for("west/user:shop")

    source.seen = Seen(None, complaint="no daemon runs")
    await watched.wait_for("no daemon runs")
    source.seen = Seen(sight(group("west/user:new")))
    await watched.wait_for("west/user:new")
    watched.type("q")

    assert await watched.end() == 0


async def test_a_group_is_explained_at_the_width_that_there_is(begin):
    watched = await begin(FakeSource())
    await watched.wait_for("west/user:shop")

    watched.type("e")
    await watched.wait_for("why west/user:shop is as it is, on 80 cells")
    watched.type("\x1b")

    await watched.wait_for("q: leave")


async def test_what_is_said_yes_to_is_done_and_looked_at_at_once(begin):
    source = FakeSource()
    watched = await begin(source, interval=60.0)
    await watched.wait_for("west/user:shop")

    watched.type("py")
    await watched.wait_for("west/user:shop did pause")
    with trio.fail_after(PATIENCE_S):
        while source.looks < 2:
            await trio.sleep(0.01)

    assert source.obeyed == [("pause", "west/user:shop")]


async def test_keys_are_heard_while_the_daemon_does_not_answer(begin):
    source = FakeSource()
    source.answers.clear()
    watched = await begin(source)

    watched.type("?")
    await watched.wait_for("choose a group")
    watched.type("qq")

    assert await watched.end() == 0
    source.answers.set()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
async def test_signals_end_it_with_their_code(begin, number, code):
    watched = await begin(FakeSource())
    await watched.wait_for("west/user:shop")

    os.kill(os.getpid(), number)

    assert await watched.end() == code


async def test_another_size_is_drawn_at_once(begin):
    watched = await begin(FakeSource(), interval=60.0)
    await watched.wait_for("wants/can/has")

    watched.screen.resize(12, 60)
    termios.tcsetwinsize(watched.ours, (12, 60))
    os.kill(os.getpid(), signal.SIGWINCH)

    await watched.wait_for("w/c/h")


async def test_modes_are_given_back(begin):
    ours, theirs = os.openpty()
    before = termios.tcgetattr(theirs)
    teletype = Teletype.of(theirs, theirs, has_unicode=True)

    with teletype.taken():
        during = termios.tcgetattr(theirs)

    assert during[3] & (termios.ICANON | termios.ECHO) == 0
    assert termios.tcgetattr(theirs) == before
    for end in (ours, theirs):
        os.close(end)


async def test_a_terminal_that_does_not_read_is_left_all_the_same(begin):
    watched = await begin(FakeSource())
    before = termios.tcgetattr(watched.theirs)
    await watched.stop_reading()

    watched.type("q")

    assert await watched.end() == 0
    assert termios.tcgetattr(watched.theirs) != before


async def test_while_a_terminal_does_not_read_signals_are_heeded(begin):
    watched = await begin(FakeSource())
    await watched.stop_reading()

    os.kill(os.getpid(), signal.SIGTERM)

    assert await watched.end() == 128 + signal.SIGTERM


async def test_a_terminal_that_reads_again_is_shown_the_newest(begin):
    source = FakeSource()
    watched = await begin(source)
    await watched.stop_reading()
    looks = source.looks
    source.seen = Seen(sight(group("west/user:new")))
    await trio.sleep(1.0)

    watched.reads.set()

    await watched.wait_for("west/user:new")
    assert source.looks > looks


@pytest.mark.parametrize(
    ("took", "interval", "pause"),
    [
        pytest.param(0.01, None, 1.0, id="a few groups: each second"),
        pytest.param(0.3, None, 2.7, id="a thousand: a tenth of the time"),
        pytest.param(0.3, 0.2, 0.2, id="as often as was asked for"),
        pytest.param(0.01, 5.0, 5.0, id="as seldom as was asked for"),
    ],
)
def test_looking_takes_a_tenth_of_the_time_at_most(took, interval, pause):
    assert rest(took, interval) == pytest.approx(pause)


async def test_who_says_nothing_is_shown_what_changes_too(begin):
    source = FakeSource()
    watched = await begin(source, interval=None)
    source.seen = Seen(sight(group("west/user:new")))

    await watched.wait_for("west/user:new")
