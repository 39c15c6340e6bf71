"""Fatal TLS 1.3 alerts of our own choice, encrypted as the server would.

OpenSSL answers a client's certificate that it doesn't like with an alert of
its own; Albatross hosts use another TLS library, with other alerts.  To look
like one of them the sandbox writes the alert record itself, which takes the
secret that OpenSSL logs for debuggers.
"""

import ssl
from collections.abc import Callable

from attrs import field, frozen
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

# RFC 8446, section 6 - descriptions of alerts
BAD_CERTIFICATE = 42
CERTIFICATE_EXPIRED = 45

_FATAL = 2
_ALERT_TYPE = 21
_APPLICATION_DATA = 23
_TAG_BYTES = 16
_IV_BYTES = 12
_LABEL = "SERVER_TRAFFIC_SECRET_0"

# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED
_WRONG_TIME = (9, 10)


@frozen
class _Suite:
    """What a cipher suite of TLS 1.3 is made of."""

    digest: SHA256 | SHA384
    key_bytes: int
    aead: Callable[[bytes], AESGCM | ChaCha20Poly1305] = field(repr=False)


_SUITES = {
    "TLS_AES_128_GCM_SHA256": _Suite(SHA256(), 16, AESGCM),
    "TLS_AES_256_GCM_SHA384": _Suite(SHA384(), 32, AESGCM),
    "TLS_CHACHA20_POLY1305_SHA256": _Suite(SHA256(), 32, ChaCha20Poly1305),
}


def alert_for(error: ssl.SSLError) -> int | None:
    """Return the alert that hosts answer *error* with; None: OpenSSL's own."""
    # tls/lib/handshake_common.ml - dates are told apart, all else is not.
    if not isinstance(error, ssl.SSLCertVerificationError):
        return None
    wrong_time = error.verify_code in _WRONG_TIME
    return CERTIFICATE_EXPIRED if wrong_time else BAD_CERTIFICATE


def traffic_secret(key_log: str) -> bytes | None:
    """Return the server's first traffic secret from lines of a key log."""
    for line in key_log.splitlines():
        label, _, rest = line.partition(" ")
        if label == _LABEL:
            return bytes.fromhex(rest.partition(" ")[2])
    return None


def alert_record(suite_name: str, secret: bytes, description: int) -> bytes:
    """Return the record with a fatal alert, the first under *secret*."""
    # RFC 8446, sections 5.2, 5.3 and 7.3: the sequence number is 0, so the
    # nonce is the IV itself.
    suite = _SUITES[suite_name]
    inner = bytes((_FATAL, description, _ALERT_TYPE))
    length = len(inner) + _TAG_BYTES
    header = bytes((_APPLICATION_DATA, 3, 3, 0, length))
    key = _expand(suite, secret, "key", suite.key_bytes)
    nonce = _expand(suite, secret, "iv", _IV_BYTES)
    return header + suite.aead(key).encrypt(nonce, inner, header)


def _expand(suite: _Suite, secret: bytes, label: str, length: int) -> bytes:
    # RFC 8446, section 7.1 - HKDF-Expand-Label with an empty context
    text = f"tls13 {label}".encode()
    info = length.to_bytes(2, "big") + bytes((len(text),)) + text + b"\0"
    return HKDFExpand(suite.digest, length, info).derive(secret)
