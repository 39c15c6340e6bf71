"""The `[http]` table: what may stand there, and what is said about it."""

from pathlib import Path

import pytest

from autoscaler.cli.findings import found_in_settings
from autoscaler.core.backend import Place
from autoscaler.shell.configuration.changes import changes
from autoscaler.shell.configuration.http_table import HttpSettings
from autoscaler.shell.configuration.settings import SettingsError, parse_settings
from tests.shell.reloading import PLAIN

FILE = Path("/etc/autoscaler.toml")
PLACE = 'an IP address and a port, such as "127.0.0.1:9090" or "[::1]:9090"'
NAMES = (
    'a list of host names without ports, such as ["autoscaler.example.org"], at most 64'
)


def settings(*lines):
    return parse_settings("\n".join((PLAIN, "[http]", *lines)), FILE)


def test_without_a_table_nobody_is_answered():
    assert parse_settings(PLAIN, FILE).http is None


def test_a_table_says_where_and_by_which_names():
    found = settings('listen = "[::1]:80"', 'hosts = ["Scaler.example.org"]').http

    assert found == HttpSettings(listen=Place("::1", 80), hosts=("scaler.example.org",))


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        pytest.param([], f"listen: is missing; must be {PLACE}", id="nothing"),
        pytest.param(
            ['listen = "localhost:80"'],
            f'listen = "localhost:80": must be {PLACE}',
            id="name",
        ),
        pytest.param(
            ['listen = "127.0.0.1:80"', "token_for_reading = true"],
            "token_for_reading needs a token_file",
            id="a token that isn't there",
        ),
        pytest.param(
            ['listen = "127.0.0.1:80"', 'token_file = ""'],
            'token_file = "": must be the path of a file or directory, relative to '
            "this file",
            id="no path",
        ),
        pytest.param(["listen = 80"], f"listen = 80: must be {PLACE}", id="number"),
        pytest.param(
            ['listen = "0.0.0.0:80"'],
            'listen = "0.0.0.0:80" can be reached by other machines: take a loopback '
            'address such as "127.0.0.1:9090", or say allow_remote = true',
            id="remote",
        ),
        pytest.param(
            ['listen = "127.0.0.1:80"', 'hosts = ["a:80"]'],
            f'hosts = ["a:80"]: must be {NAMES}',
            id="port",
        ),
        pytest.param(
            ['listen = "127.0.0.1:80"', 'hosts = "a"'],
            f'hosts = "a": must be {NAMES}',
            id="no list",
        ),
        pytest.param(
            ['listen = "127.0.0.1:80"', 'hosts = [""]'],
            f'hosts = [""]: must be {NAMES}',
            id="empty name",
        ),
        pytest.param(
            ['listen = "127.0.0.1:80"', "open = true"],
            "open = true: unknown key; known are allow_remote, hosts, listen, "
            "token_file, token_for_reading",
            id="unknown",
        ),
    ],
)
def test_what_is_wrong_is_told_with_what_is_allowed(lines, says):
    with pytest.raises(SettingsError) as told:
        settings(*lines)

    # An unknown key is told without its value.
    [problem] = map(str, told.value.problems)
    assert problem == f"{FILE}: [http]: {says.replace('open = true', 'open')}"


def test_it_must_be_a_table():
    with pytest.raises(SettingsError, match=r"\[http\]: must be a table"):
        parse_settings(f"http = 1\n{PLAIN}", FILE)


def test_a_loopback_address_is_no_doubt():
    found = found_in_settings(settings('listen = "127.0.0.1:80"'))

    assert not [each for each in found if "[http]" in each.place]


def test_what_others_can_reach_is_doubted():
    open_to_all = settings('listen = "0.0.0.0:80"', "allow_remote = true")

    found = [e for e in found_in_settings(open_to_all) if "[http]" in e.place]

    assert [(each.severity.value, each.key) for each in found] == [
        ("hint", "listen"),
        ("hint", "hosts"),
    ]
    assert "without a password" in found[0].message


def test_where_and_to_whom_it_answers_needs_a_restart():
    before = settings('listen = "127.0.0.1:80"')
    after = settings('listen = "127.0.0.1:81"', 'hosts = ["a"]')

    found = changes(before, after)

    assert [(str(each), each.needs_restart) for each in found] == [
        ("http: listen: 127.0.0.1:80 -> 127.0.0.1:81", True),
        ('http: hosts: [] -> ["a"]', True),
    ]
    assert changes(parse_settings(PLAIN, FILE), before)[0].needs_restart


def test_a_token_that_crosses_the_network_is_hinted_at():
    found = found_in_settings(
        settings(
            'listen = "192.0.2.1:80"',
            "allow_remote = true",
            'token_file = "token"',
            "token_for_reading = true",
        )
    )

    [hint] = [each for each in found if each.key == "token_file"]
    assert "unencrypted to 192.0.2.1:80" in hint.message
    assert not [each for each in found if each.key == "listen"]
