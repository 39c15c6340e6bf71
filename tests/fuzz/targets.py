"""What has to hold of any octets, one function for each reader of octets.

A target returns None; whatever escapes it is a finding.  It is a function of
its octets alone, so that a crash that was kept is a test.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from urllib.parse import parse_qsl

import trio
from rich.console import ConsoleDimensions
from trio.testing import MockClock, memory_stream_pair

from albatross_client.certificates import (
    Authority,
    load_authority,
    load_certificate,
)
from albatross_client.endpoint import Endpoint
from albatross_client.errors import AlbatrossError, CertificateError
from albatross_client.framing import FrameReader
from albatross_client.hosts import read_hosts
from albatross_client.keys import load_key
from albatross_client.meaning import from_meaning, to_meaning
from albatross_client.names import Name
from albatross_client.replies import Wire
from albatross_client.tls import read_server
from albatross_client.unstored import unstored
from albatross_client.wire import (
    decode,
    decode_command,
    encode,
    encode_command,
)
from autoscaler.cli.screen.pages import paint
from autoscaler.cli.screen.showing import Showing, react
from autoscaler.cli.screen.sights import Seen as Told
from autoscaler.cli.screen.sights import read_sight
from autoscaler.cli.screen.table import Scene
from autoscaler.core.backend import Place
from autoscaler.core.group import GroupId
from autoscaler.core.haproxy import AnswerError, is_name, read_change
from autoscaler.core.haproxy_answers import Seen
from autoscaler.core.haproxy_answers import read_backend as read_seen
from autoscaler.shell.configuration.http_table import HttpSettings
from autoscaler.shell.configuration.settings import SettingsError, parse_settings
from autoscaler.shell.log import Log
from autoscaler.shell.operators.requests import (
    Reply,
    RequestError,
    find_clone,
    find_count,
    find_groups,
    find_time,
    read_reply,
    read_request,
    read_told,
    write_reply,
    write_request,
)
from autoscaler.shell.traffic.hook_form import read_backend as read_hook
from autoscaler.shell.web.asking import read_numbers, read_words
from autoscaler.shell.web.server import Server
from autoscaler.shell.web.visit import Message, Receive, Send
from tests.decoders import disagreement
from tests.fuzz.pki import CA, as_pem

Target = Callable[[bytes], None]

LONGEST_FRAME = 40
LONGEST_SAID = 2000
WALL = 1_800_000_000.0
LONGEST_VISIT_S = 60
_LEAST_OF_A_KEY = 20


def framing(octets: bytes) -> None:
    """However a stream is cut, the same frames come out, then the same end."""
    step, stream = (octets[0] % 7 + 1, octets[1:]) if octets else (1, b"")

    assert _frames(stream, len(stream) + 1) == _frames(stream, step)


def wire(octets: bytes) -> None:
    """Both decoders agree on a message, and what is written reads back."""
    found = disagreement(octets)

    assert found is None, found


def command(octets: bytes) -> None:
    """The command of a certificate, once read, is written and read again."""
    try:
        read = decode_command(octets)
    except AlbatrossError as error:
        _require_message(error)
        return

    assert decode_command(encode_command(read)) == read


def meaning(octets: bytes) -> None:
    """A message survives the way through JSON, from either end."""
    for message in (_from_json(octets), _from_wire(octets)):
        if message is not None:
            said = json.loads(json.dumps(to_meaning(message)))

            assert from_meaning(said) == message


def authority(octets: bytes) -> None:
    """A file of certificates is a CA, or is refused in one sentence."""
    for load in (load_certificate, _load_authority):
        with unstored(as_pem(octets)) as path:
            try:
                load(Path(path))
            except CertificateError as error:
                _require_message(error)


def key(octets: bytes) -> None:
    """A key file is a key, or is refused without a word of it."""
    with unstored(octets) as path:
        try:
            load_key(Path(path), None)
        except CertificateError as error:
            _require_message(error)
            _require(not _quotes(str(error), octets), error)


def server(octets: bytes) -> None:
    """What a server shows is its certificate, or refused in one sentence."""
    try:
        read_server(_endpoint(), octets)
    except CertificateError as error:
        _require("nothing was sent" in str(error), error)


def settings(octets: bytes) -> None:
    """A configuration is understood, or each problem is one printable line."""
    text = octets.decode("utf-8", "replace")
    try:
        parse_settings(text, Path("/etc/autoscaler.toml"))
    except SettingsError as error:
        _require(bool(error.problems), error)
        for problem in error.problems:
            _require(str(problem).isprintable(), problem)


def hosts(octets: bytes) -> None:
    """The hosts of a file are understood, or told line by line."""
    with unstored(octets) as path:
        try:
            read_hosts(Path(path))
        except ValueError as error:
            for line in str(error).split("\n"):
                _require(line.startswith(path) and line.isprintable(), line)


def control(octets: bytes) -> None:
    """What is asked of the daemon is understood, or refused in one line."""
    groups = (GroupId("alpha", Name(("user",), "web")),)
    try:
        request = read_request(octets)
        assert read_request(write_request(request)) == request
        find_groups(groups, request.words.get("group"))
        find_clone(groups, request.words.get("name", ""))
    except RequestError as error:
        reply = Reply((str(error),), is_done=False)
        _require(read_reply(write_reply(reply)) == reply, error)
        _require(str(error).isprintable() and len(str(error)) < LONGEST_SAID, error)


def top(octets: bytes) -> None:
    """What a daemon tells is shown, printable and in its place, or refused."""
    try:
        sight = read_sight(read_told(Reply((), rows=({"json": octets.decode()},))))
    except ValueError as error:
        _require(str(error).isprintable(), error)
        return
    showing, _ = react(Showing(Scene(sight=None)), Told(sight))
    for size in (ConsoleDimensions(80, 24), ConsoleDimensions(20, 5)):
        lines = paint(showing.visible, showing.looking, size).lines
        assert len(lines) == size.height
        for line in lines:
            _require(line.plain.isprintable(), line.plain)
            assert line.cell_len <= size.width


def name(octets: bytes) -> None:
    """A name that was read is written the way it is read."""
    text = octets.decode("utf-8", "surrogateescape")
    try:
        read = Name.parse(text)
    except ValueError as error:
        _require_message(error)
        return

    assert Name.parse(str(read)) == read


def haproxy(octets: bytes) -> None:
    """An answer of HAProxy is understood, or refused in one sentence."""
    text = octets.decode("utf-8", "replace")
    for read in (read_change, lambda answer: read_seen(answer, 0.0)):
        try:
            found = read(text)
        except AnswerError as error:
            _require_message(error)
        else:
            if isinstance(found, Seen):
                for name, server in found.backend.servers.items():
                    _require(is_name(name) and server.address.isprintable(), server)


def hook(octets: bytes) -> None:
    """What a hook prints is a backend, or refused in one printable line."""
    try:
        read_hook(octets, 0.0)
    except ValueError as error:
        _require(str(error).isprintable() and len(str(error)) < LONGEST_SAID, error)


def asking(octets: bytes) -> None:
    """What programs ask over HTTP is understood, or refused in one line."""
    query = parse_qsl(octets.decode("latin-1"), keep_blank_values=True)
    reads: tuple[Callable[[], object], ...] = (
        lambda: read_numbers(octets, ("clones",)),
        lambda: read_words(query, ("group", "since", "limit")),
        *(partial(find_time, value, WALL, "since") for _, value in query),
        *(partial(find_count, value, "limit") for _, value in query),
    )
    for read in reads:
        try:
            read()
        except RequestError as error:
            said = str(error)
            _require(said.isprintable() and len(said) < LONGEST_SAID, error)


def http(octets: bytes) -> None:
    """Whatever a client sends is answered in HTTP or not at all, and ends."""
    said = trio.run(_visit, octets, clock=MockClock(autojump_threshold=0))

    assert not said or said.startswith(b"HTTP/1.1 ")


async def _visit(octets: bytes) -> bytes:
    async def nothing(_scope: Message, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    listen = HttpSettings(listen=Place("127.0.0.1", 9090))
    server = Server(listen, nothing, Log(lambda *_: None))
    ours, theirs = memory_stream_pair()
    await ours.send_all(octets)
    await ours.send_eof()
    with trio.fail_after(LONGEST_VISIT_S):
        await server.attend(theirs)
    await theirs.aclose()
    said = bytearray()
    while part := await ours.receive_some():
        said += part
    return bytes(said)


TARGETS: Mapping[str, Target] = {
    target.__name__: target
    for target in (
        framing,
        wire,
        command,
        meaning,
        name,
        authority,
        control,
        key,
        server,
        settings,
        hosts,
        haproxy,
        hook,
        http,
        asking,
        top,
    )
}


def _frames(stream: bytes, step: int) -> tuple[list[bytes], bool, bool]:
    reader, found = FrameReader(LONGEST_FRAME), []
    try:
        for at in range(0, len(stream), step):
            for body in reader.feed(stream[at : at + step]):
                assert len(body) <= LONGEST_FRAME
                found.append(body)
    except AlbatrossError:
        return found, False, False
    return found, True, reader.is_at_boundary


def _from_json(octets: bytes) -> Wire | None:
    """Return the message that JSON says and that has a form on the wire."""
    try:
        message = from_meaning(json.loads(octets.decode()))
        # Sets are written in one order, whatever the JSON had.
        return decode(encode(message))
    except (ValueError, RecursionError):
        return None


def _from_wire(octets: bytes) -> Wire | None:
    try:
        return decode(octets)
    except AlbatrossError:
        return None


def _quotes(message: str, octets: bytes) -> bool:
    """Tell whether *message* has a line of *octets* that could be a key's."""
    lines = (line.decode("latin-1") for line in octets.splitlines())
    return any(len(line) >= _LEAST_OF_A_KEY and line in message for line in lines)


def _require_message(error: Exception) -> None:
    _require(bool(str(error)) and "\n" not in str(error), error)


def _require(holds: bool, what: object) -> None:  # noqa: FBT001 - as assert has it
    if not holds:
        raise AssertionError(what)


def _load_authority(ca: Path) -> Authority:
    with unstored(CA.key_pem()) as key_path:
        return load_authority(ca, Path(key_path))


@cache
def _endpoint() -> Endpoint:
    with unstored(CA.pem) as path:
        signer = _load_authority(Path(path))
    return Endpoint(host="127.0.0.1", server_ca=CA.certificate, authority=signer)
