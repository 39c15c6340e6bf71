"""What programs are answered below `/api/v1`: the same JSON as `--json`.

Laws: reading changes nothing; whatever changes something needs the token, and
goes through the desk, so that it is logged and kept with who asked; bad input
is answered with one sentence that says what is allowed.
"""

from collections.abc import Awaitable, Callable, Mapping

from attrs import frozen
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from albatross_client.texts import clean
from autoscaler.shell.containment import BROKEN
from autoscaler.shell.log import Log
from autoscaler.shell.operators import requests
from autoscaler.shell.operators.clerk import USUAL_SINCE, Clerk, Wish
from autoscaler.shell.operators.control import HTTP_CLIENT
from autoscaler.shell.operators.desk import Desk
from autoscaler.shell.operators.document import dump
from autoscaler.shell.operators.requests import (
    RequestError,
    UnknownError,
    find_groups,
)
from autoscaler.shell.state.schema import StoreError
from autoscaler.shell.web.asking import read_numbers, read_words
from autoscaler.shell.web.gate import JSON, Refusal
from autoscaler.shell.web.token import Lock

OK, BAD, FORBIDDEN, NOT_FOUND, CONFLICT, UNAVAILABLE = 200, 400, 403, 404, 409, 503
UNAUTHORIZED, SERVER_ERROR = 401, 500
ROOT = "/api/v1"
GROUP = f"{ROOT}/groups/{{host}}/{{name}}"
# What may be asked for one group, each with the numbers that it needs; and of
# all groups at once.
OF_GROUP: Mapping[str, tuple[str, ...]] = {
    "pause": (),
    "observe": (),
    "resume": (),
    "scale": ("clones",),
    "prewarm": ("count",),
}
OF_ALL: Mapping[str, tuple[str, ...]] = {
    "pause": (),
    "observe": (),
    "resume": (),
    "reload": (),
}
# Asked by what keeps services running, which have no token and learn no names.
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
READ_ONLY = (
    "nothing can be changed over HTTP: [http] has no token_file in the daemon's "
    "configuration"
)

Endpoint = Callable[[Request], Awaitable[Response]]


@frozen
class Api:
    """Answers programs.

    Attributes:
        desk: Where what they ask for is done.
        lock: Opens to who may change something; None: nobody may.
        log: Told of those to whom it didn't open.
    """

    desk: Desk
    lock: Lock | None
    log: Log

    @property
    def clerk(self) -> Clerk:
        """Who answers those who only ask."""
        return self.desk.clerk

    def routes(self) -> list[Route]:
        """Return what is answered at which path."""
        asked: Mapping[str, Endpoint] = {
            "/status": self.tell_status,
            "/top": self.tell_top,
            "/groups": self.tell_groups,
            "/groups/{host}/{name}": self.tell_group,
            "/groups/{host}/{name}/explain": self.explain,
            "/history": self.tell_history,
            "/post-mortems": self.tell_mortems,
            "/post-mortems/{host}/{name}": self.tell_mortem,
        }
        changed = {
            **{f"/groups/{{host}}/{{name}}/{verb}": verb for verb in OF_GROUP},
            **{f"/{verb}": verb for verb in OF_ALL},
        }
        return [
            *(Route(f"{ROOT}{path}", or_why_not(tell)) for path, tell in asked.items()),
            *(
                Route(
                    f"{ROOT}{path}", or_why_not(self._obeying(verb)), methods=["POST"]
                )
                for path, verb in changed.items()
            ),
        ]

    async def tell_status(self, request: Request) -> Response:
        """Answer with what `autoscaler status --json` prints."""
        words_of(request)
        return told((await self.clerk.reading.read()).whole)

    async def tell_top(self, request: Request) -> Response:
        """Answer with what `autoscaler top --json` prints."""
        words_of(request)
        return told(await self.clerk.top())

    async def tell_groups(self, request: Request) -> Response:
        """Answer with the groups of the status."""
        words_of(request)
        return told((await self.clerk.reading.read()).all_groups)

    async def tell_group(self, request: Request) -> Response:
        """Answer with one group of the status."""
        words_of(request)
        group, status = self._group(request), await self.clerk.reading.read()
        if group not in status.groups:
            msg = f"{group} is new: ask again in a second"
            raise UnknownError(msg)
        return told(status.groups[group])

    async def explain(self, request: Request) -> Response:
        """Answer with what `autoscaler explain --json` prints."""
        words = words_of(request, "at")
        return told(await self.clerk.explain(self._group(request), words.get("at")))

    async def tell_history(self, request: Request) -> Response:
        """Answer with what `autoscaler history --json` prints."""
        words = {"since": USUAL_SINCE, **words_of(request, "group", "since", "limit")}
        return told(await self.clerk.history(Wish(**words)))

    async def tell_mortems(self, request: Request) -> Response:
        """Answer with which clones that are gone something is kept of."""
        words = words_of(request, "group", "limit")
        return told(await self.clerk.post_mortems(Wish(**words)))

    async def tell_mortem(self, request: Request) -> Response:
        """Answer with what `autoscaler history --post-mortem --json` prints."""
        words_of(request)
        host, name = request.path_params["host"], request.path_params["name"]
        return told(await self.clerk.post_mortem(host, name))

    def _obeying(self, verb: str) -> Endpoint:
        async def obey(request: Request) -> Response:
            return await self._obey(verb, request)

        return obey

    async def _obey(self, verb: str, request: Request) -> Response:
        """Do what is asked for, if the client may ask for it."""
        if self.lock is None:
            return told(dump({"error": READ_ONLY}), FORBIDDEN)
        refusal = await self.lock.look(request.headers.get("authorization"))
        if refusal is not None:
            self.log.event("http_refused", status=refusal.status, error=refusal.says)
            return refused(refusal)
        words_of(request)
        words = {}
        is_of_group = "name" in request.path_params
        if is_of_group:
            words["group"] = self._group(request)
        numbers = (OF_GROUP if is_of_group else OF_ALL)[verb]
        words.update(read_numbers(await request.body(), numbers))
        reply = await self.desk.obey(requests.Request(verb, words), HTTP_CLIENT)
        form = {"done": reply.is_done, "said": list(reply.said)}
        return told(dump(form), OK if reply.is_done else CONFLICT)

    def _group(self, request: Request) -> str:
        """Return the full name of the group that the path means."""
        text = "{host}/{name}".format_map(request.path_params)
        [group] = find_groups(self.desk.clerk.daemon.fleet.groups, text)
        return str(group)


@frozen
class Locked:
    """Lets nobody read without the token, but those who ask for life signs.

    Attributes:
        app: What is read.
        lock: Opens to who has the token.
    """

    app: ASGIApp
    lock: Lock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse to."""
        if scope["path"] not in OPEN_PATHS:
            given = Request(scope).headers.get("authorization")
            refusal = await self.lock.look(given)
            if refusal is not None:
                await refused(refusal)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def told(document: str, status: int = OK) -> Response:
    """Return the answer that tells *document*, which is JSON."""
    return Response(f"{document}\n".encode("ascii"), status, media_type=JSON)


def refused(refusal: Refusal) -> Response:
    """Return the answer that says why there is none."""
    answer = told(dump({"error": refusal.says}), refusal.status)
    if refusal.status == UNAUTHORIZED:
        answer.headers["www-authenticate"] = "Bearer"
    return answer


async def tell_nothing_there(request: Request, error: Exception) -> Response:
    """Answer where there is no such path, or it takes no such method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for these
    # Starlette names them in the order of a set.
    methods = sorted((error.headers or {}).get("Allow", "").split(", "))
    if error.status_code == NOT_FOUND:
        says = f"{clean(request.url.path, 100)!r}: there is nothing at this path"
    else:
        says = f"this path takes only {' and '.join(methods)}"
    answer = told(dump({"error": says}), error.status_code)
    if error.status_code != NOT_FOUND:
        answer.headers["allow"] = ", ".join(methods)
    return answer


async def tell_broken(_request: Request, _error: Exception) -> Response:
    """Answer where there is a bug; who serves tells the log of it."""
    return told(dump({"error": BROKEN}), SERVER_ERROR)


def words_of(request: Request, *known: str) -> dict[str, str]:
    """Return what the query of *request* says, of what is *known*.

    Raises:
        RequestError: It says something else, or something twice.
    """
    return read_words(request.query_params.multi_items(), known)


def or_why_not(tell: Endpoint) -> Endpoint:
    """Return *tell*, with an answer in JSON to whatever can't be told."""

    async def answer(request: Request) -> Response:
        try:
            return await tell(request)
        except UnknownError as error:
            return told(dump({"error": str(error)}), NOT_FOUND)
        except RequestError as error:
            return told(dump({"error": str(error)}), BAD)
        except StoreError as error:
            return told(dump({"error": str(error)}), UNAVAILABLE)

    return answer
