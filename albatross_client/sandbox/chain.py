"""What a client's certificates ask for, as hosts read them."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from attrs import frozen
from cryptography import x509

from albatross_client.certificates import COMMAND_OID, common_name
from albatross_client.commands import (
    Command,
    PolicyAdd,
)
from albatross_client.errors import RemoteProtocolError
from albatross_client.names import ROOT, Name, is_label
from albatross_client.sandbox.host import taken
from albatross_client.sandbox.state import TakenCommand
from albatross_client.values import ResourcePolicy
from albatross_client.wire import decode_command

# vmm_tls.ml:handle - a longer chain is not looked at.
MAX_CHAIN = 9
# An image may be in a command too.
MAX_KEPT = 4096
# vmm_tls.ml:handle - a leaf of this name acts at the path itself.
_PATH_ITSELF = (None, ".", ":")


@frozen
class Asked:
    """What a chain of certificates says.

    Attributes:
        name: What the command acts at.
        policies: Those of the intermediates, by domain, outermost first.
        command: What to do.
    """

    name: Name
    policies: tuple[tuple[Name, ResourcePolicy], ...]
    command: TakenCommand


class NotTakenError(Exception):
    """Hosts write the reason into their log and say nothing."""


def read_chain(chain: Sequence[x509.Certificate]) -> Asked:
    """Return what *chain*, leaf first and without the root, asks for.

    Raises:
        NotTakenError: Hosts don't take it.
    """
    if len(chain) > MAX_CHAIN:
        msg = "certificate chain too long"
        raise NotTakenError(msg)
    leaf, *intermediates = chain
    domain, policies = _read_intermediates(reversed(intermediates))
    command = _command_of(leaf)
    accepted = None if command is None else taken(command)
    if accepted is None:
        msg = "no command, or not one that a certificate may carry"
        raise NotTakenError(msg)
    label = common_name(leaf)
    if label in _PATH_ITSELF:
        return Asked(domain, policies, accepted)
    return Asked(Name(domain.path, _label(label)), policies, accepted)


def _read_intermediates(
    intermediates: Iterable[x509.Certificate],
) -> tuple[Name, tuple[tuple[Name, ResourcePolicy], ...]]:
    """Return the domain that *intermediates*, outermost first, come to."""
    # vmm_tls.ml:extract_policies - one without a command is passed over.
    domain = ROOT
    policies: tuple[tuple[Name, ResourcePolicy], ...] = ()
    for certificate in intermediates:
        command = _command_of(certificate)
        if command is None:
            continue
        if not isinstance(command, PolicyAdd):
            msg = "an intermediate may only carry a policy"
            raise NotTakenError(msg)
        label = _label(common_name(certificate))
        domain = Name((*domain.path, label))
        policies = (*policies, (domain, command.policy))
    return domain, policies


def _command_of(certificate: x509.Certificate) -> Command | None:
    """Return the command in *certificate*; None: there is none."""
    try:
        extension = certificate.extensions.get_extension_for_oid(COMMAND_OID)
        octets = extension.value.public_bytes()
        return (_decoded if len(octets) <= MAX_KEPT else decode_command)(octets)
    except x509.ExtensionNotFound:
        return None
    except RemoteProtocolError as error:
        raise NotTakenError(str(error)) from error


# A client's policies and questions are the same at every connection.
_decoded = lru_cache(maxsize=64)(decode_command)


def _label(common_name_: str | None) -> str:
    if common_name_ is None or not is_label(common_name_):
        msg = f"{common_name_!r} is no label"
        raise NotTakenError(msg)
    return common_name_.lower()
