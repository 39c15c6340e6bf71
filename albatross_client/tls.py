"""TLS contexts that carry one command, and who the other side has to be.

Laws: TLS 1.3 only; the operator's CA is the only trust; a context is made for
one command and used again for the same command while its certificate is valid.
"""

import hashlib
import ssl
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from albatross_client.certificates import (
    COMMAND_OID,
    UNREADABLE,
    common_name,
    is_issued_by,
    require_readable,
)
from albatross_client.endpoint import Endpoint
from albatross_client.errors import CertificateError
from albatross_client.minting import Ask, Identity, mint
from albatross_client.unstored import unstored

# A context costs 2 ms (certificate 0.7, context 1.4) and 30 kB; a daemon asks
# the same few things of a host, again and again.
MAX_CONTEXTS = 32
# No handshake and no clock that is a little ahead takes longer.
MIN_LEFT = timedelta(seconds=60)


@frozen
class _Cached:
    context: ssl.SSLContext
    made: datetime
    expires: datetime

    def serves(self, now: datetime) -> bool:
        """Tell whether hosts take it at *now*, for a while yet."""
        # A clock that was put right since then had dated it wrongly.
        return self.made <= now <= self.expires - MIN_LEFT


class Contexts:
    """Makes the contexts for one endpoint, and keeps the last ones."""

    def __init__(self, endpoint: Endpoint, clock: Callable[[], datetime]) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._cached: OrderedDict[Ask, _Cached] = OrderedDict()

    def context_for(self, ask: Ask) -> ssl.SSLContext:
        """Return a context whose certificate carries *ask*.

        Raises:
            CertificateError: The authority can't sign it.
        """
        now = self._clock()
        cached = self._cached.pop(ask, None)
        if cached is None or not cached.serves(now):
            identity = mint(self._endpoint.authority, ask, now)
            context = client_context(identity, self._endpoint.server_ca)
            cached = _Cached(context, now, identity.expires)
        self._cached[ask] = cached
        while len(self._cached) > MAX_CONTEXTS:
            self._cached.popitem(last=False)
        return cached.context


def client_context(identity: Identity, server_ca: x509.Certificate) -> ssl.SSLContext:
    """Return a context that shows *identity* and trusts *server_ca* alone."""
    # Not create_default_context: that trusts every public CA, costs 20 ms, and
    # its strict flag (Python 3.13) refuses the CAs of Albatross.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # Servers are not tied to host names; `check_server` looks at the rest.
    context.check_hostname = False
    # Servers' certificates may come from a CA below the operator's root.
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=server_ca.public_bytes(Encoding.DER))
    chain = b"".join(each.public_bytes(Encoding.PEM) for each in identity.chain)
    key = identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with unstored(chain) as chain_path, unstored(key) as key_path:
        context.load_cert_chain(chain_path, key_path)
    return context


def read_server(endpoint: Endpoint, der: bytes) -> x509.Certificate:
    """Return the certificate *der* that a server has shown, looked at.

    Raises:
        CertificateError: Nobody can read it, or it is not the server's.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        # Whoever has a CA below the operator's can sign what it likes.
        require_readable(certificate)
    except UNREADABLE as error:
        msg = (
            f"{endpoint.address} shows a certificate nobody can read: somebody may be "
            "posing as the host, and nothing was sent"
        )
        raise CertificateError(msg) from error
    check_server(endpoint, certificate)
    return certificate


def check_server(endpoint: Endpoint, certificate: x509.Certificate) -> None:
    """Refuse a server that only holds *some* certificate of the operator's.

    Every tenant has an intermediate of the same CA and could pose as the
    server if the chain were all that is looked at.

    Raises:
        CertificateError: It is not the server; the message says what differs.
    """
    problem = _server_problem(endpoint, certificate)
    if problem is not None:
        subject = certificate.subject.rfc4514_string()
        msg = (
            f"{endpoint.address} shows the certificate {subject}, {problem}: somebody "
            "may be posing as the host, and nothing was sent"
        )
        raise CertificateError(msg)


def public_key_sha256(certificate: x509.Certificate) -> bytes:
    """Return the SHA-256 of the DER SubjectPublicKeyInfo."""
    key = certificate.public_key()
    octets = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(octets).digest()


def _server_problem(endpoint: Endpoint, certificate: x509.Certificate) -> str | None:
    if not is_issued_by(certificate, endpoint.server_ca):
        issuer = endpoint.server_ca.subject.rfc4514_string()
        return f"which {issuer} has not issued itself (server_ca)"
    if not _is_for_servers(certificate):
        return "which is not for servers (extended key usage serverAuth)"
    if _carries_command(certificate):
        return "which carries a command, as those of clients do"
    expected = endpoint.server_name
    if expected is not None and common_name(certificate) != expected:
        return f"but the common name has to be {expected!r} (server_name)"
    pin = endpoint.server_key_sha256
    if pin is not None and public_key_sha256(certificate) != pin:
        found = public_key_sha256(certificate).hex()
        return (
            f"but its public key has the SHA-256 {found}, not {pin.hex()} "
            "(server_key_sha256)"
        )
    return None


def _is_for_servers(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return ExtendedKeyUsageOID.SERVER_AUTH in usage.value


def _carries_command(certificate: x509.Certificate) -> bool:
    return any(each.oid == COMMAND_OID for each in certificate.extensions)
