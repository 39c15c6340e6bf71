"""HTTP servers on loopback, small enough to be read at a glance."""

import trio
from attrs import define, field

from autoscaler.core.backend import Place

HEAD_END = b"\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@define
class Member:
    """Answers requests, those for ``/held`` once it is let go.

    Attributes:
        place: Where it listens.
        let_go: Set when held requests may be answered.
        scope: Ends it.
    """

    place: Place
    let_go: trio.Event = field(factory=trio.Event)
    scope: trio.CancelScope = field(factory=trio.CancelScope)

    async def serve(self, listener: trio.SocketListener) -> None:
        with self.scope:
            await trio.serve_listeners(self._answer_all, [listener])

    async def _answer_all(self, stream: trio.SocketStream) -> None:
        async with stream:
            try:
                while head := await read_head(stream):
                    if b"/held" in head:
                        await self.let_go.wait()
                    await stream.send_all(ANSWER)
            except trio.BrokenResourceError:
                return


async def read_head(stream: trio.abc.ReceiveStream) -> bytes:
    """Return what comes up to an empty line; empty at the end."""
    head = b""
    while not head.endswith(HEAD_END):
        part = await stream.receive_some(4096)
        if not part:
            return b""
        head += part
    return head


async def start_member(nursery: trio.Nursery, port: int = 0) -> Member:
    """Return a server that lives as long as *nursery*."""
    (listener,) = await trio.open_tcp_listeners(port, host="127.0.0.1")
    host, port = listener.socket.getsockname()[:2]
    member = Member(Place(host, port))
    nursery.start_soon(member.serve, listener)
    return member


async def request(port: int, path: str = "/", count: int = 1) -> list[bytes]:
    """Return the status lines of *count* requests over one connection."""
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    lines = []
    async with stream:
        for _ in range(count):
            await stream.send_all(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            answer = b""
            while HEAD_END not in answer or not answer.endswith(b"ok"):
                part = await stream.receive_some(4096)
                if not part:
                    break
                answer += part
            lines.append(answer.partition(b"\r\n")[0])
    return lines
