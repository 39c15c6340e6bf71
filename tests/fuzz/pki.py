"""The one CA of the fuzz targets: its key is the same in every run.

What was signed with it and kept in the corpus so stays signed by it.
"""

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates

from tests.client.pki import Issued, root

CA: Issued = root(key=Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def as_pem(octets: bytes) -> bytes:
    """Return *octets* as a file of certificates.

    What doesn't look like PEM is taken for the DER of one certificate: few
    mutations of base64 mean anything.
    """
    if b"-----BEGIN" in octets:
        return octets
    return _armoured(octets)


def as_der(pem: bytes) -> bytes:
    """Return the first certificate of *pem*."""
    return load_pem_x509_certificates(pem)[0].public_bytes(Encoding.DER)


def _armoured(octets: bytes) -> bytes:
    lines = base64.encodebytes(octets)
    return b"-----BEGIN CERTIFICATE-----\n" + lines + b"-----END CERTIFICATE-----\n"
