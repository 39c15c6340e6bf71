"""Tests of what a check finds at a live HAProxy."""

from pathlib import Path

import pytest

from autoscaler.core import haproxy as said
from autoscaler.core.backend import Place
from autoscaler.core.lint import Severity
from autoscaler.shell.traffic.connect import PROBE, Expected, check_connect
from autoscaler.shell.traffic.haproxy import HaproxyBalancer
from autoscaler.shell.traffic.runtime_socket import UnixSocket
from tests.haproxy_fixture import Haproxy
from tests.http_members import start_member
from tests.shell.traffic.listeners import always, serve
from tests.shell.traffic.worlds import ours, until

ANSWER = Path(__file__).parents[2] / "core" / "answers" / "haproxy-2.6.txt"
NOTHING = Expected()


def activator(haproxy, port="activator", **more):
    return Expected(activator=Place("127.0.0.1", haproxy.ports[port]), **more)


@pytest.mark.parametrize("backend", ["web", "raw", "random"])
async def test_a_backend_that_will_do_is_left_as_it_was(haproxy: Haproxy, backend):
    before = await haproxy.balancer(backend).observe()

    assert await check_connect(haproxy.balancer(backend), NOTHING) == ()

    after = await haproxy.balancer(backend).observe()
    assert set(after.servers) == set(before.servers)


@pytest.mark.parametrize(
    ("backend", "socket", "message"),
    [
        pytest.param("wob", "admin.sock", "has no backend wob", id="no backend"),
        pytest.param("web", "gone.sock", "there is no .*gone.sock", id="no socket"),
        pytest.param("web", "operator.sock", "level admin", id="level"),
        pytest.param("fixed", "admin.sock", r"\(it is source\)", id="static balance"),
    ],
)
async def test_what_will_not_do_is_an_error_with_what_helps(
    haproxy: Haproxy, backend, socket, message
):
    balancer = HaproxyBalancer(UnixSocket(haproxy.directory / socket), backend)

    (remark,) = await check_connect(balancer, NOTHING)

    assert remark.severity is Severity.ERROR
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(remark.message)


async def test_a_probe_that_a_killed_check_has_left_is_removed(haproxy: Haproxy):
    balancer = haproxy.balancer()
    target = said.Target("web", PROBE)
    await balancer.change(said.probe_server(target), target)

    assert await check_connect(balancer, NOTHING) == ()
    assert PROBE not in (await balancer.observe()).servers


async def test_a_probe_that_can_not_be_removed_is_told(haproxy: Haproxy):
    haproxy.configure(f"server {PROBE} 127.0.0.1:9")
    await haproxy.reload()

    (remark,) = await check_connect(haproxy.balancer(), NOTHING)

    assert f"del server web/{PROBE}" in remark.message


async def test_an_activator_that_is_in_the_path_is_nothing_to_tell(
    haproxy: Haproxy, nursery
):
    await start_member(nursery, haproxy.ports["activator"])
    await until(haproxy.balancer(), lambda seen: seen.servers["activator"].serves)

    assert await check_connect(haproxy.balancer(), activator(haproxy)) == ()


@pytest.mark.parametrize(
    ("is_running", "severity"), [(True, Severity.ERROR), (False, Severity.HINT)]
)
async def test_an_activator_that_is_down_is_worse_while_it_should_be_up(
    haproxy: Haproxy, is_running, severity
):
    await until(haproxy.balancer(), lambda seen: seen.at)
    expected = activator(haproxy, is_running=is_running)

    (remark,) = await check_connect(haproxy.balancer(), expected)

    assert remark.severity is severity
    assert "would not come to the activator" in remark.message


async def test_an_activator_that_is_missing_is_told_with_its_line(haproxy: Haproxy):
    (remark,) = await check_connect(haproxy.balancer(), activator(haproxy, "admin"))

    assert remark.severity is Severity.ERROR
    assert f"server activator 127.0.0.1:{haproxy.ports['admin']}" in remark.message


async def test_servers_under_names_of_ours_are_told(haproxy: Haproxy):
    haproxy.configure("server web-1 127.0.0.1:9")
    await haproxy.reload()

    (remark,) = await check_connect(haproxy.balancer(), Expected(claim=ours()))

    assert remark.severity is Severity.HINT
    assert "web-1" in remark.message


@pytest.mark.parametrize("version", ["2.5.14", "1.8.0", "dev"])
async def test_a_release_that_is_too_old_is_told(nursery, version):
    answer = ANSWER.read_text().replace("2.6.12-1+deb12u4", version).encode()
    balancer = HaproxyBalancer(await serve(nursery, always(answer)), "web")

    (remark,) = await check_connect(balancer, NOTHING)

    assert remark.message == (f"HAProxy {version} is too old: 2.6 or newer is needed")
