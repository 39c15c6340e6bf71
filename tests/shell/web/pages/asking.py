"""Asks an application without a socket, so that time may be virtual."""

import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any

import trio
from attrs import define, field, frozen
from starlette.applications import Starlette
from starlette.types import Send

from autoscaler.shell.web.pages.routes import Pages


@frozen
class Answer:
    """What was answered, unpacked; and how many bytes that took."""

    status: int
    headers: Mapping[str, str]
    text: str
    size: int


@define
class Told:
    """What a stream has told so far; its client lives until *life* ends."""

    headers: Mapping[str, str] = field(factory=dict)
    text: str = ""
    pieces: int = 0
    life: trio.CancelScope = field(factory=trio.CancelScope)

    @property
    def events(self) -> list[tuple[str, Any, str | None]]:
        """Every event: its name, its data, its id."""
        return [event for event in map(_event, self.text.split("\n\n")) if event]

    def named(self, name: str) -> list[Any]:
        return [data for kind, data, _ in self.events if kind == name]


def _event(text: str) -> tuple[str, Any, str | None] | None:
    fields = dict(line.partition(": ")[::2] for line in text.splitlines())
    if "event" not in fields:
        return None
    return fields["event"], json.loads(fields["data"]), fields.get("id")


def scope_of(path: str, method: str, headers: Mapping[str, str]) -> dict[str, Any]:
    place, _, query = path.partition("?")
    return {
        "type": "http",
        "method": method,
        "path": place,
        "raw_path": place.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [
            (name.replace("_", "-").encode(), value.encode())
            for name, value in headers.items()
        ],
    }


async def ask(pages: Pages, path: str, method: str = "GET", **headers: str) -> Answer:
    """Return what *pages* answer."""
    start: dict[str, Any] = {}
    parts: list[bytes] = []

    async def send(message: Any) -> None:
        await trio.lowlevel.checkpoint()
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            parts.append(message.get("body", b""))

    await _run(pages, scope_of(path, method, headers), send)
    found = _headers(start)
    body = b"".join(parts)
    size = len(body)
    if found.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return Answer(start["status"], found, body.decode(), size)


async def ask_in_pieces(
    pages: Pages, path: str, take: Callable[[bytes], None], **headers: str
) -> None:
    """Have *take* take each piece of what *pages* answer, as it is sent."""

    async def send(message: Any) -> None:
        await trio.lowlevel.checkpoint()
        if message["type"] == "http.response.body":
            take(message.get("body", b""))

    await _run(pages, scope_of(path, "GET", headers), send)


def follow(
    nursery: trio.Nursery, pages: Pages, path: str, pause: float = 0.0, **headers: str
) -> Told:
    """Return what is told at *path*, as it comes; ends with *nursery*.

    *pause* is how long the client takes for each piece, seconds.
    """
    told = Told()

    async def send(message: Any) -> None:
        await trio.sleep(pause)
        if message["type"] == "http.response.start":
            told.headers = _headers(message)
        else:
            told.text += message.get("body", b"").decode()
            told.pieces += 1

    async def run() -> None:
        with told.life:
            await _run(pages, scope_of(path, "GET", headers), send)

    nursery.start_soon(run)
    return told


async def _run(pages: Pages, scope: dict[str, Any], send: Send) -> None:
    await Starlette(routes=pages.routes())(scope, _receive, send)


def _headers(start: Mapping[str, Any]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in start["headers"]}


async def _receive() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}
