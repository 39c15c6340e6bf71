"""The life of a group: whatever may happen to it, and what always holds."""

import pytest
from hypothesis import HealthCheck, settings

from tests.core.lifecycle import GroupLifecycle

GroupLifecycle.TestCase.settings = settings(
    max_examples=1000,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
# Measuring what it covers would take longer than the lives themselves; what it
# runs is covered by tests of their own.
TestGroupLifecycle = pytest.mark.no_cover(GroupLifecycle.TestCase)
