"""JSON as it is told: on one line, ASCII alone, Unicode whatever hosts say."""

import json

from albatross_client.texts import as_unicode


def dump(value: object) -> str:
    """Return *value*, as JSON has them, on one line."""
    return json.dumps(as_unicode(value), separators=(",", ":"))
