"""When hosts are asked what runs, and what comes of their answers."""

import pytest
import trio

from albatross_client.sandbox.faults import (
    HostDown,
    Killed,
    Refused,
    Rule,
    SlowReply,
    StreamCut,
)
from autoscaler.core.policy import Policy
from tests.core.builders import primary_of
from tests.fakes import WrappedHost
from tests.shell.harness import GROUP, WEB, Machine, Wish, make_world, wait_until


class CountedHost(WrappedHost):
    """Notes when `info` is asked."""

    asked_at: list[float]

    async def info(self, name):
        self.asked_at.append(trio.current_time())
        return await self.client.info(name)


@pytest.fixture
def asked_at():
    return []


@pytest.fixture
def machine(asked_at):
    def counted(client):
        host = CountedHost(client)
        host.asked_at = asked_at
        return host

    return Machine(through=counted)


async def test_a_host_is_asked_once_a_minute(
    autojump_clock, nursery, asked_at, machine
):
    await make_world(nursery, Wish(machine=machine))

    await trio.sleep(610)

    assert 10 <= len(asked_at) <= 13


async def test_a_new_stream_is_asked_about_at_once(
    autojump_clock, nursery, asked_at, machine
):
    world = await make_world(nursery, Wish(machine=machine))
    await trio.sleep(100)
    world.live.strike(StreamCut())
    before = len(asked_at)

    await trio.sleep(5)

    assert len(asked_at) == before + 1


async def test_somebody_who_falls_silent_is_asked_about_soon(
    autojump_clock, nursery, asked_at, machine
):
    world = await make_world(nursery, Wish(machine=machine))
    await trio.sleep(101)
    world.live.create(WEB.__class__(("user",), "api"), Wish().config)
    world.live.strike(Killed(WEB))

    await wait_until(lambda: primary_of(world.group).is_dead, 60)

    assert world.decision.reason.value == "no_primary"


async def test_a_host_that_does_not_answer_is_asked_more_and_more_slowly(
    autojump_clock, nursery, asked_at, machine
):
    world = await make_world(nursery, Wish(machine=machine))
    await trio.sleep(65)
    world.live.strike(HostDown(10_000))
    before = len(asked_at)

    await trio.sleep(600)

    assert 10 <= len(asked_at) - before <= 16


async def test_both_questions_are_asked_at_once(autojump_clock, nursery):
    rules = tuple(
        Rule(fault=SlowReply(20), verb=verb, times=1) for verb in ("info", "policies")
    )
    world = await make_world(nursery, Wish(rules=rules))

    await wait_until(lambda: world.daemon.fleet.watch(GROUP).rules is not None, 60)

    assert trio.current_time() < 25


async def test_an_answer_without_policies_is_an_answer(autojump_clock, nursery):
    rule = Rule(fault=Refused("no policies today"), verb="policies", times=None)
    policy = Policy(max_clones=1, min_clones=1)
    world = await make_world(nursery, Wish(policy=policy, rules=(rule,)))

    await trio.sleep(120)

    assert world.size == 1
    assert world.events("look_failed")[0]["error"] == "no policies today"
    assert world.notebook.ticks[-1].load.fresh == 1


async def test_a_slow_answer_does_not_hide_a_newer_one(autojump_clock, nursery):
    policy = Policy(max_clones=1, min_clones=1)
    world = await make_world(nursery, Wish(policy=policy))
    await wait_until(lambda: len(world.members) == 1, 60)
    world.live.inject(Rule(fault=SlowReply(20), verb="info", times=3))

    await trio.sleep(200)

    assert world.members == world.clones == ["user:web-clone-1"]
