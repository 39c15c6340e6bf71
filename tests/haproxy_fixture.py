"""Debian's HAProxy for tests: on loopback, ended with its test.

Its configuration has one frontend and these backends:

- ``web``: mode http, with the activator as its backup server.
- ``raw``: mode tcp.
- ``fixed``: a static ``balance``.

Tests that need it are skipped where it isn't installed, and the summary of the
run says so (`tell_what_was_skipped`).
"""

import os
import shutil
import signal
import socket
import subprocess
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import trio
from attrs import define

from autoscaler.core.haproxy import ServerOptions
from autoscaler.shell.traffic.balancer import BalancerError
from autoscaler.shell.traffic.haproxy import HaproxyBalancer
from autoscaler.shell.traffic.runtime_socket import UnixSocket, ask

# Debian has it where only root looks.
PROGRAM = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
MISSING = "HAProxy is not installed"
needs_haproxy = pytest.mark.skipif(PROGRAM is None, reason=MISSING)
QUICK = ServerOptions(check_every_ms=50)
START_S = 10.0
PAUSE_S = 0.02

CONFIGURATION = """
global
    stats socket {directory}/admin.sock mode 600 level admin
    stats socket {directory}/operator.sock mode 600 level operator
    stats socket ipv4@127.0.0.1:{ports[admin]} level admin
    hard-stop-after 20s
defaults
    timeout connect 2s
    timeout client 20s
    timeout server 20s
    timeout queue 10s
    mode http
frontend in
    bind 127.0.0.1:{ports[web]}
    default_backend web
frontend raw-in
    mode tcp
    bind 127.0.0.1:{ports[raw]}
    default_backend raw
backend web
    balance roundrobin
    http-reuse {reuse}
    option httpchk GET /
    {servers}
    server activator 127.0.0.1:{ports[activator]} backup check inter 50ms rise 1
backend raw
    mode tcp
    balance leastconn
backend random
    balance random
backend fixed
    balance source
    server first 127.0.0.1:{ports[activator]}
"""


@define
class Haproxy:
    """An HAProxy that runs, with a master that can reload it.

    Attributes:
        directory: Of its configuration and sockets.
        ports: ``web`` and ``raw`` take requests, ``admin`` commands;
            ``activator`` is where a backup server is expected.
        process: The master.
    """

    directory: Path
    ports: dict[str, int]
    process: subprocess.Popen[bytes] | None = None

    @property
    def admin(self) -> UnixSocket:
        return UnixSocket(self.directory / "admin.sock")

    def balancer(
        self, backend: str = "web", options: ServerOptions = QUICK
    ) -> HaproxyBalancer:
        return HaproxyBalancer(self.admin, backend, options)

    def configure(self, servers: str = "", reuse: str = "safe") -> None:
        """Write a configuration whose backend ``web`` has *servers* as well."""
        text = CONFIGURATION.format(
            directory=self.directory, ports=self.ports, servers=servers, reuse=reuse
        )
        (self.directory / "haproxy.cfg").write_text(text)

    async def start(self) -> None:
        """Return once it answers."""
        assert PROGRAM is not None
        arguments = (PROGRAM, "-W", "-S", self.directory / "master.sock")
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: ASYNC220, S603 - ours
                (*arguments, "-f", self.directory / "haproxy.cfg"),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        await self._answers(but_not=None)

    async def worker(self) -> int:
        """Return the process that answers now."""
        answer = await ask(self.admin, "show info")
        lines = dict(line.partition(": ")[::2] for line in answer.splitlines())
        return int(lines["Pid"])

    async def reload(self) -> None:
        """Return once a new worker answers; it knows no added servers."""
        before = await self.worker()
        await self._tell_master("reload")
        await self._answers(but_not=before)

    async def _tell_master(self, line: str) -> None:
        """Return once the master has read *line*.

        Right after a start or a reload it begins itself anew: it doesn't
        listen, and a signal would be lost.
        """
        with trio.fail_after(START_S):
            while True:
                try:
                    await ask(UnixSocket(self.directory / "master.sock"), line)
                except BalancerError:
                    await trio.sleep(PAUSE_S)
                else:
                    return

    async def hang(self) -> int:
        """Stop the worker, and return its process once it does nothing."""
        worker = await self.worker()
        os.kill(worker, signal.SIGSTOP)
        with trio.fail_after(START_S):
            while not _is_stopped(worker):
                await trio.sleep(PAUSE_S)
        return worker

    def end(self) -> None:
        """End all of it."""
        if self.process is None:
            return
        # The group that this process began: the master and its workers.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    async def _answers(self, but_not: int | None) -> None:
        with trio.move_on_after(START_S):
            while True:
                try:
                    if await self.worker() != but_not:
                        return
                except BalancerError:
                    assert self.process is not None
                    assert self.process.poll() is None, self.log()
                await trio.sleep(PAUSE_S)
        raise AssertionError(self.log())

    def log(self) -> str:
        return (self.directory / "log").read_text()


def _is_stopped(process: int) -> bool:
    # proc(5), stat - the state comes after the name; T is stopped.
    threads = Path(f"/proc/{process}/task").iterdir()
    texts = [(thread / "stat").read_text() for thread in threads]
    return all(text.rpartition(") ")[2].startswith("T") for text in texts)


@contextmanager
def free_ports(*names: str):
    """Give a free port of loopback for each of *names*."""
    sockets = {name: socket.socket() for name in names}
    for each in sockets.values():
        each.bind(("127.0.0.1", 0))
    ports = {name: each.getsockname()[1] for name, each in sockets.items()}
    for each in sockets.values():
        each.close()
    yield ports


@asynccontextmanager
async def running_haproxy(directory: Path):
    """Give an HAProxy that runs, to a test that `needs_haproxy`."""
    with free_ports("web", "raw", "admin", "activator") as ports:
        running = Haproxy(directory, ports)
        running.configure()
        try:
            await running.start()
            yield running
        finally:
            running.end()


@pytest.fixture
def haproxy_program():
    """Skip the test where there is no HAProxy.

    It is no coroutine: what skips in one loses its reason.
    """
    if PROGRAM is None:
        pytest.skip(MISSING)


@pytest.fixture
async def haproxy(haproxy_program, tmp_path):
    """An HAProxy of the test's own, that runs."""
    async with running_haproxy(tmp_path) as running:
        yield running


def tell_what_was_skipped(terminal) -> None:
    """Say in the summary what was not tried without HAProxy."""
    skipped = [
        report
        for report in terminal.stats.get("skipped", [])
        if MISSING in str(report.longrepr)
    ]
    if skipped:
        terminal.write_sep("!", "not everything was tried", red=True)
        terminal.write_line(
            f"{MISSING}: {len(skipped)} tests of load balancing were skipped. "
            "On Debian: apt-get install haproxy",
            red=True,
        )
