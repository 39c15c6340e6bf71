"""Fixtures that tests of every folder may ask for."""

from tests.sandbox_fixtures import memory_client, memory_host, tls_sandbox

__all__ = ["memory_client", "memory_host", "tls_sandbox"]
