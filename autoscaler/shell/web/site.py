"""What is answered at which path."""

from collections.abc import Mapping

from attrs import frozen
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from autoscaler.shell.operators.document import dump
from autoscaler.shell.web.answers import OK, UNAVAILABLE, Pieces
from autoscaler.shell.web.api import (
    Api,
    or_why_not,
    tell_broken,
    tell_nothing_there,
    told,
    words_of,
)
from autoscaler.shell.web.exposition import CONTENT_TYPE
from autoscaler.shell.web.metrics import Sources, tell
from autoscaler.shell.web.pages.routes import Pages
from autoscaler.shell.web.pulse import Pulse, find_missing


@frozen
class Site:
    """Answers requests.

    Attributes:
        sources: What metrics are read from.
        pulse: Says whether the daemon is alive.
        api: Answers programs.
        pages: Answers people.
    """

    sources: Sources
    pulse: Pulse
    api: Api
    pages: Pages

    def application(self) -> Starlette:
        """Return what answers each path."""
        site = Starlette(
            routes=[
                Route("/metrics", or_why_not(self.tell_metrics)),
                Route("/healthz", or_why_not(self.tell_health)),
                Route("/readyz", or_why_not(self.tell_readiness)),
                *self.api.routes(),
                *self.pages.routes(),
            ],
            exception_handlers={
                404: tell_nothing_there,
                405: tell_nothing_there,
                500: tell_broken,
            },
        )
        # It would lead clients to what they call us.
        site.router.redirect_slashes = False
        return site

    async def tell_metrics(self, request: Request) -> Response:
        """Answer with metrics."""
        words_of(request)
        return Pieces(tell(self.sources), CONTENT_TYPE)

    async def tell_health(self, request: Request) -> Response:
        """Answer whether the daemon is alive."""
        words_of(request)
        health = self.pulse.look()
        return _json(health.form, OK if health.is_alive else UNAVAILABLE)

    async def tell_readiness(self, request: Request) -> Response:
        """Answer whether the daemon has all that it needs."""
        words_of(request)
        missing = find_missing(self.sources.fleet)
        said = {"ready": not missing, "missing": list(missing)}
        return _json(said, UNAVAILABLE if missing else OK)


def _json(value: Mapping[str, object], status: int = OK) -> Response:
    return told(dump(value), status)
