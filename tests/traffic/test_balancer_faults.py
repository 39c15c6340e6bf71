"""HAProxy fails in every way that it can: nobody is lost, and it is told."""

import os
import signal
import stat

import pytest
import trio

from albatross_client.sandbox.visitors.crowd import Habits, Load
from albatross_client.sandbox.visitors.embed import run_visitors
from tests.haproxy_fixture import needs_haproxy

pytestmark = [needs_haproxy, pytest.mark.slow]

TWO = {
    "groups": {"min_members": 2, "max_members": 4},
    "groups.requests": {"stabilise": "1s", "cooldown_down": "0s"},
    "groups.idle": {"idle_to_min": "1s", "idle_to_zero": "2s", "min_age": "0s"},
    "groups.balancer": {"drain_timeout": "2s"},
}
# root, held to what files say of their owner.
AS_ANYBODY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
# More than any rule needs to act in.
WHILE_S = 4.0


async def two_serve(found, *before):
    town = await found()
    town.configure(TWO)
    await town.start_daemon(*before)
    await town.until_serving(2)
    return town


async def lasts(town):
    """Hold that nobody comes or goes for a while, though fewer are wanted."""
    before, started = town.members, town.started
    await town.reconfigure({"groups": {"min_members": 1}})
    await trio.sleep(WHILE_S)
    assert town.members == before
    assert town.started == started


async def recovers(town):
    """Hold that the group follows what is wanted again, and serves."""
    await town.until_serving(1)
    await town.until(lambda: town.said("balancer_found"))
    await town.reconfigure({"groups": {"min_members": 3}})
    await town.until_serving(3)
    assert town.started == 4


def said(town):
    """Return what the daemon has said of its balancer."""
    events = ("balancer_lost", "server_unchanged", "server_name_taken")
    return "\n".join(line["error"] for event in events for line in town.said(event))


async def test_a_killed_haproxy_costs_no_member_and_gets_all_back(found):
    town = await two_serve(found)

    town.haproxy.end()
    await town.until(lambda: town.said("balancer_lost"))
    await lasts(town)
    await town.haproxy.start()
    await recovers(town)

    assert "nobody listens at" in said(town)


async def test_a_haproxy_that_hangs_costs_no_member(found):
    town = await two_serve(found)

    worker = await town.haproxy.hang()
    await town.until(lambda: town.said("balancer_lost"))
    await lasts(town)
    os.kill(worker, signal.SIGCONT)
    await recovers(town)

    assert "does it hang?" in said(town)


async def test_a_socket_that_may_not_be_opened_is_told(found):
    town = await two_serve(found, *(AS_ANYBODY if os.geteuid() == 0 else ()))

    town.haproxy.admin.path.chmod(0)
    await town.until(lambda: town.said("balancer_lost"))
    await lasts(town)
    town.haproxy.admin.path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    await recovers(town)

    assert "may not be opened by this user" in said(town)


async def test_a_socket_without_the_level_for_changes_is_told(found):
    town = await found()
    town.haproxy.set_up(level="operator")
    await town.haproxy.reload()
    town.configure(TWO)
    await town.start_daemon()

    await town.until(lambda: town.said("server_unchanged"))
    town.haproxy.set_up()
    await town.haproxy.reload()
    await town.until_serving(2)

    assert "give its `stats socket` line `level admin`" in said(town)


async def test_a_wrong_backend_is_told_and_costs_no_member(found):
    town = await two_serve(found)

    await town.reconfigure({"groups.balancer": {"backend": "wbe"}})
    await town.until(lambda: town.said("balancer_lost"))
    await lasts(town)
    await town.reconfigure({"groups.balancer": {"backend": "web"}})
    await recovers(town)

    assert "has no backend wbe" in said(town)


async def test_a_name_that_the_operator_has_taken_is_told_and_left_alone(found):
    town = await found()
    town.haproxy.set_up("    server web-1 127.0.0.9:9\n")
    await town.haproxy.reload()
    town.configure(TWO)
    town.configure({"groups": {"boot_timeout": "3s"}})
    await town.start_daemon()

    await town.until(lambda: town.said("server_name_taken"))
    await town.until_serving(2)
    backend = await town.backend()

    assert backend.servers["web-1"].address == "127.0.0.9"
    assert "the server web-1 at 127.0.0.9 port 9 has a name of ours" in said(town)


async def test_no_request_fails_while_the_daemon_is_away(found, nursery):
    """The group serves on without those who look after it."""
    town = await two_serve(found)
    visitors = await nursery.start(run_visitors, town.target, Habits())
    await visitors.come(Load(rate=50))

    await town.end_daemon(signal.SIGKILL)
    await trio.sleep(2)
    await town.start_daemon()
    await trio.sleep(2)
    tally = await visitors.leave()

    assert tally.requests > 100
    assert not tally.failures
    assert town.started == 2
