"""What values of the configuration look like, in the words of JSON Schema.

Editors complete and check by these; what they can't say, such as how two keys
fit together, only reading the file tells.
"""

from collections.abc import Mapping
from typing import TypeAlias

# Of JSON Schema, draft 2020-12.
Form: TypeAlias = Mapping[str, object]

TEXT: Form = {"type": "string", "minLength": 1}
TEXTS: Form = {"type": "array", "items": TEXT}
ANY_TEXTS: Form = {"type": "array", "items": {"type": "string"}}
SWITCH: Form = {"type": "boolean"}
LISTENING: Form = {
    "type": "string",
    "pattern": r"^(\[[0-9A-Fa-f:.]+\]|[0-9.]+):[0-9]{1,5}$",
}
DURATION: Form = {
    "type": "string",
    "pattern": r"^[0-9]{1,12}(\.[0-9]{1,9})? ?(ms|s|m|h|d)$",
}


def whole(least: int, most: int | None = None) -> Form:
    """Return the form of whole numbers; no *most*: None."""
    bounds = {} if most is None else {"maximum": most}
    return {"type": "integer", "minimum": least, **bounds}


def number(least: float, most: float | None = None, *, above: bool = False) -> Form:
    """Return the form of numbers; *above*: *least* itself isn't one of them."""
    bounds = {} if most is None else {"maximum": most}
    return {
        "type": "number",
        "exclusiveMinimum" if above else "minimum": least,
        **bounds,
    }


def table_of(form: Form) -> Form:
    """Return the form of tables of any keys, whose values have *form*."""
    return {"type": "object", "additionalProperties": form}


def either(*forms: Form) -> Form:
    """Return the form of what has one of *forms*."""
    return {"anyOf": list(forms)}
