"""HAProxy on loopback in front of a sandbox's unikernels, as a program of ours.

Its backend begins with no server but, if there is one, the activator: who
balances adds the others over the runtime socket.  It needs HAProxy 2.6 or newer
and lives until its task is cancelled.
"""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Literal

import trio
from attrs import frozen

LOOPBACK = "127.0.0.1"
MISSING = (
    "HAProxy is not installed: on Debian and Ubuntu `apt-get install haproxy`, "
    "elsewhere the package haproxy, version 2.6 or newer"
)
# Debian has it where only root looks.
_ALSO_IN = "/usr/sbin:/usr/local/sbin"
_ASK_AGAIN_SECONDS = 0.02
_ENDED_SECONDS = 5.0

_CONFIGURATION = """\
global
    stats socket {socket} mode 600 level admin expose-fd listeners
    # One thread counts connections exactly, and leaves cores to the others.
    nbthread 1
    maxconn 4000
    # An old worker goes on for that long after a reload.
    hard-stop-after 30s

defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    timeout queue 10s
    timeout check 2s
    timeout http-request 10s
    timeout http-keep-alive 30s
    # A member that can't be connected to costs a request nothing but a retry.
    retries 3
    option redispatch 1
    # A reload tells clients that keep connections with their next answer.
    option idle-close-on-response

frontend {backend}-in
    bind {address}:{port}
    default_backend {backend}

backend {backend}
    balance {balance}
    http-reuse safe
    # Servers are checked by connecting to them.  `option httpchk` would need
    # `http-check send-state`, or every check of the activator would wake a member.
{servers}"""

# Its owner may begin after HAProxy, or anew: it is soon seen to be there, and
# while it is away, for up to 5 s, requests are tried again and not refused.
_ACTIVATOR = (
    "    server activator {place} check inter 200ms rise 1 fall 25 backup"
    " pool-max-conn 0\n"
)


@frozen(kw_only=True)
class Options:
    """What HAProxy is to do.

    Attributes:
        directory: Where its configuration and its socket are put.
        port: TCP port on loopback that takes requests; 0: any that is free.
        backend: Its name.
        balance: How it chooses; it has to be one that takes servers which are
            added later.  ``leastconn`` spreads work best, and loves a member
            that is dead and not found to be yet: nobody is connected to it.
            ``roundrobin`` and ``random`` then lose less.
        activator: ``host:port`` of the server that gets what no other can
            take; None: there is none, and such requests are answered by 503.
    """

    directory: Path
    port: int = 0
    backend: str = "web"
    balance: Literal["leastconn", "roundrobin", "random"] = "leastconn"
    activator: str | None = None

    @property
    def socket(self) -> Path:
        """Where the runtime API listens."""
        return self.directory / "haproxy.sock"

    @property
    def master_socket(self) -> Path:
        """Where the process above the workers listens."""
        return self.directory / "haproxy-master.sock"

    @property
    def file(self) -> Path:
        """Where its configuration is."""
        return self.directory / "haproxy.cfg"


@frozen(kw_only=True)
class Haproxy:
    """HAProxy as it runs.

    Attributes:
        port: That takes requests on `LOOPBACK`.
        socket: Where the runtime API listens.
        master_socket: Where the master listens.
        process: Of the master.
    """

    port: int
    socket: Path
    master_socket: Path
    process: int

    @property
    def url(self) -> str:
        """Where requests are taken."""
        return f"http://{LOOPBACK}:{self.port}/"

    async def reload(self) -> None:
        """Begin with a new worker that has read the configuration again.

        It answers on return; servers that were added are gone.
        """
        before = await _worker(self.socket)
        # A master that has just begun, itself or anew, loses what it is told.
        await _until(partial(_ask, self.master_socket, b"show proc"))
        await _ask(self.master_socket, b"reload")
        await _until(partial(_worker, self.socket, but_not=before))


def configuration(options: Options, port: int) -> str:
    """Return the configuration for *options*, with its requests at *port*."""
    servers = (
        "" if options.activator is None else _ACTIVATOR.format(place=options.activator)
    )
    return _CONFIGURATION.format(
        socket=options.socket,
        address=LOOPBACK,
        port=port,
        backend=options.backend,
        balance=options.balance,
        servers=servers,
    )


def find_program() -> str:
    """Return the path of HAProxy.

    Raises:
        FileNotFoundError: It isn't installed; the message says how to.
    """
    found = shutil.which("haproxy") or shutil.which("haproxy", path=_ALSO_IN)
    if found is None:
        raise FileNotFoundError(MISSING)
    return found


async def run_haproxy(
    options: Options,
    *,
    task_status: trio.TaskStatus[Haproxy] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run HAProxy until cancelled; ready when the status is reported.

    Raises:
        FileNotFoundError: It isn't installed; the message says how to.
        OSError: It ended; the message has what it said.
    """
    program = find_program()
    port = options.port or _free_port()
    options.file.write_text(configuration(options, port))
    log = options.directory / "haproxy.log"
    with log.open("wb") as output:
        process = await trio.lowlevel.open_process(
            [program, "-W", "-S", str(options.master_socket), "-f", str(options.file)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Master and workers are a group that can be ended as one.
            start_new_session=True,
        )
    try:
        if await _is_up(process, options.socket):
            task_status.started(
                Haproxy(
                    port=port,
                    socket=options.socket,
                    master_socket=options.master_socket,
                    process=process.pid,
                )
            )
        await process.wait()
        raise OSError(_complaint(log))
    finally:
        await _end(process)


async def _is_up(process: trio.Process, path: Path) -> bool:
    """Wait for an answer at the socket *path*; False: *process* ended first."""
    while process.poll() is None:
        if await _worker(path):
            return True
        await trio.sleep(_ASK_AGAIN_SECONDS)
    return False


async def _until(ask: Callable[[], Awaitable[str]]) -> None:
    """Return once *ask* is answered."""
    while True:
        if await ask():
            return
        await trio.sleep(_ASK_AGAIN_SECONDS)


async def _worker(path: Path, but_not: str = "") -> str:
    """Return the process, other than *but_not*, that answers at *path*."""
    answer = await _ask(path, b"show info")
    lines = dict(line.partition(": ")[::2] for line in answer.splitlines())
    process = lines.get("Pid", "")
    return "" if process == but_not else process


async def _ask(path: Path, command: bytes) -> str:
    """Return what is answered at the socket *path*; nothing, if nobody does."""
    try:
        async with await trio.open_unix_socket(path) as stream:
            await stream.send_all(command + b"\n")
            await stream.send_eof()
            return b"".join([octets async for octets in stream]).decode()
    except (OSError, trio.BrokenResourceError):
        return ""


async def _end(process: trio.Process) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    with trio.move_on_after(_ENDED_SECONDS, shield=True):
        await process.wait()


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _complaint(log: Path) -> str:
    """Return what HAProxy said before it ended, in one line."""
    lines = log.read_text().splitlines()
    alerts = [line for line in lines if line.startswith("[ALERT]")]
    said = alerts[0].partition(" : ")[2] if alerts else "it said nothing"
    return f"HAProxy has ended: {said}"
