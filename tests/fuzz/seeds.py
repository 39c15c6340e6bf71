"""What a run begins with where no corpus was kept: one of each kind."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from albatross_client.commands import (
    PolicyAdd,
    UnikernelInfo,
)
from albatross_client.framing import frame
from autoscaler.shell.operators.requests import VERBS, Request, write_request
from tests.cli.screen.fleets import HELD, SHORT, form, group
from tests.client.pki import (
    KEY_KINDS,
    POLICY,
    Issued,
    domain_ca,
    server,
    with_extension_twice,
)
from tests.client.vectors import FRAMES, of_kind
from tests.fuzz.pki import CA, as_der

_LONGEST = 2000
_CONFIG = Path(__file__).parents[2] / "config"
_HAPROXY = Path(__file__).parents[1] / "core" / "answers" / "haproxy-2.6.txt"
_REFUSALS = (
    b"\n[3]: No such server.\n\n",
    b"\n[6]: New server registered.\n\n",
    b"Can't find backend.\n\nNo such proxy.\n\n",
)
_HOOK = b"""{"servers": [{"name": "web-1", "address": "10.0.42.11", "port": 80,
"duty": "ready", "health": "passed", "sessions": 3, "ended": 9, "weight": 1.5,
"limit": null, "is_backup": false}], "in_flight": 3, "queued": 0, "ended": 9,
"queue_ms": 0.5, "up_s": 7, "epoch": "1"}"""

HTTP_REQUESTS = (
    b"GET /metrics HTTP/1.1\r\nHost: localhost:9090\r\n\r\n",
    b"HEAD / HTTP/1.0\r\nHost: [::1]\r\nConnection: keep-alive\r\n\r\n",
    b"GET /%2e HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\r\n",
)
ASKED = (
    b'{"clones": 3}',
    b'{"clones": 1e3, "count": null}',
    b"group=alpha/user:web&since=2h&limit=10",
    b"since=1800000000.5&limit=%30&group=%ff",
    b"since=2026-03-01T14:30&since=1:30",
)


def seeds() -> Mapping[str, tuple[bytes, ...]]:
    """Return the first inputs of every target."""
    messages = tuple(_messages("wire", "wire-lenient", "wire-invalid"))
    return {
        "framing": (b"\x03" + frame(b"web") + frame(b""), b"\x01" + frame(bytes(41))),
        "wire": (*messages, *FRAMES[:5]),
        "command": tuple(_messages("cert-extension")),
        "meaning": (*messages[:40], *map(_as_json, _meanings("wire"))),
        "name": (b":", b"user:web", b"a:b:", b":web", b"\xff:web"),
        "control": tuple(_requests()),
        "http": HTTP_REQUESTS,
        "asking": ASKED,
        "top": tuple(map(_as_json, (form(), form(SHORT, HELD), form(group())))),
        "authority": tuple(_authorities()),
        "key": tuple(_keys()),
        "server": tuple(as_der(each.pem) for each in _servers()),
        "settings": _configurations(),
        "hosts": _configurations(),
        "haproxy": (*_REFUSALS, _HAPROXY.read_bytes()),
        "hook": (b'{"servers": []}', _HOOK),
    }


def _messages(*kinds: str) -> Iterator[bytes]:
    for octets, _ in of_kind(*kinds).values():
        if len(octets) < _LONGEST:
            yield octets


def _meanings(kind: str) -> Iterator[object]:
    for octets, meaning in of_kind(kind).values():
        if len(octets) < _LONGEST // 4:
            yield meaning


def _as_json(meaning: object) -> bytes:
    return json.dumps(meaning).encode()


def _requests() -> Iterator[bytes]:
    words = {
        "group": "alpha/user:web",
        "name": "user:web-clone-1",
        "host": "alpha",
        "at": "1800000000.5",
        "clones": "3",
        "count": "2",
        "since": "2h",
        "limit": "100",
    }
    for verb, row in VERBS.items():
        told = {word: words[word] for word in sorted(row.needs | row.may)}
        yield write_request(Request(verb, told))


def _authorities() -> Iterator[bytes]:
    domain = domain_ca("user", CA, key=CA.key)
    yield CA.pem
    yield domain.pem + CA.pem
    for issued in (CA, domain, domain_ca("u", CA, command=UnikernelInfo())):
        yield as_der(issued.pem)


def _servers() -> Iterator[Issued]:
    yield server(CA)
    yield server(CA, usage="client")
    yield server(CA, command=PolicyAdd(POLICY))
    yield domain_ca("user", CA)
    yield with_extension_twice(CA)


def _keys() -> Iterator[bytes]:
    for make in KEY_KINDS.values():
        yield Issued(CA.certificate, make()).key_pem()
    yield CA.key_pem(b"open sesame")


def _configurations() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted(_CONFIG.glob("*.toml")))
