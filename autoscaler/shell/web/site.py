"""What is answered at which path."""

from collections.abc import Iterable, Mapping

import trio
from attrs import frozen
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from autoscaler.shell.operators.document import dump
from autoscaler.shell.web.api import Api, tell_nothing_there, told
from autoscaler.shell.web.exposition import CONTENT_TYPE
from autoscaler.shell.web.metrics import Sources, tell
from autoscaler.shell.web.pulse import Pulse, find_missing

OK, UNAVAILABLE = 200, 503


class Pieces(Response):
    """An answer that is made while it is sent."""

    def __init__(self, pieces: Iterable[bytes], content_type: str) -> None:
        """Send *pieces*, which are *content_type* together."""
        self.pieces = pieces
        self.status_code = OK
        self.background = None
        self.init_headers({"content-type": content_type})
        # Nobody knows how many there will be.
        del self.headers["content-length"]

    async def __call__(
        self,
        scope: Scope,  # noqa: ARG002 - ASGI's signature
        receive: Receive,  # noqa: ARG002 - ASGI's signature
        send: Send,
    ) -> None:
        """Send them; between any two everybody else gets their turn."""
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        for piece in self.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await trio.lowlevel.checkpoint()
        await send({"type": "http.response.body"})


@frozen
class Site:
    """Answers requests.

    Attributes:
        sources: What metrics are read from.
        pulse: Says whether the daemon is alive.
        api: Answers programs.
    """

    sources: Sources
    pulse: Pulse
    api: Api

    def application(self) -> Starlette:
        """Return what answers each path."""
        site = Starlette(
            routes=[
                Route("/metrics", self.tell_metrics),
                Route("/healthz", self.tell_health),
                Route("/readyz", self.tell_readiness),
                *self.api.routes(),
            ],
            exception_handlers={404: tell_nothing_there, 405: tell_nothing_there},
        )
        # It would lead clients to what they call us.
        site.router.redirect_slashes = False
        return site

    async def tell_metrics(self, _request: Request) -> Response:
        """Answer with metrics."""
        return Pieces(tell(self.sources), CONTENT_TYPE)

    async def tell_health(self, _request: Request) -> Response:
        """Answer whether the daemon is alive."""
        health = self.pulse.look()
        return _json(health.form, OK if health.is_alive else UNAVAILABLE)

    async def tell_readiness(self, _request: Request) -> Response:
        """Answer whether the daemon has all that it needs."""
        missing = find_missing(self.sources.fleet)
        said = {"ready": not missing, "missing": list(missing)}
        return _json(said, UNAVAILABLE if missing else OK)


def _json(value: Mapping[str, object], status: int = OK) -> Response:
    return told(dump(value), status)
