"""Certificates of clients, and what hosts say to them."""

import ssl
from datetime import datetime, timedelta
from typing import Any

import trio
from attrs import define, field
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from albatross_client import commands as c
from albatross_client.certificates import COMMAND_OID, wall_clock
from albatross_client.framing import FrameReader
from albatross_client.sandbox.authority import (
    Signer,
    ca_files,
    load_or_make_ca,
)
from albatross_client.wire import decode, encode_command

NOW = wall_clock()
HOUR = timedelta(hours=1)
INFO = encode_command(c.UnikernelInfo())


@define(kw_only=True)
class Leaf:
    """A client's certificate to be; the defaults are what hosts take."""

    common_name: str | None = "."
    command: bytes | None = INFO
    critical: bool = False
    begins: datetime = NOW - HOUR
    ends: datetime = NOW + HOUR
    key: Any = field(factory=ed25519.Ed25519PrivateKey.generate)
    extensions: tuple[x509.ExtensionType, ...] = ()

    def sign(self, issuer):
        names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "tests")]
        if self.common_name is not None:
            names = [x509.NameAttribute(NameOID.COMMON_NAME, self.common_name)]
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(names))
            .issuer_name(issuer.chain[0].subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.begins)
            .not_valid_after(self.ends)
        )
        if self.command is not None:
            command = x509.UnrecognizedExtension(COMMAND_OID, self.command)
            builder = builder.add_extension(command, critical=self.critical)
        for extension in self.extensions:
            builder = builder.add_extension(extension, critical=False)
        return Signer((builder.sign(issuer.key, None), *issuer.chain), self.key)


def load_client_context(directory, signer):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(ca_files(directory).certificate)
    pem = directory / "client.pem"
    key = signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = [each.public_bytes(Encoding.PEM) for each in signer.chain]
    pem.write_bytes(key + b"".join(chain))
    context.load_cert_chain(pem)
    return context


async def connect(sandbox, signer):
    stream = await trio.open_tcp_stream("127.0.0.1", sandbox.port)
    context = load_client_context(sandbox.directory, signer)
    return trio.SSLStream(stream, context)


async def talk(sandbox, signer, chunks=()):
    """Return the messages that come back until close_notify."""
    async with await connect(sandbox, signer) as stream:
        for chunk in chunks:
            await stream.send_all(chunk)
        frames = FrameReader(1 << 24)
        wires = []
        # https_compatible is off: an end without close_notify is an error.
        while octets := await stream.receive_some():
            wires += [decode(body) for body in frames.feed(octets)]
        return wires


def a_ca(sandbox):
    return load_or_make_ca(sandbox.directory, NOW)
