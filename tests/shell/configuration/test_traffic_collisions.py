"""No two groups may get each other's requests."""

from pathlib import Path

import pytest

from autoscaler.shell.configuration.problems import SettingsError
from autoscaler.shell.configuration.settings import parse_settings

HEAD = """
[deployment]
name = "test"
state_dir = "state"
[[hosts]]
name = "west"
address = "10.0.0.1:1025"
server_ca = "ca.pem"
ca = "ca.pem"
ca_key = "ca.key"
"""
SOCKET = 'socket = "/run/haproxy/admin.sock"'
HOOKS = (
    'hooks = { observe = "o", add = "a", ready = "y", drain = "d", rest = "t", '
    'remove = "r" }'
)


def group(number, backend, listen=None, by=SOCKET):
    text = f"""
[[groups]]
host = "west"
primary = "user:web{number}"
max_clones = 2
address_pool = "10.0.{number}.1-10.0.{number}.9"
[groups.balancer]
{by}
backend = "{backend}"
port = 80
"""
    if listen is None:
        return text
    return f'{text}[groups.activator]\nlisten = "{listen}"\n[groups.idle]\n'


def problems(*groups):
    try:
        parse_settings(HEAD + "".join(groups), Path("/etc/autoscaler.toml"))
    except SettingsError as error:
        return [str(problem) for problem in error.problems]
    return []


def test_groups_may_share_a_balancer():
    assert problems(group(1, "one"), group(2, "two")) == []


@pytest.mark.parametrize("by", [SOCKET, HOOKS])
def test_a_backend_is_of_one_group(by):
    [problem] = problems(group(1, "web", by=by), group(2, "web", by=by))

    assert problem == (
        "/etc/autoscaler.toml: [[groups]] #2 (west/user:web2): "
        'balancer = "web": is the backend of west/user:web1; each group needs its own'
    )


def test_backends_of_two_balancers_may_have_one_name():
    other = 'socket = "10.0.0.2:9999"'

    assert problems(group(1, "web"), group(2, "web", by=other)) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("127.0.0.1:9001", "127.0.0.1:9001", id="same"),
        pytest.param("0.0.0.0:9001", "127.0.0.1:9001", id="everywhere"),
        pytest.param("127.0.0.1:9001", "0.0.0.0:9001", id="everywhere-later"),
        pytest.param("[::]:9001", "[::1]:9001", id="ipv6"),
    ],
)
def test_an_activator_is_of_one_group(one, other):
    [problem] = problems(group(1, "one", one), group(2, "two", other))

    assert f'activator = "{other}": is where west/user:web1 listens already' in problem


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("127.0.0.1:9002", id="another-port"),
        pytest.param("127.0.0.2:9001", id="another-address"),
        pytest.param("[::]:9001", id="another-family"),
        pytest.param(None, id="none"),
    ],
)
def test_activators_that_do_not_meet_are_fine(other):
    assert problems(group(1, "one", "127.0.0.1:9001"), group(2, "two", other)) == []
