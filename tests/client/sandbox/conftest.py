"""Hosts in memory and behind TLS, held to the same promises."""

import pytest

from albatross_client.sandbox.memory import Keys, MemoryClient
from tests.sandbox_fixtures import (
    QUICK,
    USER,
    USER_POLICY,
    start_memory_host,
    start_tls_sandbox,
    tls_client,
)


class Side:
    """A host with its operator's client and that of the domain ``user``."""

    def __init__(self, host, client, user_client):
        self.host = host
        self.client = client
        self.user_client = user_client


@pytest.fixture(params=["memory", "tls"])
async def side(request, nursery, tmp_path):
    if request.param == "memory":
        host = await start_memory_host(nursery, QUICK)
        keys = Keys(domain=USER, chain=((USER, USER_POLICY),))
        return Side(host, MemoryClient(host), MemoryClient(host, keys))
    sandbox = await start_tls_sandbox(nursery, tmp_path, QUICK)
    return Side(sandbox.host, tls_client(sandbox), tls_client(sandbox, USER))
