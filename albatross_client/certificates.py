"""The operator's CA files: what may sign our commands, and for which domain.

Laws: a private key is read here and nowhere else, is never written to a disk,
and shows in no `repr` and no message; every message names the file, what is
wrong with it and what is allowed.
"""

import itertools
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from attrs import field, frozen
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from albatross_client.commands import PolicyAdd
from albatross_client.errors import CertificateError, RemoteProtocolError
from albatross_client.keys import (
    ALLOWED_KEYS,
    SigningKey,
    allowed,
    load_key,
    read_file,
    same_key,
)
from albatross_client.names import Name, is_label
from albatross_client.wire import decode_command

# vmm_asn.ml:oid - the extension that holds a command.
COMMAND_OID = x509.ObjectIdentifier("1.3.6.1.4.1.49836.42")
# What the library raises about a certificate that somebody has made up.
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


@frozen
class Validity:
    """From when until when a certificate holds; both aware, in UTC."""

    subject: str
    begins: datetime
    ends: datetime

    def complaint(self, now: datetime) -> str | None:
        """Say why the certificate doesn't hold at *now*; None: it does."""
        if now > self.ends:
            return f"{self.subject} expired on {rfc3339(self.ends)}"
        if now < self.begins:
            return (
                f"{self.subject} is not valid before {rfc3339(self.begins)}, "
                f"and this clock says {rfc3339(now)}"
            )
        return None


@frozen
class Authority:
    """A CA that signs our certificates, and the chain up to the hosts' trust.

    Attributes:
        chain: The signing certificate, then its issuers in order.
        key: The private key of the first.
        path: The domain that all commands lie in: the common names of the
            certificates that carry a policy, outermost first; empty for a
            root key.
        source: The file of the chain, for messages.
    """

    chain: tuple[x509.Certificate, ...]
    key: SigningKey = field(repr=False)
    path: tuple[str, ...]
    source: Path

    @property
    def domain(self) -> Name:
        """The path as a name."""
        return Name(self.path)

    @cached_property
    def sent(self) -> tuple[x509.Certificate, ...]:
        """What goes to a host: it has the self-signed ones already."""
        return tuple(each for each in self.chain if not is_self_signed(each))

    @property
    def validity(self) -> tuple[Validity, ...]:
        """The dates of the whole chain, signer first."""
        return tuple(validity(each) for each in self.chain)

    def require_within(self, name: Name) -> None:
        """Refuse a *name* outside the domain of this authority.

        Raises:
            CertificateError: Hosts would take the command for another name.
        """
        if not name.is_within(self.domain):
            msg = (
                f"{name} lies outside {self.domain}, the domain that {self.source} "
                "may act in"
            )
            raise CertificateError(msg)


def wall_clock() -> datetime:
    """Return the real time, aware, in UTC."""
    return datetime.now(UTC)


def rfc3339(when: datetime) -> str:
    """Return *when* in UTC as text, whole seconds."""
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def load_authority(
    ca: Path, ca_key: Path, passphrase_file: Path | None = None
) -> Authority:
    """Read a CA from PEM files; the dates are checked when it signs.

    *ca* is a bundle: the first certificate signs, the following are its
    issuers in order.

    Raises:
        CertificateError: A file can't be read, or they don't fit together.
    """
    chain = _load_chain(ca)
    certified = allowed(chain[0].public_key())
    if certified is None:
        msg = (
            f"{ca}: hosts don't take the kind of key of {_subject(chain[0])}; allowed "
            f"are {ALLOWED_KEYS}"
        )
        raise CertificateError(msg)
    key = load_key(ca_key, passphrase_file)
    if not same_key(certified, key.public_key()):
        msg = (
            f"{ca_key} is not the key of {_subject(chain[0])}, the first certificate "
            f"in {ca}, which has to be the one that signs"
        )
        raise CertificateError(msg)
    return Authority(chain, key, _path(chain, ca), ca)


def domain_of(ca: Path) -> Name:
    """Return the domain that the CA in the bundle *ca* may act in.

    Raises:
        CertificateError: The file can't be read, or hosts would not take it.
    """
    return Name(_path(_load_chain(ca), ca))


def load_certificate(path: Path) -> x509.Certificate:
    """Read the one CA certificate in the PEM file at *path*.

    Raises:
        CertificateError: The file doesn't hold exactly one CA certificate.
    """
    certificates = _load_pem(path)
    if len(certificates) != 1:
        msg = (
            f"{path} holds {len(certificates)} certificates; exactly one is allowed: "
            "the CA that has issued the server's"
        )
        raise CertificateError(msg)
    _require_ca(certificates[0], path)
    return certificates[0]


def require_readable(certificate: x509.Certificate) -> None:
    """Look at all that anybody here will ask of *certificate*.

    Its parts are parsed when they are asked for: rubbish would show much
    later, where nobody expects it.

    Raises:
        Exception: One of `UNREADABLE`.
    """
    _ = certificate.version, certificate.extensions, certificate.public_key()
    _ = certificate.issuer, certificate.subject.rfc4514_string()
    _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc


def common_name(certificate: x509.Certificate) -> str | None:
    """Return the first common name of the subject; None: there is none."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not names:
        return None
    value = names[0].value
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def validity(certificate: x509.Certificate) -> Validity:
    """Return the dates of *certificate*."""
    return Validity(
        _subject(certificate),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Tell whether *certificate* is a root."""
    return certificate.issuer == certificate.subject and is_issued_by(
        certificate, certificate
    )


def is_issued_by(issued: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether *issuer* has signed *issued* itself."""
    try:
        issued.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _load_chain(ca: Path) -> tuple[x509.Certificate, ...]:
    chain = _load_pem(ca)
    for each in chain:
        _require_ca(each, ca)
    for issued, issuer in itertools.pairwise(chain):
        if not is_issued_by(issued, issuer):
            msg = (
                f"{ca}: {_subject(issued)} is not issued by {_subject(issuer)}, the "
                "certificate after it; the one that signs comes first, then its "
                "issuers in order"
            )
            raise CertificateError(msg)
    return chain


def _load_pem(path: Path) -> tuple[x509.Certificate, ...]:
    octets = read_file(path)
    try:
        certificates = tuple(x509.load_pem_x509_certificates(octets))
        for each in certificates:
            require_readable(each)
    except UNREADABLE as error:
        # What follows is advice to programmers.
        reason = str(error).partition(". See ")[0]
        msg = f"{path} doesn't hold certificates in PEM form: {reason}"
        raise CertificateError(msg) from error
    return certificates


def _require_ca(certificate: x509.Certificate, path: Path) -> None:
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        may_sign = False
    else:
        may_sign = basic.value.ca
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    except x509.ExtensionNotFound:
        pass
    else:
        may_sign = may_sign and usage.value.key_cert_sign
    if not may_sign:
        msg = (
            f"{path}: {_subject(certificate)} is not a CA certificate (basic "
            "constraints CA, and keyCertSign where there is a key usage)"
        )
        raise CertificateError(msg)


def _path(chain: tuple[x509.Certificate, ...], ca: Path) -> tuple[str, ...]:
    """Return the domain that *chain* acts in, outermost component first."""
    components = []
    for certificate in reversed(chain):
        if is_self_signed(certificate) or not _carries_policy(certificate, ca):
            continue
        component = common_name(certificate) or ""
        if not is_label(component):
            msg = (
                f"{ca}: {_subject(certificate)} carries a policy, but its common name "
                "is no label of a domain"
            )
            raise CertificateError(msg)
        # Only now: lower() makes ASCII of some other letters.
        components.append(component.lower())
    return tuple(components)


def _carries_policy(certificate: x509.Certificate, ca: Path) -> bool:
    try:
        extension = certificate.extensions.get_extension_for_oid(COMMAND_OID)
    except x509.ExtensionNotFound:
        # vmm_tls.ml - an intermediate without a command is skipped: what it
        # signs acts at the parent's path.
        return False
    try:
        command = decode_command(extension.value.public_bytes())
    except RemoteProtocolError as error:
        msg = f"{ca}: the command in {_subject(certificate)} is not valid: {error}"
        raise CertificateError(msg) from error
    if not isinstance(command, PolicyAdd):
        msg = (
            f"{ca}: {_subject(certificate)} carries {type(command).__name__}; in a CA "
            "hosts allow nothing but a policy to add"
        )
        raise CertificateError(msg)
    return True


def _subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "a certificate without a subject"
