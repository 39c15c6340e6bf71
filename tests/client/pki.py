"""Certificate authorities for tests: every kind that operators have."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from albatross_client.certificates import COMMAND_OID
from albatross_client.commands import (
    Command,
    PolicyAdd,
)
from albatross_client.values import ResourcePolicy
from albatross_client.wire import encode_command
from tests.client.assemble import NULL, seq, tlv

# Real sockets date by the real clock.
TODAY = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251
A_DAY = timedelta(days=1)
PASSPHRASE = b"open sesame"
POLICY = ResourcePolicy(
    cpuids=frozenset({0, 1}), unikernels=10, memory=512, bridges=frozenset({"service"})
)

KEY_KINDS = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
}
REFUSED_KINDS = {
    "ed448": ed448.Ed448PrivateKey.generate,
    "rsa1024": lambda: rsa.generate_private_key(65537, 1024),  # noqa: S505 - refused
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
}


@frozen
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Any

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def key_pem(self, passphrase: bytes | None = None) -> bytes:
        encryption: KeySerializationEncryption = NoEncryption()
        if passphrase is not None:
            encryption = BestAvailableEncryption(passphrase)
        pem: bytes = self.key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, encryption
        )
        return pem


@frozen(kw_only=True)
class Wanted:
    """What a certificate shall be; the defaults make a healthy CA."""

    name: str = "ca"
    key: Any = None
    ca: bool = True
    path_length: int | None = None
    usage: str | None = None
    command: Command | None = None
    critical: bool = False
    identifiers: bool = True
    begins: datetime = TODAY - A_DAY
    ends: datetime = TODAY + 30 * A_DAY


def issue(wanted: Wanted, issuer: Issued | None = None) -> Issued:
    """Make *wanted*, signed by *issuer* or by itself."""
    key = wanted.key or ed25519.Ed25519PrivateKey.generate()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wanted.name)])
    signer = key if issuer is None else issuer.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(wanted.begins)
        .not_valid_after(wanted.ends)
    )
    for extension, critical in _extensions(wanted, key.public_key()):
        builder = builder.add_extension(extension, critical=critical)
    hashless = isinstance(signer, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return Issued(builder.sign(signer, None if hashless else SHA256()), key)


def root(name: str = "ca", key: Any = None) -> Issued:
    """Make a root CA."""
    return issue(Wanted(name=name, key=key))


def domain_ca(name: str, issuer: Issued, **changes: Any) -> Issued:
    """Make a CA for the domain *name*, with a policy to add."""
    defaults: dict[str, Any] = {"command": PolicyAdd(POLICY)}
    return issue(Wanted(name=name, **{**defaults, **changes}), issuer)


def server(issuer: Issued, name: str = "host", **changes: Any) -> Issued:
    """Make a server's certificate."""
    defaults: dict[str, Any] = {"ca": False, "usage": "server"}
    return issue(Wanted(name=name, **{**defaults, **changes}), issuer)


def with_extension_twice(issuer: Issued) -> Issued:
    """Make a certificate that OpenSSL takes and stricter readers don't."""
    one, other = "1.2.3.4.5", "1.2.3.4.6"
    key = ed25519.Ed25519PrivateKey.generate()
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "host")]))
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(TODAY - A_DAY)
        .not_valid_after(TODAY + A_DAY)
    )
    for each in (one, other):
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(each), NULL)
        builder = builder.add_extension(extension, critical=False)
    body = builder.sign(issuer.key, None).tbs_certificate_bytes.replace(
        bytes.fromhex("2a030406"), bytes.fromhex("2a030405")
    )
    ed25519_oid = seq(tlv(0x06, bytes.fromhex("2b6570")))
    der = seq(body, ed25519_oid, tlv(0x03, b"\x00" + issuer.key.sign(body)))
    return Issued(x509.load_der_x509_certificate(der), key)


def write(directory: Path, *bundle: Issued, passphrase: bytes | None = None) -> None:
    """Write ``ca.pem`` (all of *bundle*) and ``ca.key`` (the first's)."""
    (directory / "ca.pem").write_bytes(b"".join(each.pem for each in bundle))
    key = directory / "ca.key"
    key.touch(mode=0o600)
    key.write_bytes(bundle[0].key_pem(passphrase))
    (directory / "passphrase").write_bytes(PASSPHRASE + b"\n")


def _extensions(wanted: Wanted, public_key):
    if wanted.ca or wanted.usage is not None:
        yield (
            x509.BasicConstraints(ca=wanted.ca, path_length=wanted.path_length),
            True,
        )
    if wanted.identifiers:
        yield x509.SubjectKeyIdentifier.from_public_key(public_key), False
    if wanted.usage is not None:
        purposes = {
            "server": [ExtendedKeyUsageOID.SERVER_AUTH],
            "client": [ExtendedKeyUsageOID.CLIENT_AUTH],
            "both": [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
        }[wanted.usage]
        yield x509.ExtendedKeyUsage(purposes), False
    if wanted.command is not None:
        octets = encode_command(wanted.command)
        yield x509.UnrecognizedExtension(COMMAND_OID, octets), wanted.critical
