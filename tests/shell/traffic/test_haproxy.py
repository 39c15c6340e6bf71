"""What only HAProxy can show: its numbers, its refusals, its ends."""

import os
import signal

import pytest
import trio

from autoscaler.core.arrange import Add, Drain, MakeReady, Rest, arrange
from autoscaler.core.backend import Duty, Health, Place
from autoscaler.core.haproxy import Refusal, ServerOptions
from autoscaler.shell.traffic import haproxy as module
from autoscaler.shell.traffic import runtime_socket
from autoscaler.shell.traffic.balancer import BalancerError, Trouble
from autoscaler.shell.traffic.haproxy import HaproxyBalancer
from autoscaler.shell.traffic.runtime_socket import TcpSocket, UnixSocket
from tests.haproxy_fixture import Haproxy
from tests.http_members import request, start_member
from tests.shell.traffic.listeners import always, serve
from tests.shell.traffic.worlds import ours, ready, serves, settle, standby, until

NOBODY = Place("127.0.0.1", 9)
SLOWLY = ServerOptions(check_every_ms=60_000)
ONE_AT_A_TIME = ServerOptions(check_every_ms=50, limit=1)


def test_every_refusal_has_a_sentence():
    assert set(module._REFUSALS) == set(Refusal)  # noqa: SLF001 - a table


def test_a_backend_that_can_not_be_is_refused_before_anything_is_sent():
    with pytest.raises(ValueError, match="backend name"):
        HaproxyBalancer(TcpSocket("127.0.0.1", 9), "web;quit")


async def test_a_server_that_was_never_checked_is_unproven(haproxy: Haproxy):
    """HAProxy calls it up, and would give it requests."""
    balancer = haproxy.balancer(options=SLOWLY)

    await balancer.perform(Add("web-1", NOBODY))
    await balancer.perform(MakeReady("web-1"))
    server = (await balancer.observe()).servers["web-1"]

    assert (server.duty, server.health) == (Duty.READY, Health.UNPROVEN)


async def test_a_server_in_maintenance_is_not_checked(haproxy: Haproxy, nursery):
    """Which is why a standby drains: it would be promoted dead."""
    member = await start_member(nursery)
    balancer = haproxy.balancer()
    wanted = {"web-1": standby(member.place)}
    await settle(balancer, wanted, ours(), _passed("web-1"))
    await balancer.perform(Rest("web-1"))
    member.scope.cancel()
    # Checks that pass, of somebody else, are the clock of HAProxy's own.
    other = await start_member(nursery)
    await settle(balancer, {"web-2": standby(other.place)}, _only(), _passed("web-2"))

    resting = (await balancer.observe()).servers["web-1"]
    await balancer.perform(MakeReady("web-1"))
    promoted = (await balancer.observe()).servers["web-1"]

    assert resting.health is Health.UNPROVEN
    assert promoted.health is not Health.PASSED


async def test_a_drained_backend_leaves_everything_to_its_backup(
    haproxy: Haproxy, nursery
):
    member = await start_member(nursery)
    activator = await start_member(nursery, haproxy.ports["activator"])
    balancer = haproxy.balancer()
    await settle(balancer, {"web-1": standby(member.place)}, ours(), _passed("web-1"))
    await until(balancer, lambda seen: seen.servers["activator"].serves)

    lines = await request(haproxy.ports["web"], count=3)
    backend = await balancer.observe()

    assert activator.place.port == haproxy.ports["activator"]
    assert lines == [b"HTTP/1.1 200 OK"] * 3
    assert backend.servers["activator"].ended == 3
    assert backend.servers["web-1"].ended == 0


@pytest.mark.parametrize("reuse", ["never", "safe", "always"])
async def test_idle_connections_count_nowhere_and_keep_nothing(
    haproxy: Haproxy, nursery, reuse
):
    haproxy.configure(reuse=reuse)
    await haproxy.reload()
    member = await start_member(nursery)
    balancer = haproxy.balancer()
    wanted = {"web-1": ready(member.place)}
    await settle(balancer, wanted, ours(), serves("web-1"))
    stream = await trio.open_tcp_stream("127.0.0.1", haproxy.ports["web"])

    async with stream:
        for _ in range(2):
            await stream.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await stream.receive_some(4096)
        idle = await until(balancer, lambda seen: seen.ended == 2)
        claim = ours(member.place)
        gone = await settle(balancer, {}, claim, lambda s: "web-1" not in s.servers)

    assert (idle.in_flight, idle.queued) == (0, 0)
    assert idle.servers["web-1"].sessions == 0
    assert gone.ended == 2


async def test_what_waits_is_told_apart_from_what_is_worked_on(
    haproxy: Haproxy, nursery
):
    member = await start_member(nursery)
    balancer = haproxy.balancer(options=ONE_AT_A_TIME)
    await settle(balancer, {"web-1": ready(member.place)}, ours(), serves("web-1"))

    for _ in range(4):
        nursery.start_soon(request, haproxy.ports["web"], "/held")
    busy = await until(balancer, lambda seen: seen.queued == 3)
    member.let_go.set()
    done = await until(balancer, lambda seen: seen.ended == 4)

    assert (busy.in_flight, busy.queued, busy.ended) == (1, 3, 0)
    assert busy.servers["web-1"].sessions == 1
    assert busy.servers["web-1"].limit == 1
    assert busy.queue_ms is not None
    assert (done.in_flight, done.queued, done.queue_ms) == (0, 0, 0.0)


async def test_in_mode_tcp_connections_are_counted(haproxy: Haproxy, nursery):
    member = await start_member(nursery)
    balancer = haproxy.balancer("raw")
    await settle(balancer, {"web-1": ready(member.place)}, ours(), serves("web-1"))

    async with await trio.open_tcp_stream("127.0.0.1", haproxy.ports["raw"]) as stream:
        await stream.send_all(b"GET / HTTP/1.1\r\n\r\n")
        await stream.receive_some(4096)
        held = await until(balancer, lambda seen: seen.in_flight == 1)
    ended = await until(balancer, lambda seen: seen.in_flight == 0)

    assert (held.ended, ended.ended) == (1, 1)
    assert held.servers["web-1"].sessions == 1


async def test_a_reload_is_another_epoch_and_forgets_what_it_works_on(
    haproxy: Haproxy, nursery
):
    member = await start_member(nursery)
    balancer = haproxy.balancer()
    wanted = {"web-1": ready(member.place)}
    await settle(balancer, wanted, ours(), serves("web-1"))
    answers = []

    async def ask_slowly():
        answers.extend(await request(haproxy.ports["web"], "/held"))

    nursery.start_soon(ask_slowly)
    before = await until(balancer, lambda seen: seen.in_flight == 1)
    await haproxy.reload()
    after = await settle(balancer, wanted, ours(), serves("web-1"))
    member.let_go.set()
    await until(balancer, lambda _: answers)

    assert after.epoch != before.epoch
    assert after.up_s is not None
    assert after.in_flight == 0
    assert answers == [b"HTTP/1.1 200 OK"]


async def test_a_killed_haproxy_is_away_and_gets_all_of_it_back(
    haproxy: Haproxy, nursery
):
    member = await start_member(nursery)
    balancer = haproxy.balancer()
    wanted = {"web-1": ready(member.place)}
    await settle(balancer, wanted, ours(), serves("web-1"))

    haproxy.end()
    with pytest.raises(BalancerError) as caught:
        await balancer.observe()
    await haproxy.start()

    assert caught.value.trouble is Trouble.UNREACHABLE
    await settle(balancer, wanted, ours(), serves("web-1"))


async def test_a_stopped_haproxy_is_silent_and_goes_on_when_it_does(
    haproxy: Haproxy, monkeypatch
):
    balancer = haproxy.balancer()

    worker = await haproxy.hang()
    with monkeypatch.context() as patch:
        patch.setattr(runtime_socket, "ANSWER_S", 0.2)
        with pytest.raises(BalancerError, match="does it hang") as caught:
            await balancer.observe()
    os.kill(worker, signal.SIGCONT)

    assert caught.value.trouble is Trouble.SILENT
    assert (await balancer.observe()).servers


async def test_a_wrong_backend_is_told_with_what_helps(haproxy: Haproxy):
    balancer = haproxy.balancer("wob")

    for ask in (balancer.observe, lambda: balancer.perform(Drain("web-1"))):
        with pytest.raises(BalancerError, match="has no backend wob") as caught:
            await ask()
        assert caught.value.trouble is Trouble.NO_BACKEND


async def test_a_level_that_is_too_low_is_told_with_what_helps(haproxy: Haproxy):
    socket = UnixSocket(haproxy.directory / "operator.sock")
    balancer = HaproxyBalancer(socket, "web")

    with pytest.raises(BalancerError, match="`level admin`") as caught:
        await balancer.perform(Add("web-1", NOBODY))

    assert caught.value.trouble is Trouble.FORBIDDEN
    assert (await balancer.observe()).servers


async def test_a_static_balance_is_told_with_what_helps(haproxy: Haproxy):
    with pytest.raises(BalancerError, match="roundrobin, leastconn or random") as (
        caught
    ):
        await haproxy.balancer("fixed").perform(Add("web-1", NOBODY))

    assert caught.value.trouble is Trouble.STATIC_BALANCE


async def test_any_other_refusal_is_told_in_haproxys_words(haproxy: Haproxy):
    options = ServerOptions(words=("bogus",))

    with pytest.raises(BalancerError, match="unknown keyword 'bogus'") as caught:
        await haproxy.balancer(options=options).perform(Add("web-1", NOBODY))

    assert caught.value.trouble is Trouble.REFUSED


async def test_a_server_of_the_operators_is_never_touched(haproxy: Haproxy):
    """HAProxy would delete servers of its configuration just as well."""
    haproxy.configure("server web-1 127.0.0.1:9")
    await haproxy.reload()
    balancer = haproxy.balancer()
    ours_too = ours(Place("127.0.0.1", 10))
    before = await balancer.observe()

    arrangement = arrange({"web-1": ready(Place("127.0.0.1", 10))}, before, ours_too)
    with pytest.raises(BalancerError, match="has a server web/web-1 already"):
        await balancer.perform(Add("web-1", Place("127.0.0.1", 10)))

    assert arrangement.steps == ()
    assert [taken.name for taken in arrangement.taken] == ["web-1"]
    assert (await balancer.observe()).servers["web-1"] == before.servers["web-1"]


async def test_the_runtime_socket_may_be_a_port(haproxy: Haproxy):
    balancer = HaproxyBalancer(TcpSocket("127.0.0.1", haproxy.ports["admin"]), "web")

    assert "activator" in (await balancer.observe()).servers


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.0 400 Bad request\r\n\r\n"])
async def test_what_is_no_haproxy_is_told(nursery, answer):
    balancer = HaproxyBalancer(await serve(nursery, always(answer)), "web")

    with pytest.raises(BalancerError, match="HAProxy's runtime socket") as caught:
        await balancer.observe()

    assert caught.value.trouble is Trouble.UNREADABLE


async def test_an_answer_to_a_change_that_says_nothing_is_told(nursery):
    answer = always(b"HTTP/1.0 400 Bad request\r\n\r\n")
    balancer = HaproxyBalancer(await serve(nursery, answer), "web")

    with pytest.raises(BalancerError, match="Bad request") as caught:
        await balancer.perform(Drain("web-1"))

    assert caught.value.trouble is Trouble.UNREADABLE


def _passed(name):
    return lambda seen: seen.servers[name].health is Health.PASSED


def _only():
    """Claim nothing but what is wanted."""
    return ours(prefix="none-")
