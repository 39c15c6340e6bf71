"""Subscriptions over real connections."""

import gc
import threading
import weakref
from pathlib import Path

import pytest
import trio

from albatross_client.certificates import load_authority
from albatross_client.client import Client
from albatross_client.commands import (
    ConsoleSubscribe,
    StatsSubscribe,
    Unknown,
)
from albatross_client.endpoint import Limits
from albatross_client.errors import (
    AlbatrossError,
    CommandRefusedError,
    HostUnreachableError,
    RemoteProtocolError,
)
from albatross_client.framing import FrameReader, frame
from albatross_client.names import ROOT, Name
from albatross_client.replies import (
    ConsoleLine,
    Done,
    Failure,
    Said,
)
from albatross_client.stats import read_stats
from albatross_client.values import Timestamp
from albatross_client.wire import decode
from tests.client.endpoint_server import cut, message, say
from tests.client.pki import domain_ca, write

CAPTURED = tuple(
    FrameReader(1 << 20).feed(
        (Path(__file__).parents[1] / "vectors" / "stats_stream.bin").read_bytes()
    )
)
GREETING, *READINGS = (frame(body) for body in CAPTURED)
SUBSCRIBED = message(Said("subscribed"))
# Newer hosts have alternatives of which only the tag is known.
NEWER = message(Unknown("data", 5, bytes.fromhex("a5050403010203")))
LINE = ConsoleLine(Timestamp(1_700_000_000_000), b"hello \xff")


async def all_of(stream):
    """Return what *stream* gives and the error that ends it."""
    found = []
    async with stream:
        try:
            while True:
                found.append(await stream.receive())
        except AlbatrossError as error:
            return found, error
    pytest.fail("a stream ends with a reason")


async def test_a_captured_stream_is_heard_whole_and_in_order(serve, endpoint):
    with serve(say(GREETING, *READINGS)) as host:
        stream = await Client(endpoint(host.port)).stats(ROOT)
        heard, end = await all_of(stream)

    assert [each.sample for each in heard] == [
        read_stats(body) for body in CAPTURED[1:]
    ]
    assert {str(each.name) for each in heard} == {
        "user1:web-clone-1",
        "user1:web",
        "user1:api",
        ":solo",
    }
    assert len({id(each.name) for each in heard}) == 4
    assert isinstance(end, HostUnreachableError)
    assert "has closed the stream" in str(end)
    assert (stream.malformed, stream.unknown) == (0, {})
    assert host.asked == [(".", StatsSubscribe())]


async def test_readings_carry_the_time_of_their_read(serve, endpoint):
    before = trio.current_time()
    with serve(say(SUBSCRIBED, *READINGS[:2])) as host:
        stream = await Client(endpoint(host.port)).stats(ROOT)
        heard, _ = await all_of(stream)

    assert before < heard[0].at <= heard[1].at <= trio.current_time()


@pytest.mark.parametrize(
    ("path", "leaf"),
    [
        pytest.param("org:team:", ".", id="a domain"),
        pytest.param("org:team:web", "web", id="a unikernel"),
    ],
)
async def test_names_are_absolute_below_the_path_asked(serve, endpoint, path, leaf):
    with serve(say(SUBSCRIBED, solo_reading())) as host:
        stream = await Client(endpoint(host.port)).stats(Name.parse(path))
        heard, _ = await all_of(stream)

    assert [str(each.name) for each in heard] == ["org:team:solo"]
    assert host.asked == [(leaf, StatsSubscribe())]


def solo_reading():
    return next(frame(body) for body in CAPTURED if b":solo" in body)


async def test_a_domain_key_hears_absolute_names_too(serve, endpoint, ca, tmp_path):
    keys = tmp_path / "user"
    keys.mkdir()
    write(keys, domain_ca("user", ca), ca)
    authority = load_authority(keys / "ca.pem", keys / "ca.key")
    with serve(say(SUBSCRIBED, solo_reading())) as host:
        client = Client(endpoint(host.port, authority=authority))
        heard, _ = await all_of(await client.stats(Name.parse("user:")))

    assert [str(each.name) for each in heard] == ["user:solo"]
    assert host.asked == [(".", StatsSubscribe())]


async def test_bad_and_new_messages_are_counted_and_skipped(serve, endpoint):
    bad = frame(CAPTURED[1][:-1])
    others = (bad, NEWER, message(Done()), frame(b""), SUBSCRIBED, NEWER)
    with serve(say(SUBSCRIBED, READINGS[0], *others, READINGS[1])) as host:
        stream = await Client(endpoint(host.port)).stats(ROOT)
        heard, _ = await all_of(stream)

    assert len(heard) == 2
    assert stream.malformed == 2
    assert stream.unknown == {"data tag 5": 2, "Done": 1, "Said": 1}
    assert stream.skipped == {"data tag 5": 2, "Done": 1, "Said": 1, "malformed": 2}


async def test_a_name_that_nobody_can_ask_for_is_malformed(serve, endpoint):
    """Each name is kept, and a message may hold half a million labels."""
    reading = decode(CAPTURED[1]).payload
    deep = message(reading, Name(("a",) * 512, "web"))
    longest = message(reading, Name(("a" * 9,) * 102, "web"))
    with serve(say(SUBSCRIBED, deep, longest)) as host:
        stream = await Client(endpoint(host.port)).stats(ROOT)
        heard, _ = await all_of(stream)

    assert [len(str(each.name)) for each in heard] == [1023]
    assert stream.skipped == {"malformed": 1}


async def test_a_long_message_of_another_kind_is_not_even_decoded(serve, endpoint):
    """One of a megabyte held up everything for two seconds."""
    contents = (b"\x04\x82" + n.to_bytes(2, "big") + bytes(n) for n in (16_000, 17_000))
    longest, longer = (
        message(Unknown("data", 5, b"\xa5\x82" + len(each).to_bytes(2, "big") + each))
        for each in contents
    )
    with serve(say(SUBSCRIBED, longest, longer, READINGS[0])) as host:
        stream = await Client(endpoint(host.port)).stats(ROOT)
        heard, _ = await all_of(stream)

    assert len(heard) == 1
    assert stream.skipped == {"data tag 5": 1, "long messages": 1}


async def test_kinds_without_end_are_counted_together(serve, endpoint):
    kinds = [
        message(Unknown("data", tag, bytes([0xBF, tag, 0]))) for tag in range(31, 81)
    ]
    with serve(say(SUBSCRIBED, *kinds)) as host:
        stream = await Client(endpoint(host.port)).stats(ROOT)
        await all_of(stream)

    assert len(stream.skipped) == 17
    assert stream.skipped["other kinds"] == 34


async def test_another_subscriber_is_named_after_what_came_before_it(serve, endpoint):
    evicted = message(Failure("exception while reading from fd"))
    with serve(say(SUBSCRIBED, READINGS[0], evicted)) as host:
        heard, end = await all_of(await Client(endpoint(host.port)).stats(ROOT))

    assert len(heard) == 1
    assert isinstance(end, CommandRefusedError)
    assert str(end).startswith("exception while reading from fd")
    assert "somebody else has subscribed to the same path" in str(end)


@pytest.mark.parametrize(
    ("last", "kind", "text"),
    [
        pytest.param(
            say(SUBSCRIBED + READINGS[0] + b"\x00\x10\x00\x01"),
            RemoteProtocolError,
            "a frame of 1048577 bytes",
            id="too long",
        ),
        pytest.param(
            say(SUBSCRIBED + READINGS[0] + READINGS[1][:-1]),
            RemoteProtocolError,
            "inside its reply",
            id="cut off by a goodbye",
        ),
        pytest.param(
            cut(SUBSCRIBED + READINGS[0]), HostUnreachableError, "was lost", id="lost"
        ),
    ],
)
async def test_an_end_comes_after_what_is_good_and_stays(
    serve, endpoint, last, kind, text
):
    with serve(last) as host:
        stream = await Client(endpoint(host.port)).stats(ROOT)
        async with stream:
            first = await stream.receive()
            for _ in range(2):
                with pytest.raises(kind, match=text):
                    await stream.receive()

    assert first.sample == read_stats(CAPTURED[1])


async def test_the_bound_of_a_stream_can_be_set(serve, endpoint):
    limits = Limits(stream_bytes=100)
    with serve(say(SUBSCRIBED, READINGS[0])) as host:
        client = Client(endpoint(host.port, limits=limits))
        _, end = await all_of(await client.stats(ROOT))

    assert isinstance(end, RemoteProtocolError)


@pytest.mark.parametrize(
    ("greeting", "kind"),
    [
        pytest.param(message(Failure("no")), CommandRefusedError, id="refused"),
        pytest.param(message(Done()), RemoteProtocolError, id="another success"),
        pytest.param(READINGS[0], RemoteProtocolError, id="data at once"),
        pytest.param(b"", CommandRefusedError, id="nothing"),
    ],
)
async def test_there_is_no_stream_before_the_host_agrees(
    serve, endpoint, greeting, kind
):
    with serve(say(greeting)) as host, pytest.raises(kind):
        await Client(endpoint(host.port)).stats(ROOT)


async def test_a_closed_stream_gives_nothing_more(serve, endpoint):
    with serve(say(SUBSCRIBED, *READINGS[:5])) as host:
        stream = await Client(endpoint(host.port)).stats(ROOT)
        await stream.receive()
        await stream.aclose()
        await stream.aclose()

        with pytest.raises(trio.ClosedResourceError):
            await stream.receive()


async def test_a_cancelled_wait_loses_no_reading(serve, endpoint):
    go_on = threading.Event()

    def slowly(connection):
        connection.sendall(SUBSCRIBED + READINGS[0][:100])
        go_on.wait(10)
        connection.sendall(READINGS[0][100:])

    with serve(slowly) as host:
        stream = await Client(endpoint(host.port)).stats(ROOT)
        with trio.move_on_after(0.1) as scope:
            await stream.receive()
        go_on.set()
        heard, _ = await all_of(stream)

    assert scope.cancelled_caught
    assert [each.sample for each in heard] == [read_stats(CAPTURED[1])]


async def test_what_is_ready_can_be_cancelled_too(serve, endpoint):
    with serve(say(SUBSCRIBED + b"".join(READINGS[:3]))) as host:
        async with await Client(endpoint(host.port)).stats(ROOT) as stream:
            await stream.receive()
            with trio.CancelScope() as scope:
                scope.cancel()
                await stream.receive()
            heard, _ = await all_of(stream)

    assert scope.cancelled_caught
    assert len(heard) == 2


async def test_names_are_forgotten_before_they_fill_the_memory(
    serve, endpoint, monkeypatch
):
    monkeypatch.setattr("albatross_client.streams.MAX_NAMES", 2)
    with serve(say(SUBSCRIBED, *READINGS)) as host:
        stream = await Client(endpoint(host.port)).stats(ROOT)
        heard, _ = await all_of(stream)

    assert len(heard) == len(READINGS)
    assert len(stream._names) <= 2  # noqa: SLF001 - memory shows nowhere else


@pytest.mark.parametrize(
    ("greeting", "waiting"), [("subscribed", False), ("waiting for VM", True)]
)
async def test_a_console_gives_lines_as_raw_bytes(serve, endpoint, greeting, waiting):
    lines = (message(LINE), NEWER, frame(b"x"), message(LINE))
    with serve(say(message(Said(greeting)), *lines)) as host:
        stream = await Client(endpoint(host.port)).console(Name.parse("u:web"), 7)
        found, end = await all_of(stream)

    assert found == [LINE, LINE]
    assert stream.waiting is waiting
    assert (stream.malformed, stream.unknown) == (1, {"data tag 5": 1})
    assert isinstance(end, HostUnreachableError)
    assert host.asked == [("web", ConsoleSubscribe(7))]


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param((SUBSCRIBED, message(Failure("gone"))), id="said to be gone"),
        pytest.param((SUBSCRIBED, b"\xff\xff\xff\xff"), id="a length beyond all"),
    ],
)
async def test_a_closed_stream_is_gone_at_once(serve, endpoint, sent):
    """The error that ended it was kept, and that kept it: 40 kB each time.

    A daemon that loses four streams a second waited for Python to look for
    cycles, and grew by 15 MB in ten minutes.
    """
    with serve(say(*sent)) as host:
        stream = await Client(endpoint(host.port)).stats(ROOT)
        gc.disable()
        try:
            with pytest.raises(AlbatrossError):
                await stream.receive()
            await stream.aclose()
            left = weakref.ref(stream)
            del stream

            assert left() is None
        finally:
            gc.enable()
