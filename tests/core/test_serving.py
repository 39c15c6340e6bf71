"""What operators may want of how members get their requests."""

import pytest

from autoscaler.core.serving import ServePolicy, StandbyPolicy


@pytest.mark.parametrize("port", [0, 65_536])
def test_members_listen_at_a_port(port):
    with pytest.raises(ValueError, match="port must be 1 to 65535"):
        ServePolicy(port=port)


def test_no_more_wait_always_than_wait_at_all():
    with pytest.raises(ValueError, match=r"min \(2\) must be at most size \(1\)"):
        StandbyPolicy(size=1, min=2)


def test_a_drain_may_end_at_once_and_not_before():
    assert ServePolicy(port=80, drain_timeout=0).drain_timeout == 0
    with pytest.raises(ValueError, match="drain_timeout"):
        ServePolicy(port=80, drain_timeout=-1)
