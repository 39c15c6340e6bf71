"""What albatrossctl says while it follows statistics or a console."""

import argparse
import threading

import pytest

from albatross_client.cli import watching
from albatross_client.client import Client
from albatross_client.commands import Unknown
from albatross_client.errors import HostUnreachableError
from albatross_client.framing import frame
from albatross_client.names import Name
from albatross_client.replies import ConsoleLine, Infos, Said
from albatross_client.values import Timestamp
from tests.client.endpoint_server import message, say
from tests.client.messages import INFO
from tests.client.vectors import FRAMES

SUBSCRIBED = message(Said("subscribed"))
# Newer hosts have alternatives of which only the tag is known.
NEWER = message(Unknown("data", 5, bytes.fromhex("a5020500")))
SAID = "albatrossctl: skips messages that can't be read here: "
WEB = Name.parse(":web")
# First it is asked whether it runs.
RUNS = say(message(Infos(((WEB, INFO),))))


def asked(**options):
    usual = {"name": WEB, "count": None, "json": True, "timeout": 10, "lines": 1}
    return argparse.Namespace(**{**usual, **options})


async def test_a_kind_that_is_not_known_is_said_once(serve, endpoint, capsys):
    others = (NEWER, NEWER, frame(b"\x30\x00"))
    script = say(SUBSCRIBED, *others, frame(FRAMES[1]), NEWER)
    closed = pytest.raises(HostUnreachableError, match="has closed the stream")
    with serve(RUNS, script) as host, closed:
        await watching.stats(Client(endpoint(host.port)), asked(action="stats"))

    captured = capsys.readouterr()
    assert captured.err.splitlines() == [f"{SAID}data tag 5", f"{SAID}malformed"]
    assert len(captured.out.splitlines()) == 1


async def test_what_a_console_skips_is_said_though_nothing_else_comes(
    serve, endpoint, capsys
):
    with serve(RUNS, say(SUBSCRIBED, NEWER)) as host:
        client = Client(endpoint(host.port))
        with pytest.raises(HostUnreachableError, match="has closed the stream"):
            await watching.console(client, asked(action="console"))

    assert capsys.readouterr().err == f"{SAID}data tag 5\n"


async def test_what_is_skipped_is_said_while_nothing_else_comes(
    serve, endpoint, monkeypatch
):
    """A newer host would look like one where nothing runs."""
    monkeypatch.setattr(watching, "LOOK_S", 0.01)
    told = threading.Event()
    monkeypatch.setattr(watching, "print_complaint", lambda _text: told.set())

    def script(connection):
        connection.sendall(SUBSCRIBED + NEWER)
        if told.wait(10):
            connection.sendall(message(ConsoleLine(Timestamp(0), b"hello")))

    with serve(RUNS, script) as host:
        client = Client(endpoint(host.port))
        await watching.console(client, asked(action="console", count=1))

    assert told.is_set()
