"""Who is answered at all: a request is looked at before anything is done.

Laws: pure; nothing is changed by any request; a browser that was led here by
another site's name (DNS rebinding) learns nothing.
"""

from collections.abc import Iterable

import h11
from attrs import frozen

from autoscaler.shell.configuration.http_table import HttpSettings

METHODS = (b"GET", b"HEAD")
# A request says what it wants in its first line; nothing here takes a body.
LONGEST_TARGET = 2048


@frozen
class Refusal:
    """Why a request is not answered.

    Attributes:
        status: Of HTTP.
        says: One sentence, ASCII.
        allow: The methods that there are, where it was about that.
    """

    status: int
    says: str
    allow: str | None = None


@frozen
class Gate:
    """Knows by which names clients may call the daemon.

    Attributes:
        names: As they stand in a Host header, without port, in small letters.
    """

    names: frozenset[str]

    @classmethod
    def of(cls, settings: HttpSettings) -> "Gate":
        """Return the gate that *settings* want."""
        address = settings.listen.address
        own = f"[{address}]" if ":" in address else address
        return cls(frozenset({"localhost", "127.0.0.1", "[::1]", own, *settings.hosts}))

    def look(self, request: h11.Request) -> Refusal | None:
        """Return why *request* is not answered, None where it is."""
        if request.method not in METHODS:
            return Refusal(405, "only GET and HEAD are known here", "GET, HEAD")
        if len(request.target) > LONGEST_TARGET:
            return Refusal(414, f"a target has at most {LONGEST_TARGET} bytes")
        if not request.target.startswith(b"/"):
            return Refusal(400, "a target must begin with /")
        names = [name for name, _ in request.headers]
        if b"transfer-encoding" in names or _length(request.headers):
            return Refusal(413, "no request has a body here")
        return self._look_at_host(request)

    def _look_at_host(self, request: h11.Request) -> Refusal | None:
        hosts = [value for name, value in request.headers if name == b"host"]
        if len(hosts) == 1 and _name(hosts[0]) in self.names:
            return None
        return Refusal(
            421,
            "the Host header names neither this machine nor one of [http] hosts",
        )


def _length(headers: Iterable[tuple[bytes, bytes]]) -> int:
    return sum(int(value) for name, value in headers if name == b"content-length")


def _name(host: bytes) -> str | None:
    """Return the name in a Host header; None: there is none."""
    # rfc9110, 7.2 - Host = uri-host [ ":" port ]
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        address, bracket, port = text.partition("]")
        text = address + bracket
    else:
        text, colon, digits = text.partition(":")
        port = colon + digits
    is_port = port == "" or (port[0] == ":" and port[1:].isdecimal())
    return text.rstrip(".") if is_port else None
