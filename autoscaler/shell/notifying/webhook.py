"""Somebody is told by a request over HTTP: a POST with JSON, signed.

Laws: no redirect is followed and no proxy of the environment is used; of an
answer only the beginning is read; the URL is shown to nobody, for its path may
be a secret.
"""

import ssl
from collections.abc import Callable
from pathlib import Path

import httpx
import trio
from attrs import field, frozen

from albatross_client.texts import clean
from autoscaler.shell.configuration.notify_table import Url
from autoscaler.shell.notifying.message import (
    EVENT,
    ID,
    SIGNATURE,
    Notification,
    sign,
    write_body,
)
from autoscaler.shell.notifying.schedule import Failure, judge

MOST_ANSWER = 4096
AGENT = "albatross-autoscaler"
# rfc9110, 10.2.3 - also a date, which nobody sends to programs.
RETRY_AFTER = "retry-after"
MOST_DIGITS = 6


@frozen
class Webhook:
    """Posts notifications to a URL.

    Attributes:
        url: Where to.
        secret: What signs them; None: nothing is signed.
        trust: Whose certificates are believed.
        wall: Reads the wall clock, seconds since 1970.
    """

    url: Url
    secret: bytes | None = field(repr=False)
    trust: ssl.SSLContext = field(repr=False)
    wall: Callable[[], float]
    _client: httpx.AsyncClient = field(init=False, repr=False)

    @_client.default
    def _open(self) -> httpx.AsyncClient:
        # Whoever calls `tell` owns the time.
        return httpx.AsyncClient(
            verify=self.trust,
            timeout=None,  # noqa: S113 - see above
            trust_env=False,
            follow_redirects=False,
            headers={"User-Agent": AGENT, "Accept-Encoding": "identity"},
        )

    async def tell(self, notification: Notification) -> Failure | None:
        """Post it once."""
        body = write_body(notification)
        headers = {
            "Content-Type": "application/json",
            EVENT: notification.event,
            ID: notification.id,
        }
        if self.secret is not None:
            headers[SIGNATURE] = sign(self.secret, int(self.wall()), body)
        posting = self._client.stream(
            "POST", self.url.text, content=body, headers=headers
        )
        try:
            async with posting as answer:
                return await _judge(answer)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            return Failure(f"{self.url.origin}: {_why(error)}")

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.aclose()


async def _judge(answer: httpx.Response) -> Failure | None:
    said = b"" if answer.is_success else await _beginning(answer)
    asked = answer.headers.get(RETRY_AFTER, "")
    is_number = asked.isascii() and asked.isdecimal() and len(asked) <= MOST_DIGITS
    words = clean(said.decode("utf-8", "replace").strip(), 200)
    return judge(answer.status_code, words, float(asked) if is_number else None)


async def _beginning(answer: httpx.Response) -> bytes:
    said = b""
    # Cancelled, and not left: httpx's iterators lie within each other, and end
    # only by what is raised in the innermost.
    with trio.CancelScope() as enough:
        # Raw: what is packed may unpack to any size.
        async for part in answer.aiter_raw():
            said += part[: MOST_ANSWER - len(said)]
            if len(said) == MOST_ANSWER:
                enough.cancel()
    return said


def _why(error: Exception) -> str:
    """Return in words what went wrong; the cause says more than httpx does."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not believed: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return clean(str(error), 200) or type(error).__name__


def trust_in(ca: Path | None) -> ssl.SSLContext:
    """Return whose certificates are believed: *ca*'s, or this machine's.

    Raises:
        OSError: The file can't be read, or holds no certificates.
    """
    if ca is None:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca)
    return context
