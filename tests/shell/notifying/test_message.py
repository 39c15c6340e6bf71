"""What is told of an event, and the signature by which it can be believed."""

import json
import re
from pathlib import Path

from autoscaler.shell.notifying.message import SIGNATURE, sign, write_body
from tests.shell.notifying.messages import LOST, SECRET

DOCS = Path(__file__).parents[3] / "docs" / "notifications.md"


def test_a_body_is_one_line_of_json_with_all_that_is_known():
    body = write_body(LOST)

    assert body.count(b"\n") == 1
    assert json.loads(body) == {
        "id": "42",
        "deployment": "west",
        "at": "2026-03-01T12:00:00.250Z",
        "level": "error",
        "event": "primary_lost",
        "meaning": "A primary is silent and no longer listed.",
        "fields": {"group": "west/user:web", "name": "user:web", "took_s": 0.5},
    }


def test_a_signature_is_over_the_time_and_the_body():
    """As openssl makes it: printf '7.body' | openssl dgst -sha256 -hmac key."""
    assert sign(b"key", 7, b"body") == (
        "t=7,v1=64089aa581edb495748bb7a47e979f6a761baedb9e06713d14122ec6b656948e"
    )


def test_another_time_body_or_secret_is_another_signature():
    signed = sign(SECRET, 7, b"body")

    assert sign(SECRET, 8, b"body") != signed
    assert sign(SECRET, 7, b"bodi") != signed
    assert sign(SECRET[:-1], 7, b"body") != signed


def test_the_example_of_the_page_verifies_what_is_sent():
    code = re.search(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert code is not None
    scope: dict[str, object] = {}
    exec(code[1], scope)  # noqa: S102 - it is a page of ours
    is_genuine = scope["is_genuine"]
    assert callable(is_genuine)
    body = write_body(LOST)
    signed = sign(SECRET, 1000, body)

    assert SIGNATURE in DOCS.read_text("utf-8")
    assert is_genuine(SECRET, signed, body, now=1100)
    assert not is_genuine(SECRET, signed, body, now=1301)
    assert not is_genuine(SECRET, signed, body + b" ", now=1100)
    assert not is_genuine(SECRET[1:], signed, body, now=1100)
    assert not is_genuine(SECRET, "t=1,v1=", body, now=1)
    assert not is_genuine(SECRET, "", body, now=1)
