"""What went wrong on a connection, told as one sentence for the operator.

In TLS 1.3 a server's refusal of our certificate comes after a handshake that
looks complete: it shows as an alert at the first read.
"""

import os
import socket
import ssl

import trio
from attrs import frozen

from albatross_client.certificates import Validity, rfc3339
from albatross_client.errors import (
    AlbatrossError,
    CertificateError,
    HostUnreachableError,
    RemoteProtocolError,
)

_REFUSED_ALERTS = (
    "BAD_CERTIFICATE",
    "UNKNOWN_CA",
    "CERTIFICATE_REQUIRED",
    "CERTIFICATE_UNKNOWN",
    "CERTIFICATE_REVOKED",
    "UNSUPPORTED_CERTIFICATE",
    "ACCESS_DENIED",
    "DECRYPT_ERROR",
)

# openssl/x509_vfy.h - X509_V_ERR_CERT_NOT_YET_VALID and _HAS_EXPIRED.
_OUT_OF_DATE = {9: "is not valid yet", 10: "has expired"}


@frozen
class Circumstances:
    """What is known where something goes wrong.

    Attributes:
        address: The endpoint's.
        sent: Whether the command may have reached the host.
        changes: Whether it is one that changes something there.
        authority: The dates of what signs our certificates.
        source: The file of that.
        server_ca: The dates of what the server's certificate must come from.
    """

    address: str
    sent: bool
    changes: bool
    authority: tuple[Validity, ...]
    source: str
    server_ca: Validity


def explain(
    error: ssl.SSLError | OSError | trio.BrokenResourceError, where: Circumstances
) -> AlbatrossError:
    """Return *error* as one of ours; the caller raises it from *error*."""
    match error:
        case ssl.SSLCertVerificationError(verify_code=code) if code in _OUT_OF_DATE:
            return CertificateError(_server_expired(_OUT_OF_DATE[code], where))
        case ssl.SSLCertVerificationError():
            return CertificateError(
                f"{where.address} shows a certificate that does not come from "
                f"server_ca ({error.verify_message}): check that file, or somebody is "
                "posing as the host; nothing was sent"
            )
        case ssl.SSLEOFError():
            return _lost("it ended without a goodbye", where)
        case ssl.SSLError():
            return _explain_tls(error.reason or str(error), where)
        case _:
            return _lost(_reason(error), where)


def explain_connecting(error: OSError, address: str) -> HostUnreachableError:
    """Return why no connection came about."""
    return HostUnreachableError(
        f"{address} can't be reached ({_reason(error)}): is the host up, and the "
        "address and port right?"
    )


def _explain_tls(reason: str, where: Circumstances) -> AlbatrossError:
    alert = reason.partition("ALERT_")[2]
    if alert == "CERTIFICATE_EXPIRED":
        return CertificateError(_expired(where))
    if alert in _REFUSED_ALERTS:
        return CertificateError(
            f"{where.address} does not accept our certificate ({alert.lower()}): "
            f"{where.source} has to be, or be signed by, the CA that the host trusts"
        )
    if reason == "UNEXPECTED_EOF_WHILE_READING":
        return _lost("it ended without a goodbye", where)
    if where.sent:
        return HostUnreachableError(
            f"the connection to {where.address} broke ({reason.lower()})", sent=True
        )
    return RemoteProtocolError(
        f"{where.address} does not answer in TLS 1.3 ({reason.lower()}): is this the "
        "port of albatross-tls-endpoint?"
    )


def _server_expired(how: str, where: Circumstances) -> str:
    # OpenSSL doesn't say which of the two.
    return (
        f"{where.address} shows a certificate that {how} by our clock, unless it is "
        f"server_ca that {how}: compare the clocks, and have the one that is out of "
        f"date signed anew; nothing was sent (server_ca: {_dates(where.server_ca)})"
    )


def _dates(each: Validity) -> str:
    return f"{each.subject} from {rfc3339(each.begins)} to {rfc3339(each.ends)}"


def _expired(where: Circumstances) -> str:
    dates = ", ".join(map(_dates, where.authority))
    return (
        f"{where.address} takes our certificate for expired or not yet valid: compare "
        "its clock with ours (a command's certificate is valid from 150 s ago for 450 "
        f"s) and look at the dates in {where.source}: {dates}"
    )


def _lost(reason: str, where: Circumstances) -> HostUnreachableError:
    may_have_worked = where.sent and where.changes
    effect = "; the command may have taken effect" if may_have_worked else ""
    return HostUnreachableError(
        f"the connection to {where.address} was lost ({reason}){effect}",
        sent=where.sent,
    )


def _reason(error: BaseException) -> str:
    """Return the innermost cause that says something."""
    inner = error
    while isinstance(inner, BaseExceptionGroup):
        inner = inner.exceptions[0]
    if inner.__cause__ is not None and str(inner.__cause__):
        return _reason(inner.__cause__)
    if isinstance(inner, socket.gaierror) and inner.strerror:
        # Its numbers are not those of other errors.
        return inner.strerror
    if isinstance(inner, OSError) and inner.errno is not None:
        # trio puts the address into the text; the message has it already.
        return os.strerror(inner.errno)
    return str(inner) or type(inner).__name__
