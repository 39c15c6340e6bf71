"""Large images in replies, held once."""

import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albatross_client.endpoint import Limits
from albatross_client.errors import RemoteProtocolError
from albatross_client.framing import frame
from albatross_client.image_reply import Content, ImageReply
from albatross_client.names import Name
from albatross_client.replies import (
    Failure,
    Header,
    Infos,
    UnikernelImage,
    Wire,
)
from albatross_client.values import Info
from albatross_client.wire import encode

WEB = Name.parse("user:web")
MB = 1_000_000
DEFAULTS = Limits()
IMAGE = bytes(range(256)) * 40


def reply_of(payload, name=WEB):
    return frame(encode(Wire(Header(name), payload)))


def image_reply(content, *, compressed=False):
    return reply_of(UnikernelImage(compressed, content))


def read(octets, limits=DEFAULTS, step=65_536):
    incoming = ImageReply(limits)
    for at in range(0, len(octets), step):
        if incoming.feed(octets[at : at + step]):
            return incoming.result()
    return None


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "compressed"])
@pytest.mark.parametrize("size", [0, 1, 127, 128, 4095, 4096, 5000, 70_000])
@pytest.mark.parametrize("step", [1, 7, 4096, 10**6])
def test_images_of_all_sizes_come_whole_however_they_are_cut(compressed, size, step):
    image = bytes(at % 251 for at in range(size))
    sent = zlib.compress(image) if compressed else image

    assert read(image_reply(sent, compressed=compressed), step=step) == image


def test_an_image_of_a_unikernel_deep_down_comes_whole():
    deep = Name(("d" * 63,) * 8, "w" * 63)

    assert read(reply_of(UnikernelImage(compressed=False, image=IMAGE), deep)) == IMAGE


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(Failure("get: no unikernel found"), id="failure"),
        pytest.param(Failure("long " * 3000), id="long failure"),
        pytest.param(
            Infos(tuple((Name((), f"w{n}"), Info()) for n in range(300))), id="infos"
        ),
    ],
)
@pytest.mark.parametrize("step", [1, 1000, 10**6])
def test_other_replies_come_as_messages(payload, step):
    assert read(reply_of(payload), step=step) == Wire(Header(WEB), payload)


@given(cuts=st.lists(st.integers(1, 3000), max_size=20), extra=st.binary(max_size=9))
def test_what_follows_a_reply_is_left_alone(cuts, extra):
    octets = image_reply(bytes(9000)) + extra
    incoming = ImageReply(Limits())
    at = 0
    for cut in [*cuts, len(octets)]:
        if at < len(octets) and incoming.feed(octets[at : at + cut]):
            break
        at += cut

    assert incoming.result() == bytes(9000)


@given(at=st.integers(0, 60), octet=st.integers(0, 255))
def test_a_damaged_head_is_only_ever_a_protocol_error(at, octet):
    octets = bytearray(image_reply(bytes(range(100)) * 50))
    octets[4 + at] = octet
    try:
        result = read(bytes(octets), Limits(reply_bytes=10**5, image_bytes=10**5))
    except RemoteProtocolError:
        return

    assert result is None or isinstance(result, bytes | Wire)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda o: o[:4] + b"\x31" + o[5:], id="no sequence"),
        pytest.param(lambda o: o.replace(b"\xa1\x82", b"\xa2\x82", 1), id="failure"),
        pytest.param(
            lambda o: o.replace(b"\x02\x01\x05", b"\x02\x01\x04"), id="version 4"
        ),
        pytest.param(
            lambda o: o.replace(b"\x01\x01\x00\x04\x82", b"\x02\x01\x00\x04\x82"),
            id="no boolean",
        ),
    ],
)
def test_a_reply_that_is_no_message_is_refused(spoil):
    octets = image_reply(bytes(5000))
    spoiled = spoil(octets)
    assert spoiled != octets

    with pytest.raises(RemoteProtocolError):
        read(spoiled)


def test_an_image_above_the_limit_is_refused_at_its_length():
    limits = Limits(reply_bytes=10**5, image_bytes=MB)
    octets = image_reply(bytes(MB + 10_000))

    with pytest.raises(RemoteProtocolError, match="announces a reply of 10100"):
        ImageReply(limits).feed(octets[:4])


def test_another_reply_above_its_own_limit_is_refused():
    limits = Limits(reply_bytes=10**4, image_bytes=MB)

    with pytest.raises(RemoteProtocolError, match="announces a reply of"):
        read(reply_of(Failure("x" * 20_000)), limits)


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        pytest.param(zlib.compress(bytes(2 * MB)), "larger than 1000000", id="bomb"),
        pytest.param(zlib.compress(bytes(99))[:-1], "is cut off", id="cut off"),
        pytest.param(zlib.compress(b"a") + b"b", "goes on after", id="trailing"),
        pytest.param(b"rubbish", "is no zlib stream", id="rubbish"),
        pytest.param(b"", "is cut off", id="empty"),
    ],
)
def test_a_bad_compressed_image_is_refused(sent, message):
    with pytest.raises(RemoteProtocolError, match=message):
        read(image_reply(sent, compressed=True), Limits(image_bytes=MB))


def test_plain_content_above_the_limit_is_refused():
    content = Content(10, compressed=False)
    content.write(bytes(10))

    with pytest.raises(RemoteProtocolError, match="larger than 10 bytes"):
        content.write(b"x")


def test_a_large_image_is_held_once():
    """The buffer grows by an eighth at a time and is given away uncopied."""
    size = 32 * MB
    head = image_reply(bytes(size))[:200]
    head = head[: head.index(b"\x00\x00\x00\x00", 60)]
    incoming = ImageReply(Limits())
    piece = bytes(65_536)

    tracemalloc.start()
    try:
        whole = incoming.feed(head)
        while not whole:
            whole = incoming.feed(piece)
        result = incoming.result()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert isinstance(result, bytes)
    assert len(result) == size
    assert peak < 1.3 * size
