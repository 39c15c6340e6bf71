"""A TLS 1.3 server that does to its clients what a test tells it.

Blocking sockets in threads: unlike a server in trio they send the alert of a
failed handshake, as hosts do.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from cryptography import x509

from albatross_client.certificates import COMMAND_OID, common_name
from albatross_client.commands import Command
from albatross_client.framing import frame
from albatross_client.names import ROOT, Name
from albatross_client.replies import (
    Header,
    Payload,
    Wire,
)
from albatross_client.wire import decode_command, encode
from tests.client.pki import Issued

Script = Callable[[ssl.SSLSocket], None]
GIVE_UP_SECONDS = 10


def message(payload: Payload, name: Name = ROOT, sequence: int = 0) -> bytes:
    """Return a whole frame with *payload*."""
    return frame(encode(Wire(Header(name, sequence), payload)))


def say(*frames: bytes) -> Script:
    """Send *frames*, then close as hosts do."""

    def script(connection: ssl.SSLSocket) -> None:
        for each in frames:
            connection.sendall(each)

    return script


def cut(*octets: bytes) -> Script:
    """Send *octets*, then close without a close_notify."""

    def script(connection: ssl.SSLSocket) -> None:
        for each in octets:
            connection.sendall(each)
        raw = socket.socket(fileno=connection.detach())
        raw.close()

    return script


def read_exactly(connection: ssl.SSLSocket, count: int) -> bytes:
    """Read *count* bytes."""
    octets = b""
    while len(octets) < count:
        more = connection.recv(count - len(octets))
        if not more:
            msg = f"the client ended after {len(octets)} of {count} bytes"
            raise EOFError(msg)
        octets += more
    return octets


def read_upload(connection: ssl.SSLSocket) -> bytes:
    """Read chunks up to the empty one that ends them."""
    content = b""
    while length := int.from_bytes(read_exactly(connection, 4), "big"):
        content += read_exactly(connection, length)
    return content


class EndpointServer:
    """Serves one *script* per connection, in order; the last one repeats.

    Attributes:
        asked: Common name and command of every leaf that was accepted.
        leafs: The leafs themselves.
        refused: Why handshakes failed.
        context: What it speaks and shows.
    """

    def __init__(
        self, directory: Path, shown: tuple[Issued, ...], trusted: Issued, *scripts: Any
    ) -> None:
        self.asked: list[tuple[str, Command]] = []
        self.leafs: list[x509.Certificate] = []
        self.refused: list[str] = []
        self._scripts = list(scripts)
        self.context = _context(directory, shown, trusted)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone doesn't wake an accept.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(GIVE_UP_SECONDS)
            assert not thread.is_alive()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts.pop(0) if self._scripts[1:] else self._scripts[0]
            self._start(self._serve, connection, script)

    def _serve(self, connection: socket.socket, script: Script) -> None:
        connection.settimeout(GIVE_UP_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            tls = self.context.wrap_socket(connection, server_side=True)
        except OSError as error:
            self.refused.append(str(error))
            connection.close()
            return
        with tls:
            leaf = _leaf(tls)
            self.leafs.append(leaf)
            self.asked.append(_command(leaf))
            with contextlib.suppress(OSError, EOFError):
                script(tls)
                tls.unwrap()


def _context(
    directory: Path, shown: tuple[Issued, ...], trusted: Issued
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    context.verify_mode = ssl.CERT_REQUIRED
    chain, key, ca = (directory / f"server-{part}" for part in ("chain", "key", "ca"))
    chain.write_bytes(b"".join(each.pem for each in shown))
    key.write_bytes(shown[0].key_pem())
    ca.write_bytes(trusted.pem)
    context.load_cert_chain(chain, key)
    context.load_verify_locations(ca)
    return context


def _leaf(tls: ssl.SSLSocket) -> x509.Certificate:
    return x509.load_der_x509_certificate(tls.getpeercert(binary_form=True) or b"")


def _command(leaf: x509.Certificate) -> tuple[str, Command]:
    extension = leaf.extensions.get_extension_for_oid(COMMAND_OID)
    return common_name(leaf) or "", decode_command(extension.value.public_bytes())
