"""What goes wrong on connections, as sentences of their own class."""

import ssl

import pytest
import trio

from albatross_client.certificates import Validity
from albatross_client.cli.check import soon_over
from albatross_client.errors import (
    CertificateError,
    HostUnreachableError,
    RemoteProtocolError,
)
from albatross_client.failures import Circumstances, explain
from tests.client.pki import A_DAY, TODAY

DATES = Validity("CN=user", TODAY - A_DAY, TODAY + A_DAY)


def where(*, sent=True, changes=True):
    return Circumstances("host:1025", sent, changes, (DATES,), "user.pem", DATES)


def tls_error(reason):
    error = ssl.SSLError(1, f"[SSL: {reason}] in words")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("reason", "kind", "text"),
    [
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", CertificateError, "CN=user from 20"),
        ("SSL/TLS_ALERT_CERTIFICATE_EXPIRED", CertificateError, "not yet valid"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", CertificateError, "(bad_certificate)"),
        ("TLSV1_ALERT_UNKNOWN_CA", CertificateError, "(unknown_ca)"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", CertificateError, "user.pem has to be"),
        ("UNEXPECTED_EOF_WHILE_READING", HostUnreachableError, "without a goodbye"),
        ("TLSV1_ALERT_INTERNAL_ERROR", HostUnreachableError, "broke ("),
    ],
)
def test_each_reason_has_its_class_and_advice(reason, kind, text):
    found = explain(tls_error(reason), where())

    assert type(found) is kind
    assert text in str(found)


@pytest.mark.parametrize("sent", [False, True], ids=["before", "after"])
def test_only_what_was_sent_may_have_taken_effect(sent):
    lost = explain(trio.BrokenResourceError("gone"), where(sent=sent))

    assert isinstance(lost, HostUnreachableError)
    assert lost.sent is sent
    assert ("may have taken effect" in str(lost)) is sent


def test_a_question_has_no_effect():
    lost = explain(trio.BrokenResourceError("gone"), where(changes=False))

    assert isinstance(lost, HostUnreachableError)
    assert lost.sent
    assert "may have taken effect" not in str(lost)


def test_what_is_no_tls_before_the_command_is_the_wrong_port():
    found = explain(tls_error("WRONG_VERSION_NUMBER"), where(sent=False))

    assert isinstance(found, RemoteProtocolError)
    assert "is this the port of albatross-tls-endpoint?" in str(found)


def test_the_innermost_reason_is_told():
    outer = trio.BrokenResourceError("outer")
    outer.__cause__ = ConnectionResetError(104, "inner")

    assert "(Connection reset by peer)" in str(explain(outer, where()))
    assert "(BrokenResourceError)" in str(explain(trio.BrokenResourceError(), where()))


@pytest.mark.parametrize(
    ("days", "warned"), [(29, True), (31, False), (-1, True)], ids=str
)
def test_certificates_are_warned_of_a_month_ahead(days, warned):
    dates = Validity("CN=ca", TODAY - A_DAY, TODAY + days * A_DAY)

    assert bool(tuple(soon_over((dates,), TODAY))) is warned
