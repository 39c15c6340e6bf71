"""Sandbox hosts for tests: over TLS on loopback, and in memory.

`start_memory_host` and `start_tls_sandbox` take a nursery; the fixtures below
them are what most tests need.
"""

import itertools
import os
from pathlib import Path

import pytest
import trio

from albatross_client.certificates import load_authority, load_certificate
from albatross_client.client import Client
from albatross_client.endpoint import Endpoint
from albatross_client.names import Name
from albatross_client.sandbox.authority import ca_files, domain_files
from albatross_client.sandbox.embed import SANDBOX_IMAGE, Options, Sandbox, run_sandbox
from albatross_client.sandbox.live import LiveHost, Settings
from albatross_client.sandbox.memory import MemoryClient
from albatross_client.sandbox.model import ModelMachine
from albatross_client.values import ResourcePolicy

USER = Name(("user",))
WEB = Name(("user",), "web")
API = Name(("user",), "api")
CLONE = Name(("user",), "web-clone-1")
IMAGE = SANDBOX_IMAGE
USER_POLICY = ResourcePolicy(
    cpuids=frozenset(range(4)),
    unikernels=10,
    memory=512,
    block=100,
    bridges=frozenset({"service"}),
)
# Real sockets need real time: as short as a burst of frames allows.
QUICK = Settings(interval=0.05, policies={USER: USER_POLICY})


_LAST_PARTS = itertools.count(1)


def loopback_address() -> str:
    """Return an address of loopback that no other test has, in any process."""
    process = os.getpid() % (100 * 250)
    return f"127.{process // 250 + 100}.{process % 250}.{next(_LAST_PARTS) % 250}"


async def start_memory_host(nursery: trio.Nursery, settings: Settings) -> LiveHost:
    """Return a host of the model kind that lives as long as *nursery*."""
    host = LiveHost(settings, ModelMachine())
    nursery.start_soon(host.run)
    return host


async def start_tls_sandbox(
    nursery: trio.Nursery, directory: Path, settings: Settings
) -> Sandbox:
    """Return a sandbox with an endpoint that lives as long as *nursery*."""
    options = Options(directory=directory, settings=settings)
    sandbox: Sandbox = await nursery.start(run_sandbox, options)
    return sandbox


def tls_client(sandbox: Sandbox, domain: Name | None = None) -> Client:
    """Return a client with the operator's keys, or with those of *domain*."""
    root = ca_files(sandbox.directory)
    files = root if domain is None else domain_files(sandbox.directory, domain)
    return Client(
        Endpoint(
            host="127.0.0.1",
            port=sandbox.port,
            server_ca=load_certificate(root.certificate),
            authority=load_authority(files.certificate, files.key),
        )
    )


@pytest.fixture
async def memory_host(nursery):
    """A host in memory with the domain ``user``, read every 10 s."""
    return await start_memory_host(nursery, Settings(policies={USER: USER_POLICY}))


@pytest.fixture
async def memory_client(memory_host):
    """The operator's client of `memory_host`."""
    return MemoryClient(memory_host)


@pytest.fixture
async def tls_sandbox(nursery, tmp_path):
    """A sandbox behind TLS with the domain ``user``, read every 50 ms."""
    return await start_tls_sandbox(nursery, tmp_path / "keys", QUICK)
