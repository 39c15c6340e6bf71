"""Who is answered at all: a request is looked at before anything is done.

Laws: pure; a browser that was led here by another site's name (DNS rebinding)
learns nothing, and one that another site sends here changes nothing.
"""

from collections.abc import Iterable

import h11
from attrs import frozen

from autoscaler.shell.configuration.http_table import HttpSettings

METHODS = (b"GET", b"HEAD", b"POST")
LONGEST_TARGET = 2048
# What operators ask for has some ten bytes.
MOST_BODY_BYTES = 4096
JSON = "application/json"
# w3.org/TR/fetch-metadata - "none" is a user who typed the address.
_OUR_SITES = frozenset({b"same-origin", b"none"})
_SCHEMES = (b"http://", b"https://")


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
            says = "only GET, HEAD and POST are known here"
            return Refusal(405, says, "GET, HEAD, POST")
        if len(request.target) > LONGEST_TARGET:
            return Refusal(414, f"a target has at most {LONGEST_TARGET} bytes")
        if not request.target.startswith(b"/"):
            return Refusal(400, "a target must begin with /")
        refusal = self._look_at_host(request)
        if refusal is not None:
            return refusal
        return _look_at_body(request) or _look_at_site(request)

    def _look_at_host(self, request: h11.Request) -> Refusal | None:
        hosts = [value for name, value in request.headers if name == b"host"]
        if len(hosts) == 1 and _name(hosts[0]) in self.names:
            return None
        return Refusal(
            421,
            "the Host header names neither this machine nor one of [http] hosts",
        )


def length_of(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Return how many bytes of body *headers* announce; they are valid."""
    return sum(int(value) for name, value in headers if name == b"content-length")


def _look_at_body(request: h11.Request) -> Refusal | None:
    names = {name for name, _ in request.headers}
    length = length_of(request.headers)
    if request.method != b"POST":
        has_body = length or b"transfer-encoding" in names
        return Refusal(413, "only POST has a body here") if has_body else None
    if b"transfer-encoding" in names:
        return Refusal(411, "a body must say how long it is: Content-Length")
    if length > MOST_BODY_BYTES:
        return Refusal(413, f"a body has at most {MOST_BODY_BYTES} bytes")
    kind = _one(request, b"content-type") or b""
    if kind.partition(b";")[0].strip().lower() != JSON.encode():
        return Refusal(415, f"a body must be JSON: Content-Type: {JSON}")
    return None


def _look_at_site(request: h11.Request) -> Refusal | None:
    """Return why nothing may be changed by a page that is not ours."""
    if request.method != b"POST":
        return None
    site, origin = _one(request, b"sec-fetch-site"), _one(request, b"origin")
    host = _one(request, b"host") or b""
    is_ours = site is None or site in _OUR_SITES
    if origin is not None:
        ours = {scheme + host.lower() for scheme in _SCHEMES}
        is_ours = is_ours and origin.lower() in ours
    return None if is_ours else Refusal(403, "no page of another site changes anything")


def _one(request: h11.Request, name: bytes) -> bytes | None:
    """Return the header of this *name*, None where there is none.

    Several are told as one, as a list would be: that is no value allowed here.
    """
    found = [value for each, value in request.headers if each == name]
    return b", ".join(found) if found else None


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
