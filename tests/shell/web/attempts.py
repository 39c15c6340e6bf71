"""What strangers may try over HTTP, and what each of them is answered."""

from collections.abc import Mapping

from attrs import frozen

from tests.shell.web.offices import TOKEN

NOT_HTTP = "that is no request of HTTP/1.1, or one that is too long"
NO_METHOD = "only GET, HEAD and POST are known here"
NOT_US = "the Host header names neither this machine nor one of [http] hosts"
NO_PAGE = "no page of another site changes anything"
NO_JSON = 'the body must be a JSON object such as {"clones": 3}'
NO_NUMBER = "clones must be a whole number such as 3"
SCALE = "/api/v1/groups/alpha/user:web/scale"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"Content-Type": "application/json"}
CLONES = b'{"clones": 1}'


@frozen
class Attempt:
    """One thing to try.

    Attributes:
        what: In words, for the table of the documentation.
        sent: The octets.
        status: Of the answer.
        says: What the answer says.
    """

    what: str
    sent: bytes
    status: int
    says: str


def ask(
    target: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    fields = {"Host": "localhost", **(headers or {})}
    if body is not None:
        fields = {"Content-Length": str(len(body)), **fields}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + (body or b"")


def post(
    body: bytes = CLONES, target: str = SCALE, headers: Mapping[str, str] | None = None
) -> bytes:
    return ask(target, "POST", body, {**JSON, **BEARER, **(headers or {})})


def without_token(**headers: str) -> bytes:
    return ask(SCALE, "POST", CLONES, {**JSON, **headers})


_GRAMMAR = (
    Attempt("no HTTP at all", b"hello\r\n\r\n", 400, NOT_HTTP),
    Attempt("HTTP/0.9", b"GET /\r\n\r\n", 400, NOT_HTTP),
    Attempt("a TLS handshake", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, NOT_HTTP),
    Attempt("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 405, NO_METHOD),
    Attempt("an unknown method", ask("/", "BREW"), 405, NO_METHOD),
    Attempt("a method of its own length", ask("/", "A" * 5000), 405, NO_METHOD),
    Attempt("a tunnel", ask("localhost:22", "CONNECT"), 405, NO_METHOD),
    Attempt("a preflight", ask("/", "OPTIONS"), 405, NO_METHOD),
    Attempt(
        "a proxy's target", ask("http://localhost/"), 400, "a target must begin with /"
    ),
    Attempt(
        "a target of 3 kB",
        ask("/" + "a" * 3000),
        414,
        "a target has at most 2048 bytes",
    ),
    Attempt("a head of 32 kB", ask("/", headers={"X": "a" * 32_768}), 431, NOT_HTTP),
    Attempt("a line without an end", b"GET /" + b"a" * 32_768, 431, NOT_HTTP),
    Attempt("a zero in a header", ask("/", headers={"X": "a\0b"}), 400, NOT_HTTP),
    Attempt("a header of two lines", ask("/", headers={"X": "a\rY: b"}), 400, NOT_HTTP),
    Attempt("no Host", b"GET / HTTP/1.1\r\n\r\n", 400, NOT_HTTP),
    Attempt(
        "two Hosts",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n",
        400,
        NOT_HTTP,
    ),
    Attempt(
        "another site's name", ask("/", headers={"Host": "evil.example"}), 421, NOT_US
    ),
    Attempt("no Host in HTTP/1.0", b"GET /metrics HTTP/1.0\r\n\r\n", 421, NOT_US),
)
_BODIES = (
    Attempt(
        "a body for reading",
        ask("/metrics", body=b"{}"),
        413,
        "only POST has a body here",
    ),
    Attempt(
        "a body in chunks, of 4 GB",
        ask(SCALE, "POST", headers={**JSON, **BEARER, "Transfer-Encoding": "chunked"})
        + b"ffffffff\r\n",
        411,
        "a body must say how long it is: Content-Length",
    ),
    Attempt(
        "a length and chunks",
        post(headers={"Transfer-Encoding": "chunked"}),
        411,
        "a body must say how long it is: Content-Length",
    ),
    Attempt(
        "a body of 4097 bytes",
        post(b" " * 4097),
        413,
        "a body has at most 4096 bytes",
    ),
    Attempt(
        "a body of 1 TB",
        post(headers={"Content-Length": "1099511627776"}),
        413,
        "a body has at most 4096 bytes",
    ),
    Attempt("a length below 0", post(headers={"Content-Length": "-1"}), 400, NOT_HTTP),
    Attempt(
        "a length in words", post(headers={"Content-Length": "1e3"}), 400, NOT_HTTP
    ),
    Attempt(
        "two lengths",
        post(headers={"Content-Length": "13\r\nContent-Length: 14"}),
        400,
        NOT_HTTP,
    ),
    Attempt(
        "what a form sends",
        post(headers={"Content-Type": "text/plain"}),
        415,
        "a body must be JSON: Content-Type: application/json",
    ),
    Attempt("no JSON", post(b"clones=1"), 400, NO_JSON),
    Attempt("no text", post(b"\xff\xfe\x00"), 400, NO_JSON),
    Attempt("a list", post(b"[1]"), 400, NO_JSON),
    Attempt("JSON 4000 levels deep", post(b"[" * 4000), 400, NO_JSON),
    Attempt("4000 digits", post(b'{"clones":' + b"9" * 4000 + b"}"), 400, NO_NUMBER),
    Attempt("a number as text", post(b'{"clones": "3"}'), 400, NO_NUMBER),
    Attempt("a fraction", post(b'{"clones": 1.5}'), 400, NO_NUMBER),
    Attempt("a number below 0", post(b'{"clones": -1}'), 400, NO_NUMBER),
    Attempt("a truth", post(b'{"clones": true}'), 400, NO_NUMBER),
    Attempt("NaN", post(b'{"clones": NaN}'), 400, NO_NUMBER),
    Attempt("nothing", post(b"{}"), 400, "clones is missing"),
    Attempt("a wrong word", post(b'{"clone": 3}'), 400, "did you mean clones?"),
    Attempt(
        "more clones than the configuration allows",
        post(b'{"clones": 99}'),
        409,
        "the configuration allows 0 to 3",
    ),
)
_TOKENS = (
    Attempt("no token", without_token(), 401, "this needs a token"),
    Attempt(
        "another token",
        without_token(Authorization=f"Bearer {TOKEN[:-1]}x"),
        401,
        "this is not the token",
    ),
    Attempt(
        "a part of the token",
        without_token(Authorization=f"Bearer {TOKEN[:-1]}"),
        401,
        "this is not the token",
    ),
    Attempt(
        "a token of 8 kB",
        without_token(Authorization=f"Bearer {'a' * 8192}"),
        401,
        "this is not the token",
    ),
    Attempt(
        "a token that is no ASCII",
        without_token(Authorization="Bearer \N{LATIN SMALL LETTER U WITH DIAERESIS}"),
        401,
        "this is not the token",
    ),
    Attempt(
        "the token as a password",
        without_token(Authorization=f"Basic {TOKEN}"),
        401,
        "Authorization: Bearer TOKEN",
    ),
    Attempt(
        "the token in the query",
        ask(f"{SCALE}?access_token={TOKEN}", "POST", CLONES, JSON),
        401,
        "this needs a token",
    ),
    Attempt(
        "a page of another site",
        post(headers={"Origin": "https://evil.example"}),
        403,
        NO_PAGE,
    ),
    Attempt("a page of no site", post(headers={"Origin": "null"}), 403, NO_PAGE),
    Attempt(
        "another site, as the browser says",
        post(headers={"Sec-Fetch-Site": "cross-site"}),
        403,
        NO_PAGE,
    ),
)
_PATHS = (
    Attempt("no such path", ask("/admin"), 404, "there is nothing at this path"),
    Attempt("a path's end", ask("/api/v1/status/"), 404, "there is nothing"),
    Attempt("the way up", ask("/api/v1/../../etc/passwd"), 404, "there is nothing"),
    Attempt(
        "the way up, encoded", ask("/%2e%2e/%2e%2e/etc/passwd"), 404, "there is nothing"
    ),
    Attempt(
        "a group that is a path",
        ask("/api/v1/groups/alpha/..%2f..%2fetc%2fpasswd"),
        404,
        "there is nothing",
    ),
    Attempt("wrong percents", ask("/api/v1/groups/alpha/%zz%"), 404, "unknown group"),
    Attempt("a zero", ask("/api/v1/groups/alpha/a%00b"), 404, "unknown group"),
    Attempt("no UTF-8", ask("/api/v1/groups/alpha/%ff"), 404, "unknown group"),
    Attempt(
        "a terminal's commands", ask("/api/v1/groups/%1b[2J/x"), 404, "unknown group"
    ),
    Attempt(
        "a group that is spelt wrong",
        ask("/api/v1/groups/alpha/user:wbe"),
        404,
        "did you mean alpha/user:web?",
    ),
    Attempt("a page of no group", ask("/groups/alpha/%3Cscript%3E"), 404, "unknown"),
    Attempt("a file of ours", ask("/static/..%2fpaint.py"), 404, "there is nothing"),
    Attempt("writing what is read", post(target="/api/v1/status"), 405, "GET and HEAD"),
    Attempt("reading what is written", ask(SCALE), 405, "this path takes only POST"),
)
_QUERIES = (
    Attempt("a word that it doesn't know", ask("/api/v1/status?x=1"), 400, "no words"),
    Attempt(
        "a word twice",
        ask("/api/v1/history?limit=1&limit=2"),
        400,
        "limit may be said once",
    ),
    Attempt("a time in words", ask("/api/v1/history?since=then"), 400, "since must be"),
    Attempt("no number of seconds", ask("/api/v1/history?since=nan"), 400, "finite"),
    Attempt("no lines", ask("/api/v1/history?limit=0"), 400, "limit must be"),
    Attempt("a million lines", ask("/api/v1/history?limit=999999"), 400, "1 to 5000"),
    Attempt("fewer than none", ask("/api/v1/history?limit=-1"), 400, "limit must be"),
    Attempt("another group", ask("/api/v1/history?group=nobody"), 404, "unknown group"),
    Attempt(
        "SQL",
        ask("/api/v1/history?group='%20OR%201=1--"),
        404,
        "unknown group",
    ),
    Attempt(
        "events of another group",
        ask("/api/v1/events?group=nobody"),
        404,
        "unknown group",
    ),
    Attempt(
        "events of no group",
        ask("/api/v1/events?group="),
        404,
        "'': unknown group",
    ),
    Attempt(
        "events since no time",
        ask("/live?since=%00"),
        400,
        "since must be the id of an event, such as 3c1fa0de-118",
    ),
    Attempt(
        "events with a wrong word",
        ask("/api/v1/events?grup=alpha/user:web"),
        400,
        "'grup' in the query: unknown word; did you mean group?",
    ),
    Attempt(
        "events of a group twice",
        ask("/api/v1/events?group=user:web&group=user:web"),
        400,
        "group may be said once",
    ),
    Attempt(
        "metrics of something",
        ask("/metrics?collect[]=groups"),
        400,
        "'collect[]': this takes no words in its query",
    ),
    Attempt(
        "the page with a wrong word",
        ask("/?utm_source=x"),
        400,
        "'utm_source' in the query: unknown word; known are q",
    ),
    Attempt(
        "a name of 101 letters",
        ask(f"/?q={'a' * 101}"),
        400,
        "q, what names have to contain, has at most 100 characters",
    ),
)
ATTEMPTS = (*_GRAMMAR, *_BODIES, *_TOKENS, *_PATHS, *_QUERIES)


def row_of(attempt: Attempt) -> str:
    """Return *attempt* as a row of the table in the documentation."""
    return f"| {attempt.what} | {attempt.status} | {attempt.says} |"
