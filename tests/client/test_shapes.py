"""A learnt shape may make reading faster, never laxer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albatross_client import stats
from albatross_client.names import Name
from albatross_client.replies import (
    Header,
    StatsData,
    Wire,
)
from albatross_client.shapes import Shape
from albatross_client.stats import read_stats
from albatross_client.values import InterfaceStats, KinfoMem, Rusage, Stats, Timeval
from albatross_client.wire import encode
from tests.client import strategies as some
from tests.client.vectors import FRAMES
from tests.decoders import disagreement


def frame(name="user:web", us=123_456, bridge="service", vmm=None):
    reading = Stats(
        rusage=Rusage(utime=Timeval(1, us), stime=Timeval(2, 70_000)),
        interfaces=(InterfaceStats(bridge=bridge, input_packets=7),),
        vmm=vmm,
        kinfo=KinfoMem(runtime=5, start=Timeval(9, 80_000)),
    )
    return encode(Wire(Header(Name.parse(name)), StatsData(reading)))


@given(some.stats_wires, some.stats_wires)
def test_what_was_learnt_of_one_frame_changes_no_other(first, second):
    read_stats(encode(first))

    assert disagreement(encode(second)) is None
    assert disagreement(encode(first)) is None


@given(
    st.sampled_from(FRAMES[1:]),
    st.integers(0, 10_000),
    st.integers(0, 255),
)
def test_one_octet_changed_in_a_learnt_frame_is_judged_alike(body, place, octet):
    read_stats(body)
    at = place % len(body)

    changed = body[:at] + bytes([octet]) + body[at + 1 :]

    assert disagreement(changed) is None


@pytest.mark.parametrize(
    "us", [b"\x00\x7f\xff", b"\x80\x00\x00", b"\xff\xff\x80"], ids=bytes.hex
)
def test_odd_microseconds_in_a_learnt_shape_are_judged_alike(us):
    body = frame(us=123_456)
    read_stats(body)

    odd = body.replace((123_456).to_bytes(3, "big"), us, 1)

    assert odd != body
    assert disagreement(odd) is None


def test_a_name_that_was_not_checked_is_not_taken_from_a_shape():
    read_stats(frame(name="user:web"))

    odd = frame(name="user:api").replace(b"user:api", b"user:-pi")

    assert disagreement(odd) is None


def test_two_names_of_one_length_share_a_shape():
    stats.learnt_shapes.clear()

    read_stats(frame(name="user:web"))
    read_stats(frame(name="user:api"))

    assert [len(learnt) for learnt in stats.learnt_shapes.values()] == [1]


def test_frames_with_hypervisor_counters_are_not_learnt():
    assert Shape.learn(frame(vmm=(("exits", 3),))) is None
    assert Shape.learn(frame(us=1 << 40)) is None


def test_what_is_learnt_is_bounded(monkeypatch):
    monkeypatch.setattr(stats, "_REMEMBERED", 4)
    monkeypatch.setattr(stats, "_MOST_LEARNT_BYTES", 4 * len(frame()))
    stats.learnt_shapes.clear()
    stats.learnt_names.clear()

    for number in range(30):
        body = frame(name=f"user:web{number}", bridge="b" * (1 + number))
        assert disagreement(body) is None

    learnt = stats.learnt_shapes.items()
    assert 0 < sum(size * len(shapes) for size, shapes in learnt) <= 4 * len(frame())
    assert len(stats.learnt_names) <= 4


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(frame(name=f"{':'.join(['a' * 60] * 100)}:web"), id="name"),
        pytest.param(frame(bridge="b" * 5000), id="bridge"),
    ],
)
def test_nothing_is_remembered_of_a_frame_that_no_sane_host_sends(body):
    stats.learnt_shapes.clear()
    stats.learnt_names.clear()

    assert disagreement(body) is None

    assert not stats.learnt_shapes
    assert not stats.learnt_names
