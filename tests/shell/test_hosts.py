"""What befalls streams and hosts, seen from the daemon."""

from collections.abc import Mapping

import pytest
import trio
from attrs import define, evolve

from albatross_client.errors import RemoteProtocolError
from albatross_client.names import ROOT, Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.faults import (
    CountersRestarted,
    HostDown,
    ReplyLost,
    Rule,
    Silenced,
    SlowReply,
    StreamCut,
    StreamEvicted,
    StreamStalled,
)
from albatross_client.values import Config, Info
from autoscaler.core.decision import MemberClass
from autoscaler.core.group import GroupId
from autoscaler.core.policy import Policy
from autoscaler.shell.hosts.host import StatsSource, Subscribe
from tests.fakes import WrappedHost
from tests.shell.harness import (
    GROUP,
    HOST,
    ROOMY,
    USER,
    WEB,
    Machine,
    Wish,
    build_world,
    make_host,
    make_world,
    wait_until,
)

# Hours of virtual time, in whole daemons: traced they take three times as long.
pytestmark = pytest.mark.no_cover

CLONE = GROUP.clone(1)
SHOP = Name(("shop",))
TILL = Name(("shop",), "till")
ONE_CLONE = Policy(max_clones=1, min_clones=1)
QUICK = Policy(max_clones=9, cooldown_up=30, cooldown_down=60)


def listeners(world):
    return sorted(map(str, world.live.state.listeners))


def class_of(world, name):
    standings = world.notebook.ticks[-1].load.standings
    return next(each.counts_as for each in standings if each.name == name)


# A rival for the path


async def test_a_contested_path_holds_the_group_and_says_what_helps(
    autojump_clock, nursery
):
    rival = Rule(fault=StreamEvicted(), after=25, every=5, times=200)
    wish = Wish(policy=Policy(max_clones=3), demand=Demand.constant(2), rules=(rival,))
    world = await make_world(nursery, wish)

    await trio.sleep(400)

    contested = world.events("stream_contested")
    assert contested != []
    assert "subscribe" in contested[0]["advice"]
    assert world.daemon.fleet.view(GROUP).is_contested
    assert "contested" in world.notebook.reasons
    assert world.events("action_started") == []
    assert len(world.events("stream_opened")) <= 15


async def test_a_contest_that_is_over_is_forgotten(autojump_clock, nursery):
    rival = Rule(fault=StreamEvicted(), after=100, every=5, times=10)
    wish = Wish(policy=Policy(max_clones=1), demand=Demand.constant(2), rules=(rival,))
    world = await make_world(nursery, wish)

    await trio.sleep(1200)

    assert not world.daemon.fleet.view(GROUP).is_contested
    assert world.size == 2


async def test_two_daemons_on_one_path_do_not_hammer_the_host(autojump_clock, nursery):
    wish = Wish(policy=Policy(max_clones=0), interval=1.0)
    world = await make_world(nursery, wish)
    rival = await build_world(world.live, Wish().store(), world.group.policy, Machine())
    nursery.start_soon(rival.run)

    await trio.sleep(1800)

    openings = [len(each.events("stream_opened")) for each in (world, rival)]
    assert sum(openings) < 150
    assert world.events("stream_contested") != []
    assert rival.events("stream_contested") != []


async def test_a_network_that_is_lost_is_no_contest(autojump_clock, nursery):
    cut = Rule(fault=StreamCut(), after=50, every=20, times=None)
    world = await make_world(nursery, Wish(rules=(cut,)))

    await trio.sleep(600)

    assert len(world.events("stream_lost")) > 3
    assert world.events("stream_contested") == []
    assert not world.daemon.fleet.view(GROUP).is_contested


# One stream each, or one for all


@pytest.mark.parametrize("subscribe", list(Subscribe))
async def test_a_group_follows_its_load_whatever_is_subscribed_to(
    autojump_clock, nursery, subscribe
):
    machine = Machine(subscribe=subscribe)
    wish = Wish(policy=QUICK, demand=Demand.constant(2.9), machine=machine)
    world = await make_world(nursery, wish)

    await wait_until(lambda: world.size == 4, 1000)
    await wait_until(lambda: len(world.members) == 3, 100)
    at_most = listeners(world)
    world.live.set_demand(WEB, Demand.constant(0.3))
    await wait_until(lambda: world.size == 1 and world.members == [], 2000)
    await trio.sleep(5)

    by_name = [str(WEB), *(str(GROUP.clone(number)) for number in (1, 2, 3))]
    expected = {
        Subscribe.ROOT: ([str(ROOT)], [str(ROOT)]),
        Subscribe.DOMAIN: ([str(USER)], [str(USER)]),
        Subscribe.UNIKERNEL: (by_name, [str(WEB)]),
    }
    assert (at_most, listeners(world)) == expected[subscribe]
    assert {f["outcome"] for f in world.events("action_finished")} == {"done"}


async def test_a_stream_of_its_own_that_is_lost_makes_one_member_unknown(
    autojump_clock, nursery
):
    cut = Rule(fault=SlowReply(1000), verb="stats", name=CLONE, after=200, times=None)
    machine = Machine(subscribe=Subscribe.UNIKERNEL)
    policy = evolve(ONE_CLONE, death_timeout=100)
    wish = Wish(policy=policy, demand=Demand.constant(1.0), machine=machine)
    world = await make_world(nursery, evolve(wish, rules=(cut,)))
    await trio.sleep(250)

    world.live.strike(StreamCut(CLONE))
    await trio.sleep(600)

    assert class_of(world, CLONE) is MemberClass.UNKNOWN
    assert class_of(world, WEB) is MemberClass.FRESH
    assert world.clones == [str(CLONE)]
    assert world.notebook.notes == []


async def test_a_silent_member_with_a_stream_of_its_own_is_given_up(
    autojump_clock, nursery
):
    machine = Machine(subscribe=Subscribe.UNIKERNEL)
    policy = evolve(ONE_CLONE, death_timeout=100, cooldown_up=10)
    world = await make_world(nursery, Wish(policy=policy, machine=machine))
    await wait_until(lambda: len(world.members) == 1, 100)
    await trio.sleep(60)

    world.live.strike(Silenced(CLONE))
    await wait_until(lambda: world.members == [str(GROUP.clone(2))], 1500)

    assert world.clones == [str(GROUP.clone(2))]


async def test_all_domains_of_a_host_share_the_stream_of_its_root(
    autojump_clock, nursery
):
    machine = Machine(subscribe=Subscribe.ROOT, groups={GroupId(HOST, TILL): ONE_CLONE})
    wish = Wish(policy=ONE_CLONE, machine=machine)
    live = make_host(nursery, wish)
    live.set_policy(SHOP, ROOMY)
    live.create(TILL, Config(image=wish.config.image, memory=32))
    world = await build_world(live, wish.store(), wish.policy, machine)
    nursery.start_soon(world.run)

    await trio.sleep(120)
    live.strike(StreamCut())
    await trio.sleep(120)

    assert listeners(world) == [":"]
    assert len(live.state.unikernels) == 4
    ups = [watch.feed.up_since for watch in world.daemon.fleet.watches.values()]
    assert None not in ups
    assert len(world.events("stream_opened")) == 2


# Hosts that are slow, gone, or begin again


async def test_a_host_that_was_rebooted_is_followed_as_before(autojump_clock, nursery):
    world = await make_world(nursery, Wish(policy=ONE_CLONE))
    await trio.sleep(300)

    world.live.strike(HostDown(60))
    for name in (WEB, CLONE):
        world.live.strike(CountersRestarted(name))
    await trio.sleep(400)

    means = [t.load.mean_up for t in world.notebook.ticks if t.load.mean_up is not None]
    assert all(mean < 60 for mean in means)
    assert world.clones == world.members == [str(CLONE)]
    assert len(world.events("action_started")) == 1


async def test_a_stalled_stream_is_noticed_and_begun_anew(autojump_clock, nursery):
    stalled = Rule(fault=StreamStalled(1_000_000), after=300)
    world = await make_world(nursery, Wish(rules=(stalled,)))

    await trio.sleep(400)

    assert "stalled" in world.events("stream_lost")[0]["error"]
    assert class_of(world, WEB) is MemberClass.FRESH


async def test_a_command_whose_reply_is_lost_is_sent_once(autojump_clock, nursery):
    lost = Rule(fault=ReplyLost(), verb="create")
    world = await make_world(nursery, Wish(policy=ONE_CLONE, rules=(lost,)))

    await trio.sleep(300)

    assert world.clones == world.members == [str(CLONE)]
    assert [f["outcome"] for f in world.events("action_finished")] == ["done"]


@define
class DeafToAll(WrappedHost):
    """Takes every command and answers none."""

    async def info(self, name: Name) -> Mapping[Name, Info]:
        return await trio.sleep_forever()

    async def stats(self, path: Name) -> StatsSource:
        return await trio.sleep_forever()


async def test_a_host_that_answers_nothing_is_asked_again_and_again(
    autojump_clock, nursery
):
    world = await make_world(nursery, Wish(machine=Machine(through=DeafToAll)))

    await trio.sleep(1000)

    errors = {f["error"] for f in world.events("look_failed")}
    errors |= {f["error"] for f in world.events("stream_lost")}
    assert errors == {
        "no answer within 30 s",
        "no answer to the subscription within 30 s",
    }


@define
class Upgraded(WrappedHost):
    """Speaks another version of the protocol from its 300th second on."""

    async def info(self, name: Name) -> Mapping[Name, Info]:
        self.require_known()
        return await self.client.info(name)

    async def stats(self, path: Name) -> StatsSource:
        self.require_known()
        return await self.client.stats(path)

    def require_known(self) -> None:
        if trio.current_time() > 300:
            raise RemoteProtocolError("unknown version number 0x6")


async def test_a_host_of_another_version_is_said_to_be_that_and_left_alone(
    autojump_clock, nursery
):
    cut = Rule(fault=StreamCut(), after=301)
    machine = Machine(through=Upgraded)
    world = await make_world(
        nursery, Wish(policy=ONE_CLONE, machine=machine, rules=(cut,))
    )

    await trio.sleep(1200)

    errors = {f["error"] for f in world.events("look_failed")}
    assert errors == {"unknown version number 0x6"}
    assert len(world.events("action_started")) == 1
    assert world.clones == [str(CLONE)]
