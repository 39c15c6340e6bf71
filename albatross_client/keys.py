"""Private keys of CAs, from PEM files.

Laws: what hosts would not verify is refused; nothing of a key, nor what a
library says about it, shows in a message.
"""

import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from albatross_client.errors import CertificateError, EncryptedKeyError

MIN_RSA_BITS = 2048
ALLOWED_KEYS = f"Ed25519, P-256, P-384, P-521, or RSA of {MIN_RSA_BITS} bits or more"

SigningKey = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey
VerifyingKey = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey


def load_key(path: Path, passphrase_file: Path | None) -> SigningKey:
    """Read the private key in the PEM file at *path*.

    Raises:
        EncryptedKeyError: It needs a passphrase.
        CertificateError: It can't be read, or is no key that may sign.
    """
    octets = read_file(path)
    passphrase = _read_passphrase(passphrase_file, path)
    try:
        key = load_pem_private_key(octets, passphrase)
    except TypeError:
        if passphrase is None:
            msg = (
                f"{path} is encrypted: name the file with its passphrase "
                "(ca_key_passphrase_file)"
            )
            raise EncryptedKeyError(msg) from None
        msg = (
            f"{path} is not encrypted: leave out ca_key_passphrase_file, "
            f"{passphrase_file}"
        )
        raise CertificateError(msg) from None
    except (ValueError, UnsupportedAlgorithm):
        msg = (
            f"{path} is not a private key in PEM form; allowed are {ALLOWED_KEYS}"
            if passphrase is None
            else f"the passphrase in {passphrase_file} doesn't open {path}"
        )
        raise CertificateError(msg) from None
    if not isinstance(key, SigningKey) or allowed(key.public_key()) is None:
        msg = f"{path}: hosts don't take this kind of key; allowed are {ALLOWED_KEYS}"
        raise CertificateError(msg)
    return key


def readable_by_others(path: Path) -> bool:
    """Tell whether group or others may read the file at *path*.

    Raises:
        CertificateError: There is no such file.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise _unreadable(path, error) from error
    return bool(mode & (stat.S_IRGRP | stat.S_IROTH))


def allowed(key: object) -> VerifyingKey | None:
    """Return the public *key* if it is of a kind that hosts take."""
    match key:
        case Ed25519PublicKey():
            return key
        case EllipticCurvePublicKey(curve=SECP256R1() | SECP384R1() | SECP521R1()):
            return key
        case RSAPublicKey(key_size=bits) if bits >= MIN_RSA_BITS:
            return key
        case _:
            return None


def same_key(one: VerifyingKey, other: VerifyingKey) -> bool:
    """Tell whether two public keys are the same one."""
    return _public_octets(one) == _public_octets(other)


def read_file(path: Path) -> bytes:
    """Return what is in the file at *path*.

    Raises:
        CertificateError: It can't be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _read_passphrase(passphrase_file: Path | None, key: Path) -> bytes | None:
    if passphrase_file is None:
        return None
    passphrase = read_file(passphrase_file).rstrip(b"\r\n")
    if not passphrase:
        # The library would take it for none, and the key for not encrypted.
        msg = f"{passphrase_file} is empty: the passphrase of {key} has to be in it"
        raise CertificateError(msg)
    return passphrase


def _public_octets(key: VerifyingKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _unreadable(path: Path, error: OSError) -> CertificateError:
    return CertificateError(f"{path} can't be read: {error.strerror}")
