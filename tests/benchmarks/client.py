"""The client against hosts in processes of their own: commands and a stream."""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter, process_time

import trio

from albatross_client.certificates import load_authority, load_certificate
from albatross_client.client import Client
from albatross_client.endpoint import Endpoint
from albatross_client.errors import HostUnreachableError
from albatross_client.names import ROOT, Name
from albatross_client.sandbox.authority import Files, ca_files, domain_files
from albatross_client.values import Config
from tests.benchmarks import ROUNDS, Result, at_least, at_most
from tests.benchmarks.apart import apart
from tests.benchmarks.firehose import firehose

IMAGE = b"\x7fELF" + bytes(range(256)) * 390
CREATES = 30
UNIKERNELS = 100
TICKS = 600
MS_PER_S = 1000
MAIN = "import sys; from albatross_client.cli import main; sys.exit(main())"


def run() -> Iterable[Result]:
    """Yield the latency of commands and the rate of a stream."""
    with tempfile.TemporaryDirectory() as directory:
        yield from trio.run(_latencies, Path(directory))
    walls, cpus = zip(*(_stream_rate() for _ in range(ROUNDS)), strict=True)
    yield at_least(
        "frames heard, one TLS record each", "frames/s of wall time", walls, 30_000
    )
    yield Result("the same", "frames/s of CPU time", cpus)


async def _latencies(directory: Path) -> list[Result]:
    size = f"image of {len(IMAGE)} bytes"
    with sandbox(directory, []) as port:
        files = domain_files(directory, Name(("user",)))
        of_domain, infos = await _commands(client_of(directory, port, files))
        of_root, root_infos = await _commands(client_of(directory, port))
    return [
        at_most(f"create, {size}", "ms", of_domain, 10),
        at_most("the same with a root key: policy read, create", "ms", of_root, 10),
        Result("info", "ms", infos),
        Result("the same with a root key", "ms", root_infos),
    ]


async def _commands(client: Client) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return how long creates take, and infos, in milliseconds."""
    creates, infos = [], []
    # The first pays for imports and caches, as a daemon's first does.
    for number in range(CREATES + 1):
        name = Name(("user",), f"web-clone-{number}")
        started = perf_counter()
        await client.create(name, Config(), IMAGE)
        creates.append((perf_counter() - started) * MS_PER_S)
        started = perf_counter()
        await client.info(name)
        infos.append((perf_counter() - started) * MS_PER_S)
        await client.destroy(name)
    return tuple(creates[1:]), tuple(infos[1:])


def _stream_rate() -> tuple[float, float]:
    with (
        tempfile.TemporaryDirectory() as directory,
        firehose(Path(directory), UNIKERNELS, TICKS) as port,
    ):
        return trio.run(_hear_all, client_of(Path(directory), port))


async def _hear_all(client: Client) -> tuple[float, float]:
    """Return the frames of a whole stream per second of wall and CPU time."""
    async with await client.stats(ROOT) as stream:
        await stream.receive()
        heard, wall, cpu = 0, perf_counter(), process_time()
        with contextlib.suppress(HostUnreachableError):
            while True:
                await stream.receive()
                heard += 1
    assert heard == UNIKERNELS * TICKS - 1
    return heard / (perf_counter() - wall), heard / (process_time() - cpu)


@contextlib.contextmanager
def sandbox(directory: Path, options: list[str]) -> Iterator[int]:
    """Run a sandbox host with *options* on its own core, and give its port."""
    policy = "user=unikernels:2000,memory:100000,cpuids:0-63"
    options = ["--kind", "model", "--policy", policy, *options]
    command = [sys.executable, "-c", MAIN, "sandbox", "--directory", str(directory)]
    with subprocess.Popen(  # noqa: S603 - ours
        [*command, *options], stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            address, _, _ = child.stdout.readline().partition(",")
            with apart(child.pid):
                yield int(address.rpartition(":")[2])
        finally:
            child.terminate()


def client_of(directory: Path, port: int, files: Files | None = None) -> Client:
    """Return a client with the keys in *files*, the operator's by default."""
    server_ca = ca_files(directory).certificate
    files = files or ca_files(directory)
    return Client(
        Endpoint(
            host="127.0.0.1",
            port=port,
            server_ca=load_certificate(server_ca),
            authority=load_authority(files.certificate, files.key),
        )
    )
