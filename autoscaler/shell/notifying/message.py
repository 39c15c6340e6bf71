"""What is told of an event: its JSON, and the signature over it.

Law: no I/O; the same notification is the same bytes at every try, so that who
gets it twice can tell by its id.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from attrs import frozen

from autoscaler.shell.events import EVENTS, Level
from autoscaler.shell.log import Field

SIGNATURE = "Autoscaler-Signature"
EVENT = "Autoscaler-Event"
ID = "Autoscaler-Id"


@frozen(kw_only=True)
class Notification:
    """One event that somebody is told of.

    Attributes:
        id: What it is called, however often it is tried.
        deployment: Of which daemon, as its configuration calls it.
        wall: When it happened, seconds since 1970.
        level: How urgent it is.
        event: Its name.
        fields: Those of its line.
    """

    id: str
    deployment: str
    wall: float
    level: Level
    event: str
    fields: Mapping[str, Field]


def write_body(notification: Notification) -> bytes:
    """Return what is sent, as one line of JSON."""
    at = datetime.fromtimestamp(notification.wall, UTC)
    body = {
        "id": notification.id,
        "deployment": notification.deployment,
        "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": notification.level,
        "event": notification.event,
        "meaning": EVENTS[notification.event].meaning,
        "fields": dict(notification.fields),
    }
    return json.dumps(body).encode("ascii") + b"\n"


def sign(secret: bytes, at: int, body: bytes) -> str:
    """Return the header that shows who has sent *body*, and when.

    Arguments:
        secret: Known to both.
        at: Seconds since 1970: what is old was sent again by somebody else.
        body: All of it.
    """
    signed = hmac.new(secret, b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"
