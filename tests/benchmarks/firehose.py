"""A statistics stream as fast as a client can read it, from its own process.

A host that makes frames while it sends them would be measured along with the
client.  This one has them encoded beforehand, and does nothing but write TLS
records, one per frame as hosts do, to the one client that comes.

`firehose` starts one and gives its port; run as a program it is one.
"""

import argparse
import contextlib
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from albatross_client.certificates import wall_clock
from albatross_client.framing import frame
from albatross_client.names import ROOT, Name
from albatross_client.replies import (
    Header,
    Said,
    StatsData,
    Wire,
)
from albatross_client.sandbox.authority import (
    ca_files,
    load_or_make_ca,
    make_server,
    server_files,
    write,
)
from albatross_client.values import (
    US_PER_S,
    InterfaceStats,
    KinfoMem,
    Rusage,
    Stats,
    Timeval,
)
from albatross_client.wire import encode

LOOPBACK = "127.0.0.1"
# Of each unikernel and tick: half a core at an interval of 10 s.
CPU_SECONDS_PER_TICK = 5
# What is handed to the kernel at once; each frame is a record of its own.
BURST_BYTES = 65_536

# Values that stand nowhere else in a frame.
_SECONDS, _RUNTIME = 0x5EC05EC05EC05EC0, 0x52554E5449AE4552
_STATS = Stats(
    rusage=Rusage(
        utime=Timeval(_SECONDS, 0), stime=Timeval(0, 0), minflt=200, nvcsw=10, nivcsw=5
    ),
    interfaces=(InterfaceStats(bridge="service", input_packets=10, output_packets=10),),
    kinfo=KinfoMem(rss=8192, runtime=_RUNTIME),
)


@contextlib.contextmanager
def firehose(directory: Path, unikernels: int, ticks: int) -> Iterator[int]:
    """Start a firehose and give its port; it ends with the context.

    It sends one frame for each of *unikernels* and *ticks*, then says goodbye.
    The keys are the operator's in *directory*, made if there are none.
    """
    load_or_make_ca(directory, wall_clock())
    command = [sys.executable, "-m", "tests.benchmarks.firehose"]
    options = [str(directory), str(unikernels), str(ticks)]
    with subprocess.Popen(  # noqa: S603 - ours
        [*command, *options], stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            yield int(child.stdout.readline())
        finally:
            child.terminate()


def encoded_frames(unikernels: int, ticks: int) -> list[bytes]:
    """Return the frames of *ticks* bursts, CPU time growing by half a core.

    Names are those of a subscription at the root, in descending order.  A
    frame is encoded once; per tick only its two cells of CPU time differ.
    """
    templates = [
        frame(encode(Wire(Header(Name(("user",), f"u{number:04}")), StatsData(_STATS))))
        for number in reversed(range(unikernels))
    ]
    return [
        template.replace(
            _cell(_SECONDS), _cell(tick * CPU_SECONDS_PER_TICK), 1
        ).replace(_cell(_RUNTIME), _cell(tick * CPU_SECONDS_PER_TICK * US_PER_S), 1)
        for tick in range(ticks)
        for template in templates
    ]


def _cell(value: int) -> bytes:
    """Return the content of a 64-bit cell."""
    return value.to_bytes(8, "big", signed=True)


def main() -> None:
    """Print a port, then serve one client."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("unikernels", type=int)
    parser.add_argument("ticks", type=int)
    arguments = parser.parse_args()
    context = _context(arguments.directory)
    frames = encoded_frames(arguments.unikernels, arguments.ticks)
    with socket.create_server((LOOPBACK, 0)) as listener:
        print(listener.getsockname()[1], flush=True)  # noqa: T201 - its one line
        connection, _ = listener.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _pour(connection, context, frames)


def _context(directory: Path) -> ssl.SSLContext:
    now = wall_clock()
    files = server_files(directory)
    write(files, make_server(load_or_make_ca(directory, now), now))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    context.load_cert_chain(files.certificate, files.key)
    context.load_verify_locations(ca_files(directory).certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _pour(
    connection: socket.socket, context: ssl.SSLContext, frames: list[bytes]
) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=True)
    while not _shaken_hands(tls):
        connection.sendall(outgoing.read())
        incoming.write(connection.recv(BURST_BYTES))
    greeting = Wire(Header(ROOT, 21), Said("subscribed"))
    tls.write(frame(encode(greeting)))
    for each in frames:
        tls.write(each)
        if outgoing.pending >= BURST_BYTES:
            connection.sendall(outgoing.read())
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.unwrap()
    connection.sendall(outgoing.read())


def _shaken_hands(tls: ssl.SSLObject) -> bool:
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


if __name__ == "__main__":
    main()
