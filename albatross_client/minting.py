"""Short-lived certificates that carry one command, and their chains.

Laws: what hosts would refuse is refused here, before anything is sent; keys
are made for one command and live in memory alone; `now` is an argument.
"""

from datetime import datetime, timedelta

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from albatross_client.certificates import (
    COMMAND_OID,
    Authority,
)
from albatross_client.commands import (
    Command,
    PolicyAdd,
)
from albatross_client.errors import CertificateError
from albatross_client.keys import SigningKey
from albatross_client.names import Name
from albatross_client.values import ResourcePolicy
from albatross_client.wire import encode_command

# Hosts give no slack: a certificate that is not valid yet is refused as
# expired.  Two minutes and a half cover clocks that are apart.
VALID_BEFORE = timedelta(seconds=150)
VALID_AFTER = timedelta(seconds=300)
# vmm_tls.ml - a chain of ten certificates or more is refused.
MAX_CHAIN = 9
# vmm_tls.ml - the leaf's common name for the path itself.
PATH_ITSELF = "."

_CURVE_HASHES: dict[int, SHA256 | SHA384 | SHA512] = {
    256: SHA256(),
    384: SHA384(),
    521: SHA512(),
}


@frozen
class Ask:
    """A command, whom it is for, and what an own chain of it has to say.

    Attributes:
        name: The unikernel or domain.
        command: What is asked.
        policies: One for every domain below the authority's down to *name*'s
            own, outermost first: hosts store them.
    """

    name: Name
    command: Command
    policies: tuple[ResourcePolicy, ...] = ()


@frozen
class Identity:
    """What a client shows in one handshake.

    Attributes:
        chain: The leaf first.
        key: The leaf's.
        expires: When the leaf does, aware.
    """

    chain: tuple[x509.Certificate, ...]
    key: Ed25519PrivateKey = field(repr=False)
    expires: datetime


@frozen
class _Issuer:
    certificate: x509.Certificate
    key: SigningKey = field(repr=False)


@frozen
class _Window:
    begins: datetime
    ends: datetime


def mint(authority: Authority, ask: Ask, now: datetime) -> Identity:
    """Return a certificate for *ask*, signed by *authority* at *now*.

    Raises:
        CertificateError: No host would take it: the name lies outside the
            authority's domain, the authority is not valid at *now*, or the
            chain is longer than is allowed.
        ValueError: The command holds a value that can't be encoded.
    """
    _check(authority, ask, now)
    window = _Window(now - VALID_BEFORE, now + VALID_AFTER)
    below = ask.name.path[len(authority.path) :]
    issuer = _Issuer(authority.chain[0], authority.key)
    intermediates: tuple[x509.Certificate, ...] = ()
    for component, policy in zip(below, ask.policies, strict=True):
        issuer = _intermediate(issuer, component, policy, window)
        intermediates = (issuer.certificate, *intermediates)
    key = Ed25519PrivateKey.generate()
    leaf = _leaf(issuer, key.public_key(), ask, window)
    return Identity((leaf, *intermediates, *authority.sent), key, window.ends)


def _check(authority: Authority, ask: Ask, now: datetime) -> None:
    authority.require_within(ask.name)
    if ask.name.label == PATH_ITSELF:
        msg = f"{ask.name} can't be asked for: '.' stands for the path itself"
        raise CertificateError(msg)
    for each in authority.validity:
        complaint = each.complaint(now)
        if complaint is not None:
            msg = f"{authority.source}: {complaint}; have it signed anew"
            raise CertificateError(msg)
    length = 1 + len(ask.policies) + len(authority.sent)
    if length > MAX_CHAIN:
        msg = (
            f"{ask.name} needs a chain of {length} certificates; hosts take at most "
            f"{MAX_CHAIN}"
        )
        raise CertificateError(msg)
    _check_path_lengths(authority, ask)


def _check_path_lengths(authority: Authority, ask: Ask) -> None:
    for depth, certificate in enumerate(authority.chain):
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        allowed = basic.value.path_length
        needed = depth + len(ask.policies)
        if allowed is not None and needed > allowed:
            msg = (
                f"{authority.source}: {certificate.subject.rfc4514_string()} allows "
                f"{allowed} CA certificates below it and {ask.name} needs {needed}: "
                "have it signed anew with a longer path length"
            )
            raise CertificateError(msg)


def _intermediate(
    issuer: _Issuer, component: str, policy: ResourcePolicy, window: _Window
) -> _Issuer:
    key = Ed25519PrivateKey.generate()
    builder = _builder(issuer, component, key.public_key(), window)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    builder = builder.add_extension(_key_usage(ca=True), critical=True)
    command = x509.UnrecognizedExtension(COMMAND_OID, encode_command(PolicyAdd(policy)))
    builder = builder.add_extension(command, critical=False)
    return _Issuer(_sign(builder, issuer.key), key)


def _leaf(
    issuer: _Issuer, key: Ed25519PublicKey, ask: Ask, window: _Window
) -> x509.Certificate:
    builder = _builder(issuer, ask.name.label or PATH_ITSELF, key, window)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    builder = builder.add_extension(_key_usage(ca=False), critical=True)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = builder.add_extension(usage, critical=False)
    # Critical, hosts refuse it: their X.509 library doesn't know it.
    command = x509.UnrecognizedExtension(COMMAND_OID, encode_command(ask.command))
    builder = builder.add_extension(command, critical=False)
    return _sign(builder, issuer.key)


def _builder(
    issuer: _Issuer, name: str, key: Ed25519PublicKey, window: _Window
) -> x509.CertificateBuilder:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer.certificate.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(window.begins)
        .not_valid_after(window.ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
    try:
        known = issuer.certificate.extensions.get_extension_for_class(
            x509.SubjectKeyIdentifier
        )
    except x509.ExtensionNotFound:
        # An identifier of our own making would match nothing.
        return builder
    identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
        known.value
    )
    return builder.add_extension(identifier, critical=False)


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=ca,
        key_encipherment=not ca,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _sign(builder: x509.CertificateBuilder, key: SigningKey) -> x509.Certificate:
    match key:
        case Ed25519PrivateKey():
            return builder.sign(key, None)
        case EllipticCurvePrivateKey():
            return builder.sign(key, _CURVE_HASHES[key.curve.key_size])
        case _:
            return builder.sign(key, SHA256())
