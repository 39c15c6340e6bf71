"""Frames survive any segmentation; lengths are bounded first."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albatross_client.errors import RemoteProtocolError
from albatross_client.framing import FrameReader, frame

bodies = st.lists(st.binary(max_size=40), max_size=6)


@st.composite
def segmented(draw):
    sent = draw(bodies)
    stream = b"".join(map(frame, sent))
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    ends = [0, *cuts, len(stream)]
    return sent, [stream[a:b] for a, b in pairwise(ends)]


@given(segmented())
def test_frames_survive_any_segmentation(case):
    sent, segments = case
    reader = FrameReader(40)

    received = [body for segment in segments for body in reader.feed(segment)]

    assert received == sent
    assert reader.is_at_boundary


@given(bodies)
def test_frames_survive_byte_by_byte(sent):
    reader = FrameReader(40)
    stream = b"".join(map(frame, sent))

    received = [b for octet in stream for b in reader.feed(bytes([octet]))]

    assert received == sent


def test_a_frame_of_no_bytes_is_an_empty_body():
    reader = FrameReader(10)

    assert list(reader.feed(frame(b"") + frame(b"x") + frame(b""))) == [b"", b"x", b""]
    assert list(reader.feed(frame(b""))) == [b""]


@pytest.mark.parametrize("fed", [b"\x00", b"\x00\x00\x00\x02", b"\x00\x00\x00\x02a"])
def test_an_end_within_a_frame_shows(fed):
    reader = FrameReader(10)

    assert list(reader.feed(fed)) == []
    assert not reader.is_at_boundary


def test_an_end_before_a_frame_is_clean():
    reader = FrameReader(10)

    assert reader.is_at_boundary
    assert list(reader.feed(b"")) == []
    assert list(reader.feed(frame(b"ab"))) == [b"ab"]
    assert reader.is_at_boundary


def test_a_frame_of_the_longest_length_is_accepted():
    assert list(FrameReader(3).feed(frame(b"abc"))) == [b"abc"]


@pytest.mark.parametrize(
    "segments",
    [
        pytest.param([frame(b"abcd")], id="whole"),
        pytest.param([b"\x00\x00\x00\x04"], id="length-alone"),
        pytest.param([b"\x00\x00", b"\x00\x04"], id="length-in-pieces"),
        pytest.param([b"\xff\xff\xff\xff"], id="unsigned"),
    ],
)
def test_a_length_beyond_the_bound_is_refused_before_the_body(segments):
    reader = FrameReader(3)
    *before, last = segments
    for segment in before:
        assert list(reader.feed(segment)) == []

    with pytest.raises(RemoteProtocolError, match="at most 3"):
        list(reader.feed(last))


def test_frames_before_a_bad_length_are_delivered():
    received = FrameReader(3).feed(frame(b"a") + b"\x80\x00\x00\x00")

    assert next(received) == b"a"
    with pytest.raises(RemoteProtocolError):
        next(received)


def test_a_body_longer_than_a_length_can_say_is_not_framed():
    class Endless(bytes):
        __slots__ = ()

        def __len__(self):
            return 1 << 32

    with pytest.raises(ValueError, match="does not fit into a frame"):
        frame(Endless())
