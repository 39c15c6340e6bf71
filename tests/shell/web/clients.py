"""A site on a real socket of loopback, and clients that speak bytes."""

import sys
from typing import Any

import h11
import trio
from attrs import define, field, frozen

from autoscaler.core.backend import Place
from autoscaler.shell.configuration.http_table import HttpSettings
from autoscaler.shell.log import Field, Log
from autoscaler.shell.web.server import Server
from autoscaler.shell.web.visit import Application

HTTP = HttpSettings(listen=Place("127.0.0.1", 9090), hosts=("scaler.example.org",))
PATIENCE_S = 20
BEAT_S = 0.001


@frozen
class Heard:
    """An answer.

    Attributes:
        status: Of HTTP.
        headers: In small letters.
        body: All of it.
    """

    status: int
    headers: dict[str, str]
    body: bytes


@define
class Town:
    """A server that listens, and what it has logged."""

    port: int
    server: Server
    log: list[tuple[str, dict[str, Field]]] = field(factory=list)

    async def connect(self) -> trio.SocketStream:
        return await trio.open_tcp_stream("127.0.0.1", self.port)

    async def say(self, text: bytes) -> bytes:
        """Return all that is answered to *text*, until the server hangs up."""
        async with await self.connect() as stream:
            await stream.send_all(text)
            return await read_to_end(stream)

    async def get(self, path: str, method: str = "GET", **headers: str) -> Heard:
        async with await self.connect() as stream:
            fields = {"host": "localhost", "connection": "close", **headers}
            lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            request = f"{method} {path} HTTP/1.1\r\n{lines}\r\n"
            await stream.send_all(request.encode())
            return heard(await read_to_end(stream), method)

    async def post(self, path: str, body: bytes = b"", **headers: str) -> Heard:
        fields = {
            "host": "localhost",
            "connection": "close",
            "content-type": "application/json",
            "content-length": str(len(body)),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        request = f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body
        return heard(await self.say(request), "POST")


async def read_to_end(stream: trio.abc.ReceiveStream) -> bytes:
    text = b""
    with trio.fail_after(PATIENCE_S):
        while part := await stream.receive_some(65_536):
            text += part
    return text


def heard(text: bytes, method: str = "GET") -> Heard:
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("host", "localhost")]))
    client.send(h11.EndOfMessage())
    client.receive_data(text)
    client.receive_data(b"")
    response = client.next_event()
    assert isinstance(response, h11.Response)
    body = b""
    while isinstance(event := client.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    headers = {name.decode(): value.decode() for name, value in response.headers}
    return Heard(response.status_code, headers, body)


async def open_town(nursery: trio.Nursery, app: Application) -> Town:
    """Answer with *app* at a port that is free; ends with *nursery*."""
    log: list[tuple[str, dict[str, Field]]] = []
    told = Log(lambda _level, event, fields: log.append((event, dict(fields))))
    server = Server(HTTP, app, told)
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(server.serve, listeners)
    return Town(listeners[0].socket.getsockname()[1], server, log)


async def hello(scope: Any, _receive: Any, send: Any) -> None:
    """An application that tells what it was asked for."""
    await send({"type": "http.response.start", "status": 200, "headers": ()})
    body = f"{scope['method']} {scope['path']}".encode()
    await send({"type": "http.response.body", "body": body})


@define
class Beat:
    """Notices how late it wakes.

    Attributes:
        most: Seconds.
    """

    most: float = 0.0

    async def beat(self) -> None:
        while True:
            due = trio.current_time() + BEAT_S
            await trio.sleep_until(due)
            self.most = max(self.most, trio.current_time() - due)


def siege_of(port: int, seconds: float) -> list[str]:
    """Return the command that besieges *port* for so many *seconds*."""
    return [sys.executable, "-m", "tests.shell.web.siege", str(port), str(seconds)]
