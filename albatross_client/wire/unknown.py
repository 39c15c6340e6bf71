"""Alternatives with tags that this client does not know, kept as they came.

Newer hosts have some.  They are allowed directly in Command, Success and Data:
a message with one is a value, not an error, so that a stream goes on.
"""

from collections.abc import Mapping
from typing import Final, Literal

from albatross_client import der
from albatross_client.commands import Unknown
from albatross_client.errors import RemoteProtocolError

Within = Literal["command", "success", "data"]

# vmm_asn.ml:wire_command, success, data - the tags of each choice.
KNOWN: Final[Mapping[Within, frozenset[int]]] = {
    "command": frozenset({0, 1, 3, 4, 5}),
    "success": frozenset({0, 1, 2, 4, 6, 7, 9, 10, 11, 12, 13}),
    "data": frozenset({1, 3, 4}),
}
# The log service of older hosts: "support for log dropped".
DROPPED: Final[Mapping[Within, frozenset[int]]] = {
    "command": frozenset({2}),
    "success": frozenset(),
    "data": frozenset({2}),
}


def read_unknown(element: bytes, within: Within) -> Unknown | None:
    """Return the one element *element* of a choice if its tag is not known.

    Returns:
        None where the tag is known; the element is then not checked further.

    Raises:
        RemoteProtocolError: The tag is one that was dropped or is not
            context-specific, or the unknown element is not DER.
    """
    first, number, _, stop = der.read_header(element, 0, len(element))
    if stop != len(element):
        msg = f"more than one element in a {within}"
        raise RemoteProtocolError(msg)
    if first & ~der.NUMBER != der.CONTEXT:
        msg = f"tag {first:#04x} is no alternative of a {within}"
        raise RemoteProtocolError(msg)
    if number in DROPPED[within]:
        msg = f"support for log, [{number}] in a {within}, was dropped"
        raise RemoteProtocolError(msg)
    if number in KNOWN[within]:
        return None
    der.check(element, explicit=False)
    return Unknown(within, number, element)


def write_unknown(unknown: Unknown, within: Within) -> bytes:
    """Return the element that *unknown* keeps, if it may stand in *within*.

    Raises:
        ValueError: It is from another choice, or not one element of DER with
            an unknown tag.
    """
    if unknown.within != within:
        msg = f"an unknown {unknown.within} cannot stand in a {within}"
        raise ValueError(msg)
    try:
        if read_unknown(unknown.der, within) == unknown:
            return unknown.der
    except RemoteProtocolError as error:
        msg = f"an unknown {within} is not valid: {error}"
        raise ValueError(msg) from error
    msg = f"an unknown {within} does not have the tag {unknown.tag}, or it is known"
    raise ValueError(msg)
