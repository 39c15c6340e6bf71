"""Alternatives with unknown tags as JSON, in both directions."""

from typing import Literal

from albatross_client.commands import Unknown
from albatross_client.meaning.cursor import Cursor, Json


def write_unknown(unknown: Unknown) -> Json:
    """Return the element as it came, and where it stood."""
    return {
        "unknown": {
            "in": unknown.within,
            "tag": unknown.tag,
            "der_hex": unknown.der.hex(),
        }
    }


def read_unknown(at: Cursor, *within: Literal["command", "success", "data"]) -> Unknown:
    """Read an alternative that may stand in one of *within*."""
    parts = at.record("in", "tag", "der_hex")
    choice = next((choice for choice in within if parts["in"].value == choice), None)
    if choice is None:
        parts["in"].fail("one of " + ", ".join(map(repr, within)))
    return Unknown(choice, parts["tag"].integer(), parts["der_hex"].octets())
