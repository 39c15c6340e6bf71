"""Tests of the keys that say how it is known where members listen."""

from pathlib import Path

import pytest

from autoscaler.shell.traffic.address import ByHook, ByName
from tests.shell.configuration.tables import DEPLOYMENT, GROUP, WEST, parse, problems

BALANCER = """
[groups.balancer]
socket = "/run/haproxy.sock"
backend = "web"
port = 80
"""
POOL = 'address_pool = "10.0.0.1-10.0.0.9"\n'


def traffic(more="", pool=""):
    [group] = parse(DEPLOYMENT + WEST + GROUP + pool + BALANCER + more).groups
    assert group.traffic is not None
    assert group.policy.serving == group.traffic.policy
    return group.traffic


def complaints(more="", pool=""):
    return problems(DEPLOYMENT + WEST + GROUP + pool + BALANCER + more)


@pytest.mark.parametrize("more", ["", 'address = "pool"\n'])
def test_members_listen_at_the_addresses_of_their_pool(more):
    found = traffic(more, POOL)

    assert found.balancer.source is None
    assert not found.policy.is_sought


def test_members_may_be_found_by_their_names():
    found = traffic('address = "dns"\ndns_name = "{name}.example.org"\n')

    assert found.balancer.source == ByName("{name}.example.org")
    assert found.policy.is_sought


def test_members_may_be_found_by_a_hook():
    found = traffic('address_hook = "hooks/address"\n')

    assert found.balancer.source == ByHook(Path("/etc/autoscaler/hooks/address"))


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ('address = "dns"\n', "needs dns_name with address"),
        ('dns_name = "{name}.org"\n', "needs dns_name with address"),
        (
            'address = "pool"\naddress_hook = "hook"\n',
            "has an address_hook, which tells addresses",
        ),
        (
            'address = "dns"\ndns_name = "web.example.org"\n',
            "must be a name with {name} or {index}",
        ),
        ('address = "arp"\n', 'must be "pool" or "dns"'),
    ],
)
def test_what_does_not_fit_together_is_told(more, complaint):
    [problem] = complaints(more, POOL)

    assert complaint in problem


def test_a_balancer_without_any_addresses_is_told_what_there_is():
    [problem] = complaints()

    assert "address_pool: is missing" in problem
    assert 'address = "dns" or address_hook' in problem
