"""The keys of a sandbox host: a CA, its server, and domains' own CAs.

All of them are files in one directory:

``ca.pem``, ``ca.key``
    The operator's CA: what signs commands, and what the server is issued by.
``server.pem``, ``server.key``
    The server's certificate (EKU serverAuth, no host name).
``user.pem``, ``user.key``
    The CA of the domain ``user``: a bundle of its certificate, which carries
    its policy, and its issuers.  That of ``org:team`` is ``org_team.pem``.

Keys are PKCS8, not encrypted, for their owner's eyes only (0600).
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from albatross_client.certificates import COMMAND_OID
from albatross_client.commands import PolicyAdd
from albatross_client.names import Name
from albatross_client.values import ResourcePolicy
from albatross_client.wire import encode_command

CA_YEARS = timedelta(days=3650)
# Certificates begin a little back, for clocks that are apart.
SLACK = timedelta(hours=1)


@frozen
class Signer:
    """A CA: its certificate, its issuers' and its key.

    Attributes:
        chain: Its own certificate, then its issuers in order.
        key: Its own.
    """

    chain: tuple[x509.Certificate, ...]
    key: Ed25519PrivateKey = field(repr=False)


@frozen
class Files:
    """Where the certificate and the key of one party are."""

    certificate: Path
    key: Path


def make_ca(common_name: str, now: datetime) -> Signer:
    """Return a new self-signed CA, valid for ten years from *now*."""
    key = Ed25519PrivateKey.generate()
    subject = _name(common_name)
    builder = _builder(subject, subject, key, now).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    builder = builder.add_extension(_CA_USAGE, critical=True)
    return Signer((builder.sign(key, None),), key)


def make_server(ca: Signer, now: datetime) -> Signer:
    """Return a new server certificate of *ca*, valid from *now*."""
    key = Ed25519PrivateKey.generate()
    issuer = ca.chain[0]
    builder = _builder(_name("sandbox"), issuer.subject, key, now)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = builder.add_extension(usage, critical=False)
    return Signer((builder.sign(ca.key, None), *ca.chain), key)


def delegate(
    issuer: Signer, label: str, policy: ResourcePolicy, now: datetime
) -> Signer:
    """Return a CA for the domain *label* below *issuer*'s, with *policy*."""
    key = Ed25519PrivateKey.generate()
    builder = _builder(_name(label), issuer.chain[0].subject, key, now)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    builder = builder.add_extension(_CA_USAGE, critical=True)
    command = encode_command(PolicyAdd(policy))
    builder = builder.add_extension(
        x509.UnrecognizedExtension(COMMAND_OID, command), critical=False
    )
    return Signer((builder.sign(issuer.key, None), *issuer.chain), key)


def load_or_make_ca(directory: Path, now: datetime) -> Signer:
    """Return the CA of *directory*, made at *now* if there is none."""
    files = ca_files(directory)
    if not files.key.exists():
        ca = make_ca("sandbox CA", now)
        write(files, ca)
        return ca
    return _load_ca(files)


def _load_ca(files: Files) -> Signer:
    try:
        key = load_pem_private_key(files.key.read_bytes(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"{files.key} is not of the sandbox's making: it is no Ed25519 key"
        raise ValueError(msg)  # noqa: TRY004 - of the file's content
    try:
        chain = x509.load_pem_x509_certificates(files.certificate.read_bytes())
    except ValueError as error:
        msg = f"{files.certificate} is not of the sandbox's making: no certificate"
        raise ValueError(msg) from error
    return Signer(tuple(chain), key)


def ca_files(directory: Path) -> Files:
    """Return the files of the operator's CA."""
    return Files(directory / "ca.pem", directory / "ca.key")


def server_files(directory: Path) -> Files:
    """Return the files of the server."""
    return Files(directory / "server.pem", directory / "server.key")


def domain_files(directory: Path, domain: Name) -> Files:
    """Return the files of the CA of *domain*."""
    # No label has an underscore, so no two domains share a file.
    stem = "_".join(domain.path)
    return Files(directory / f"{stem}.pem", directory / f"{stem}.key")


def write(files: Files, signer: Signer) -> None:
    """Write the whole chain and the key of *signer*."""
    pems = [each.public_bytes(Encoding.PEM) for each in signer.chain]
    files.certificate.write_bytes(b"".join(pems))
    pem = signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # Never readable by others, not even for a moment, whatever the umask.
    descriptor = os.open(files.key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)
        file.write(pem)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Ed25519PrivateKey, now: datetime
) -> x509.CertificateBuilder:
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SLACK)
        .not_valid_after(now + CA_YEARS)
        .add_extension(identifier, critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


_CA_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=True,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
