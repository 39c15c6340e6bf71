"""An activator and a member, each in its own process, for a client to measure.

`spliced` starts both and gives their ports; run as a program it is one of them.
The member says back whatever it hears, one thread per connection.
"""

import argparse
import contextlib
import socket
import socketserver
import subprocess
import sys
from collections.abc import Iterator

import trio

from autoscaler.core.activation import ActivatorSettings
from autoscaler.core.backend import Place
from autoscaler.core.holding import Serving
from autoscaler.shell.log import Log
from autoscaler.shell.traffic.activator import Activator

LOOPBACK = "127.0.0.1"
CHUNK_BYTES = 1024 * 1024


@contextlib.contextmanager
def spliced() -> Iterator[tuple[int, int]]:
    """Give the ports of an activator and of the member behind it."""
    with _child("member") as member, _child("activator", str(member)) as activator:
        yield activator, member


@contextlib.contextmanager
def _child(*arguments: str) -> Iterator[int]:
    command = [sys.executable, "-m", "tests.benchmarks.spliced", *arguments]
    with subprocess.Popen(  # noqa: S603 - ours
        command, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            yield int(child.stdout.readline())
        finally:
            child.terminate()


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        buffer = memoryview(bytearray(CHUNK_BYTES))
        with contextlib.suppress(OSError):
            while filled := self.request.recv_into(buffer):
                self.request.sendall(buffer[:filled])


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 1024


def _echo() -> None:
    with _Server((LOOPBACK, 0), _Echo) as server:
        _tell(server.server_address[1])
        server.serve_forever()


class _One:
    """A group of one member."""

    def __init__(self, port: int) -> None:
        self._target = Serving("only", Place(LOOPBACK, port))

    def ready(self) -> tuple[Serving, ...]:
        return (self._target,)

    def is_waking(self) -> bool:
        return False

    async def changed(self) -> None:
        await trio.sleep_forever()

    def wake(self) -> None:
        """Nothing sleeps."""


async def _activate(member: int) -> None:
    settings = ActivatorSettings(listen=Place(LOOPBACK, 1))
    log = Log(lambda _level, _name, _fields: None)
    listeners = await trio.open_tcp_listeners(0, host=LOOPBACK, backlog=1024)
    _tell(listeners[0].socket.getsockname()[1])
    await Activator("bench", settings, _One(member), log).run(listeners)


def _tell(port: int) -> None:
    print(port, flush=True)  # noqa: T201 - its one line


def main() -> None:
    """Print a port, then serve until terminated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=("member", "activator"))
    parser.add_argument("member", type=int, nargs="?", default=0)
    arguments = parser.parse_args()
    if arguments.role == "member":
        _echo()
    else:
        trio.run(_activate, arguments.member)


if __name__ == "__main__":
    main()
