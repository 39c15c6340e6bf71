"""The schema of configurations: as it is made, and what it allows."""

import json
import re
import tomllib

import pytest

from autoscaler.shell.configuration.schema import make_schema
from autoscaler.shell.configuration.settings import SettingsError, parse_settings
from tests.schemas import DIRECTORY, VALIDATORS, hold, is_refused
from tests.shell.configuration.files import ALL, CONFIG, EXAMPLE
from tests.shell.reloading import FILE, PLAIN

SCHEMA = json.loads((DIRECTORY / "autoscaler.schema.json").read_text())


def properties(*path):
    found = SCHEMA
    for name in path:
        found = found["properties"][name]
        found = found.get("items", found)
    return found["properties"]


def test_the_committed_schema_is_that_of_the_keys():
    """`make schemas` writes it anew."""
    assert make_schema(EXAMPLE.read_text()) == SCHEMA


def test_it_is_a_schema():
    VALIDATORS["autoscaler"].check_schema(SCHEMA)


@pytest.mark.parametrize("name", ALL)
def test_every_configuration_of_ours_fits(name):
    hold("autoscaler", tomllib.loads((CONFIG / name).read_text()))


def test_what_the_example_comments_out_fits():
    text = re.sub(r"^#(?=\w+ = )", "", EXAMPLE.read_text(), flags=re.MULTILINE)
    # Where there are two ways to say it, one is left.
    one_way = re.sub(r"^image = \{.*\n", "", text, flags=re.MULTILINE)

    hold("autoscaler", tomllib.loads(one_way))


def test_an_editor_is_told_where_the_schema_is():
    first = EXAMPLE.read_text().splitlines()[0]

    assert first.startswith("#:schema ")
    assert (EXAMPLE.parent / first.removeprefix("#:schema ")).is_file()


def test_each_key_says_what_it_means_and_what_may_stand_there():
    for table in ("deployment", "http", "hosts", "defaults", "groups"):
        for name, form in properties(table).items():
            if form.get("type") != "object" or name == "policies":
                assert form["description"], (table, name)
                assert set(form) - {"description", "default"}, (table, name)


def test_defaults_are_those_of_the_code():
    assert properties("deployment")["mode"]["default"] == "active"
    assert properties("defaults")["cooldown_down"]["default"] == "300s"
    assert properties("groups", "balancer")["drain_timeout"]["default"] == "30s"
    assert "default" not in properties("deployment")["name"]
    # 400 where requests drive the group.
    assert "default" not in properties("defaults")["max_actions_per_hour"]
    # The example shows a pool of one.
    assert "default" not in properties("groups", "standby")["size"]


BAD = [
    pytest.param("[deployment]", "[deploymnt]", id="unknown table"),
    pytest.param('name = "test"', 'nam = "test"', id="unknown key"),
    pytest.param('name = "test"\n', "", id="missing key"),
    pytest.param('name = "test"', "name = 3", id="type"),
    pytest.param('name = "test"', 'name = ""', id="empty"),
    pytest.param("max_clones = 3", "max_clones = -1", id="below the least"),
    pytest.param("max_clones = 3", "max_clones = 3.5", id="no whole number"),
    pytest.param("max_clones = 3", 'max_clones = "3"', id="a number as text"),
    pytest.param("max_clones = 3", 'mode = "off"', id="choice"),
    pytest.param("max_clones = 3", 'cooldown_up = "3"', id="no unit"),
    pytest.param("max_clones = 3", "cooldown_up = 3", id="no duration"),
    pytest.param("max_clones = 3", "flap_margin = 101", id="percent"),
    pytest.param("max_clones = 3", 'quorum = "half"', id="share"),
    pytest.param("max_clones = 3", 'address_pool = "10.0.0.1"', id="pool"),
    pytest.param("max_clones = 3", "scale_up = 1", id="switch"),
    pytest.param("max_clones = 3", "memory = 32", id="of a managed group"),
    pytest.param('primary = "user:web"\n', "", id="neither primary nor name"),
    pytest.param(
        'primary = "user:web"', 'primary = "user:web"\nname = "user:web"', id="both"
    ),
    pytest.param('primary = "user:web"', 'name = "user:web"', id="managed, no image"),
    pytest.param('address = "alpha:1025"', 'address = "a b"', id="address"),
    pytest.param('server_ca = "ca.pem"\n', "", id="no server_ca"),
    pytest.param("[[groups]]", "[groups]", id="one table"),
]


@pytest.mark.parametrize(("before", "after"), BAD)
def test_what_is_wrong_is_refused_as_the_daemon_refuses_it(before, after):
    text = PLAIN.replace(before, after)
    assert text != PLAIN

    assert is_refused("autoscaler", tomllib.loads(text))
    with pytest.raises(SettingsError):
        parse_settings(text, FILE)


def test_what_is_right_is_allowed():
    parse_settings(PLAIN, FILE)

    hold("autoscaler", tomllib.loads(PLAIN))
