"""The host's end of TLS 1.3, as Albatross endpoints do it.

Laws: no session tickets; a client's certificate that isn't taken is answered
with the alert that hosts send, which leaves before the connection closes; a
write is one record where it fits into one; a normal end is a close_notify.
`trio.SSLStream` doesn't flush its alert after a failed handshake.
"""

import contextlib
import os
import ssl
from pathlib import Path

import trio
from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey

from albatross_client.sandbox.alerts import (
    BAD_CERTIFICATE,
    alert_for,
    alert_record,
    traffic_secret,
)

READ_BYTES = 65_536
GOODBYE_SECONDS = 1.0
# _ssl.ENCODING_DER, of a module that is not for us to import
_DER = 2


class RejectedClientError(Exception):
    """The client's certificate isn't one that hosts take."""


@frozen
class ServerContext:
    """A TLS context, and the log of its secrets."""

    context: ssl.SSLContext
    _key_log: int

    @classmethod
    def load(cls, certificate: Path, key: Path, ca: Path) -> "ServerContext":
        """Make a context that shows *certificate* and trusts *ca*."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.num_tickets = 0
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED
        key_log = os.memfd_create("sandbox-key-log")
        context.keylog_filename = f"/proc/self/fd/{key_log}"
        return cls(context, key_log)

    def close(self) -> None:
        """Close the log; no handshake may follow."""
        os.close(self._key_log)

    def take_secret(self) -> bytes | None:
        """Return the secret logged since last asked, and forget it."""
        size = os.fstat(self._key_log).st_size
        log = os.pread(self._key_log, size, 0).decode("ascii")
        os.ftruncate(self._key_log, 0)
        return traffic_secret(log)


class TlsServerStream:
    """The host's end of one connection over *transport*."""

    def __init__(self, transport: trio.abc.Stream, context: ServerContext) -> None:
        """Begin; `handshake` comes next."""
        self._transport = transport
        self._context = context
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.context.wrap_bio(
            self._incoming, self._outgoing, server_side=True
        )
        self._secret: bytes | None = None
        self._may_speak = True

    async def handshake(self) -> tuple[x509.Certificate, ...]:
        """Shake hands and return the client's chain without the root.

        Raises:
            RejectedClientError: The certificate isn't taken; the client knows.
            ssl.SSLError: This is no TLS 1.3, or the client gave up.
        """
        try:
            while not self._step_handshake():
                await self.flush()
                await self._feed()
        except ssl.SSLError as error:
            await self._alert(alert_for(error))
            if isinstance(error, ssl.SSLCertVerificationError):
                raise RejectedClientError(error.verify_message) from error
            raise
        await self.flush()
        try:
            chain = _read_chain(self._tls)
            _check_leaf(chain[0])
        except RejectedClientError:
            await self._alert(BAD_CERTIFICATE)
            raise
        return chain[:-1]

    @property
    def pending(self) -> int:
        """How many bytes `flush` would send."""
        return self._outgoing.pending

    def write(self, octets: bytes) -> None:
        """Encrypt *octets*, a record of them at a time, for `flush`."""
        left = memoryview(octets)
        while left:
            left = left[self._tls.write(left) :]

    async def flush(self) -> None:
        """Send what is encrypted."""
        octets = self._outgoing.read()
        if octets:
            await self._transport.send_all(octets)

    async def receive_some(self) -> bytes:
        """Return what came; empty at the client's close_notify.

        Raises:
            ssl.SSLError: The connection ended without one, or broke.
        """
        while True:
            try:
                return self._tls.read(READ_BYTES)
            except ssl.SSLWantReadError:
                await self._feed()

    async def aclose(self) -> None:
        """Say goodbye and close."""
        if self._may_speak:
            # It would wait for the other's close_notify, or has failed before.
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
        with trio.move_on_after(GOODBYE_SECONDS, shield=True):
            with contextlib.suppress(trio.BrokenResourceError):
                await self.flush()
        await self.cut()

    async def cut(self) -> None:
        """Close without a goodbye."""
        await trio.aclose_forcefully(self._transport)

    def _step_handshake(self) -> bool:
        """Go one step further; tell whether the handshake is over."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            # The secret is logged in the step that writes the server's part;
            # no other handshake can come between.
            self._secret = self._context.take_secret() or self._secret
            return False
        return True

    async def _alert(self, description: int | None) -> None:
        """Send *description* in place of OpenSSL's own alert; None: that."""
        own = self._outgoing.read()
        # Nothing follows a fatal alert, and its record number is used up.
        self._may_speak = False
        cipher = self._tls.cipher()
        if description is not None and self._secret is not None and cipher:
            own = alert_record(cipher[0], self._secret, description)
        with contextlib.suppress(trio.BrokenResourceError):
            await self._transport.send_all(own)

    async def _feed(self) -> None:
        octets = await self._transport.receive_some(READ_BYTES)
        if octets:
            self._incoming.write(octets)
        else:
            self._incoming.write_eof()


def _read_chain(tls: ssl.SSLObject) -> tuple[x509.Certificate, ...]:
    """Return the certificates from the client's to the root that is trusted.

    Raises:
        RejectedClientError: One of them can't be read.
    """
    try:
        chain = tuple(x509.load_der_x509_certificate(der) for der in _verified(tls))
        for certificate in chain:
            # Read lazily, and not wholly by OpenSSL.
            _ = certificate.extensions
    except (ValueError, x509.DuplicateExtension) as error:
        raise RejectedClientError(str(error)) from error
    return chain


def _verified(tls: ssl.SSLObject) -> list[bytes]:
    # Public from Python 3.13 on; before, the same call is one level down and
    # gives objects.
    get = getattr(tls, "get_verified_chain", None)
    if get is not None:
        return list(get())
    below = tls._sslobj.get_verified_chain()  # type: ignore[attr-defined]  # noqa: SLF001
    return [certificate.public_bytes(_DER) for certificate in below]


def _check_leaf(leaf: x509.Certificate) -> None:
    """Refuse what hosts don't take, though OpenSSL does.

    Raises:
        RejectedClientError: *leaf* is such a certificate.
    """
    if isinstance(leaf.public_key(), Ed448PublicKey):
        msg = "Ed448 is not known"
        raise RejectedClientError(msg)
    try:
        basic = leaf.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return
    if basic.value.ca:
        msg = "a CA certificate is no leaf"
        raise RejectedClientError(msg)
