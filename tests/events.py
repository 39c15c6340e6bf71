"""What is logged, held to the tables of events and fields."""

from collections.abc import Mapping

from autoscaler.shell.event_fields import FIELDS
from autoscaler.shell.events import EVENTS

KINDS = {"text": str, "count": int, "number": int | float, "switch": bool}


def misfits_of(name: str, fields: Mapping[str, object]) -> list[str]:
    """Return what of a line is not as its event says."""
    event = EVENTS[name]
    missing = [f"{name} lacks {each}" for each in event.always if each not in fields]
    return missing + [
        f"{name} has {each}={value!r}"
        for each, value in fields.items()
        if each not in {*event.always, *event.sometimes}
        or not isinstance(value, KINDS[FIELDS[each].kind])
        or (isinstance(value, bool) and FIELDS[each].kind != "switch")
    ]
