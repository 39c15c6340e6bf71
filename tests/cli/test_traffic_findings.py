"""What a check finds about balancers and activators."""

import socket

import pytest
import trio

from autoscaler.cli import main
from autoscaler.cli.traffic_findings import found_at_balancers, found_in_traffic
from autoscaler.core.backend import Place
from autoscaler.core.lint import Severity
from autoscaler.shell.configuration.settings import load_settings
from tests.cli.files import GROUP, configuration
from tests.haproxy_fixture import Haproxy
from tests.http_members import start_member
from tests.shell.traffic.worlds import until

POOL = 'address_pool = "10.0.0.10-10.0.0.20"\n'
IDLE = "[groups.idle]\n"
OBSERVE = '#!/bin/sh\necho "{answer}" >&2\nexit {code}\n'


def balancer(where="/run/haproxy/admin.sock", backend="web", more=""):
    table = f'[groups.balancer]\nsocket = "{where}"\nbackend = "{backend}"\nport = 80'
    return f"{table}\n{more}"


def activator(listen="127.0.0.1:9001", more=""):
    return f'[groups.activator]\nlisten = "{listen}"\n{more}'


def settings(directory, *tables, more=""):
    groups = f"{GROUP}{POOL}{more}" + "".join(tables)
    return load_settings(configuration(directory, groups=groups))


def hints(directory, *tables, more=""):
    found = found_in_traffic(settings(directory, *tables, more=more), 4096)
    assert all(each.severity is Severity.HINT for each in found)
    return [str(each) for each in found]


# What the configuration alone tells


def test_usual_settings_leave_nothing_to_say(tmp_path):
    assert hints(tmp_path) == []
    assert hints(tmp_path, balancer()) == []
    assert hints(tmp_path, balancer(), activator(), IDLE) == []


def test_a_drain_that_the_end_of_the_daemon_does_not_wait_for_is_told(tmp_path):
    [hint] = hints(tmp_path, balancer(more='drain_timeout = "10m"\n'))

    assert hint.startswith(
        "hint: group west/user:web: balancer.drain_timeout: 10m is longer than the "
        "daemon waits at its end (shutdown_timeout, 30s)"
    )


def test_an_activator_that_nobody_comes_to_is_told(tmp_path):
    [hint] = hints(tmp_path, balancer(), activator())

    assert "without a [groups.idle] table the group never sleeps" in hint


def test_clients_that_are_sent_away_before_a_boot_is_over_are_told(tmp_path):
    [hint] = hints(tmp_path, balancer(), activator(more='hold_timeout = "5s"\n'), IDLE)

    assert "5s is shorter than a member may take to boot (boot_timeout, 1m)" in hint


def test_more_connections_than_the_user_may_have_are_told(tmp_path):
    read = settings(tmp_path, balancer(), activator(), IDLE)

    [hint] = found_in_traffic(read, 1024)

    assert hint.key == "activator.max_held"
    assert hint.message.startswith(
        "1000 connections that are held need about 2256 file descriptors, and this "
        "user may have 1024: raise LimitNOFILE of the service"
    )
    assert found_in_traffic(read, None) == ()


# What a balancer tells


async def at_balancers(directory, *tables):
    found = await found_at_balancers(settings(directory, *tables))
    return [str(each) for each in found]


async def test_a_group_without_a_balancer_is_not_asked_about(tmp_path):
    assert await at_balancers(tmp_path) == []


async def test_a_balancer_that_is_not_there_is_an_error(tmp_path):
    [error] = await at_balancers(tmp_path, balancer(tmp_path / "gone.sock"))

    assert error.startswith("error: group west/user:web: balancer: there is no ")


async def test_a_backend_that_will_do_leaves_nothing_to_say(haproxy: Haproxy, tmp_path):
    table = balancer(haproxy.directory / "admin.sock")

    assert await at_balancers(tmp_path, table) == []


async def test_a_wrong_backend_is_an_error_and_exit_code_1(
    haproxy: Haproxy, tmp_path, capsys
):
    table = balancer(haproxy.directory / "admin.sock", "wob")
    file = configuration(tmp_path, groups=f"{GROUP}{POOL}{table}")

    code = await trio.to_thread.run_sync(
        main, ["check", "--connect", "--config", str(file)]
    )

    assert code == 1
    assert "balancer: HAProxy at " in capsys.readouterr().err


async def test_a_check_without_a_daemon_says_that_nobody_listens(
    haproxy: Haproxy, tmp_path
):
    listen = Place("127.0.0.1", haproxy.ports["activator"])
    await until(haproxy.balancer(), lambda seen: not seen.servers["activator"].serves)

    behind, nobody = await at_balancers(
        tmp_path,
        balancer(haproxy.directory / "admin.sock"),
        activator(str(listen)),
        IDLE,
    )

    assert behind.startswith("hint: ")
    assert "would not come to the activator" in behind
    assert nobody.startswith("hint: ")
    assert f"nobody listens at {listen}: the daemon does while it runs" in nobody


async def test_a_check_beside_a_daemon_wants_the_activator_in_the_path(
    haproxy: Haproxy, nursery, tmp_path
):
    listen = Place("127.0.0.1", haproxy.ports["activator"])
    await start_member(nursery, listen.port)
    await until(haproxy.balancer(), lambda seen: seen.servers["activator"].serves)
    table = balancer(haproxy.directory / "admin.sock")
    other = Place("127.0.0.1", haproxy.ports["web"])

    assert await at_balancers(tmp_path, table, activator(str(listen)), IDLE) == []

    [error] = await at_balancers(tmp_path, table, activator(str(other)), IDLE)
    assert error.startswith("error: ")
    assert f"add `server activator {other} check" in error


async def test_an_address_that_is_not_ours_is_an_error(tmp_path):
    tables = balancer(tmp_path / "gone.sock"), activator("192.0.2.1:9001"), IDLE

    _, error = await at_balancers(tmp_path, *tables)

    assert error.endswith("can't listen at 192.0.2.1:9001 here (EADDRNOTAVAIL)")


@pytest.mark.parametrize(
    ("answer", "code", "expected"),
    [
        pytest.param("no router", 1, "no router", id="fails"),
        pytest.param("", 0, "", id="says-nothing"),
    ],
)
async def test_hooks_are_asked_once(tmp_path, answer, code, expected):
    hook = tmp_path / "observe"
    hook.write_text(OBSERVE.format(answer=answer, code=code))
    hook.chmod(0o700)
    words = ("observe", "add", "ready", "drain", "rest", "remove")
    hooks = ", ".join(f'{word} = "{hook}"' for word in words)
    table = f'[groups.balancer]\nbackend = "web"\nport = 80\nhooks = {{ {hooks} }}\n'

    [error] = await at_balancers(tmp_path, table)

    assert error.startswith("error: group west/user:web: balancer: ")
    assert expected in error


async def test_hooks_that_answer_leave_nothing_to_say(tmp_path):
    hook = tmp_path / "observe"
    hook.write_text("#!/bin/sh\necho '{\"servers\": []}'\n")
    hook.chmod(0o700)
    words = ("observe", "add", "ready", "drain", "rest", "remove")
    hooks = ", ".join(f'{word} = "{hook}"' for word in words)
    table = f'[groups.balancer]\nbackend = "web"\nport = 80\nhooks = {{ {hooks} }}\n'

    assert await at_balancers(tmp_path, table) == []


async def test_a_check_connects_to_nobody_who_could_be_woken(tmp_path):
    """In mode tcp a connection alone wakes a group."""
    with socket.socket() as gate:
        gate.bind(("127.0.0.1", 0))
        gate.listen()
        gate.setblocking(False)  # noqa: FBT003 - the socket's own form
        listen = f"127.0.0.1:{gate.getsockname()[1]}"

        await at_balancers(
            tmp_path, balancer(tmp_path / "gone.sock"), activator(listen)
        )

        with pytest.raises(BlockingIOError):
            gate.accept()


async def test_a_server_of_another_with_a_members_name_is_told(
    haproxy: Haproxy, tmp_path
):
    haproxy.configure(
        "server web-clone-1 10.9.9.9:80\n    server web-clone-2 10.0.0.12:80"
    )
    await haproxy.reload()
    table = balancer(haproxy.directory / "admin.sock")

    found = await at_balancers(tmp_path, table)

    assert [("web-clone-1" in each, each[:5]) for each in found] == [(True, "hint:")]
