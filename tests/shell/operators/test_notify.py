"""What systemd is told, over the sockets that it would read."""

import os
import re
import socket
import time

import pytest
import trio

from autoscaler.shell.operators.notify import Notifier, keep_notified, notifier
from autoscaler.shell.operators.service import for_systemd
from tests.shell.harness import GROUP, Wish, make_world


@pytest.fixture(params=["a path", "an abstract name"])
def systemd(request, tmp_path):
    """The socket of a service manager, and what NOTIFY_SOCKET says of it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.settimeout(0)
        if request.param == "a path":
            heard.bind(str(tmp_path / "notify"))
            yield heard, str(tmp_path / "notify")
        else:
            name = f"autoscaler-test-{os.getpid()}-{tmp_path.name}"
            heard.bind(f"\0{name}")
            yield heard, f"@{name}"


def said(heard):
    messages = []
    while True:
        try:
            messages.append(heard.recv(4096).decode())
        except BlockingIOError:
            return messages


def test_every_word_is_one_datagram(systemd):
    heard, address = systemd
    to = notifier({"NOTIFY_SOCKET": address})

    to.ready()
    to.alive()
    to.status("2 groups")
    to.stopping()

    assert said(heard) == ["READY=1", "WATCHDOG=1", "STATUS=2 groups", "STOPPING=1"]


def test_a_reload_is_dated_by_the_clock_of_systemd(systemd):
    heard, address = systemd
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)

    notifier({"NOTIFY_SOCKET": address}).reloading()

    [message] = said(heard)
    found = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", message)
    assert found is not None
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    assert before // 1000 <= int(found[1]) <= after // 1000


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({}, id="nobody"),
        pytest.param({"NOTIFY_SOCKET": ""}, id="empty"),
        pytest.param({"NOTIFY_SOCKET": "vsock:2:1234"}, id="of a kind we don't know"),
    ],
)
def test_where_nobody_listens_nothing_is_said(environment):
    to = notifier(environment)

    to.ready()

    assert to == Notifier()


def test_a_manager_that_is_gone_or_full_ends_nothing(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        full = Notifier(str(tmp_path / "notify"))
        for _ in range(10_000):
            full.alive()
        heard.settimeout(0)
        queued = said(heard)

    full.alive()
    assert 0 < len(queued) < 10_000


@pytest.mark.parametrize(
    ("environment", "watchdog"),
    [
        pytest.param({"WATCHDOG_USEC": "30000000"}, 30.0, id="without a process"),
        pytest.param(
            {"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())},
            0.5,
            id="for us",
        ),
        pytest.param(
            {"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, None, id="for another"
        ),
        pytest.param({"WATCHDOG_USEC": "soon"}, None, id="no number"),
        pytest.param({"WATCHDOG_USEC": "0"}, None, id="none"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_the_watchdog_is_what_systemd_says(environment, watchdog):
    to = notifier({"NOTIFY_SOCKET": "/run/notify", **environment})

    assert to == Notifier("/run/notify", watchdog)


async def test_the_watchdog_is_fed_thrice_in_its_time_while_ticks_go_on(
    autojump_clock, nursery, systemd
):
    heard, address = systemd
    world = await make_world(nursery, Wish())
    told = Notifier(address, watchdog=6.0)
    nursery.start_soon(keep_notified, told, world.daemon.fleet, lambda: False)

    for _ in range(50):
        await trio.sleep(2.5)

        assert "WATCHDOG=1" in said(heard)


async def test_the_watchdog_is_fed_where_no_group_ever_ticks(
    autojump_clock, nursery, systemd
):
    heard, address = systemd
    world = await make_world(nursery, Wish())
    world.daemon.fleet.remove(GROUP)
    told = Notifier(address, watchdog=6.0)
    nursery.start_soon(keep_notified, told, world.daemon.fleet, lambda: False)

    for _ in range(50):
        await trio.sleep(2.5)

        assert "WATCHDOG=1" in said(heard)


async def test_a_ticker_that_is_gone_starves_the_watchdog(
    autojump_clock, nursery, systemd
):
    heard, address = systemd
    world = await make_world(nursery, Wish())
    told = Notifier(address, watchdog=6.0)
    nursery.start_soon(keep_notified, told, world.daemon.fleet, lambda: False)
    await trio.sleep(5)
    await world.kill()
    # What went on just before still counts for one more time.
    await trio.sleep(2.5)
    fed = said(heard)

    await trio.sleep(30)

    assert "WATCHDOG=1" in fed
    assert "WATCHDOG=1" not in said(heard)


async def test_the_status_tells_how_the_fleet_is(autojump_clock, nursery, systemd):
    heard, address = systemd
    world = await make_world(nursery, Wish())
    fleet = world.daemon.fleet
    nursery.start_soon(keep_notified, Notifier(address), fleet, lambda: False)

    await trio.sleep(95)
    earlier = said(heard)
    await trio.sleep(10)

    assert earlier != []
    assert said(heard)[-1] == (
        "STATUS=groups: 1, clones: 0, actions in flight: 0, streams up: 1 of 1"
    )


async def test_a_start_and_an_end_are_told_once_each(autojump_clock, nursery, systemd):
    heard, address = systemd
    world = await make_world(nursery, Wish())
    for companion in for_systemd(world.daemon, Notifier(address)):
        nursery.start_soon(companion)
    await trio.sleep(25)

    world.daemon.stop()
    await world.ended.wait()
    await trio.sleep(25)

    words = said(heard)
    assert words[0] == "READY=1"
    assert words.count("READY=1") == words.count("STOPPING=1") == 1
    # A status after that would hide that it ends.
    ending = words[words.index("STOPPING=1") :]
    assert not any(word.startswith("STATUS") for word in ending)
