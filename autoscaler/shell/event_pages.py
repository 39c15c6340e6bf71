"""The events as a page for people, and as a JSON Schema for programs.

Law: both are made from the tables of events and fields, by ``make docs``; a
test finds them out where they are older.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from autoscaler.shell.event_fields import FIELDS, FieldKind, Kind
from autoscaler.shell.events import EVENTS, LEVELS, Event

DOCS = Path("docs")
PAGE, SCHEMA = DOCS / "events.md", Path("config/schema/log.schema.json")

_BEGINNING = """\
# Events

What the daemon logs: one event, one line, on standard error. This page is made
from the code by `make docs`.

- Names of events and fields are stable; a field means the same in every event.
  New ones may come with any version.
- `--log-format json` writes one JSON object a line, with `timestamp` (UTC, RFC
  3339), `level` and `event` before the fields;
  [log.schema.json](../config/schema/log.schema.json)
  is their JSON Schema.
- A warning is written once a minute, and so is an error of what is tried again
  by itself; `repeated` says how many like it were left out.
- `decision_id` is the same from a change of decision to the actions that
  follow from it, their end, and what is kept of clones that are gone.
- The level is the usual one: what is of no consequence may be at `debug`.
"""
_FIRST = ("timestamp", "level", "event")
_TYPES: Mapping[Kind, str] = {
    "text": "string",
    "count": "integer",
    "number": "number",
    "switch": "boolean",
}


def write_page() -> str:
    """Return the page, in Markdown."""
    events = "".join(
        f"| `{name}` | {event.level} | {event.meaning} | {_names(event)} |\n"
        for name, event in sorted(EVENTS.items())
    )
    fields = "".join(
        f"| `{name}` | {each.kind} | {each.meaning} |\n"
        for name, each in sorted(FIELDS.items())
    )
    return (
        f"{_BEGINNING}\n## All events\n\n"
        "A question mark follows fields that may be missing.\n\n"
        f"| event | level | what has happened | fields |\n|---|---|---|---|\n{events}"
        "\n## All fields\n\n"
        f"| field | kind | what it tells |\n|---|---|---|\n{fields}"
    )


def write_schema() -> str:
    """Return the JSON Schema of a line."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of the autoscaler's log",
        "type": "object",
        "required": list(_FIRST),
        "properties": {
            "timestamp": {"type": "string", "format": "date-time"},
            "level": {"enum": list(LEVELS)},
            "event": {"enum": sorted(EVENTS)},
            **{name: _schema_of(each) for name, each in sorted(FIELDS.items())},
        },
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in sorted(EVENTS)],
        "$defs": {name: _fields_of(name, e) for name, e in sorted(EVENTS.items())},
    }
    return json.dumps(schema, indent=2) + "\n"


def _names(event: Event) -> str:
    words = (
        *(f"`{name}`" for name in event.always),
        *(f"`{name}`?" for name in event.sometimes),
    )
    return " ".join(words) or "-"


def _schema_of(each: FieldKind) -> dict[str, str]:
    return {"type": _TYPES[each.kind], "description": each.meaning}


def _fields_of(name: str, event: Event) -> dict[str, object]:
    own = (*_FIRST, *event.always, *event.sometimes, "repeated")
    return {
        "description": event.meaning,
        "properties": {"event": {"const": name}},
        "required": list(event.always),
        "propertyNames": {"enum": list(own)},
    }


def write_all(root: Path) -> None:
    """Write both below *root*, the checkout."""
    for path, text in ((PAGE, write_page()), (SCHEMA, write_schema())):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")


if __name__ == "__main__":
    write_all(Path())
