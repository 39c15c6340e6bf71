"""What the operator wants of a group's activator, and what it says to clients.

The activator stands behind a group's members in the balancer: it takes the
connections that come while none of them serves.
"""

import enum

from attrs import field, frozen
from attrs.validators import ge, gt

from autoscaler.core.backend import Place

# configuration.txt of HAProxy, `http-check send-state`
_CHECK_FIELD = b"x-haproxy-server-state:"
CHECK_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Speech(enum.Enum):
    """How clients are told that nobody serves them."""

    HTTP = "http"
    TCP = "tcp"


class Refusal(enum.Enum):
    """Why a connection is sent away."""

    FULL = "full"
    LATE = "late"
    ENDING = "ending"


@frozen(kw_only=True)
class ActivatorSettings:
    """How connections are taken while nobody serves; durations in seconds.

    Attributes:
        listen: Where they come in.
        mode: How those are refused that can't be served.
        max_held: As many wait at once; more are refused.
        hold_timeout: For as long each of them waits at most.
        connect_timeout: How long a member may take to accept a connection.
        idle_timeout: A session that moves nothing for so long is cut.
        wake_pause: After a wake that failed, before the next one is asked for.
        retry_after: When a refused client is told to come back, whole seconds.
        grace: What sessions get to end at the daemon's end, and those that are
            held to hear of it.

    Raises:
        ValueError: A number is out of its range.
    """

    listen: Place
    mode: Speech = Speech.HTTP
    max_held: int = field(default=1000, validator=ge(1))
    hold_timeout: float = field(default=10.0, validator=gt(0))
    connect_timeout: float = field(default=2.0, validator=gt(0))
    # HAProxy, timeout tunnel: an hour is what its manual gives as usual.
    idle_timeout: float = field(default=3600.0, validator=gt(0))
    wake_pause: float = field(default=1.0, validator=gt(0))
    retry_after: int = field(default=5, validator=ge(1))
    grace: float = field(default=5.0, validator=ge(1))


def is_check(words: bytes) -> bool:
    """Tell whether a request that begins with *words* is a health check.

    HAProxy says so itself where ``http-check send-state`` is set; checks that
    say nothing need no mark.
    """
    head, end, _ = words.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")[1:] if end else ()
    return any(line.startswith(_CHECK_FIELD) for line in lines)


def refusal_words(settings: ActivatorSettings, request: bytes) -> bytes:
    """Return what a client is told that is sent away.

    Arguments:
        settings: Say how clients are spoken to.
        request: The first bytes that it has sent, if any.
    """
    if settings.mode is Speech.TCP:
        return b""
    text = b"The service is waking up or busy; please try again.\n"
    head = (
        "HTTP/1.1 503 Service Unavailable\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(text)}\r\n"
        f"Retry-After: {settings.retry_after}\r\n"
        "Cache-Control: no-store\r\n"
        "Connection: close\r\n"
        "\r\n"
    ).encode("ascii")
    # RFC 9110, section 9.3.2 - the answer to HEAD has no content.
    return head if request.startswith(b"HEAD ") else head + text
