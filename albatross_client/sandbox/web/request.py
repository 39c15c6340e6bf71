"""HTTP/1 requests, as far as a stand-in has to understand them.

Laws: a request that is not understood ends its connection, with the status
that says why (RFC 9112); nothing grows without bound.
"""

MOST_HEAD_BYTES = 16 * 1024
MOST_BODY_BYTES = 1024 * 1024
# Longer than this no request works.
MOST_MS = 60_000.0
_MS_PER_S = 1000
_HEAD_END = b"\r\n\r\n"
_PARTS = 3

_TEXTS = {
    200: "OK",
    400: "Bad Request",
    413: "Content Too Large",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    505: "HTTP Version Not Supported",
}


class Request:
    """One request that is there as a whole.

    Attributes:
        path: Without the query.
        seconds: CPU time that it asks for (``?ms=5``); None: the usual.
        keeps_alive: Whether the connection serves another one after it.
        is_head: Whether the answer has no body.
        octets: Its length, body included.
    """

    __slots__ = ("is_head", "keeps_alive", "octets", "path", "seconds")

    def __init__(
        self,
        target: bytes,
        *,
        keeps_alive: bool = True,
        is_head: bool = False,
        octets: int = 0,
    ) -> None:
        """Read *target*.

        Raises:
            RefusedError: What its query asks for can't be done.
        """
        self.path, _, query = target.partition(b"?")
        self.seconds = _seconds(query)
        self.keeps_alive = keeps_alive
        self.is_head = is_head
        self.octets = octets


class RefusedError(Exception):
    """A request that gets this status, and then the connection's end."""

    def __init__(self, status: int) -> None:
        """Refuse with *status*."""
        super().__init__(_TEXTS[status])
        self.status = status


def read_request(octets: bytes) -> Request | None:
    """Return the request that *octets* begin with; None: not all of it yet.

    Raises:
        RefusedError: It is none, or not one that is served.
    """
    end = octets.find(_HEAD_END)
    if max(end, 0) > MOST_HEAD_BYTES or (end < 0 and len(octets) > MOST_HEAD_BYTES):
        raise RefusedError(431)
    if end < 0:
        return None
    first, *lines = octets[:end].split(b"\r\n")
    method, target, version = _request_line(first)
    fields = _fields(lines)
    if version == b"HTTP/1.1" and b"host" not in fields:
        # RFC 9112, 3.2
        raise RefusedError(400)
    length = end + len(_HEAD_END) + _body_length(fields)
    if len(octets) < length:
        return None
    return Request(
        target,
        keeps_alive=_keeps_alive(version, fields.get(b"connection", b"")),
        is_head=method == b"HEAD",
        octets=length,
    )


def response(status: int, text: str, request: Request | None) -> bytes:
    """Return the answer to *request*; None: to what was none."""
    body = text.encode()
    keeps_alive = request is not None and request.keeps_alive
    head = (
        f"HTTP/1.1 {status} {_TEXTS[status]}\r\n"
        "Content-Type: text/plain\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"Connection: {'keep-alive' if keeps_alive else 'close'}\r\n\r\n"
    ).encode()
    return head if request is not None and request.is_head else head + body


def _request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    parts = line.split(b" ")
    if len(parts) != _PARTS or not all(parts):
        raise RefusedError(400)
    method, target, version = parts
    if version not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise RefusedError(505 if version.startswith(b"HTTP/") else 400)
    return method, target, version


def _fields(lines: list[bytes]) -> dict[bytes, bytes]:
    fields: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        # RFC 9112, 5.1 and 5.2 - no white space before the colon, no folding.
        if not colon or not name or name.split() != [name]:
            raise RefusedError(400)
        key, value = name.lower(), value.strip().lower()
        # RFC 9112, 6.3 - lengths that differ are smuggling.
        if key == b"content-length" and fields.get(key, value) != value:
            raise RefusedError(400)
        fields[key] = value
    return fields


def _body_length(fields: dict[bytes, bytes]) -> int:
    if b"transfer-encoding" in fields:
        raise RefusedError(501)
    text = fields.get(b"content-length", b"0")
    if not text.isdigit():
        raise RefusedError(400)
    # int() of thousands of digits is an error of its own.
    if len(text) > len(str(MOST_BODY_BYTES)) or int(text) > MOST_BODY_BYTES:
        raise RefusedError(413)
    return int(text)


def _keeps_alive(version: bytes, connection: bytes) -> bool:
    # RFC 9112, 9.3
    options = [option.strip() for option in connection.split(b",")]
    if version == b"HTTP/1.0":
        return b"keep-alive" in options
    return b"close" not in options


def _seconds(query: bytes) -> float | None:
    for pair in query.split(b"&"):
        key, _, value = pair.partition(b"=")
        if key == b"ms":
            return _milliseconds(value) / _MS_PER_S
    return None


def _milliseconds(value: bytes) -> float:
    try:
        milliseconds = float(value)
    except ValueError:
        raise RefusedError(400) from None
    if not 0 <= milliseconds <= MOST_MS:
        raise RefusedError(400)
    return milliseconds
