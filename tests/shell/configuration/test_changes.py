"""What two configurations differ in, in the words of the file."""

from pathlib import Path

import pytest

from autoscaler.shell.configuration.changes import changes
from autoscaler.shell.configuration.settings import parse_settings
from tests.shell.reloading import PLAIN, deployment, group, host

# What requests need beside them.
BALANCED = """
address_pool = "10.0.44.10-10.0.44.60"
[groups.balancer]
socket = "/run/haproxy/admin.sock"
backend = "web"
port = 8080
"""


def settings(text):
    return parse_settings(text, Path("/etc/autoscaler.toml"))


def words(old, new):
    return [str(change) for change in changes(settings(old), settings(new))]


def test_what_is_the_same_is_no_change():
    assert words(PLAIN, PLAIN) == []


def test_groups_and_hosts_that_come_and_go_are_told_as_a_whole():
    more = PLAIN + host("beta") + group("user:api", on="beta")

    assert words(PLAIN, more) == [
        "host beta: added",
        "group beta/user:api: added",
    ]
    assert words(more, PLAIN) == [
        "host beta: removed: nothing there is followed",
        "group beta/user:api: removed: its clones are left running",
    ]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param(
            group(),
            group(more="scale_up_step = 2"),
            "scale_up_step: 1 -> 2",
            id="count",
        ),
        pytest.param(
            group(more="flap_margin = 2.5"),
            group(),
            "flap_margin: 2.5 -> 5",
            id="percent",
        ),
        pytest.param(
            group(), group(more='warmup = "90s"'), "warmup: 30s -> 90s", id="duration"
        ),
        pytest.param(
            group(), group(more='mode = "paused"'), "mode: active -> paused", id="word"
        ),
        pytest.param(
            group(more=f"{BALANCED}[groups.requests]\ntarget_rps = 5"),
            group(
                more=f'{BALANCED}[groups.requests]\ntarget_rps = 5\nstabilise = "90s"'
            ),
            "requests.stabilise: 1m -> 90s",
            id="of requests",
        ),
        pytest.param(
            group(), group(more="share_cpuids = true"), "false -> true", id="switch"
        ),
        pytest.param(
            group(), group(more='quorum = "1/4"'), "quorum: 0.5 -> 0.25", id="share"
        ),
        pytest.param(
            group(),
            group(more='argument_template = ["--x={name}"]'),
            'argument_template: [] -> ["--x={name}"]',
            id="template",
        ),
        pytest.param(
            group(),
            group(more='address_pool = "10.0.0.1-10.0.0.9"'),
            "address_pool: not set -> 10.0.0.1-10.0.0.9",
            id="pool",
        ),
    ],
)
def test_each_value_is_shown_as_the_file_writes_it(old, new, says):
    [change] = words(deployment() + host() + old, deployment() + host() + new)

    assert change.startswith("group alpha/user:web: ")
    assert change.endswith(says)


@pytest.mark.parametrize(
    ("new", "says"),
    [
        pytest.param(
            host(address="[fd00::1]"), '"alpha:1025" -> "[fd00::1]:1025"', id="address"
        ),
        pytest.param(
            host(more='stats_interval = "1s"'), "not set -> 1s", id="stats_interval"
        ),
        pytest.param(
            host(more=f'server_key_sha256 = "{"ab" * 32}"'),
            f"not set -> {'ab' * 32}",
            id="digest",
        ),
        pytest.param(
            host(
                more='policies = { "user" = { cpuids = [1, 0], unikernels = 8, '
                "memory = 64, bridges = [] } }"
            ),
            "() -> (user: 8 unikernels, 64 MB, no blocks, cpuids 0,1, bridges none)",
            id="policies",
        ),
        pytest.param(
            host().replace('ca_key = "ca.key"', 'ca_key = "new.key"'),
            "/etc/ca.key -> /etc/new.key",
            id="path",
        ),
    ],
)
def test_a_hosts_keys_are_told_each(new, says):
    [change] = words(PLAIN, deployment() + new + group())

    assert change.startswith("host alpha: ")
    assert change.endswith(says)


def test_the_deployment_comes_first_and_only_its_state_needs_a_restart():
    elsewhere = PLAIN.replace('"state"', '"other"').replace('"test"', '"shop"')

    found = changes(settings(PLAIN), settings(elsewhere + group("user:api")))

    assert [(str(each), each.needs_restart) for each in found] == [
        ('deployment: name: "test" -> "shop"', False),
        ("deployment: state_dir: /etc/state -> /etc/other", True),
        ("group alpha/user:api: added", False),
    ]


def test_requests_that_drive_a_group_from_now_on_are_told_key_by_key():
    driven = group(more=f"{BALANCED}[groups.requests]\ntarget_rps = 2.5")

    told = words(PLAIN, deployment() + host() + driven)

    assert "group alpha/user:web: requests.target_rps: not set -> 2.5" in told
    assert "group alpha/user:web: requests.cooldown_up: not set -> 3s" in told
    assert not [line for line in told if "target_in_flight" in line]
