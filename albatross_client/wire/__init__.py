"""Messages and their octets: strict DER out, strict and bounded DER in.

Laws: `encode` writes what hosts write, octet for octet; `decode` accepts what
breaks no rule of DER and of the grammar and raises only `RemoteProtocolError`.
Octets are checked structurally (`albatross_client.der`), then parsed with the
asn1crypto grammar; what is written is made without asn1crypto, so that each
path is proven against the other.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from albatross_client import der, grammar
from albatross_client.commands import (
    Command,
    Unknown,
)
from albatross_client.errors import RemoteProtocolError
from albatross_client.grammar import Node, Spec
from albatross_client.replies import (
    WIRE_VERSION,
    Data,
    Failure,
    Header,
    Payload,
    Success,
    Wire,
)
from albatross_client.wire import writing
from albatross_client.wire.read_command import read_command
from albatross_client.wire.read_reply import read_data, read_success
from albatross_client.wire.reading import integer, integer64, name, text
from albatross_client.wire.unknown import Within, read_unknown, write_unknown
from albatross_client.wire.write_command import write_command
from albatross_client.wire.write_reply import write_data, write_success

T = TypeVar("T")

# vmm_asn.ml:wire - the alternatives of a payload
_FAILURE: Final = 2
_CHOICES: Final[Mapping[Within, int]] = {"command": 0, "success": 1, "data": 3}


def encode(wire: Wire) -> bytes:
    """Return *wire* as one DER element, without a length before it.

    Raises:
        ValueError: A part of it has no form on the wire; the message says
            which value.
    """
    return writing.sequence(_write_header(wire.header), _write_payload(wire.payload))


def decode(octets: bytes) -> Wire:
    """Return the message that *octets* are.

    Raises:
        RemoteProtocolError: They are not exactly one message.
    """
    header, payload = _read_pair(octets)
    return Wire(_parse(grammar.HEADER, header, _read_header), _read_payload(payload))


def encode_command(command: Command) -> bytes:
    """Return *command* as the certificate extension that carries it.

    Raises:
        ValueError: A part of it has no form on the wire.
    """
    # vmm_asn.ml:cert_extension - a sequence of version and command
    return writing.sequence(writing.integer(WIRE_VERSION), write_command(command))


def decode_command(octets: bytes) -> Command:
    """Return the command of the certificate extension that *octets* are.

    Raises:
        RemoteProtocolError: They are not exactly one extension.
    """
    version, command = _read_pair(octets)
    _parse(grammar.INTEGER, version, _read_version)
    return _read_choice(command, "command", grammar.COMMAND, read_command)


def _write_header(header: Header) -> bytes:
    if header.version != WIRE_VERSION:
        msg = f"version {header.version} is not spoken, only {WIRE_VERSION}"
        raise ValueError(msg)
    return writing.sequence(
        writing.integer(header.version),
        writing.integer64(header.sequence),
        writing.name(header.name),
    )


def _write_payload(payload: Payload) -> bytes:
    if isinstance(payload, Unknown):
        number = _CHOICES[payload.within]
        return writing.explicit(number, write_unknown(payload, payload.within))
    if isinstance(payload, Failure):
        return writing.explicit(_FAILURE, writing.text(payload.text))
    if isinstance(payload, Data):
        return writing.explicit(_CHOICES["data"], write_data(payload))
    if isinstance(payload, Success):
        return writing.explicit(_CHOICES["success"], write_success(payload))
    return writing.explicit(_CHOICES["command"], write_command(payload))


def _read_pair(octets: bytes) -> tuple[bytes, bytes]:
    """Return the two elements of the one SEQUENCE that *octets* are."""
    first, _, at, stop = der.read_header(octets, 0, len(octets))
    if first != der.SEQUENCE or stop != len(octets):
        msg = "not one SEQUENCE, or trailing bytes after it"
        raise RemoteProtocolError(msg)
    middle = der.read_header(octets, at, stop)[3]
    if middle == stop or der.read_header(octets, middle, stop)[3] != stop:
        msg = "not exactly two elements in the outermost SEQUENCE"
        raise RemoteProtocolError(msg)
    return octets[at:middle], octets[middle:]


def _read_header(node: Node) -> Header:
    _read_version(node["version"])
    return Header(name(node["name"]), integer64(node["sequence"]))


def _read_version(node: Node) -> None:
    version = integer(node)
    if version != WIRE_VERSION:
        msg = f"unknown version number {version:#x}"
        raise ValueError(msg)


def _read_payload(octets: bytes) -> Payload:
    first, number, at, _ = der.read_header(octets, 0, len(octets))
    if first & ~der.NUMBER != der.CONTEXT:
        msg = f"tag {first:#04x} is no alternative of a payload"
        raise RemoteProtocolError(msg)
    inner = octets[at:]
    match number:
        case 0:
            return _read_choice(inner, "command", grammar.COMMAND, read_command)
        case 1:
            return _read_choice(inner, "success", grammar.SUCCESS, read_success)
        case 2:
            return Failure(_parse(grammar.UTF8, inner, text))
        case 3:
            return _read_choice(inner, "data", grammar.DATA, read_data)
        case _:
            msg = f"[{number}] is no alternative of a payload"
            raise RemoteProtocolError(msg)


def _read_choice(
    octets: bytes, within: Within, spec: Spec, read: Callable[[Node], T]
) -> T | Unknown:
    """Read an alternative of a choice that newer hosts may have extended."""
    unknown = read_unknown(octets, within)
    return _parse(spec, octets, read) if unknown is None else unknown


def _parse(spec: Spec, octets: bytes, read: Callable[[Node], T]) -> T:
    """Read one element: the one place where others' errors become ours."""
    der.check(octets, explicit=True)
    try:
        return read(grammar.parse(spec, octets))
    except (ValueError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        msg = f"not a message of the protocol: {reason}"
        raise RemoteProtocolError(msg) from error
