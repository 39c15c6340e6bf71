"""Messages as JSON values, for people and for other programs.

Laws: every message has exactly one form; `from_meaning` is the inverse of
`to_meaning`; what is not of the form raises ValueError with one sentence: where
in the JSON, what is there, what is allowed.
"""

from albatross_client.commands import Command
from albatross_client.meaning.command_form import read_command, write_command
from albatross_client.meaning.cursor import Cursor, Json
from albatross_client.meaning.forms import read_name, write_name
from albatross_client.meaning.payload_form import read_payload, write_payload
from albatross_client.replies import (
    WIRE_VERSION,
    Header,
    Wire,
)

__all__ = [
    "Json",
    "command_from_meaning",
    "command_to_meaning",
    "from_meaning",
    "to_meaning",
]


def to_meaning(wire: Wire) -> dict[str, Json]:
    """Return *wire* as ``{"header": ..., "payload": ...}``."""
    return {
        "header": {
            "version": wire.header.version,
            "sequence": wire.header.sequence,
            "name": write_name(wire.header.name),
        },
        "payload": write_payload(wire.payload),
    }


def from_meaning(meaning: object) -> Wire:
    """Return the message that *meaning*, as `json.loads` gives it, is.

    Raises:
        ValueError: It does not have the form of `to_meaning`.
    """
    message = Cursor(meaning).record("header", "payload")
    header = message["header"].record("version", "sequence", "name")
    _check_version(header["version"])
    return Wire(
        Header(read_name(header["name"]), header["sequence"].counter()),
        read_payload(message["payload"]),
    )


def command_to_meaning(command: Command) -> dict[str, Json]:
    """Return a certificate extension as ``{"version": 5, "command": ...}``."""
    return {"version": WIRE_VERSION, "command": write_command(command)}


def command_from_meaning(meaning: object) -> Command:
    """Return the command of the certificate extension that *meaning* is.

    Raises:
        ValueError: It does not have the form of `command_to_meaning`.
    """
    extension = Cursor(meaning).record("version", "command")
    _check_version(extension["version"])
    return read_command(extension["command"])


def _check_version(version: Cursor) -> None:
    if version.integer() != WIRE_VERSION:
        version.fail(f"the version {WIRE_VERSION}")
