"""What is kept of clones that are gone, and that nothing waits for it."""

import pytest
import trio
from attrs import define, field

from albatross_client.errors import HostUnreachableError
from albatross_client.names import Name
from albatross_client.replies import ConsoleLine
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.faults import Killed, Refused, Rule
from albatross_client.sandbox.live import LiveHost, Settings
from albatross_client.sandbox.memory import MemoryClient
from albatross_client.sandbox.model import ModelMachine
from albatross_client.values import Timestamp
from autoscaler.core.policy import Policy
from autoscaler.shell.acting.inquest import CONSOLE_S, LINES, Death, Witness, examine
from autoscaler.shell.hosts.host import ConsoleSource
from tests.core.builders import GROUP, PRIMARY
from tests.fakes import WrappedHost
from tests.shell.acting.buried import buried
from tests.shell.harness import Machine, Wish, make_world, wait_until

CLONE = GROUP.clone(1)
ONE_CLONE = Policy(max_clones=1, min_clones=1)
DEATH = Death(group=GROUP, name=CLONE, at=1.0, why="low")


@define
class Console:
    """Says *lines*, one after another, each after a *pause*, then *end*."""

    lines: list[bytes]
    pause: float = 0.0
    end: Exception | None = None
    is_closed: bool = False

    async def receive(self) -> ConsoleLine:
        await trio.sleep(self.pause)
        if self.lines:
            return ConsoleLine(Timestamp(5000), self.lines.pop(0))
        if self.end is not None:
            raise self.end
        await trio.sleep_forever()
        raise AssertionError

    async def aclose(self) -> None:
        self.is_closed = True


@define
class TalkingHost(WrappedHost):
    """Has one console; or doesn't answer, or refuses."""

    source: ConsoleSource | Exception | None = None
    asked: list[tuple[Name, int]] = field(factory=list)

    async def console(self, name: Name, count: int) -> ConsoleSource:
        self.asked.append((name, count))
        if self.source is None:
            await trio.sleep_forever()
        if isinstance(self.source, Exception):
            raise self.source
        assert self.source is not None
        return self.source


async def last_lines(source):
    host = TalkingHost(MemoryClient(LiveHost(Settings(), ModelMachine())), source)
    return (await examine(DEATH, Witness(), host)).console


async def lines(source):
    return [line.text for line in await last_lines(source)]


async def test_the_last_lines_are_read_until_nothing_more_comes(autojump_clock):
    source = Console([b"Solo5: trap\r\n", b"caf\xc3\xa9", b"\xff\x1b[2J"])

    found = await lines(source)

    assert found == ["Solo5: trap", "café", "\\xff\\x1b[2J"]
    assert source.is_closed
    assert trio.current_time() < CONSOLE_S / 2


@pytest.mark.parametrize(
    ("source", "count"),
    [
        pytest.param(Console([b"x"] * 9, pause=0.25), 7, id="too slow"),
        pytest.param(Console([b"x"] * 900), LINES, id="endless"),
        pytest.param(
            Console([b"x"], end=HostUnreachableError("gone", sent=True)), 1, id="lost"
        ),
        pytest.param(HostUnreachableError("down", sent=False), 0, id="down"),
        pytest.param(None, 0, id="no answer"),
    ],
)
async def test_a_console_that_does_not_do_as_it_should_ends_in_time(
    autojump_clock, source, count
):
    assert len(await lines(source)) == count
    assert trio.current_time() <= CONSOLE_S


async def test_times_that_no_calendar_has_are_bounded(autojump_clock):
    [line] = await last_lines(Stamped(Timestamp(10**17)))

    assert 0 < line.at < 2.6e11


@define
class Stamped:
    """Says one line of *when*."""

    when: Timestamp
    has_said: bool = False

    async def receive(self) -> ConsoleLine:
        if self.has_said:
            await trio.sleep_forever()
        self.has_said = True
        return ConsoleLine(self.when, b"x")

    async def aclose(self) -> None:
        pass


async def test_a_clone_that_was_destroyed_is_remembered(autojump_clock, nursery):
    wish = Wish(policy=Policy(max_clones=0))
    world = await make_world(nursery, wish)
    world.live.create(CLONE, wish.config)
    world.live.write(CLONE, "listening on port 80")

    await wait_until(lambda: buried(world) != [], 300)

    [mortem] = buried(world)
    assert (mortem.group, mortem.name, mortem.why) == (GROUP, CLONE, "above_max")
    assert mortem.failure is None
    assert mortem.facts["memory"] == 32
    assert "listening on port 80" in [line.text for line in mortem.console]


async def test_a_clone_that_served_for_a_while_has_its_last_counters(
    autojump_clock, nursery
):
    world = await make_world(
        nursery, Wish(policy=Policy(max_clones=1), demand=Demand.constant(1.0))
    )
    await wait_until(lambda: world.members != [], 300)
    world.live.set_demand(PRIMARY, Demand.constant(0.1))

    await wait_until(lambda: buried(world) != [], 900)

    [mortem] = buried(world)
    assert mortem.why == "low"
    assert mortem.stats is not None
    assert (mortem.stats["cpu_us"] or 0) > 0
    assert mortem.usage is not None


async def test_a_create_that_the_host_refused_keeps_its_words(autojump_clock, nursery):
    refused = Rule(fault=Refused("no space for it"), verb="create", times=None)
    world = await make_world(nursery, Wish(policy=ONE_CLONE, rules=(refused,)))

    await wait_until(lambda: buried(world) != [], 120)

    mortem = buried(world)[0]
    assert "no space for it" in (mortem.failure or "")
    assert (mortem.stats, mortem.info) == (None, None)


async def test_a_clone_that_died_by_itself_is_remembered(autojump_clock, nursery):
    world = await make_world(nursery, Wish(policy=ONE_CLONE))
    await wait_until(lambda: world.members != [], 120)
    await trio.sleep(60)
    world.live.write(CLONE, "out of memory")

    world.live.strike(Killed(CLONE))
    await wait_until(lambda: buried(world) != [], 300)

    [mortem] = buried(world)
    assert (mortem.name, mortem.why) == (CLONE, "died")
    assert "out of memory" in [line.text for line in mortem.console]
    assert mortem.stats is not None


async def test_nothing_waits_for_a_console_that_does_not_answer(
    autojump_clock, nursery
):
    def slow(client):
        return TalkingHost(client)

    plain = await ended(nursery, Machine())
    waiting = await ended(nursery, Machine(through=slow))

    assert waiting == plain


async def ended(nursery, machine):
    """Return when an action ends, and the group is free again."""
    wish = Wish(policy=Policy(max_clones=0), machine=machine)
    world = await make_world(nursery, wish)
    began = trio.current_time()
    world.live.create(CLONE, wish.config)
    await wait_until(lambda: world.events("action_finished") != [], 300)
    assert world.group.ledger.actions == ()
    took = trio.current_time() - began
    await wait_until(lambda: buried(world) != [], 10)
    return round(took, 1)
