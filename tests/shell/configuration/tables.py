"""Tables of a configuration, and what is wrong with them."""

from pathlib import Path

import pytest

from autoscaler.shell.configuration.settings import (
    SettingsError,
    parse_settings,
)

FILE = Path("/etc/autoscaler/autoscaler.toml")
DEPLOYMENT = """
[deployment]
name = "test"
state_dir = "state"
"""
WEST = """
[[hosts]]
name = "west"
address = "10.0.0.1:1025"
server_ca = "server-ca.pem"
ca = "user.pem"
ca_key = "user.key"
"""
EAST = WEST.replace("west", "east").replace("10.0.0.1", "10.0.0.2")
GROUP = """
[[groups]]
host = "west"
primary = "user:web"
max_clones = 4
"""


def parse(text):
    return parse_settings(text, FILE)


def problems(text):
    with pytest.raises(SettingsError) as caught:
        parse(text)
    return [str(problem).removeprefix(f"{FILE}: ") for problem in caught.value.problems]


def group_problems(more, *, defaults=""):
    return problems(f"{DEPLOYMENT}{WEST}\n[defaults]\n{defaults}\n{GROUP}{more}")
