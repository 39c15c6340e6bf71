"""Unikernels that are processes: what the kernel counts."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import trio

from albatross_client.names import ROOT
from albatross_client.sandbox import burner, faults
from albatross_client.sandbox.demand import Demand, Load
from albatross_client.sandbox.embed import Options, run_sandbox
from albatross_client.sandbox.live import LiveHost, Settings
from albatross_client.sandbox.memory import MemoryClient
from albatross_client.sandbox.process import ProcessMachine
from albatross_client.sandbox.state import Unikernel
from albatross_client.values import Config, RestartOnExit, Timestamp
from tests.sandbox_fixtures import (
    CLONE,
    IMAGE,
    USER,
    USER_POLICY,
    WEB,
    loopback_address,
)

CORE_SHARE = 0.1
MEASURED_SECONDS = 0.8
# About twice what an interpreter burns until it is up, as told.
START_US = 600_000


def a_unikernel(process=1):
    return Unikernel(WEB, Config(image=IMAGE), b"", Timestamp(0), process)


def a_serving_unikernel(address, process=1):
    config = Config(image=IMAGE, argv=(f"--ipv4={address}/8",))
    return Unikernel(WEB, config, b"", Timestamp(0), process)


def connected(address):
    """Return a connection to the unikernel at *address*, once it listens."""
    for _ in range(2000):
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection((address, 8080), timeout=20)
        time.sleep(0.01)
    pytest.fail("nobody listens")


def load(cores):
    return Load(Demand.constant(cores), since=0.0, members=1, cpus=1.0)


def children():
    """Return the children of this process, those that nobody waited for too."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def kill(pids):
    """Kill processes of this one, and leave them to be waited for."""
    for pid in pids:
        os.kill(int(pid), signal.SIGKILL)
        os.waitid(os.P_PID, int(pid), os.WEXITED | os.WNOWAIT)


@pytest.fixture
def machine():
    machine = ProcessMachine(CORE_SHARE)
    yield machine
    machine.close()


@pytest.fixture
async def process_host(nursery, machine):
    settings = Settings(interval=0.1, policies={USER: USER_POLICY})
    host = LiveHost(settings, machine)
    nursery.start_soon(host.run)
    return host


def measured(machine, process=1):
    """Return the share of a core that *process* tells, over a second."""
    first, began = machine.read(process, 0.0), time.monotonic()
    time.sleep(MEASURED_SECONDS)
    last, ended = machine.read(process, 0.0), time.monotonic()
    assert first is not None
    assert last is not None
    return (last.cpu_us - first.cpu_us) / 1e6 / (ended - began)


def test_half_a_core_of_demand_is_told_as_about_half_a_core(machine):
    machine.start(a_unikernel(), 0.0)
    machine.burn(1, load(0.5), 0.0)
    _wait_until_it_burns(machine)

    assert measured(machine) == pytest.approx(0.5, abs=0.25)


def test_a_new_demand_takes_the_place_of_the_old(machine):
    machine.start(a_unikernel(), 0.0)
    machine.burn(1, load(1.0), 0.0)
    _wait_until_it_burns(machine)
    busy = measured(machine)

    machine.burn(1, load(0.0), 0.0)
    time.sleep(0.1)

    assert measured(machine) < busy / 4


def _wait_until_it_burns(machine):
    """Wait until more is told than the interpreter's start takes."""
    for _ in range(1000):
        if machine.read(1, 0.0).cpu_us > START_US:
            return
        time.sleep(0.01)
    pytest.fail("the burner does not burn")


def test_the_kernels_counters_are_read(machine):
    machine.start(a_unikernel(), 0.0)
    machine.burn(1, load(0.5), 0.0)
    _wait_until_it_burns(machine)

    counters = machine.read(1, 0.0)

    assert counters.cpu_us > 0
    assert counters.minflt > 100
    assert counters.nvcsw > 0
    assert 100 < counters.rss_pages < 10_000
    assert counters.vsize > counters.rss_pages * 4096


def test_a_stopped_process_is_gone_and_reports_no_exit(machine):
    machine.start(a_unikernel(), 0.0)
    assert len(children()) == 1

    machine.stop(1)

    assert children() == []
    assert machine.exits() == ()
    assert machine.read(1, 0.0) is None


def test_a_process_that_ends_by_itself_is_reported_once_with_its_code(machine):
    machine.start(a_unikernel(), 0.0)
    machine.start(a_unikernel(2), 0.0)
    kill(children()[:1])
    machine.kill(2, 64)

    exits = machine.exits()

    assert sorted(exits) == [(1, -signal.SIGKILL), (2, 64)]
    assert machine.exits() == ()


def test_a_process_that_is_no_more_cannot_be_read(machine):
    machine.start(a_unikernel(), 0.0)
    (pid,) = children()
    kill([pid])
    os.waitpid(int(pid), 0)

    assert machine.read(1, 0.0) is None


def test_closing_leaves_no_child(machine):
    for process in range(1, 4):
        machine.start(a_unikernel(process), 0.0)

    machine.close()

    assert children() == []


def test_what_is_unknown_is_let_be(machine):
    machine.stop(9)
    machine.kill(9, 1)
    machine.burn(9, load(1.0), 0.0)

    assert machine.read(9, 0.0) is None


def test_a_unikernel_can_burn_one_core(machine):
    assert machine.cpus(a_unikernel()) == 1.0


def test_a_burner_ends_with_its_standard_input():
    child = subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-I", "-S", burner.__file__], stdin=subprocess.PIPE
    )
    assert child.stdin is not None
    child.stdin.write(b"0.5\n")
    child.stdin.flush()

    child.stdin.close()

    assert child.wait(10) == 0


def test_a_burner_ends_when_its_parent_is_killed():
    script = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-IS', {burner.__file__!r}],"
        " stdin=subprocess.PIPE)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-c", script], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    grandchild = parent.stdout.readline().decode().strip()
    watch = os.pidfd_open(int(grandchild))

    parent.kill()
    parent.wait(10)
    parent.stdout.close()

    ended, _, _ = select.select([watch], [], [], 10)
    os.close(watch)
    assert ended


def test_a_burner_reads_shares_in_any_pieces_and_ends_at_the_end():
    source, sink = os.pipe()
    thread = threading.Thread(target=burner.main, args=(source,))
    thread.start()

    for piece in (b"0.5\n0.", b"25\n", b"0", b"\n"):
        os.write(sink, piece)
        time.sleep(0.03)
    os.close(sink)

    thread.join(10)
    os.close(source)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("asked", "burned"),
    [(0.005, 0.005), (9.0, burner.PERIOD_SECONDS), (-1.0, 0.0)],
    ids=["less than a period", "more than a period", "nothing"],
)
def test_burning_takes_the_time_it_was_told_or_a_period(asked, burned):
    before = time.process_time()

    burner.burn(asked)

    rounding = 1e-9
    assert time.process_time() - before > burned - rounding


def test_a_unikernel_with_an_address_serves_http_there(machine):
    address = loopback_address()
    machine.start(a_serving_unikernel(address), 0.0)

    with connected(address) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"user:web\n")


def test_what_the_kernel_counts_includes_the_work_of_requests(machine):
    address = loopback_address()
    machine.start(a_serving_unikernel(address), 0.0)
    with connected(address) as client:
        before = machine.read(1, 0.0)

        client.sendall(b"GET /work?ms=1000 HTTP/1.0\r\n\r\n")
        client.recv(1)
        after = machine.read(1, 0.0)

    assert before is not None
    assert after is not None
    # All but a small credit of the interpreter's is a second.
    assert after.cpu_us - before.cpu_us > 700_000


def test_a_stop_resets_the_connections_of_requests_that_are_worked_at(machine):
    address = loopback_address()
    machine.start(a_serving_unikernel(address), 0.0)

    with connected(address) as client, connected(address) as other:
        client.sendall(b"GET /work?ms=60000 HTTP/1.0\r\n\r\n")
        # Once this is answered, what came before has been read.
        other.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        other.recv(1)
        machine.stop(1)

        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, 8080))


def test_a_unikernel_that_cannot_have_its_address_exits_and_says_why(machine, capfd):
    address = loopback_address()
    with socket.create_server((address, 8080)):
        machine.start(a_serving_unikernel(address), 0.0)
        (pid,) = children()
        os.waitid(os.P_PID, int(pid), os.WEXITED | os.WNOWAIT)

    assert machine.exits() == ((1, 1),)
    assert f"can't serve at {address}, port 8080" in capfd.readouterr().err


async def test_a_host_of_processes_tells_what_the_kernel_counts(process_host):
    process_host.create(WEB, Config(image=IMAGE))
    process_host.set_demand(WEB, Demand.constant(0.5))
    client = MemoryClient(process_host)

    async with await client.stats(ROOT) as stream:
        samples = [(await stream.receive()).sample for _ in range(8)]
    await client.destroy(WEB)

    times = [sample.cpu_us for sample in samples]
    assert times == sorted(times)
    assert times[-1] > times[0]
    assert all(each % 10_000 == 0 for each in times)
    assert children() == []


async def test_a_killed_process_comes_back_as_its_fail_behaviour_says(process_host):
    process_host.create(WEB, Config(image=IMAGE, fail_behaviour=RestartOnExit()))
    process_host.create(CLONE, Config(image=IMAGE))
    before = children()

    kill(before)
    listed = await MemoryClient(process_host).info(ROOT)

    assert list(listed) == [WEB]
    assert len(children()) == 1
    assert not set(children()) & set(before)


async def test_a_fault_kills_the_process(process_host):
    process_host.create(WEB, Config(image=IMAGE))

    process_host.strike(faults.Killed(WEB))

    assert children() == []
    assert process_host.state.unikernels == {}


async def test_a_cancelled_sandbox_leaves_no_child(tmp_path, nursery):
    options = Options(
        directory=tmp_path,
        kind="process",
        settings=Settings(policies={USER: USER_POLICY}),
        unikernels={WEB: Config(), CLONE: Config()},
    )
    with trio.CancelScope() as scope:
        await run_sandbox(options, task_status=_CancelOnceStarted(scope))

    assert scope.cancelled_caught
    assert children() == []


class _CancelOnceStarted:
    """A task status that cancels *scope* once both children run."""

    def __init__(self, scope):
        self._scope = scope

    def started(self, value=None):
        assert len(children()) == 2
        self._scope.cancel()
