"""HAProxy as the sandbox runs it; most of it with the real one."""

import os
import shutil
import socket
from pathlib import Path

import pytest
import trio

from albatross_client.names import Name
from albatross_client.sandbox import haproxy
from albatross_client.sandbox.haproxy import (
    Options,
    configuration,
    find_program,
    run_haproxy,
)
from albatross_client.sandbox.process import ProcessMachine
from albatross_client.sandbox.state import Unikernel
from albatross_client.sandbox.visitors.tally import Outcome
from albatross_client.sandbox.visitors.visit import Target, Visitor
from albatross_client.values import Config, Timestamp
from tests.sandbox_fixtures import loopback_address

PATIENCE_SECONDS = 30
needs_haproxy = pytest.mark.skipif(
    shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin") is None,
    reason="HAProxy is not installed",
)


@pytest.fixture
async def running(nursery, tmp_path):
    with trio.fail_after(PATIENCE_SECONDS):
        yield await nursery.start(run_haproxy, Options(directory=tmp_path))


@pytest.fixture
def member():
    """The address of a unikernel that serves."""
    machine = ProcessMachine(core_share=0.1)
    address = loopback_address()
    config = Config(argv=(f"--ipv4={address}/8",))
    name = Name(("user",), "web")
    machine.start(Unikernel(name, config, b"", Timestamp(0), 1), 0.0)
    yield address
    machine.close()


async def told(path, command):
    """Return what is answered to *command* at the runtime socket *path*."""
    async with await trio.open_unix_socket(path) as stream:
        await stream.send_all(command.encode() + b"\n")
        return b"".join([octets async for octets in stream]).decode()


async def answer(url):
    visitor = Visitor(Target.parse(url))
    try:
        return await visitor.visit(keeps_alive=False)
    finally:
        visitor.close()


def group_of(process):
    """Return what runs in the process group *process*."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # proc(5): state, parent, group
        if int(fields[2]) == process and fields[0] != "Z":
            found.append(stat.parent.name)
    return found


def test_an_activator_is_a_server_of_last_resort(tmp_path):
    options = Options(directory=tmp_path, activator="127.0.0.1:7000")

    lines = configuration(options, 80).splitlines()
    [server] = [line for line in lines if line.startswith("    server ")]

    assert server.startswith("    server activator 127.0.0.1:7000 check ")
    assert server.endswith(" backup pool-max-conn 0")
    assert "backup" not in configuration(Options(directory=tmp_path), 80)


def test_no_check_asks_for_anything_that_would_wake_a_group(tmp_path):
    """A check by HTTP is a request: the activator once held it and woke one."""
    lines = configuration(Options(directory=tmp_path), 80).splitlines()

    assert not [line for line in lines if line.startswith("    option httpchk")]


def test_it_balances_as_it_is_told(tmp_path):
    options = Options(directory=tmp_path, balance="random")

    assert "balance random\n" in configuration(options, 80)
    assert "balance leastconn\n" in configuration(Options(directory=tmp_path), 80)


def test_without_haproxy_it_is_said_how_to_install_it(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(haproxy, "_ALSO_IN", "/nonexistent")

    with pytest.raises(FileNotFoundError, match="apt-get install haproxy"):
        find_program()


@needs_haproxy
async def test_a_server_that_is_added_gets_the_requests(running, member):
    command = f"add server web/one {member}:8080; enable server web/one"
    assert "New server registered" in await told(running.socket, command)

    found = await answer(running.url)
    while found.outcome is Outcome.SERVER_ERROR:
        # The unikernel is still about to listen.
        found = await answer(running.url)

    assert found.body == b"user:web\n"


@needs_haproxy
async def test_without_an_activator_and_a_server_requests_are_refused(running):
    assert (await answer(running.url)).status == 503


@needs_haproxy
async def test_with_no_other_server_the_activator_is_asked(nursery, tmp_path):
    async def activate(stream):
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nawake")
        await stream.aclose()

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, activate, listeners)
    port = listeners[0].socket.getsockname()[1]
    options = Options(directory=tmp_path, activator=f"127.0.0.1:{port}")

    running = await nursery.start(run_haproxy, options)

    assert (await answer(running.url)).body == b"awake"


@needs_haproxy
async def test_a_reload_forgets_the_servers_that_were_added(running, member):
    await told(running.socket, f"add server web/one {member}:8080")

    await running.reload()

    assert "one" not in await told(running.socket, "show servers state web")


@needs_haproxy
async def test_with_its_task_all_of_it_ends(tmp_path):
    class Started:
        def started(self, value=None):
            self.process = value.process
            assert len(group_of(self.process)) == 2
            scope.cancel()

    status = Started()
    with trio.CancelScope() as scope:
        await run_haproxy(Options(directory=tmp_path), task_status=status)

    assert scope.cancelled_caught
    with trio.fail_after(PATIENCE_SECONDS):
        while group_of(status.process):
            await trio.sleep(0.02)


@needs_haproxy
async def test_a_port_that_is_taken_is_told_in_its_words(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(OSError, match=r"HAProxy has ended: .*already in use"):
            await run_haproxy(Options(directory=tmp_path, port=port))
