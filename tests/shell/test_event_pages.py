"""What is written about events is what the code says."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from autoscaler.shell.event_fields import FIELDS
from autoscaler.shell.event_pages import (
    PAGE,
    SCHEMA,
    write_all,
    write_page,
    write_schema,
)
from autoscaler.shell.events import EVENTS

ROOT = Path(__file__).parents[2]
LINE = {"timestamp": "2026-03-01T12:00:00Z", "level": "warning", "event": "look_failed"}
FAILED = {"host": "west", "domain": "user", "error": "refused", "retry_in_s": 1.0}


@pytest.fixture(scope="module")
def schema():
    parsed = json.loads(write_schema())
    Draft202012Validator.check_schema(parsed)
    return Draft202012Validator(parsed)


@pytest.mark.parametrize(
    ("path", "write"),
    [pytest.param(PAGE, write_page, id="page"), (SCHEMA, write_schema)],
)
def test_what_is_in_the_tree_is_what_the_code_says(path, write):
    assert (ROOT / path).read_text("utf-8") == write(), "run `make docs`"


def test_both_are_written_where_they_are_looked_for(tmp_path):
    write_all(tmp_path)

    assert (tmp_path / PAGE).read_text("utf-8") == write_page()
    assert (tmp_path / SCHEMA).read_text("utf-8") == write_schema()


def test_every_event_and_every_field_is_on_the_page():
    page = write_page()

    assert all(f"| `{name}` |" in page for name in {*EVENTS, *FIELDS})


def test_every_field_of_an_event_is_in_the_table_and_every_one_there_is_used():
    used = {
        name for each in EVENTS.values() for name in (*each.always, *each.sometimes)
    }

    assert used | {"repeated"} == set(FIELDS)


def test_a_line_fits_the_schema(schema):
    schema.validate({**LINE, **FAILED, "repeated": 3})


@pytest.mark.parametrize(
    "line",
    [
        pytest.param({**LINE}, id="fields missing"),
        pytest.param({**LINE, **FAILED, "more": 1}, id="an unknown field"),
        pytest.param({**LINE, **FAILED, "retry_in_s": "1"}, id="another kind"),
        pytest.param({**LINE, **FAILED, "level": "fatal"}, id="an unknown level"),
        pytest.param({**LINE, **FAILED, "event": "none"}, id="an unknown event"),
        pytest.param({"event": "daemon_stopped", "level": "info"}, id="no time"),
    ],
)
def test_what_is_no_line_does_not(schema, line):
    with pytest.raises(ValidationError):
        schema.validate(line)
