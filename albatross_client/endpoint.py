"""What is needed to talk to one Albatross host: address, keys, limits."""

from collections.abc import Mapping

from attrs import field, frozen
from cryptography.x509 import Certificate

from albatross_client.certificates import Authority, Validity, validity
from albatross_client.names import Name
from albatross_client.values import ResourcePolicy

DEFAULT_PORT = 1025
MIB = 1024 * 1024


@frozen(kw_only=True)
class Limits:
    """How much a host may send before it is taken for confused or hostile.

    Attributes:
        stream_bytes: Longest message of a statistics or console stream; a
            statistics frame has 300 to 700 bytes.
        reply_bytes: Longest reply; a full host lists itself in well under 1
            MiB.
        image_bytes: Largest unikernel image or block device, uncompressed.
    """

    stream_bytes: int = MIB
    reply_bytes: int = 16 * MIB
    image_bytes: int = 256 * MIB


@frozen(kw_only=True)
class Endpoint:
    """One host and the keys to it.

    Attributes:
        host: Host name or IP address.
        port: TCP port of the TLS endpoint.
        server_ca: What the server's certificate must be issued by.
        authority: What signs our certificates.
        server_name: The common name that the server's certificate must have;
            None: any.
        server_key_sha256: SHA-256 of the public key (DER
            SubjectPublicKeyInfo) that the server must have; None: any.
        policies: Policies for domains that the host has none stored for, by
            domain; commands below such a domain store it.
        limits: Bounds for what the host sends.
    """

    host: str
    port: int = DEFAULT_PORT
    server_ca: Certificate
    authority: Authority
    server_name: str | None = None
    server_key_sha256: bytes | None = None
    policies: Mapping[Name, ResourcePolicy] = field(factory=dict)
    limits: Limits = Limits()

    @property
    def validity(self) -> tuple[Validity, ...]:
        """The dates of all that has to hold here: ours first, each once."""
        dates = (*self.authority.validity, validity(self.server_ca))
        return tuple(dict.fromkeys(dates))

    @property
    def address(self) -> str:
        """``host:port``, for messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"
