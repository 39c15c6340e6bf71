"""Fixtures and settings for the tests of every folder."""

import os

from hypothesis import HealthCheck, settings

from tests.sandbox_fixtures import memory_client, memory_host, tls_sandbox

__all__ = ["memory_client", "memory_host", "tls_sandbox"]

# No deadline and no complaint about slow draws: machines have other work.
# In CI every run draws the same examples: a red build is red again.
settings.register_profile(
    "local", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if "CI" in os.environ else "local")
