"""Strangers who try everything at once, from a process of their own.

    python -m tests.shell.web.siege PORT SECONDS

They keep a thousand connections open, send requests byte by byte, ask for much
and don't read it, and try what is wrong as fast as they can.  What they were
answered is printed as JSON: how many answers of each status.
"""

import contextlib
import json
import resource
import sys
from collections import Counter

import trio

from tests.shell.web.attempts import ATTEMPTS, JSON, ask

SILENT, SLOW, DEAF, HASTY = 1000, 50, 20, 8
PAUSE_S, RETURN_S = 0.1, 1.0
GONE = (OSError, trio.BrokenResourceError)
HALF = ask("/api/v1/pause", "POST", headers={**JSON, "Content-Length": "2"})


async def stay(port: int) -> None:
    """Connect, say nothing, and connect again when sent away."""
    while True:
        with contextlib.suppress(*GONE):
            async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                await stream.receive_some()
        await trio.sleep(RETURN_S)


async def dawdle(port: int, text: bytes) -> None:
    """Send *text* byte by byte, again and again."""
    while True:
        with contextlib.suppress(*GONE):
            async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                for at in range(len(text)):
                    await stream.send_all(text[at : at + 1])
                    await trio.sleep(PAUSE_S)
        await trio.sleep(PAUSE_S)


async def ignore(port: int) -> None:
    """Ask for much, and read nothing of it."""
    while True:
        with contextlib.suppress(*GONE):
            async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                for _ in range(100):
                    await stream.send_all(ask("/metrics"))
                await trio.sleep(1)
        await trio.sleep(PAUSE_S)


async def hurry(port: int, told: "Counter[str]") -> None:
    """Try one thing after the other."""
    while True:
        for attempt in ATTEMPTS:
            answer = b""
            with contextlib.suppress(*GONE):
                async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                    await stream.send_all(attempt.sent)
                    await stream.send_eof()
                    answer = await stream.receive_some()
            told[answer[9:12].decode("latin-1") or "sent away"] += 1


async def besiege(port: int, seconds: float) -> "Counter[str]":
    """Do all of it at once for so many *seconds*."""
    told: Counter[str] = Counter()
    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:  # noqa: TID251 - for so long
            for _ in range(SILENT):
                nursery.start_soon(stay, port)
            for text in (ask("/metrics"), HALF):
                for _ in range(SLOW):
                    nursery.start_soon(dawdle, port, text)
            for _ in range(DEAF):
                nursery.start_soon(ignore, port)
            for _ in range(HASTY):
                nursery.start_soon(hurry, port, told)
    return told


def main() -> None:
    """Besiege the port that is named."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    told = trio.run(besiege, int(sys.argv[1]), float(sys.argv[2]))
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
