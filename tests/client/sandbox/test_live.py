"""A living host under a virtual clock: ticks, demands, events."""

import math

import pytest
import trio

from albatross_client.commands import (
    PolicyInfo,
    StatsSubscribe,
)
from albatross_client.errors import HostUnreachableError
from albatross_client.names import ROOT, Name
from albatross_client.replies import (
    StatsData,
    Wire,
)
from albatross_client.sandbox import faults, outbox
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.live import LiveHost, Settings
from albatross_client.sandbox.memory import MemoryClient
from albatross_client.sandbox.memory_streams import sample_of
from albatross_client.sandbox.model import ModelMachine
from albatross_client.stats import read_stats
from albatross_client.values import Config, Interface, RestartOnExit
from albatross_client.wire import decode, encode
from tests.sandbox_fixtures import (
    API,
    CLONE,
    IMAGE,
    USER,
    USER_POLICY,
    WEB,
    start_memory_host,
)


def settings(**more):
    return Settings(policies={USER: USER_POLICY}, **more)


async def cpu_us(stream, name):
    """Return the CPU time of *name* in its next sample."""
    while True:
        heard = await stream.receive()
        if heard.name == name:
            return heard.sample.cpu_us


async def usage(stream, name):
    """Return the share of a core that *name* burned between two samples."""
    before = await cpu_us(stream, name)
    began = trio.current_time()
    after = await cpu_us(stream, name)
    return (after - before) / 1e6 / (trio.current_time() - began)


@pytest.mark.parametrize("share", [0.03, 0.3, 0.5, 0.89, 0.95, 1.0])
async def test_counters_follow_the_demand(autojump_clock, nursery, share):
    demands = {WEB: Demand.constant(share)}
    host = await start_memory_host(nursery, settings(demands=demands))
    host.create(WEB, Config(image=IMAGE))
    stream = await MemoryClient(host).stats(ROOT)

    usages = [await usage(stream, WEB) for _ in range(20)]

    assert usages == pytest.approx([share] * 20, abs=0.0011)


async def test_the_demand_is_spread_evenly_over_those_that_run(autojump_clock, nursery):
    demands = {WEB: Demand.constant(1.2)}
    host = await start_memory_host(nursery, settings(demands=demands))
    host.create(WEB, Config(image=IMAGE))
    host.create(API, Config(image=IMAGE))
    client = MemoryClient(host)
    stream = await client.stats(ROOT)

    alone = await usage(stream, WEB)
    await client.create(CLONE, Config(), IMAGE)
    both = [await usage(stream, name) for name in (WEB, CLONE)]
    await client.destroy(CLONE)
    again = await usage(stream, WEB)

    assert alone == pytest.approx(1.0)
    assert both == pytest.approx([0.6, 0.6], abs=0.01)
    assert again == pytest.approx(1.0, abs=0.01)
    assert host.state.unikernels.keys() == {WEB, API}


async def test_a_unikernel_with_two_cpus_burns_up_to_two(autojump_clock, nursery):
    demands = {WEB: Demand.constant(1.7)}
    host = await start_memory_host(nursery, settings(demands=demands))
    host.create(WEB, Config(image=IMAGE, numcpus=2))
    stream = await MemoryClient(host).stats(ROOT)

    assert await usage(stream, WEB) == pytest.approx(1.7)


async def test_a_change_of_demand_between_readings_is_integrated(
    autojump_clock, nursery
):
    host = await start_memory_host(nursery, settings())
    host.create(WEB, Config(image=IMAGE))
    stream = await MemoryClient(host).stats(ROOT)
    before = await cpu_us(stream, WEB)

    host.set_demand(WEB, Demand.constant(0.2))
    await trio.sleep(4)
    host.set_demand(WEB, Demand(((0.0, 0.7), (2.0, 0.1))))
    after = await cpu_us(stream, WEB)

    assert after - before == pytest.approx((4 * 0.2 + 2 * 0.7 + 4 * 0.1) * 1e6, abs=1e4)


async def test_cpu_time_moves_in_ticks_of_ten_milliseconds(autojump_clock, nursery):
    demands = {WEB: Demand.constant(0.1234567)}
    host = await start_memory_host(nursery, settings(demands=demands))
    host.create(WEB, Config(image=IMAGE))
    stream = await MemoryClient(host).stats(ROOT)

    for _ in range(20):
        sample = (await stream.receive()).sample
        assert sample.cpu_us % 10_000 == 0
        assert sample.runtime_us == sample.cpu_us


async def test_a_tick_comes_every_interval_whatever_else_happens(
    autojump_clock, nursery
):
    rules = (faults.Rule(fault=faults.StreamCut(API), after=3.0, every=7.0, times=9),)
    host = await start_memory_host(nursery, settings(rules=rules))
    host.create(WEB, Config(image=IMAGE))
    began = trio.current_time()
    stream = await MemoryClient(host).stats(ROOT)

    times = [(await stream.receive()).at - began for _ in range(10)]

    assert times == pytest.approx([10.0 * count for count in range(1, 11)])


async def test_a_stalled_stream_delivers_all_that_was_held_at_once(
    autojump_clock, nursery
):
    host = await start_memory_host(nursery, settings())
    host.create(WEB, Config(image=IMAGE))
    began = trio.current_time()
    stream = await MemoryClient(host).stats(ROOT)
    host.inject(faults.Rule(fault=faults.StreamStalled(35.0), after=21.0))

    times = [round((await stream.receive()).at - began) for _ in range(7)]

    assert times == [10, 20, 56, 56, 56, 60, 70]


async def test_a_silenced_unikernel_is_listed_but_never_heard_again(
    autojump_clock, nursery
):
    host = await start_memory_host(nursery, settings())
    for name in (WEB, CLONE):
        host.create(name, Config(image=IMAGE))
    client = MemoryClient(host)
    stream = await client.stats(ROOT)
    host.strike(faults.Silenced(CLONE))

    names = {(await stream.receive()).name for _ in range(10)}

    assert names == {WEB}
    assert CLONE in await client.info(ROOT)


async def test_a_restart_ends_the_silence(autojump_clock, nursery):
    host = await start_memory_host(nursery, settings())
    host.create(WEB, Config(image=IMAGE))
    client = MemoryClient(host)
    stream = await client.stats(ROOT)
    host.strike(faults.Silenced(WEB))

    await client.restart(WEB, None)

    assert (await stream.receive()).name == WEB


async def test_a_killed_unikernel_vanishes_from_info(autojump_clock, nursery):
    host = await start_memory_host(nursery, settings())
    host.create(WEB, Config(image=IMAGE))

    host.strike(faults.Killed(WEB))

    assert await MemoryClient(host).info(ROOT) == {}


async def test_a_killed_unikernel_comes_back_with_new_counters(autojump_clock, nursery):
    demands = {WEB: Demand.constant(0.5)}
    host = await start_memory_host(nursery, settings(demands=demands))
    host.create(WEB, Config(image=IMAGE, fail_behaviour=RestartOnExit()))
    client = MemoryClient(host)
    stream = await client.stats(ROOT)
    before = await stream.receive()
    started = (await client.info(WEB))[WEB].started

    await trio.sleep(6)
    host.strike(faults.Killed(WEB))
    after = await stream.receive()

    assert before.sample.cpu_us == 5_000_000
    assert after.sample.cpu_us == pytest.approx(2_000_000, abs=10_000)
    assert (await client.info(WEB))[WEB].started != started


async def test_counters_that_restart_begin_at_zero_in_the_same_process(
    autojump_clock, nursery
):
    demands = {WEB: Demand.constant(0.5)}
    host = await start_memory_host(nursery, settings(demands=demands))
    host.create(WEB, Config(image=IMAGE))
    client = MemoryClient(host)
    stream = await client.stats(ROOT)
    await stream.receive()
    process = host.state.unikernels[WEB].process

    host.strike(faults.CountersRestarted(WEB))
    after = await stream.receive()

    assert after.sample.cpu_us == pytest.approx(5_000_000)
    assert after.sample.minflt == 0
    assert host.state.unikernels[WEB].process == process


async def test_an_event_about_a_name_that_does_not_run_is_lost(memory_host):
    before = memory_host.state

    for event in (faults.Killed(WEB), faults.Silenced(WEB)):
        memory_host.strike(event)

    assert memory_host.state == before


async def test_the_wall_clock_goes_with_trios(autojump_clock, memory_host):
    memory_host.create(WEB, Config(image=IMAGE))
    await trio.sleep(90.5)
    memory_host.create(CLONE, Config(image=IMAGE))

    started = memory_host.state.unikernels
    apart = started[CLONE].started.milliseconds - started[WEB].started.milliseconds
    assert apart == 90_500


async def test_the_operator_is_refused_in_the_hosts_words(memory_host):
    with pytest.raises(ValueError, match=r"^error during ELF parsing$"):
        memory_host.create(WEB, Config(image=b"x"))
    with pytest.raises(ValueError, match="policy above allows 10 unikernels"):
        memory_host.set_policy(Name(("user", "team")), type(USER_POLICY)(unikernels=11))


async def test_a_host_does_not_begin_with_policies_that_do_not_fit():
    team = Name(("user", "team"))
    wrong = Settings(policies={USER: USER_POLICY, team: Settings().root_policy})

    with pytest.raises(ValueError, match="policy above allows 10 unikernels"):
        LiveHost(wrong, ModelMachine())


async def test_chance_is_the_same_with_the_same_seed(autojump_clock, nursery):
    async def outcomes(seed):
        rule = faults.Rule(fault=faults.NoFrame(), probability=0.5, times=None)
        host = await start_memory_host(nursery, settings(rules=(rule,), seed=seed))
        struck = []
        for _ in range(40):
            answer = host.open(ROOT, PolicyInfo())
            try:
                await answer.receive()
            except trio.EndOfChannel:
                struck.append(True)
            else:
                struck.append(False)
        return struck

    first, again, other = [await outcomes(seed) for seed in (1, 1, 2)]

    assert first == again
    assert first != other
    assert 5 < sum(first) < 35


async def test_a_sample_in_memory_is_what_the_lean_reader_reads(
    autojump_clock, nursery
):
    demands = {WEB: Demand.constant(0.5)}
    host = await start_memory_host(nursery, settings(demands=demands))
    config = Config(image=IMAGE, interfaces=(Interface("service"),))
    host.create(WEB, config)
    heard = host.open(USER, StatsSubscribe())
    await heard.receive()

    wire = await heard.receive()

    assert isinstance(wire, Wire)
    assert isinstance(wire.payload, StatsData)
    octets = encode(wire)
    sample = sample_of(":web", wire.payload.stats)
    assert read_stats(octets) == sample
    assert decode(octets) == wire
    assert 250 < len(octets) < 700
    assert sample.packets_in > 0


async def test_a_subscriber_that_never_reads_is_given_up(
    autojump_clock, nursery, monkeypatch
):
    monkeypatch.setattr(outbox, "MAX_PENDING", 3)
    host = await start_memory_host(nursery, settings())
    host.create(WEB, Config(image=IMAGE))
    stream = await MemoryClient(host).stats(ROOT)

    await trio.sleep(45)

    assert host.state.listeners == {}
    with pytest.raises(HostUnreachableError):
        await stream.receive()


async def test_many_unikernels_of_many_groups_are_read_in_one_tick(
    autojump_clock, nursery
):
    demands = {Name(("user",), f"g{i}"): Demand.constant(0.5) for i in range(20)}
    roomy = Settings().root_policy
    host = await start_memory_host(
        nursery, Settings(policies={USER: roomy}, demands=demands)
    )
    names = [
        Name(("user",), f"g{group}{suffix}")
        for group in range(20)
        for suffix in ("", "-clone-1", "-clone-2")
    ]
    for name in names:
        host.create(name, Config(image=IMAGE))
    stream = await MemoryClient(host).stats(USER)

    heard = [await stream.receive() for _ in names]

    assert {each.name for each in heard} == set(names)
    assert len({each.at for each in heard}) == 1
    shares = [each.sample.cpu_us / 1e7 for each in heard]
    assert all(math.isclose(share, 0.5 / 3, abs_tol=0.002) for share in shares)
