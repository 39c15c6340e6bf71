"""Visitors in a process of their own."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
import trio

from albatross_client.sandbox.visitors import child
from albatross_client.sandbox.visitors.crowd import Habits, Load
from albatross_client.sandbox.visitors.embed import run_visitors
from albatross_client.sandbox.visitors.tally import Second
from albatross_client.sandbox.visitors.visit import Target

PATIENCE_SECONDS = 60
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
async def target(nursery):
    """Where everything is answered."""

    async def serve(stream):
        async for octets in stream:
            await stream.send_all(OK * octets.count(b"\r\n\r\n"))

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, serve, listeners)
    return Target(host="127.0.0.1", port=listeners[0].socket.getsockname()[1])


def children():
    """Return the children of all threads: trio begins processes in others."""
    tasks = Path("/proc/self/task").glob("*/children")
    return [pid for task in tasks for pid in task.read_text().split()]


async def test_they_come_and_leave_as_told(nursery, target):
    with trio.fail_after(PATIENCE_SECONDS):
        visitors = await nursery.start(run_visitors, target, Habits(keep_alive=1.0))
        assert visitors.latest is None
        await visitors.come(Load(visitors=2))
        while visitors.tally.answered < 100:
            await trio.sleep(0.02)
        tally = await visitors.leave()

    assert tally.answered >= 100
    assert not tally.failures
    assert visitors.latest == visitors.seconds[-1]
    assert visitors.seconds[-1].waiting == 0


class _Started:
    """A task status that does something once the process runs."""

    def __init__(self, act):
        self._act = act

    def started(self, value=None):
        assert len(children()) == 1
        self._act()


async def test_with_the_task_their_process_ends(target):
    with trio.CancelScope() as scope:
        await run_visitors(target, Habits(), task_status=_Started(scope.cancel))

    assert scope.cancelled_caught
    assert children() == []


async def test_a_process_that_breaks_is_an_error(target):
    def kill():
        (pid,) = children()
        os.kill(int(pid), signal.SIGKILL)

    with pytest.raises(subprocess.CalledProcessError):
        await run_visitors(target, Habits(), task_status=_Started(kill))


def test_the_child_reads_what_its_parent_writes(monkeypatch, capfd):
    """The same as above, in this process."""
    source, sink = os.pipe()
    os.write(sink, child.load_line(Load(rate=1)) + child.load_line(Load()))
    os.close(sink)
    with os.fdopen(source) as lines:
        monkeypatch.setattr("sys.stdin", lines)
        habits = Habits(patience=2.0)
        child.main(child.arguments_of(Target(host="127.0.0.1", port=1), habits))

    (line,) = capfd.readouterr().out.splitlines()
    second = Second.of_line(line)
    assert second.number == 0
    assert second.waiting == 0
