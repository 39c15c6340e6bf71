"""Fixtures and settings for the tests of every folder."""

import os

from hypothesis import settings

from tests.sandbox_fixtures import memory_client, memory_host, tls_sandbox

__all__ = ["memory_client", "memory_host", "tls_sandbox"]

# In CI every run draws the same examples: a red build is red again.
settings.register_profile("ci", derandomize=True)
if "CI" in os.environ:
    settings.load_profile("ci")
